// Image transforms on tensors [..., C, H, W]: cropping, turning over, sizes, colour ranges, affine maps.
import { currentChance, type Generator as RandomGenerator } from '../../core/random.js';
import { checkBoolean, checkInteger, checkNumber, checkSpatial } from '../../core/shape.js';
import { tensor, zeros } from '../../create.js';
import { checkOptions, describe, TensorError } from '../../errors.js';
import { affineGrid, gridSample } from '../../ops/resample/grid.js';
import { type InterpolateOptions, interpolate } from '../../ops/resample/interpolate.js';
import { stack } from '../../ops/shape/join.js';
import { pad } from '../../ops/shape/pad.js';
import { Tensor } from '../../tensor.js';
import { ofLibrary } from '../portable.js';
import { CHANCE, type ChanceOptions, drawUniform, generatorFor } from '../random.js';

/** A step from images to images. */
export type Transform = (images: Tensor) => Tensor;

/** One number for height and width, or each its own. */
export type ImageSize = number | readonly [height: number, width: number];

function checkImages(op: string, x: unknown): Tensor {
  if (!(x instanceof Tensor)) throw new TensorError('value', op, `expected images, got ${describe(x)}`);
  if (x.ndim !== 3 && x.ndim !== 4) {
    throw new TensorError('shape', op, `expected images [C, H, W] or [N, C, H, W], got ${describe(x)}`);
  }
  return x;
}

/** Most pixels of a side. */
const MAX_SIDE = 2 ** 20;

function checkSize(op: string, size: ImageSize): readonly [number, number] {
  const [height, width] = checkSpatial(op, 'the size', size, 2, 1, MAX_SIDE);
  return [height, width];
}

/** Two numbers that an option holds. */
function checkTwo(
  op: string,
  name: string,
  given: readonly [number, number],
  low = -Number.MAX_VALUE,
  high = Number.MAX_VALUE,
): readonly [number, number] {
  if (!Array.isArray(given) || given.length !== 2) {
    throw new TensorError('value', op, `expected ${name} to be two numbers, got ${describe(given)}`);
  }
  return [checkNumber(op, name, given[0], low, high), checkNumber(op, name, given[1], low, high)];
}

/** A function of whole batches, for single images too. */
function onBatch(x: Tensor, fn: (batch: Tensor) => Tensor): Tensor {
  return x.ndim === 4 ? fn(x) : fn(x.unsqueeze(0)).squeeze(0);
}

/** A choice of its own for every image of a batch. */
function onEach(x: Tensor, fn: (image: Tensor) => Tensor): Tensor {
  if (x.ndim === 3) return fn(x);
  return x.shape[0] === 0 ? fn(x) : stack(Array.from({ length: x.shape[0] }, (_, i) => fn(x.select(0, i))));
}

/** Random numbers from 0 to below 1, one at a time; while a loader makes a sample with random numbers of its own, these. */
function chanceOf(generator: RandomGenerator): () => number {
  const numbers = drawUniform(generator);
  return () => {
    const own = currentChance()?.keep(generator, () => drawUniform(generator));
    return (own ?? numbers).next().value;
  };
}

/** A transform that worker threads can make, too: by the function of this name. */
function made(transform: Transform, name: string, ...args: unknown[]): Transform {
  return ofLibrary(transform, name, ...args);
}

/**
 * Several transforms as one, first to last (torchvision: `transforms.Compose`).
 *
 * @throws TensorError `value` for what is no function
 *
 * @example
 * ```ts
 * import { data, ones } from 'chainrule';
 * const { centerCrop, compose, normalize } = data.transforms;
 * console.log(compose([centerCrop(2), normalize(0.5, 0.5)])(ones([1, 4, 4])).toArray()); // [[[1, 1], [1, 1]]]
 * ```
 */
