// gradcheck and gradgradcheck: that they find wrong gradients, and only those.
import { gradcheck, gradgradcheck, ones, type Tensor, tensor } from 'chainrule';
import { describe, expect, it } from 'vitest';
import { codeOf } from '../thrown.js';

const leaf = (...data: number[]) => tensor(data, { dtype: 'float64', requiresGrad: true });
/** x itself, with a gradient that is wrong by a factor. */
const wrong = (x: Tensor, factor: number) => {
  const y = x.mul(1);
  y.registerHook((g) => g.mul(factor));
  return y;
};

describe.each([
  ['gradcheck', gradcheck],
  ['gradgradcheck', gradgradcheck],
] as const)('%s', (_, check) => {
  it('accepts right gradients, of several inputs and outputs', () => {
    expect(check((x, y) => [x.mul(y).sin(), y.exp()], [leaf(0.3, -2), leaf(1.5, 0.5)])).toBe(true);
    expect(check((x) => x.sum().exp(), [leaf()])).toBe(true);
    expect(check((x, c) => x.pow(3).mul(c), [leaf(0.3, -2), tensor([1, 2], { dtype: 'int32' })])).toBe(true);
  });

  it('checks every element of views in place', () => {
    const x = tensor(ones([3, 2], { dtype: 'float64' }).mul(0.7), { requiresGrad: true });
    expect(check((a) => a.t().exp(), [x])).toBe(true);
    expect(x.toArray()).toEqual([
      [0.7, 0.7],
      [0.7, 0.7],
      [0.7, 0.7],
    ]);
  });

  it('wants float64 tensors that require gradients, and a function', () => {
    expect(codeOf(() => check((x) => x.exp(), [tensor([1], { requiresGrad: true })]))).toBe('dtype');
    expect(codeOf(() => check((x) => x.exp(), [tensor([1], { dtype: 'float64' })]))).toBe('grad');
    expect(codeOf(() => check((x) => x.exp(), leaf(1) as unknown as Tensor[]))).toBe('value');
    expect(codeOf(() => check((x) => x.exp(), [3 as unknown as Tensor]))).toBe('value');
    expect(codeOf(() => check(undefined as unknown as () => Tensor, [leaf(1)]))).toBe('value');
    expect(codeOf(() => check(() => 3 as unknown as Tensor, [leaf(1)]))).toBe('value');
    expect(codeOf(() => check((x) => x.exp(), [leaf(1)], { tol: 1 } as object))).toBe('option');
  });
});

describe('gradcheck', () => {
  it('throws for a wrong gradient, naming input, element and both numbers', () => {
    const call = () => gradcheck((x, y) => x.exp().add(wrong(y, 1.01).exp()), [leaf(0, 0), leaf(1, 2)]);
    expect(codeOf(call)).toBe('grad');
    expect(call).toThrow(/input 1 \[2\] at element 0 .* \(numeric\).* \(analytic\)/);
  });

  it('finds a gradient that is missing, of the wrong sign, or NaN', () => {
    expect(codeOf(() => gradcheck((x, y) => x.mul(y.detach()), [leaf(1), leaf(2)]))).toBe('grad');
    expect(codeOf(() => gradcheck((x) => wrong(x, -1), [leaf(1)]))).toBe('grad');
    expect(codeOf(() => gradcheck((x) => wrong(x, Number.NaN), [leaf(1)]))).toBe('grad');
  });

  it('does not pass where there is nothing to compare', () => {
    expect(codeOf(() => gradcheck((x) => x.detach().exp(), [leaf(1)]))).toBe('grad');
    expect(codeOf(() => gradcheck(() => [], [leaf(1)]))).toBe('grad');
  });

  it('returns false with quiet, and follows its tolerances', () => {
    expect(gradcheck((x) => wrong(x, 1.01), [leaf(1)], { quiet: true })).toBe(false);
    expect(gradcheck((x) => wrong(x, 1.01), [leaf(1)], { rtol: 0.1 })).toBe(true);
    expect(gradcheck((x) => wrong(x, 1.0005), [leaf(1)])).toBe(true);
    expect(gradcheck((x) => wrong(x, 1.0005), [leaf(1)], { rtol: 1e-6, atol: 1e-6, quiet: true })).toBe(false);
    expect(codeOf(() => gradcheck((x) => x, [leaf(1)], { eps: Number.NaN }))).toBe('value');
  });

  it('leaves inputs and gradients as they were, also after an error in the function', () => {
    const x = leaf(1, 2);
    gradcheck((a) => a.square(), [x]);
    let calls = 0;
    const failing = (a: Tensor) => {
      if (++calls === 3) throw new RangeError('mine');
      return a.square();
    };
    expect(() => gradcheck(failing, [x])).toThrow('mine');
    expect([x.toArray(), x.grad]).toEqual([[1, 2], null]);
  });
});

describe('gradgradcheck', () => {
  it('finds a second derivative that is wrong where the first is right', () => {
    // The first derivative of y = x^2 is 2x; through the detached factor it does not change with x.
    const broken = (x: Tensor) => {
      const y = x.detach().mul(x);
      y.registerHook((g) => g.mul(2));
      return y;
    };
    const f = (x: Tensor) => broken(x);
    expect(gradcheck(f, [leaf(1.5)])).toBe(true);
    expect(gradgradcheck(f, [leaf(1.5)], { quiet: true })).toBe(false);
  });
});
