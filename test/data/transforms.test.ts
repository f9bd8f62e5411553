// Image transforms: known pixels, chance by the seed, batches and single images alike.
import { arange, data, ones, rand, type Tensor, TensorError, tensor, zeros } from 'chainrule';
import { describe, expect, it } from 'vitest';

const t = data.transforms;
const close = (x: Tensor, wanted: Tensor, most = 1e-5) => {
  expect(x.shape).toEqual(wanted.shape);
  expect(x.sub(wanted).abs().amax().item()).toBeLessThan(most);
};
const image = arange(20).reshape([1, 4, 5]);

const ALL: Record<string, data.transforms.Transform> = {
  normalize: t.normalize(0.5, 2),
  resize: t.resize([3, 7]),
  centerCrop: t.centerCrop([3, 6]),
  randomCrop: t.randomCrop([3, 6], { padding: 1, seed: 1 }),
  randomHorizontalFlip: t.randomHorizontalFlip({ seed: 1 }),
  randomVerticalFlip: t.randomVerticalFlip({ seed: 1 }),
  affine: t.affine({ angle: 20, scale: 1.1 }),
  randomAffine: t.randomAffine({ degrees: 20, seed: 1 }),
};

describe.each(Object.entries(ALL))('%s', (_name, transform) => {
  it('takes images and batches, and nothing else', () => {
    const single = transform(rand([2, 5, 5]));
    const batch = transform(rand([3, 2, 5, 5]));
    expect(batch.shape).toEqual([3, ...single.shape]);
    expect(() => transform(ones([5, 5]))).toThrow(TensorError);
    expect(() => transform(3 as never)).toThrow(TensorError);
  });
});

describe('crops', () => {
  it('take the middle, as torchvision rounds it', () => {
    // torchvision.transforms.functional.center_crop(torch.arange(20.).reshape(1, 4, 5), [2, 2]): top round(1.0), left round(1.5) = 2
    expect(t.centerCrop(2)(image).toArray()).toEqual([
      [
        [7, 8],
        [12, 13],
      ],
    ]);
    expect(t.centerCrop([1, 7])(image).shape).toEqual([1, 1, 7]);
    expect(t.centerCrop([4, 7])(image).select(2, 0).toArray()).toEqual([[0, 0, 0, 0]]);
  });

  it('take every place by chance, another for each image', () => {
    const crop = t.randomCrop(2, { seed: 1 });
    const batch = image.expand([200, 1, 4, 5]);
    const corners = crop(batch).select(3, 0).select(2, 0).flatten().toArray() as number[];
    expect(new Set(corners)).toEqual(new Set([0, 1, 2, 3, 5, 6, 7, 8, 10, 11, 12, 13]));
    const [one] = crop(batch).toArray() as number[][][][];
    expect(one[0][1][1] - one[0][0][0]).toBe(6);
    expect(t.randomCrop(2, { seed: 1 })(batch).select(3, 0).select(2, 0).flatten().toArray()).toEqual(corners);
    expect(
      t
        .randomCrop(1, { padding: 1, seed: 1 })(ones([300, 1, 1, 1]))
        .mean()
        .item(),
    ).toBeCloseTo(1 / 9, 1);
  });
});

describe('flips', () => {
  it('exchange sides with their probability', () => {
    expect(t.randomHorizontalFlip({ p: 1 })(image).select(1, 0).toArray()).toEqual([[4, 3, 2, 1, 0]]);
    expect(t.randomVerticalFlip({ p: 1 })(image).select(2, 0).toArray()).toEqual([[15, 10, 5, 0]]);
    expect(t.randomVerticalFlip({ p: 0 })(image).toArray()).toEqual(image.toArray());
    const flipped = t.randomHorizontalFlip({ p: 0.25, seed: 1 })(tensor([[[0, 1]]]).expand([1000, 1, 1, 2]));
    // Four deviations of a binomial.
    expect(Math.abs(flipped.select(3, 0).sum().item() - 250)).toBeLessThan(4 * Math.sqrt(187.5));
  });
});

