// Random numbers beyond uniform and normal: their distributions, their repetition, what they refuse.
import {
  bernoulli,
  exponential,
  Generator,
  gradcheck,
  gumbel,
  gumbelSoftmax,
  manualSeed,
  memory,
  multinomial,
  nn,
  normal,
  numThreads,
  ones,
  poisson,
  randintLike,
  randLike,
  randnLike,
  setNumThreads,
  type Tensor,
  TensorError,
  tensor,
  zeros,
} from 'chainrule';
import { describe, expect, it } from 'vitest';

const COUNT = 100_000;
const seeded = (seed = 1) => ({ generator: new Generator(seed) });

/** Mean and variance lie where 5 standard errors allow; `kurtosis` is the fourth moment over the squared variance. */
function expectMoments(x: Tensor, mean: number, variance: number, kurtosis: number): void {
  const wide = x.to('float64');
  const n = wide.size;
  expect(Math.abs(wide.mean().item() - mean)).toBeLessThan(5 * Math.sqrt(variance / n));
  const spread = wide.sub(mean).square().mean().item() / variance - 1;
  expect(Math.abs(spread)).toBeLessThan(5 * Math.sqrt((kurtosis - 1) / n));
}

describe('draws have the moments of their distribution', () => {
  it.each(['float32', 'float64'] as const)('in %s', (dtype) => {
    const options = { ...seeded(), dtype };
    expectMoments(exponential([COUNT], { ...options, rate: 4 }), 0.25, 1 / 16, 9);
    expectMoments(gumbel([COUNT], options), 0.5772156649015329, Math.PI ** 2 / 6, 5.4);
    expectMoments(normal(3, 0.5, [COUNT], options), 3, 0.25, 3);
    const one = ones([COUNT], { dtype });
    expectMoments(normal(one.mul(-1), one.mul(2), seeded()), -1, 4, 3);
    expectMoments(bernoulli(0.3, [COUNT], options), 0.3, 0.21, (1 - 3 * 0.21) / 0.21);
    expectMoments(bernoulli(one.mul(0.3), seeded()), 0.3, 0.21, (1 - 3 * 0.21) / 0.21);
    for (const rate of [0.1, 3, 9.9, 10, 40, 1e4])
      expectMoments(poisson(one.mul(rate), seeded()), one.mul(rate).amax().item(), rate, 3 + 1 / rate);
    expectMoments(randLike(one, seeded()), 0.5, 1 / 12, 1.8);
    expectMoments(randnLike(one, seeded()), 0, 1, 3);
    expectMoments(randintLike(one, 0, 4, seeded()), 1.5, 1.25, 1.64);
  });

  it('and the shape and dtype asked for', () => {
    expect(normal(tensor([[0], [1]]), tensor([1, 2, 3])).shape).toEqual([2, 3]);
    expect(normal(0, tensor([1, 2], { dtype: 'float64' })).dtype).toBe('float64');
    expect(normal(tensor([5, 6]), 0).toArray()).toEqual([5, 6]);
    expect(normal(0, 1, [2], { requiresGrad: true }).requiresGrad).toBe(true);
    expect(normal(tensor([1], { requiresGrad: true }), 1).requiresGrad).toBe(false);
    expect(bernoulli(tensor([0, 1, 0])).toArray()).toEqual([0, 1, 0]);
    expect(randLike(zeros([2, 3], { dtype: 'float64' })).dtype).toBe('float64');
    expect(randintLike(zeros([4], { dtype: 'uint8' }), 0, 256).dtype).toBe('uint8');
    expect([exponential([0]).size, gumbel([]).shape, bernoulli(1, [2]).toArray()]).toEqual([0, [], [1, 1]]);
  });
});

