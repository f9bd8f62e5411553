// jacobian, hessian, vjp, jvp, hvp, valueAndGrad.
import {
  cat,
  gradcheck,
  hessian,
  hvp,
  jacobian,
  jvp,
  matmul,
  memory,
  noGrad,
  randn,
  type Tensor,
  tensor,
  valueAndGrad,
  vjp,
  zeros,
} from 'chainrule';
import { describe, expect, it } from 'vitest';

const far = (a: Tensor, b: Tensor) => a.sub(b).abs().amax().item();
const double = (shape: number[]) => randn(shape, { dtype: 'float64' });

describe('jacobian', () => {
  it('of a linear map is its matrix', () => {
    const w = double([3, 4]);
    expect(
      far(
        jacobian((x) => matmul(w, x), double([4])),
        w,
      ),
    ).toBe(0);
  });

  it('has the shapes of outputs, then inputs', () => {
    const fn = (x: Tensor, y: Tensor): [Tensor, Tensor] => [x.mul(y.sum()), y.square()];
    const [first, second] = jacobian(fn as (...xs: Tensor[]) => Tensor[], [double([2, 3]), double([4])]) as Tensor[][];
    expect(first.map((block) => block.shape)).toEqual([
      [2, 3, 2, 3],
      [2, 3, 4],
    ]);
    expect(second.map((block) => block.shape)).toEqual([
      [4, 2, 3],
      [4, 4],
    ]);
    expect(second[0].abs().sum().item()).toBe(0);
  });

  it('works inside noGrad, on inputs that need no gradient, and for constants and empty results', () => {
    const x = tensor([1, 2]);
    expect(
      noGrad(() => jacobian((v) => v.exp(), x))
        .at(0, 1)
        .item(),
    ).toBe(0);
    expect(jacobian(() => tensor([3, 4, 5]), x).toArray()).toEqual([
      [0, 0],
      [0, 0],
      [0, 0],
    ]);
    expect(jacobian((v) => v.narrow(0, 0, 0), x).shape).toEqual([0, 2]);
    expect(x.requiresGrad).toBe(false);
    expect(x.grad).toBeNull();
  });

  it('can be differentiated itself', () => {
    const x = tensor([0.3, -0.7], { dtype: 'float64', requiresGrad: true });
    expect(gradcheck((v) => jacobian((u) => u.pow(3), v, { createGraph: true }), [x])).toBe(true);
  });

  it('leaves nothing behind but the result', () => {
    const x = double([5]);
    const before = memory().tensors;
    const j = jacobian((v) => v.tanh().mul(v), x);
    expect(memory().tensors - before).toBe(1);
    expect(j.shape).toEqual([5, 5]);
  });
});

describe('hessian', () => {
  it('of a quadratic form is the symmetric part of its matrix, twice', () => {
    const a = double([3, 3]);
    const h = hessian((x) => x.matmul(a).matmul(x), double([3]));
    expect(far(h, a.add(a.t()))).toBeLessThan(1e-12);
  });

  it('has blocks for several inputs', () => {
    const [[xx, xy], [yx, yy]] = hessian((x, y) => x.mul(y).sum(), [double([2]), double([2])]);
    expect([xx, yy].map((block) => block.abs().sum().item())).toEqual([0, 0]);
    expect(xy.toArray()).toEqual([
      [1, 0],
      [0, 1],
    ]);
    expect(yx.toArray()).toEqual(xy.toArray());
  });

  it('wants one number', () => {
    expect(() => hessian((x) => x.mul(2), zeros([2]))).toThrow(/one element, got \[2\]/);
  });
});

describe('products', () => {
  const fn = (x: Tensor) => cat([x.sin(), x.mul(x.sum())]);

  it('agree with the jacobian', () => {
    const x = double([3]);
    const j = jacobian(fn, x);
    const [u, v] = [double([6]), double([3])];
    const [y, back] = vjp(fn, x, u);
    const [z, forth] = jvp(fn, x, v);
    expect(far(back, u.matmul(j))).toBeLessThan(1e-12);
    expect(far(forth, j.matmul(v))).toBeLessThan(1e-12);
    expect(far(y, fn(x))).toBe(0);
    expect(far(z, y)).toBe(0);
    expect(y.requiresGrad).toBe(false);
    const scalar = (t: Tensor) => fn(t).square().sum();
    expect(far(hvp(scalar, x, v)[1], hessian(scalar, x).matmul(v))).toBeLessThan(1e-10);
  });

  it('take several inputs and outputs', () => {
    const pair = (x: Tensor, y: Tensor) => [x.mul(y), x.add(y)];
    const [x, y] = [tensor([1, 2]), tensor([3, 4])];
    const [, [dx, dy]] = vjp(pair, [x, y], [tensor([1, 1]), tensor([10, 10])]);
    expect([dx.toArray(), dy.toArray()]).toEqual([
      [13, 14],
      [11, 12],
    ]);
    const [, [p, s]] = jvp(pair, [x, y], [tensor([1, 0]), tensor([0, 1])]);
    expect([p.toArray(), s.toArray()]).toEqual([
      [3, 2],
      [1, 1],
    ]);
  });

  it('say what is wrong', () => {
    expect(() => vjp(fn, zeros([3]))).toThrow(/expected vectors for the outputs/);
    expect(() => jvp(fn, zeros([3]), zeros([4]))).toThrow(/shape \[3\], got \[4\]/);
    expect(() => vjp(fn, zeros([3], { dtype: 'int32' }), zeros([6]))).toThrow(/float/);
    expect(() => jacobian((() => 3) as never, zeros([3]))).toThrow(/return a tensor/);
  });
});

describe('valueAndGrad', () => {
  it('gives both', () => {
    const [value, [dx]] = valueAndGrad((x) => x.square().sum())(tensor([1, 2]));
    expect([value.item(), dx.toArray()]).toEqual([5, [2, 4]]);
    expect(() => valueAndGrad((x) => x)(zeros([2]))).toThrow(/one element, got \[2\]/);
  });
});
