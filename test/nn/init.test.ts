// nn.init: exact properties where there are some, moments of fixed seeds where there are not.
import { Generator, eye as identity, matmul, nn, ones, type Tensor, tensor, zeros } from 'chainrule';
import { describe, expect, it } from 'vitest';
import { codeOf } from '../thrown.js';

const { init } = nn;
const generator = () => new Generator(7);
const moments = (x: Tensor) => [x.mean().item(), x.std().item()] as const;
const big = () => zeros([200, 300], { dtype: 'float64' });

describe('random numbers', () => {
  it.each([
    ['uniform', init.uniform(big(), { a: -1, b: 3, generator: generator() }), 1, 4 / Math.sqrt(12)],
    ['normal', init.normal(big(), { mean: 2, std: 0.5, generator: generator() }), 2, 0.5],
    ['truncNormal', init.truncNormal(big(), { std: 1, a: -1, b: 1, generator: generator() }), 0, 0.5396],
    ['xavierUniform', init.xavierUniform(big(), { gain: 2, generator: generator() }), 0, 2 * Math.sqrt(2 / 500)],
    ['xavierNormal', init.xavierNormal(big(), { generator: generator() }), 0, Math.sqrt(2 / 500)],
    [
      'kaimingUniform',
      init.kaimingUniform(big(), { nonlinearity: 'relu', generator: generator() }),
      0,
      Math.sqrt(2 / 300),
    ],
    ['kaimingNormal', init.kaimingNormal(big(), { mode: 'fanOut', generator: generator() }), 0, Math.sqrt(2 / 200)],
  ])('%s has the mean and deviation it promises', (_, x, mean, std) => {
    const [m, s] = moments(x);
    // Five standard errors of 60,000 numbers.
    expect(Math.abs(m - mean)).toBeLessThan((5 * std) / Math.sqrt(60_000));
    expect(Math.abs(s / std - 1)).toBeLessThan(5 / Math.sqrt(60_000));
  });

  it('stay inside their bounds', () => {
    const cut = init.truncNormal(big(), { mean: 1, std: 2, a: 0, b: 1.5, generator: generator() });
    expect(cut.amin().item()).toBeGreaterThanOrEqual(0);
    expect(cut.amax().item()).toBeLessThanOrEqual(1.5);
    const bound = Math.sqrt(6 / 500);
    expect(init.xavierUniform(big(), { generator: generator() }).abs().amax().item()).toBeLessThanOrEqual(bound);
  });

  it('are the same for the same seed, and fill views and parameters in place', () => {
    const x = zeros([6, 4]);
    const p = new nn.Parameter(zeros([4, 6]));
    expect(init.orthogonal(x.t(), { generator: generator() }).toArray()).toEqual(
      init.orthogonal(p, { generator: generator() }).toArray(),
    );
    expect(x.t().toArray()).toEqual(p.toArray());
    expect(p.requiresGrad).toBe(true);
  });
});

describe('gains', () => {
  it.each([
    ['linear', 1],
    ['conv3d', 1],
    ['convTranspose2d', 1],
    ['sigmoid', 1],
    ['tanh', 5 / 3],
    ['relu', Math.SQRT2],
    ['selu', 0.75],
  ] as const)('of %s', (name, gain) => expect(init.calculateGain(name)).toBe(gain));

  it('of leakyRelu depends on its slope', () => {
    expect(init.calculateGain('leakyRelu')).toBe(Math.sqrt(2 / (1 + 0.01 ** 2)));
    expect(init.calculateGain('leakyRelu', 1)).toBe(1);
    expect(codeOf(() => init.calculateGain('gelu' as never))).toBe('value');
  });
});