describe('truncNormal', () => {
  it('is normal between its ends', () => {
    const x = nn.init.truncNormal(zeros([COUNT]), { mean: 1, std: 2, a: 0, b: 4, ...seeded() });
    expect([x.amin().item() >= 0, x.amax().item() <= 4, x.amin().item() < 0.001, x.amax().item() > 3.99]).toEqual(
      new Array(4).fill(true),
    );
    // The formulas of Johnson and Kotz; between -0.5 and 1.5 deviations lies 0.62466 of the distribution.
    const [f, below] = [(t: number) => Math.exp((-t * t) / 2) / Math.sqrt(2 * Math.PI), 0.6246552600051547];
    const shift = (f(-0.5) - f(1.5)) / below;
    expectMoments(x, 1 + 2 * shift, 4 * (1 + (-0.5 * f(-0.5) - 1.5 * f(1.5)) / below - shift ** 2), 2.2);
    const far = nn.init.truncNormal(zeros([10]), { a: 50, b: 60 });
    expect([far.amin().item() >= 50, far.amax().item() <= 60]).toEqual([true, true]);
    expect(() => nn.init.truncNormal(zeros([1]), { a: 1, b: 1 })).toThrow(TensorError);
    expect(() => nn.init.truncNormal(zeros([1]), { std: 0 })).toThrow(TensorError);
  });
});

describe('poisson', () => {
  it.each([0.5, 6, 12, 30])('of rate %d counts as often as the probabilities say', (rate) => {
    const x = poisson(ones([COUNT]).mul(rate), seeded());
    const counts = new Map<number, number>();
    for (const k of x.data) counts.set(k, (counts.get(k) ?? 0) + 1);
    let [chi, cells, p] = [0, 0, Math.exp(-rate)];
    for (let k = 0; k < 100; k++) {
      if (COUNT * p > 10) {
        chi += ((counts.get(k) ?? 0) - COUNT * p) ** 2 / (COUNT * p);
        cells++;
      }
      p *= rate / (k + 1);
    }
    // Mean and deviation of chi-square with as many degrees of freedom, five deviations.
    expect(chi).toBeLessThan(cells + 5 * Math.sqrt(2 * cells));
    expect([...counts.keys()].every((k) => Number.isInteger(k) && k >= 0)).toBe(true);
  });

  it('takes rates of 0, of any size, and no rates', () => {
    expect(poisson(tensor([0, 1e30, Number.POSITIVE_INFINITY], { dtype: 'float64' })).toArray()).toEqual([
      0,
      1e30,
      Number.POSITIVE_INFINITY,
    ]);
    expect(poisson(zeros([0])).size).toBe(0);
    const wide = poisson(ones([1000], { dtype: 'float64' }).mul(1e12), seeded());
    expect(Math.abs(wide.mean().item() / 1e12 - 1)).toBeLessThan(1e-6);
  });
});

describe('multinomial', () => {
  const weights = tensor([0, 1, 3, 0, 4, 0]);

  it('with replacement draws as often as the weights say, never a weight of 0', () => {
    const x = multinomial(weights, COUNT, { replacement: true, ...seeded() });
    expect([x.shape, x.dtype]).toEqual([[COUNT], 'int32']);
    let chi = 0;
    for (const [k, w] of ([0, 1, 3, 0, 4, 0] as const).entries()) {
      const seen = x.eq(k).sum().item();
      if (w === 0) expect(seen).toBe(0);
      else chi += (seen - (COUNT * w) / 8) ** 2 / ((COUNT * w) / 8);
    }
    // Two degrees of freedom: above 18.4 with probability 1e-4.
    expect(chi).toBeLessThan(18.4);
  });

  it('without replacement draws each once, the first as the weights say', () => {
    const rows = weights.expand([20_000, 6]);
    const x = multinomial(rows, 3, seeded());
    expect(x.shape).toEqual([20_000, 3]);
    const drawn = x.toArray() as number[][];
    expect(drawn.every((row) => new Set(row).size === 3 && row.every((k) => [1, 2, 4].includes(k)))).toBe(true);
    const first = [1, 2, 4].map((k) => drawn.filter((row) => row[0] === k).length / 20_000);
    for (const [i, p] of [0.125, 0.375, 0.5].entries()) expect(Math.abs(first[i] - p)).toBeLessThan(0.015);
    // The second, after 4 came first: 1 and 2 remain with weights 1 and 3.
    const after = drawn.filter((row) => row[0] === 4);
    expect(Math.abs(after.filter((row) => row[1] === 1).length / after.length - 0.25)).toBeLessThan(0.02);
  });

  it('takes weights of any size', () => {
    const x = multinomial(tensor([1e300, 1e300, 1e-300], { dtype: 'float64' }), 1000, { replacement: true });
    expect(new Set(x.data)).toEqual(new Set([0, 1]));
    expect(multinomial(tensor([[1e-44, 0]]), 1).toArray()).toEqual([[0]]);
    expect(multinomial(zeros([0, 3]), 2, { replacement: true }).shape).toEqual([0, 2]);
  });
});