export function compose(transforms: readonly Transform[]): Transform {
  const odd = Array.isArray(transforms) ? transforms.find((one) => typeof one !== 'function') : transforms;
  if (odd !== undefined || !Array.isArray(transforms)) {
    throw new TensorError('value', 'compose', `expected a list of transforms, got ${describe(odd)}`);
  }
  return made((images) => transforms.reduce((x, transform) => transform(x), images), 'compose', transforms);
}

/**
 * `(x - mean) / std`, by channel (torchvision: `transforms.Normalize`).
 *
 * @param mean one number for all channels, or one for each
 * @param std likewise, above 0
 * @throws TensorError `value` for a std that is not above 0; of the transform, `shape` unless there are as many channels, `dtype`
 * unless images are floating point
 *
 * @example
 * ```ts
 * import { data, ones } from 'chainrule';
 * console.log(data.transforms.normalize([0, 0.5], [1, 0.25])(ones([2, 1, 1])).flatten().toArray()); // [1, 2]
 * ```
 */
export function normalize(mean: number | readonly number[], std: number | readonly number[]): Transform {
  const op = 'normalize';
  const means = [mean].flat().map((value) => checkNumber(op, 'mean', value, -Number.MAX_VALUE, Number.MAX_VALUE));
  const stds = [std].flat().map((value) => checkNumber(op, 'std', value, Number.MIN_VALUE, Number.MAX_VALUE));
  const transform: Transform = (images) => {
    const x = checkImages(op, images);
    if (x.dtype !== 'float32' && x.dtype !== 'float64') {
      throw new TensorError(
        'dtype',
        op,
        `expected floating point images, got ${x.dtype}; use x.to('float32').div(255)`,
      );
    }
    const channels = x.shape[x.ndim - 3];
    const spread = (values: number[]) => {
      if (values.length === channels || values.length === 1)
        return tensor(values, { dtype: x.dtype }).reshape([-1, 1, 1]);
      throw new TensorError('shape', op, `expected a number for each of ${channels} channels, got ${describe(values)}`);
    };
    return x.sub(spread(means)).div(spread(stds));
  };
  return made(transform, op, mean, std);
}

/**
 * Images in another size (torchvision: `transforms.Resize`).
 *
 * @param size [H, W], or one number for the shorter side, and the longer in proportion, rounded down
 * @param options `mode`: 'bilinear' unless given; `antialias`: widen the taps where images become smaller, true unless given for
 * 'bilinear' and 'bicubic'
 * @throws TensorError `value` for a size below 1; of the transform, `shape` unless it is given images
 *
 * @example
 * ```ts
 * import { data, ones } from 'chainrule';
 * console.log(data.transforms.resize([2, 3])(ones([5, 1, 8, 8])).shape); // [5, 1, 2, 3]
 * ```
 */
export function resize(size: ImageSize, options?: Pick<InterpolateOptions, 'mode' | 'antialias'>): Transform {
  const op = 'resize';
  const sizes = checkSize(op, size);
  checkOptions(op, options, ['mode', 'antialias']);
  const mode = options?.mode ?? 'bilinear';
  const antialias = checkBoolean(op, 'antialias', options?.antialias ?? (mode === 'bilinear' || mode === 'bicubic'));
  // A mode that is none is heard of now, not in the middle of an epoch.
  interpolate(zeros([1, 1, 1, 1]), { size: 1, mode, antialias }).dispose();
  const target = (height: number, width: number) =>
    typeof size === 'number' ? inProportion(size, height, width) : sizes;
  const transform: Transform = (images) =>
    onBatch(checkImages(op, images), (x) => interpolate(x, { size: target(x.shape[2], x.shape[3]), mode, antialias }));
  return made(transform, op, size, options);
}

/** Height and width with this shorter side. */
function inProportion(short: number, height: number, width: number): readonly [number, number] {
  const long = Math.floor((short * Math.max(height, width)) / Math.min(height, width));
  return height < width ? [short, long] : [long, short];
}