describe('affine', () => {
  it('moves by whole pixels, and zeros come in', () => {
    const moved = t.affine({ translate: [2, -1] })(image);
    close(moved.narrow(1, 0, 3).narrow(2, 2, 3), image.narrow(1, 1, 3).narrow(2, 0, 3));
    expect(moved.select(1, 3).abs().sum().item()).toBeLessThan(1e-5);
  });

  it('turns clockwise by quarters, whatever the sides', () => {
    const square = rand([2, 5, 5]);
    close(t.affine({ angle: 90 })(square), square.rot90(-1, [1, 2]));
    close(t.affine({ angle: 180 })(image), image.flip([1, 2]));
    const [column] = [zeros([1, 3, 5])];
    const line = column.add(tensor([0, 0, 1, 0, 0]));
    // A vertical line of a wide image becomes a horizontal one of the same width.
    close(t.affine({ angle: 90 })(line).select(1, 1), tensor([[0, 1, 1, 1, 0]]));
  });

  it('scales about the middle and shears along x', () => {
    const dot = zeros([1, 5, 5]).add(0);
    const point = dot.typed();
    point[2 * 5 + 3] = 1;
    const large = t.affine({ scale: 2 })(dot);
    expect(large.at(0, 2, 4).item()).toBeCloseTo(1, 5);
    const sheared = t.affine({ shear: 45 })(zeros([1, 5, 5]).add(tensor([0, 0, 1, 0, 0])));
    // A vertical line leans, one pixel a row: torchvision's inverse map is x' = x + tan(shear) y.
    expect(sheared.argmax(2).flatten().toArray()).toEqual([4, 3, 2, 1, 0]);
  });

  it('by chance leaves images where ranges are empty, and repeats by its seed', () => {
    const x = rand([4, 1, 6, 6]);
    close(t.randomAffine({})(x), x);
    const turn = () => t.randomAffine({ degrees: 30, translate: [0.2, 0.1], scale: [0.8, 1.2], shear: 5, seed: 3 })(x);
    expect(turn().toArray()).toEqual(turn().toArray());
    expect(t.randomAffine({ degrees: 30, seed: 1 })(zeros([0, 1, 6, 6])).shape).toEqual([0, 1, 6, 6]);
  });
});

describe('normalize and resize', () => {
  it('by channel', () => {
    const x = ones([3, 2, 2]);
    const y = t.normalize([0.5, 0, 1], [0.5, 2, 1])(x);
    expect(y.select(2, 0).select(1, 0).toArray()).toEqual([1, 0.5, 0]);
    expect(() => t.normalize([1, 2], 1)(x)).toThrow(TensorError);
    expect(() => t.normalize(0, 1)(x.to('uint8'))).toThrow(/got uint8; use/);
  });

  it('to a size keep what is even', () => {
    close(t.resize([7, 7])(ones([3, 4, 5])), ones([3, 7, 7]));
    close(
      t.resize([2, 1])(
        tensor([
          [
            [1, 3],
            [5, 7],
          ],
        ]),
      ),
      tensor([[[2], [6]]]),
    );
  });

  it('to one size give it to the shorter side, as torchvision rounds the longer', () => {
    const sizes = (height: number, width: number) =>
      t
        .resize(7)(ones([1, height, width]))
        .shape.slice(1);
    // torchvision.transforms.functional._compute_resized_output_size((height, width), [7])
    expect([sizes(4, 5), sizes(5, 4), sizes(3, 3), sizes(9, 40)]).toEqual([
      [7, 8],
      [8, 7],
      [7, 7],
      [7, 31],
    ]);
  });

  it('refuse numbers that make no sense', () => {
    for (const wrong of [
      () => t.normalize(0, 0),
      () => t.resize(0),
      () => t.resize(2, { mode: 'cubic' as never }),
      () => t.resize(2, { antialias: 1 as never }),
      () => t.resize(2, { mode: 'nearest', antialias: true }),
      () => t.affine({ translate: 5 as never }),
      () => t.affine({ translate: [1] as never }),
      () => t.affine({ angle: Number.POSITIVE_INFINITY }),
      () => t.randomAffine({ scale: 1 as never }),
      () => t.randomAffine({ translate: 0.1 as never }),
      () => t.centerCrop([1, 2, 3] as never),
      () => t.randomCrop(2, { padding: -1 }),
      () => t.randomHorizontalFlip({ p: 2 }),
      () => t.affine({ scale: 0 }),
      () => t.affine({ turn: 3 } as object),
      () => t.randomAffine({ scale: [2, 1] }),
      () => t.compose([3 as never]),
      () => t.compose(3 as never),
    ]) {
      expect(wrong).toThrow(TensorError);
    }
  });
});