describe('gumbelSoftmax', () => {
  const logits = tensor([1, 0, -1]).expand([30_000, 3]);

  it('is largest as often as softmax says', () => {
    const best = gumbelSoftmax(logits, { tau: 0.5, ...seeded() }).argmax(1);
    const p = tensor([1, 0, -1]).softmax(0).toArray() as number[];
    for (const [k, q] of p.entries()) expect(Math.abs(best.eq(k).mean().item() - q)).toBeLessThan(0.015);
  });

  it('is one-hot where asked, along any dimension, with the soft gradient', () => {
    const x = tensor(
      [
        [0.5, 1],
        [2, -1],
        [0, 0],
      ],
      { dtype: 'float64', requiresGrad: true },
    );
    const hard = gumbelSoftmax(x, { hard: true, dim: 0, ...seeded() });
    expect(hard.sum(0).toArray()).toEqual([1, 1]);
    expect(hard.eq(0).logicalOr(hard.eq(1)).all().item()).toBe(1);
    const weights = tensor(
      [
        [1, 2],
        [3, 4],
        [5, 6],
      ],
      { dtype: 'float64' },
    );
    hard.mul(weights).sum().backward();
    const y = tensor(x.detach(), { requiresGrad: true });
    gumbelSoftmax(y, { dim: 0, ...seeded() })
      .mul(weights)
      .sum()
      .backward();
    expect((x.grad as Tensor).toArray()).toEqual((y.grad as Tensor).toArray());
    expect(gradcheck((v) => gumbelSoftmax(v, { tau: 0.7, ...seeded() }), [y])).toBe(true);
  });
});