/** The part at a place, filled up with zeros where the images are smaller. */
function crop(x: Tensor, [height, width]: readonly [number, number], top: number, left: number): Tensor {
  return x.narrow(x.ndim - 2, top, height).narrow(x.ndim - 1, left, width);
}

/** Zeros around images that are smaller than the size, half of them on each side. */
function enlarge(x: Tensor, [height, width]: readonly [number, number]): Tensor {
  const missing = [Math.max(0, width - x.shape[x.ndim - 1]), Math.max(0, height - x.shape[x.ndim - 2])];
  if (missing[0] === 0 && missing[1] === 0) return x;
  return pad(
    x,
    missing.flatMap((n) => [Math.floor(n / 2), Math.ceil(n / 2)]),
  );
}

/**
 * The middle of images; smaller ones are filled up with zeros (torchvision: `transforms.CenterCrop`).
 *
 * @throws TensorError `value` for a size below 1; of the transform, `shape` unless it is given images
 *
 * @example
 * ```ts
 * import { arange, data } from 'chainrule';
 * console.log(data.transforms.centerCrop(2)(arange(16).reshape([1, 4, 4])).toArray()); // [[[5, 6], [9, 10]]]
 * ```
 */
export function centerCrop(size: ImageSize): Transform {
  const op = 'centerCrop';
  const sizes = checkSize(op, size);
  const transform: Transform = (images) => {
    const x = enlarge(checkImages(op, images), sizes);
    const [top, left] = [x.shape[x.ndim - 2] - sizes[0], x.shape[x.ndim - 1] - sizes[1]].map((n) => roundEven(n / 2));
    return crop(x, sizes, top, left).contiguous();
  };
  return made(transform, op, size);
}

/** To the nearest whole number, halves to the even one, as torchvision's Python rounds. */
function roundEven(value: number): number {
  const down = Math.floor(value);
  return value - down === 0.5 ? down + (down % 2) : Math.round(value);
}

/** Options of {@link randomCrop}. */
export interface RandomCropOptions extends ChanceOptions {
  /** Zeros added on every side first; 0 unless given. */
  padding?: number;
}

/**
 * A random part of every image; smaller ones are filled up with zeros (torchvision: `transforms.RandomCrop`).
 *
 * @param options `padding`: zeros added on every side first; `seed` or `generator`
 * @throws TensorError `value` for a size below 1; of the transform, `shape` unless it is given images
 *
 * @example
 * ```ts
 * import { data, ones } from 'chainrule';
 * console.log(data.transforms.randomCrop(28, { padding: 4, seed: 1 })(ones([8, 3, 28, 28])).shape); // [8, 3, 28, 28]
 * ```
 */
export function randomCrop(size: ImageSize, options?: RandomCropOptions): Transform {
  const op = 'randomCrop';
  const sizes = checkSize(op, size);
  checkOptions(op, options, ['padding', ...CHANCE]);
  const padding = checkInteger(op, 'padding', options?.padding ?? 0, 0, 2 ** 20);
  const chance = chanceOf(generatorFor(op, options));
  const transform: Transform = (images) => {
    const given = checkImages(op, images);
    const x = enlarge(padding > 0 ? pad(given, [padding, padding, padding, padding]) : given, sizes);
    return onEach(x, (image) => {
      const [top, left] = [1, 0].map((k) => image.shape[image.ndim - 1 - k] - sizes[1 - k]);
      const place = [top, left].map((room) => Math.floor(chance() * (room + 1)));
      return crop(image, sizes, place[0], place[1]).contiguous();
    });
  };
  return made(transform, op, size, options);
}

/** Options of the transforms that may leave an image as it is. */
export interface RandomOptions extends ChanceOptions {
  /** Probability that an image is changed; 0.5 unless given. */
  p?: number;
}

