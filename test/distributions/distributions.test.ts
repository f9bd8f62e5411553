// Distributions: their formulas against torch.distributions, their gradients, and their draws.
import { distributions, Generator, gradcheck, type Tensor, TensorError, tensor } from 'chainrule';
import { describe, expect, it } from 'vitest';

const { Bernoulli, Categorical, Exponential, klDivergence, Normal, Uniform } = distributions;
const f64 = (data: number[] | number[][]) => tensor(data, { dtype: 'float64' });

const n = new Normal(f64([0.5, -1]), f64([2, 0.25]));
const u = new Uniform(f64([0, -1]), f64([2, 0.5]));
const e = new Exponential(f64([0.5, 4]));
const b = new Bernoulli({ probs: f64([0.25, 0.875]) });
const byLogits = new Bernoulli({ logits: f64([0.5, -2]) });
const c = new Categorical({
  probs: f64([
    [0.5, 0.25, 0.25],
    [1, 2, 5],
  ]),
});
const soft = new Categorical({
  logits: f64([
    [0, 1, -1],
    [0.5, 0.5, 2],
  ]),
});
const v = f64([0.25, -0.75]);

// Numbers of PyTorch 1.13 in float64: the same calls on torch.distributions with the same arguments, log_prob for logProb.
const WANT: [string, () => Tensor, number[]][] = [
  ['Normal.logProb', () => n.logProb(v), [-1.61989821376462, -0.0326441720847821]],
  ['Normal.entropy', () => n.entropy(), [2.11208571376462, 0.0326441720847821]],
  ['Normal.mean', () => n.mean, [0.5, -1]],
  ['Normal.variance', () => n.variance, [4, 0.0625]],
  ['Normal.stddev', () => n.stddev, [2, 0.25]],
  ['Normal.cdf', () => n.cdf(v), [0.450261775169887, 0.841344746068543]],
  [
    'klDivergence of Normal',
    () => klDivergence(n, new Normal(f64([1, -1]), f64([0.5, 1]))),
    [6.61370563888011, 0.917544361119891],
  ],
  ['Uniform.logProb', () => u.logProb(0.25), [-Math.LN2, -0.405465108108164]],
  ['Uniform.entropy', () => u.entropy(), [Math.LN2, 0.405465108108164]],
  ['Uniform.mean', () => u.mean, [1, -0.25]],
  ['Uniform.variance', () => u.variance, [0.333333333333333, 0.1875]],
  [
    'klDivergence of Uniform',
    () => klDivergence(u, new Uniform(f64([-1, -0.5]), f64([3, 0.75]))),
    [Math.LN2, Number.POSITIVE_INFINITY],
  ],
  ['Exponential.logProb', () => e.logProb(f64([0.25, 1.5])), [-0.818147180559945, -4.61370563888011]],
  ['Exponential.entropy', () => e.entropy(), [1.69314718055995, -0.386294361119891]],
  ['Exponential.mean', () => e.mean, [2, 0.25]],
  ['Exponential.variance', () => e.variance, [4, 0.0625]],
  [
    'klDivergence of Exponential',
    () => klDivergence(e, new Exponential(f64([2, 3]))),
    [1.61370563888011, 0.0376820724517808],
  ],
  ['Bernoulli.logProb', () => b.logProb(f64([1, 0])), [-1.38629436111989, -2.07944154167984]],
  ['Bernoulli.logProb of logits', () => byLogits.logProb(f64([1, 0])), [-0.474076984180107, -0.126928011042973]],
  ['Bernoulli.entropy', () => b.entropy(), [0.562335144618808, 0.376770161256437]],
  ['Bernoulli.entropy of logits', () => byLogits.entropy(), [0.662847318579179, 0.365333855087208]],
  ['Bernoulli.mean', () => byLogits.mean, [0.622459331201855, 0.119202922022118]],
  ['Bernoulli.variance', () => b.variance, [0.1875, 0.109375]],
  ['klDivergence of Bernoulli', () => klDivergence(b, byLogits), [0.286741839561298, 1.50015784978654]],
  ['klDivergence of Bernoulli, back', () => klDivergence(byLogits, b), [0.308676224327092, 1.48214951083274]],
  ['Categorical.logProb', () => c.logProb(f64([2, 0])), [-1.38629436111989, -2.07944154167984]],
  ['Categorical.logProb of logits', () => soft.logProb(f64([2, 0])), [-2.40760596444438, -1.86898113540132]],
  ['Categorical.entropy', () => c.entropy(), [1.03972077083992, 0.900256051268537]],
  ['Categorical.entropy of logits', () => soft.entropy(), [0.832395581839939, 0.831823454346974]],
  ['Categorical.probs', () => c.probs, [0.5, 0.25, 0.25, 0.125, 0.25, 0.625]],
  [
    'Categorical.probs of logits',
    () => soft.probs,
    [0.244728471054798, 0.665240955774822, 0.0900305731703804, 0.154280772981886, 0.154280772981886, 0.691438454036228],
  ],
  ['klDivergence of Categorical', () => klDivergence(c, soft), [0.367885193604462, 0.0312250841327784]],
  ['klDivergence of Categorical, back', () => klDivergence(soft, c), [0.384265929565572, 0.0278515424851308]],
];