describe('everything', () => {
  const p = tensor([0.2, 0.5, 0.9]).expand([2000, 3]);
  const rates = tensor([4, 10, 18]).expand([2000, 3]);
  const all: [string, (o?: { generator?: Generator }) => Tensor][] = [
    ['exponential', (o) => exponential([5000], o)],
    ['gumbel', (o) => gumbel([5000], o)],
    ['randLike', (o) => randLike(p, o)],
    ['randnLike', (o) => randnLike(p, o)],
    ['randintLike', (o) => randintLike(p, 0, 9, o)],
    ['normal', (o) => normal(p, p, o)],
    ['normal of numbers', (o) => normal(0, 1, [5000], o)],
    ['poisson', (o) => poisson(rates, o)],
    ['bernoulli', (o) => bernoulli(p, o)],
    ['bernoulli of a number', (o) => bernoulli(0.5, [5000], o)],
    ['multinomial', (o) => multinomial(p, 2, o)],
    ['multinomial with replacement', (o) => multinomial(p, 4, { replacement: true, ...o })],
    ['gumbelSoftmax', (o) => gumbelSoftmax(p, o)],
  ];

  it.each(all)('%s repeats by seed for every number of threads, moves on, and leaves nothing behind', (_, run) => {
    const before = numThreads();
    try {
      setNumThreads(1);
      const one = run(seeded(9)).toArray();
      setNumThreads(3);
      expect(run(seeded(9)).toArray()).toEqual(one);
    } finally {
      setNumThreads(before);
    }
    manualSeed(3);
    const first = run().toArray();
    expect(run().toArray()).not.toEqual(first);
    manualSeed(3);
    expect(run().toArray()).toEqual(first);
    run().dispose();
    const held = memory().tensors;
    run().dispose();
    expect(memory().tensors).toBe(held);
  });

  it.each<[string, () => unknown, string]>([
    ['a rate of 0', () => exponential([1], { rate: 0 }), 'value'],
    ['a rate of an unknown name', () => exponential([1], { lambd: 1 } as never), 'option'],
    ['exponential integers', () => exponential([1], { dtype: 'int32' }), 'dtype'],
    ['a shape that is a number', () => gumbel(3 as never), 'shape'],
    ['randLike of integers', () => randLike(zeros([1], { dtype: 'int32' })), 'dtype'],
    ['randnLike of a list', () => randnLike([1] as never), 'value'],
    ['randintLike without a range', () => randintLike(zeros([1]), 2, 2), 'value'],
    ['a number as generator', () => randLike(zeros([1]), { generator: 1 as never }), 'value'],
    ['a negative deviation', () => normal(0, -1, [1]), 'value'],
    ['negative deviations', () => normal(0, tensor([1, -1])), 'value'],
    ['normal without a shape', () => normal(0, 1, undefined as never), 'shape'],
    ['normal of shapes that do not broadcast', () => normal(zeros([2]), ones([3])), 'shape'],
    ['normal of integers', () => normal(zeros([2], { dtype: 'int32' }), 1), 'dtype'],
    ['an unknown option of normal', () => normal(zeros([2]), 1, { seed: 1 } as never), 'option'],
    ['a probability of 2', () => bernoulli(2, [1]), 'value'],
    ['probabilities of -1', () => bernoulli(tensor([0.5, -1])), 'value'],
    ['a probability that is NaN', () => bernoulli(tensor([Number.NaN])), 'value'],
    ['bernoulli without a shape', () => bernoulli(0.5, undefined as never), 'shape'],
    ['bernoulli with gradients', () => bernoulli(0.5, [1], { requiresGrad: true } as never), 'option'],
    ['a negative rate', () => poisson(tensor([1, -1])), 'value'],
    ['a rate that is NaN', () => poisson(tensor([Number.NaN])), 'value'],
    ['rates of integers', () => poisson(tensor([1], { dtype: 'int32' })), 'dtype'],
    ['poisson with a number as generator', () => poisson(ones([1]), { generator: 1 as never }), 'value'],
    ['an unknown option of poisson', () => poisson(ones([1]), { seed: 1 } as never), 'option'],
    ['no draws', () => multinomial(ones([2]), 0), 'value'],
    ['more draws than categories', () => multinomial(ones([2]), 3), 'value'],
    ['more draws than weights above 0', () => multinomial(tensor([0, 1]), 2), 'value'],
    ['weights of 0', () => multinomial(zeros([2]), 1, { replacement: true }), 'value'],
    ['a negative weight', () => multinomial(tensor([2, -1]), 1), 'value'],
    ['an infinite weight', () => multinomial(tensor([1, Number.POSITIVE_INFINITY]), 1), 'value'],
    ['a weight that is NaN', () => multinomial(tensor([1, Number.NaN]), 1), 'value'],
    ['weights of three dimensions', () => multinomial(ones([1, 1, 1]), 1), 'shape'],
    ['no weights', () => multinomial(ones([0]), 1), 'shape'],
    ['weights of integers', () => multinomial(ones([2], { dtype: 'int32' }), 1), 'dtype'],
    ['an unknown option of multinomial', () => multinomial(ones([2]), 1, { replace: true } as never), 'option'],
    ['a temperature of 0', () => gumbelSoftmax(ones([2]), { tau: 0 }), 'value'],
    ['a dimension that is not there', () => gumbelSoftmax(ones([2]), { dim: 1 }), 'axis'],
    ['hard as a number', () => gumbelSoftmax(ones([2]), { hard: 1 as never }), 'value'],
    ['an unknown option of gumbelSoftmax', () => gumbelSoftmax(ones([2]), { temperature: 1 } as never), 'option'],
  ])('refuses %s', (_, run, code) => {
    let found = 'none';
    try {
      run();
    } catch (error) {
      if (!(error instanceof TensorError)) throw error;
      found = error.code;
    }
    expect(found).toBe(code);
  });
});