function randomFlip(op: string, axis: number, options: RandomOptions | undefined): Transform {
  checkOptions(op, options, ['p', ...CHANCE]);
  const p = checkNumber(op, 'p', options?.p ?? 0.5, 0, 1);
  const chance = chanceOf(generatorFor(op, options));
  return made((images) => onEach(checkImages(op, images), (x) => (chance() < p ? x.flip(axis) : x)), op, options);
}

/**
 * Left and right exchanged, by chance, for each image of a batch (torchvision: `transforms.RandomHorizontalFlip`).
 *
 * @param options `p`: 0.5 unless given; `seed` or `generator`
 * @throws TensorError `value` for a probability outside 0 to 1; of the transform, `shape` unless it is given images
 *
 * @example
 * ```ts
 * import { data, tensor } from 'chainrule';
 * console.log(data.transforms.randomHorizontalFlip({ p: 1 })(tensor([[[1, 2]]])).toArray()); // [[[2, 1]]]
 * ```
 */
export function randomHorizontalFlip(options?: RandomOptions): Transform {
  return randomFlip('randomHorizontalFlip', -1, options);
}

/**
 * Top and bottom exchanged, by chance, for each image of a batch (torchvision: `transforms.RandomVerticalFlip`).
 *
 * @param options `p`: 0.5 unless given; `seed` or `generator`
 * @throws TensorError `value` for a probability outside 0 to 1; of the transform, `shape` unless it is given images
 *
 * @example
 * ```ts
 * import { data, tensor } from 'chainrule';
 * console.log(data.transforms.randomVerticalFlip({ p: 1 })(tensor([[[1], [2]]])).toArray()); // [[[2], [1]]]
 * ```
 */
export function randomVerticalFlip(options?: RandomOptions): Transform {
  return randomFlip('randomVerticalFlip', -2, options);
}

/** Options of {@link affine}. */
export interface AffineOptions {
  /** Turned clockwise by so many degrees; 0 unless given. */
  angle?: number;
  /** Moved right and down by so many pixels; [0, 0] unless given. */
  translate?: readonly [x: number, y: number];
  /** So many times as large; 1 unless given. */
  scale?: number;
  /** Sheared along x by so many degrees; 0 unless given. */
  shear?: number;
}

const AFFINE = ['angle', 'translate', 'scale', 'shear'];

/** `[[a, b, c], [d, e, f]]` from places of the result to places of the input, both from -1 to 1. */
function inverseMap(op: string, options: AffineOptions, height: number, width: number): number[][] {
  const angle = (checkNumber(op, 'angle', options.angle ?? 0, -Number.MAX_VALUE, Number.MAX_VALUE) * Math.PI) / 180;
  const shear = (checkNumber(op, 'shear', options.shear ?? 0, -89, 89) * Math.PI) / 180;
  const scale = checkNumber(op, 'scale', options.scale ?? 1, Number.MIN_VALUE, Number.MAX_VALUE);
  const [tx, ty] = checkTwo(op, 'translate', options.translate ?? [0, 0]);
  // Inverse of translate * rotate * shear * scale about the center, in pixels: shear^-1 rotate^-1 / scale.
  const [cos, sin, tan] = [Math.cos(angle) / scale, Math.sin(angle) / scale, Math.tan(-shear)];
  const [a, b, d, e] = [cos + tan * sin, sin - tan * cos, -sin, cos];
  // In pixels x spans the width, from -1 to 1 only 2: the map between them is scaled by the ratio of the sides.
  const [x, y] = [(2 * tx) / width, (2 * ty) / height];
  const ratio = height / width;
  return [
    [a, b * ratio, -(a * x + b * ratio * y)],
    [d / ratio, e, -((d / ratio) * x + e * y)],
  ];
}