describe('formulas', () => {
  it.each(WANT)('%s is that of torch.distributions', (_, run, want) => {
    const got = [...run().contiguous().data];
    expect(got.length).toBe(want.length);
    for (const [i, x] of want.entries()) {
      if (Number.isFinite(x)) expect(got[i]).toBeCloseTo(x, 12);
      else expect(got[i]).toBe(x);
    }
  });

  it('are PyTorch’s where probabilities are 0 or 1', () => {
    const one = new Bernoulli({ probs: f64([1]) });
    expect(klDivergence(one, new Bernoulli({ probs: f64([0]) })).item()).toBe(Number.POSITIVE_INFINITY);
    expect(klDivergence(one, new Bernoulli({ probs: f64([0.5]) })).item()).toBeCloseTo(Math.LN2, 12);
    expect(one.logProb(0).item()).toBeCloseTo(-36.0437, 4);
    const p = new Categorical({ probs: f64([0.5, 0.5, 0]) });
    expect(klDivergence(p, new Categorical({ probs: f64([0.5, 0, 0.5]) })).item()).toBe(Number.POSITIVE_INFINITY);
    expect(klDivergence(p, new Categorical({ probs: f64([0.25, 0.25, 0.5]) })).item()).toBeCloseTo(Math.LN2, 12);
    expect(p.entropy().item()).toBeCloseTo(Math.LN2, 12);
    expect(new Categorical({ logits: f64([0, Number.NEGATIVE_INFINITY]) }).entropy().item()).toBeCloseTo(0, 12);
    const unchecked = new Uniform(0, 1, { validateArgs: false });
    expect(unchecked.logProb(tensor([0, 1, 2])).toArray()).toEqual([
      -0,
      Number.NEGATIVE_INFINITY,
      Number.NEGATIVE_INFINITY,
    ]);
    expect(c.mean.isNan().all().item()).toBe(1);
  });

  it('broadcast parameters, values and batches', () => {
    const d = new Normal(tensor([0, 1]), 1);
    expect([d.batchShape, d.logProb(tensor([[0], [1], [2]])).shape]).toEqual([[2], [3, 2]]);
    expect(new Normal(f64([0]), 2).scale.dtype).toBe('float64');
    expect(klDivergence(d, new Normal(tensor([[0], [1]]), 1)).shape).toEqual([2, 2]);
    expect(c.logProb(tensor([[0], [1], [1]])).shape).toEqual([3, 2]);
    expect(new Bernoulli({ probs: 0.5 }).logProb(tensor([0, 1, 1])).shape).toEqual([3]);
  });
});

describe('gradients', () => {
  const grows = (low: number, high: number) => tensor([low, high], { dtype: 'float64', requiresGrad: true });
  const value = f64([0.3, 0.7]);
  it.each<[string, (a: Tensor, b: Tensor) => Tensor]>([
    ['Normal', (x, y) => new Normal(x, y).logProb(value).add(new Normal(x, y).entropy())],
    ['Uniform', (x, y) => new Uniform(x.neg(), y).logProb(value).add(new Uniform(x.neg(), y).entropy())],
    ['Exponential', (x, y) => new Exponential(x.mul(y)).logProb(value).add(new Exponential(y).entropy())],
    ['Bernoulli', (x, y) => new Bernoulli({ probs: x.div(2) }).logProb(1).add(new Bernoulli({ logits: y }).entropy())],
    ['Categorical', (x, y) => new Categorical({ probs: x }).logProb(1).add(new Categorical({ logits: y }).entropy())],
    ['klDivergence of Normal', (x, y) => klDivergence(new Normal(x, y), new Normal(y, x))],
    ['klDivergence of Uniform', (x, y) => klDivergence(new Uniform(x.neg(), x), new Uniform(y.mul(-2), y.mul(2)))],
    ['klDivergence of Exponential', (x, y) => klDivergence(new Exponential(x), new Exponential(y))],
    [
      'klDivergence of Bernoulli',
      (x, y) => klDivergence(new Bernoulli({ probs: x.div(2) }), new Bernoulli({ logits: y })),
    ],
    [
      'klDivergence of Categorical',
      (x, y) => klDivergence(new Categorical({ probs: x }), new Categorical({ logits: y })),
    ],
    ['Normal.rsample', (x, y) => new Normal(x, y).rsample([3], { generator: new Generator(1) })],
    ['Uniform.rsample', (x, y) => new Uniform(x.neg(), y).rsample([3], { generator: new Generator(1) })],
    ['Exponential.rsample', (x, y) => new Exponential(x.mul(y)).rsample([3], { generator: new Generator(1) })],
  ])('of %s are those that differences give', (_, run) => {
    expect(gradcheck(run, [grows(0.9, 1.2), grows(1.1, 1.6)])).toBe(true);
  });
});