describe('matrices', () => {
  it('eye and constants', () => {
    expect(init.eye(ones([3, 2])).toArray()).toEqual([
      [1, 0],
      [0, 1],
      [0, 0],
    ]);
    expect(init.constant(zeros([2]), 3).toArray()).toEqual([3, 3]);
    expect([init.ones(zeros([1])).item(), init.zeros(ones([1])).item()]).toEqual([1, 0]);
  });

  it('dirac passes channels on, in groups too', () => {
    const x = tensor([
      [
        [1, 2, 3, 4],
        [5, 6, 7, 8],
      ],
    ]);
    const conv = new nn.Conv1d(2, 2, 3, { padding: 1, bias: false });
    init.dirac(conv.weight);
    expect(conv.forward(x).toArray()).toEqual(x.toArray());
    const grouped = init.dirac(ones([4, 2, 3, 2]), { groups: 2 });
    expect(grouped.sum().item()).toBe(4);
    // PyTorch: places [g * 2 + d, d, 1, 1].
    for (const [o, c] of [
      [0, 0],
      [1, 1],
      [2, 0],
      [3, 1],
    ])
      expect(grouped.at(o, c, 1, 1).item()).toBe(1);
    expect(
      init
        .dirac(ones([3, 1, 2, 2, 2]))
        .sum()
        .item(),
    ).toBe(1);
    expect(
      init
        .dirac(ones([3, 1, 2, 2, 2]))
        .at(0, 0, 1, 1, 1)
        .item(),
    ).toBe(1);
  });

  it.each([[[5, 3]], [[3, 5]], [[4, 4]], [[4, 2, 3]], [[8, 2, 2]]])('orthogonal %j', (shape) => {
    const x = init.orthogonal(zeros(shape, { dtype: 'float64' }), { gain: 3, generator: generator() });
    const m = x.reshape([shape[0], -1]);
    const [rows, columns] = m.shape;
    const gram = rows <= columns ? matmul(m, m.t()) : matmul(m.t(), m);
    const off = gram.div(9).sub(identity(Math.min(rows, columns), { dtype: 'float64' }));
    expect(off.abs().amax().item()).toBeLessThan(1e-13);
  });

  it('orthogonal signs are those of a positive diagonal of R', () => {
    // Half of many 1 x 1 matrices are 1 and half -1: without the correction all would have one sign.
    const g = generator();
    const signs = Array.from({ length: 400 }, () => init.orthogonal(zeros([1, 1]), { generator: g }).item());
    expect(new Set(signs)).toEqual(new Set([1, -1]));
    expect(Math.abs(signs.reduce((a, b) => a + b))).toBeLessThan(100);
  });

  it('sparse has as many zeros in every column as it says', () => {
    const x = init.sparse(zeros([50, 40], { dtype: 'float64' }), 0.33, { std: 2, generator: generator() });
    expect(x.eq(0).sum(0).toArray()).toEqual(Array(40).fill(17));
    const rest = x.maskedSelect(x.ne(0));
    expect(Math.abs(rest.std().item() / 2 - 1)).toBeLessThan(5 / Math.sqrt(33 * 40));
    expect(
      init
        .sparse(ones([3, 2]), 1)
        .sum()
        .item(),
    ).toBe(0);
    expect(new Set(x.eq(0).sum(1).toArray() as number[]).size).toBeGreaterThan(3);
  });

  it('refuse what they cannot fill', () => {
    const wrong: [() => unknown, string][] = [
      [() => init.eye(zeros([2])), 'shape'],
      [() => init.eye(tensor([[1]], { dtype: 'int32' })), 'dtype'],
      [() => init.eye([[1]] as never), 'value'],
      [() => init.dirac(zeros([2, 2])), 'shape'],
      [() => init.dirac(zeros([3, 2, 1]), { groups: 2 }), 'shape'],
      [() => init.dirac(zeros([3, 2, 1]), { groups: 0 }), 'value'],
      [() => init.orthogonal(zeros([3])), 'shape'],
      [() => init.orthogonal(zeros([3, 3]), { scale: 1 } as never), 'option'],
      [() => init.sparse(zeros([3]), 0.5), 'shape'],
      [() => init.sparse(zeros([3, 3]), 2), 'value'],
      [() => init.xavierNormal(zeros([3])), 'shape'],
      [() => init.uniform(zeros([3]), { a: 2, b: 1 }), 'value'],
      [() => init.truncNormal(zeros([3]), { a: 2, b: 1 }), 'value'],
    ];
    for (const [fn, code] of wrong) expect(codeOf(fn), fn.toString()).toBe(code);
    expect(init.orthogonal(zeros([0, 3])).shape).toEqual([0, 3]);
  });
});
