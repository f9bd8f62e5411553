// The public exports of data.transforms, and nothing else.
export {
  type AffineOptions,
  affine,
  centerCrop,
  compose,
  type ImageSize,
  normalize,
  type RandomAffineOptions,
  type RandomCropOptions,
  type RandomOptions,
  randomAffine,
  randomCrop,
  randomHorizontalFlip,
  randomVerticalFlip,
  resize,
  type Transform,
} from './image.js';