describe('draws', () => {
  const many = 40_000;
  it.each<[string, () => distributions.Distribution]>([
    ['Normal', () => n],
    ['Uniform', () => u],
    ['Exponential', () => e],
    ['Bernoulli', () => b],
  ])('of %s have its mean and variance', (_, make) => {
    const d = make();
    const x = d.sample([many], { generator: new Generator(11) });
    expect([x.shape, x.dtype, x.requiresGrad]).toEqual([[many, 2], 'float64', false]);
    const mean = x.mean(0).sub(d.mean).abs().div(d.stddev).mul(Math.sqrt(many));
    expect(mean.amax().item()).toBeLessThan(4);
    const variance = x.sub(d.mean).square().mean(0).div(d.variance).sub(1).abs();
    expect(variance.amax().item()).toBeLessThan(0.06);
  });

  it('of Categorical come as often as their probabilities say', () => {
    const x = soft.sample([many], { generator: new Generator(5) });
    expect([x.shape, x.dtype]).toEqual([[many, 2], 'int32']);
    const p = soft.probs.toArray() as number[][];
    for (const [row, probs] of p.entries()) {
      let chi = 0;
      for (const [k, q] of probs.entries()) {
        const seen = x.at('...', row).eq(k).sum().item();
        chi += (seen - many * q) ** 2 / (many * q);
      }
      // Two degrees of freedom: above 18.4 with probability 1e-4.
      expect(chi).toBeLessThan(18.4);
    }
    expect(c.sample([2, 3]).shape).toEqual([2, 3, 2]);
    expect(c.sample().shape).toEqual([2]);
    expect(c.sample([0]).shape).toEqual([0, 2]);
  });

  it('repeat by seed, and let gradients through where they can', () => {
    const loc = f64([0, 1]);
    loc.requiresGrad = true;
    const d = new Normal(loc, 2);
    const draw = () => d.rsample([2], { generator: new Generator(3) });
    expect(draw().toArray()).toEqual(draw().toArray());
    draw().sum().backward();
    expect(loc.grad?.toArray()).toEqual([2, 2]);
    expect(d.sample().requiresGrad).toBe(false);
  });
});

describe('mistakes', () => {
  it.each<[string, () => unknown, string]>([
    ['a deviation of 0', () => new Normal(0, 0), 'value'],
    ['a mean that is NaN', () => new Normal(Number.NaN, 1), 'value'],
    ['parameters that do not broadcast', () => new Normal(tensor([1, 2]), tensor([1, 2, 3])), 'shape'],
    ['parameters of integers', () => new Normal(tensor([1], { dtype: 'int32' }), 1), 'dtype'],
    ['text as parameter', () => new Exponential('1' as never), 'value'],
    ['a rate below 0', () => new Exponential(-1), 'value'],
    ['an empty range', () => new Uniform(1, 1), 'value'],
    ['a probability above 1', () => new Bernoulli({ probs: 2 }), 'value'],
    ['both parameters', () => new Bernoulli({ probs: 0.5, logits: 0 }), 'value'],
    ['no parameter', () => new Categorical({}), 'value'],
    ['no options', () => new Categorical(undefined as never), 'value'],
    ['an unknown option', () => new Categorical({ weights: tensor([1]) } as never), 'option'],
    ['categories without a dimension', () => new Categorical({ probs: 1 }), 'shape'],
    ['probabilities of 0 alone', () => new Categorical({ probs: tensor([0, 0]) }), 'value'],
    ['an unknown option of Normal', () => new Normal(0, 1, { validate: true } as never), 'option'],
    ['a flag that is a number', () => new Normal(0, 1, { validateArgs: 1 as never }), 'value'],
    ['a value outside a range', () => new Uniform(0, 1).logProb(2), 'value'],
    ['a value below 0', () => new Exponential(1).logProb(-1), 'value'],
    ['half a success', () => new Bernoulli({ probs: 0.5 }).logProb(0.5), 'value'],
    ['a category too many', () => c.logProb(3), 'value'],
    ['half a category', () => c.logProb(0.5), 'value'],
    ['text as value', () => n.logProb('1' as never), 'value'],
    ['a shape that is a number', () => n.sample(3 as never), 'shape'],
    ['an unknown option of sample', () => n.sample([], { seed: 1 } as never), 'option'],
    ['two families', () => klDivergence(n, u), 'value'],
  ])('%s', (_, run, code) => {
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
