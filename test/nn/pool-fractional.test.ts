// Fractional maximum pooling against PyTorch 1.13 on the same samples; drawn windows; errors.
import { arange, gradcheck, manualSeed, nn, ones, randn, type Tensor, tensor, zeros } from 'chainrule';
import { describe, expect, it } from 'vitest';
import { codeOf } from '../thrown.js';

const { fractionalMaxPool2d, fractionalMaxPool3d } = nn.functional;

/** Numbers (i a + b) mod m over d. */
const row = (shape: number[], [a, b, m, d]: readonly [number, number, number, number]) => {
  const size = shape.reduce((x, y) => x * y);
  return tensor(
    Array.from({ length: size }, (_, i) => ((i * a + b) % m) / d),
    { dtype: 'float32' },
  ).reshape(shape);
};
const inputs = [37, 11, 97, 8] as const;
const chances = [29, 7, 64, 64] as const;
const weighted = (x: Tensor) =>
  x
    .mul(arange(x.size, { dtype: 'float64' }).reshape(x.shape))
    .sum()
    .item();

interface Case {
  n: 2 | 3;
  shape: number[];
  size: number | number[];
  options: object;
  output: number[];
  /** Sums of values, places and gradients, each times its number; the output's gradient is its numbers. */
  sums: [number, number, number];
}

// torch.nn.functional.fractional_max_pool2d and 3d(x, size, return_indices=True, _random_samples=s, **options)
const cases: Case[] = [
  {
    n: 2,
    shape: [2, 2, 7, 6],
    size: [2, 3],
    options: { outputSize: [4, 3] },
    output: [2, 2, 4, 3],
    sums: [12105.375, 25159, 126463],
  },
  {
    n: 2,
    shape: [3, 9, 8],
    size: 3,
    options: { outputRatio: [0.5, 0.7] },
    output: [3, 4, 5],
    sums: [19132, 76635, 261675],
  },
  { n: 2, shape: [1, 2, 5, 5], size: 5, options: { outputSize: 1 }, output: [1, 2, 1, 1], sums: [12, 14, 39] },
  {
    n: 2,
    shape: [1, 1, 12, 11],
    size: 2,
    options: { outputSize: [11, 9] },
    output: [1, 1, 11, 9],
    sums: [49898.625, 420590, 420590],
  },
  {
    n: 3,
    shape: [2, 2, 4, 6, 5],
    size: [2, 3, 2],
    options: { outputSize: [2, 3, 3] },
    output: [2, 2, 2, 3, 3],
    sums: [28795.875, 163065, 817545],
  },
  {
    n: 3,
    shape: [2, 5, 6, 7],
    size: 2,
    options: { outputRatio: 0.6 },
    output: [2, 3, 3, 4],
    sums: [26484.875, 362882, 767342],
  },
];

describe('fractional maximum pooling', () => {
  it.each(cases)("of $shape by $size is PyTorch's", ({ n, shape, size, options, output, sums }) => {
    const run = (n === 3 ? fractionalMaxPool3d : fractionalMaxPool2d) as typeof fractionalMaxPool2d;
    const x = row(shape, inputs);
    x.requiresGrad = true;
    const [batch, channels] = shape.length === n + 2 ? shape : [1, shape[0]];
    const randomSamples = row([batch, channels, n], chances);
    const given = { ...options, returnIndices: true, randomSamples } as const;
    const { values, indices } = run(x, size as never, given);
    expect(values.shape).toEqual(output);
    values.mul(arange(values.size).reshape(output)).sum().backward();
    expect([weighted(values.detach()), weighted(indices), weighted(x.grad as Tensor)]).toEqual(sums);
  });

  it('has the gradient that differences give', () => {
    const x = randn([2, 2, 5, 6], { dtype: 'float64', requiresGrad: true });
    const randomSamples = row([2, 2, 2], chances);
    const run = (y: Tensor) => fractionalMaxPool2d(y, 2, { outputSize: [3, 4], randomSamples });
    expect(gradcheck(run, [x])).toBe(true);
  });

  it('draws other windows each time, by the seed, and covers the ends', () => {
    const pool = new nn.FractionalMaxPool2d(2, { outputRatio: 0.6 });
    const x = arange(400).reshape([1, 1, 20, 20]);
    manualSeed(1);
    const [first, second] = [pool.forward(x), pool.forward(x)];
    manualSeed(1);
    expect(pool.forward(x).toArray()).toEqual(first.toArray());
    expect(second.toArray()).not.toEqual(first.toArray());
    for (const y of [first, second]) expect(y.at(0, 0, -1, -1).item()).toBe(399);
    expect(`${pool}`).toBe('FractionalMaxPool2d(2, { outputRatio: 0.6 })');
    expect(new nn.FractionalMaxPool3d(2, { outputSize: [2, 3, 4] }).forward(ones([1, 5, 6, 7])).shape).toEqual([
      1, 2, 3, 4,
    ]);
  });

  it.each<[string, () => unknown, string]>([
    ['no size', () => new nn.FractionalMaxPool2d(2, {}), 'value'],
    ['no options', () => fractionalMaxPool2d(zeros([1, 4, 4]), 2, undefined as never), 'value'],
    ['both sizes', () => new nn.FractionalMaxPool2d(2, { outputSize: 2, outputRatio: 0.5 }), 'value'],
    ['a ratio of 1', () => new nn.FractionalMaxPool3d(2, { outputRatio: [0.5, 1, 0.5] }), 'value'],
    ['one ratio in a list', () => new nn.FractionalMaxPool2d(2, { outputRatio: [0.5] as never }), 'value'],
    ['an output size of 0', () => new nn.FractionalMaxPool2d(2, { outputSize: [0, 2] }), 'value'],
    ['an unknown option', () => new nn.FractionalMaxPool2d(2, { outputSize: 2, stride: 1 } as never), 'option'],
    ['a line', () => fractionalMaxPool2d(zeros([4, 4]), 2, { outputSize: 2 }), 'shape'],
    ['no room', () => fractionalMaxPool2d(zeros([1, 4, 4]), 3, { outputSize: 3 }), 'shape'],
    ['a ratio that leaves nothing', () => fractionalMaxPool2d(zeros([1, 4, 4]), 2, { outputRatio: 0.1 }), 'shape'],
    [
      'other samples',
      () => fractionalMaxPool2d(zeros([1, 4, 4]), 2, { outputSize: 2, randomSamples: zeros([2]) }),
      'shape',
    ],
  ])('refuses %s', (_, make, code) => {
    expect(codeOf(make)).toBe(code);
  });
});