/**
 * Images turned, moved, scaled and sheared about their middle, bilinear between pixels, zeros outside (torchvision:
 * `transforms.functional.affine`).
 *
 * @param options `angle`: degrees clockwise; `translate`: pixels right and down; `scale`; `shear`: degrees along x
 * @throws TensorError `value` for a scale that is not above 0; of the transform, `shape` unless it is given images, `dtype` unless
 * they are floating point
 *
 * @example
 * ```ts
 * import { data, tensor } from 'chainrule';
 * console.log(data.transforms.affine({ translate: [1, 0] })(tensor([[[1, 2, 3]]])).toArray()); // [[[0, 1, 2]]]
 * ```
 */
export function affine(options: AffineOptions): Transform {
  const op = 'affine';
  checkOptions(op, options, AFFINE);
  inverseMap(op, options ?? {}, 1, 1);
  const transform: Transform = (images) =>
    onBatch(checkImages(op, images), (x) => sample(x, [inverseMap(op, options ?? {}, x.shape[2], x.shape[3])]));
  return made(transform, op, options);
}

/** Images at the places of their maps, one for all or one for each. */
function sample(x: Tensor, maps: number[][][]): Tensor {
  const { shape } = x;
  const theta = tensor(maps, { dtype: x.dtype === 'float64' ? 'float64' : 'float32' });
  const each = maps.length === shape[0] ? theta : theta.expand([shape[0], 2, 3]);
  return gridSample(x, affineGrid(each, shape), { alignCorners: false });
}

/** Options of {@link randomAffine}. */
export interface RandomAffineOptions extends ChanceOptions {
  /** At most so many degrees either way; 0 unless given. */
  degrees?: number;
  /** At most this part of width and height either way; [0, 0] unless given. */
  translate?: readonly [x: number, y: number];
  /** From and to how large; [1, 1] unless given. */
  scale?: readonly [low: number, high: number];
  /** At most so many degrees either way; 0 unless given. */
  shear?: number;
}

/**
 * Every image of a batch turned, moved, scaled and sheared by chance (torchvision: `transforms.RandomAffine`).
 *
 * @param options `degrees`, `translate` as parts of the sides, `scale` [low, high], `shear`; `seed` or `generator`
 * @throws TensorError `value` for ranges that make no sense; of the transform, `shape` unless it is given images, `dtype` unless
 * they are floating point
 *
 * @example
 * ```ts
 * import { data, ones } from 'chainrule';
 * const turn = data.transforms.randomAffine({ degrees: 10, translate: [0.1, 0.1], seed: 1 });
 * console.log(turn(ones([4, 1, 28, 28])).shape); // [4, 1, 28, 28]
 * ```
 */
export function randomAffine(options: RandomAffineOptions): Transform {
  const op = 'randomAffine';
  checkOptions(op, options, ['degrees', 'translate', 'scale', 'shear', ...CHANCE]);
  const degrees = checkNumber(op, 'degrees', options?.degrees ?? 0, 0, 360);
  const shear = checkNumber(op, 'shear', options?.shear ?? 0, 0, 89);
  const parts = checkTwo(op, 'translate', options?.translate ?? [0, 0], 0, 1);
  const [low, high] = checkTwo(op, 'scale', options?.scale ?? [1, 1], Number.MIN_VALUE, 2 ** 20);
  if (low > high)
    throw new TensorError('value', op, `expected scale from a lower to a higher number, got ${low} and ${high}`);
  const chance = chanceOf(generatorFor(op, options));
  const between = (least: number, most: number) => least + (most - least) * chance();
  const transform: Transform = (images) =>
    onBatch(checkImages(op, images), (x) => {
      const [count, , height, width] = x.shape;
      if (count === 0) return x;
      const maps = Array.from({ length: count }, () => {
        const angle = between(-degrees, degrees);
        const translate = [width, height].map((side, k) => Math.round(between(-parts[k] * side, parts[k] * side)));
        const [tx, ty] = translate;
        return inverseMap(
          op,
          { angle, translate: [tx, ty], scale: between(low, high), shear: between(-shear, shear) },
          height,
          width,
        );
      });
      return sample(x, maps);
    });
  return made(transform, op, options);
}
