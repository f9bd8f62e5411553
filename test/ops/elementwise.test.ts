// What the table's sweeps do not reach: integer dtypes, numbers as operands, crossed bounds, ends of the range, memory.
import * as cr from 'chainrule';
import { grad, gradcheck, memory, noGrad, type Tensor, tensor } from 'chainrule';
import { describe, expect, it } from 'vitest';

const ints = (data: number[]) => tensor(data, { dtype: 'int32' });
const doubles = (data: number[], requiresGrad = true) => tensor(data, { dtype: 'float64', requiresGrad });
const values = (x: Tensor) => x.toArray() as number[];
const slope = (f: (x: Tensor) => Tensor, at: number[]) => {
  const x = doubles(at);
  return values(grad(f(x).sum(), [x])[0] as Tensor);
};

describe('integers', () => {
  it('stay integers where PyTorch keeps them', () => {
    const x = ints([-7, 7, 5]);
    for (const y of [x.floor(), x.round(), x.clamp(-3, 6), x.relu6(), x.fmod(4), x.floorDivide(2), x.nanToNum()]) {
      expect(y.dtype).toBe('int32');
    }
    expect(values(x.fmod(4))).toEqual([-3, 3, 1]);
    expect(values(x.remainder(4))).toEqual([1, 3, 1]);
    expect(values(x.floorDivide(2))).toEqual([-4, 3, 2]);
    expect(values(x.div(2, { roundingMode: 'trunc' }))).toEqual([-3, 3, 2]);
    expect(values(x.clamp(null, 6))).toEqual([-7, 6, 5]);
    expect(values(x.fmax(ints([0])))).toEqual([0, 7, 5]);
    expect(values(x.relu6())).toEqual([0, 6, 5]);
  });

  it('give 0 divided by 0, and wrap at the end of the range', () => {
    const x = ints([5, -(2 ** 31)]);
    for (const y of [x.floorDivide(0), x.remainder(0), x.fmod(0), x.div(0, { roundingMode: 'trunc' })]) {
      expect(values(y)).toEqual([0, 0]);
    }
    expect(values(x.div(-1, { roundingMode: 'trunc' }))).toEqual([-5, -(2 ** 31)]);
  });

  it('keep squares and signs of booleans exact', () => {
    const x = tensor([true, false]);
    expect([x.square().dtype, values(x.square())]).toEqual(['int32', [1, 0]]);
    expect([x.sign().dtype, values(x.sign())]).toEqual(['bool', [true, false]]);
  });

  it('are bases whose memory lasts through backward passes, however often the graph is read', () => {
    for (const f of ['pow', 'hypot', 'atan2', 'logaddexp'] as const) {
      const b = doubles([1.5, 2]);
      const y = ints([2, 3])[f](b).sum();
      const [first] = grad(y, [b], { retainGraph: true });
      const [second] = grad(y, [b]);
      expect(second?.toArray(), f).toEqual(first?.toArray());
    }
    expect(slope((b) => ints([2, 3]).pow(b), [2, 2])).toEqual([4 * Math.log(2), 9 * Math.log(3)]);
  });

  it('count as targets without losing digits', () => {
    const x = doubles([1, 2], false);
    const full = (target: Tensor) => cr.poissonNllLoss(x, target, { full: true }).item();
    expect(full(ints([3, 7]))).toBe(full(doubles([3, 7], false)));
  });

  it('become floating point where the function is', () => {
    const x = ints([1, 2]);
    for (const y of [x.erf(), x.softsign(), x.deg2rad(), x.copysign(-1), x.ldexp(1), x.lerp(ints([3, 4]), 0.5)]) {
      expect(y.dtype).toBe('float32');
    }
    expect(tensor([1, 2], { dtype: 'float64' }).ldexp(ints([200, -200])).dtype).toBe('float64');
    expect(values(doubles([1]).ldexp(ints([200])))).toEqual([2 ** 200]);
  });

  it('of bool have no differences and remainders', () => {
    const x = tensor([true, false]);
    for (const run of [() => x.sub(x), () => x.pow(x), () => x.fmod(x), () => x.remainder(x), () => x.floorDivide(x)]) {
      expect(run).toThrow(expect.objectContaining({ name: 'TensorError', code: 'dtype' }));
    }
    expect(x.fmax(tensor([false, false])).toArray()).toEqual([true, false]);
  });
});

describe('numbers as operands', () => {
  it.each([
    ['sub', cr.sub],
    ['div', cr.div],
    ['pow', cr.pow],
    ['fmod', cr.fmod],
    ['remainder', cr.remainder],
    ['atan2', cr.atan2],
    ['hypot', cr.hypot],
    ['logaddexp', cr.logaddexp],
    ['fmax', cr.fmax],
    ['fmin', cr.fmin],
    ['xlogy', cr.xlogy],
    ['copysign', cr.copysign],
  ] as const)(
    '%s takes one on either side, with gradients',
    (_, f: (a: Tensor | number, b: Tensor | number) => Tensor) => {
      const x = doubles([0.7, 1.9, 3.4]);
      expect(values(f(x, 1.3))).toEqual(values(f(x, doubles([1.3], false))));
      expect(values(f(1.3, x))).toEqual(values(f(doubles([1.3], false), x)));
      expect(gradcheck((a) => f(a, 1.3), [x])).toBe(true);
      expect(gradcheck((a) => f(1.3, a), [x])).toBe(true);
    },
  );

  it('keep the sign of zero', () => {
    expect(values(doubles([2, -2]).copysign(-0))).toEqual([-2, -2]);
    expect(slope((x) => x.copysign(-0), [2, -2])).toEqual([-1, 1]);
  });
});

describe('clamp', () => {
  it('gives max where the bounds are crossed, NaN where one is', () => {
    const x = doubles([-1, 0.5, 3]);
    expect(values(x.clamp(2, 1))).toEqual([1, 1, 1]);
    expect(slope((y) => y.clamp(2, 1), [-1, 1, 2, 3])).toEqual([0, 0, 0, 0]);
    for (const y of [x.clamp(Number.NaN, 1), x.clamp(null, Number.NaN), x.clamp(doubles([Number.NaN]), 1)]) {
      expect(values(y)).toEqual([Number.NaN, Number.NaN, Number.NaN]);
    }
  });

  it('hands the gradient to a tensor of bounds where that decides', () => {
    const [x, low, high] = [doubles([-2, 0, 2]), doubles([-1, -1, 1]), doubles([1, 1, 1])];
    const found = grad(x.clamp(low, high).sum(), [x, low, high]).map((g) => values(g as Tensor));
    expect(found).toEqual([
      [0, 1, 0],
      [1, 0, 0],
      [0, 0, 1],
    ]);
    expect(values(grad(x.clamp(low).sum(), [low])[0] as Tensor)).toEqual([1, 0, 0]);
    expect(values(grad(x.clamp(0, high).sum(), [high])[0] as Tensor)).toEqual([0, 0, 1]);
  });

  it('differs from hardtanh at its ends only', () => {
    expect(slope((x) => x.clamp(-1, 1), [-1, 0, 1])).toEqual([1, 1, 1]);
    expect(slope((x) => x.hardtanh(), [-1, 0, 1])).toEqual([0, 1, 0]);
  });
});

describe('ends of the range', () => {
  it('logit is not differentiable outside [0, 1], and flat outside of its eps', () => {
    expect(slope((x) => x.logit(), [-1, 0.5, 2])).toEqual([Number.NaN, 4, Number.NaN]);
    expect(slope((x) => x.logit({ eps: 0.25 }), [-1, 0.5, 2])).toEqual([0, 4, 0]);
  });

  it('nanToNum can replace infinities alone', () => {
    const x = tensor([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]);
    expect(values(x.nanToNum({ nan: Number.NaN, posinf: 1, neginf: -1 }))).toEqual([Number.NaN, 1, -1]);
    expect(values(x.nanToNum())).toEqual([0, 3.4028234663852886e38, -3.4028234663852886e38]);
    expect(values(x.to('float64').nanToNum())).toEqual([0, Number.MAX_VALUE, -Number.MAX_VALUE]);
  });

  it('round takes decimals on either side of the point', () => {
    expect(values(doubles([1234.5678]).round({ decimals: 2 }))).toEqual([1234.57]);
    expect(values(doubles([1250, 1350]).round({ decimals: -2 }))).toEqual([1200, 1400]);
  });

  it('smooth activations neither overflow nor lose their gradient', () => {
    const far = [-1e30, -1000, 1000, 1e30];
    for (const f of [cr.softplus, cr.bnll, cr.celu, cr.silu, cr.mish, cr.softsign]) {
      expect(values(f(doubles(far))).every(Number.isFinite)).toBe(true);
      expect(slope((x) => f(x), far).every(Number.isFinite)).toBe(true);
    }
    // Differentiating x / (1 + |x|) as a quotient would leave the difference of two nearly equal numbers here.
    expect(slope((x) => x.softsign(), [-1e10])[0] * 1e20).toBeCloseTo(1, 9);
  });
});

describe('special functions', () => {
  const close = (x: Tensor, want: number[]) => {
    for (const [i, y] of values(x).entries()) expect(Math.abs(y / want[i] - 1)).toBeLessThan(1e-14);
  };
  const APERY = 1.2020569031595942;

  it('polygamma has its known values, on both sides of 0', () => {
    const square = Math.PI ** 2;
    const x = doubles([1, 0.5, 2, -0.5, -1.5]);
    close(x.polygamma(1), [square / 6, square / 2, square / 6 - 1, square / 2 + 4, square / 2 + 4 + 4 / 9]);
    close(doubles([1, 0.5]).polygamma(2), [-2 * APERY, -14 * APERY]);
    close(doubles([1, 0.5]).polygamma(3), [Math.PI ** 4 / 15, Math.PI ** 4]);
    expect(values(x.polygamma(0))).toEqual(values(x.digamma()));
    expect(values(doubles([0, -3]).polygamma(1))).toEqual([Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]);
  });

  it('erfinv undoes erf', () => {
    const y = doubles([-0.999, -0.71, -0.69, 1e-20, 0.3, 1 - 1e-15]);
    close(y.erfinv().erf(), values(y));
  });

  it('rad2deg undoes deg2rad', () => {
    const x = doubles([-180, 30, 400]);
    close(x.deg2rad().rad2deg(), values(x));
    close(x.rad2deg(), [-180 * (180 / Math.PI), 30 * (180 / Math.PI), 400 * (180 / Math.PI)]);
  });
});

describe('options as methods', () => {
  it('reach the function', () => {
    const x = tensor([1, 2]);
    expect(values(x.add(x, { alpha: 3 }))).toEqual([4, 8]);
    expect(values(x.sub(1, { alpha: 3 }))).toEqual([-2, -1]);
    expect(values(x.addcmul(x, x, { value: 2 }))).toEqual([3, 10]);
    expect(values(x.div(2, { roundingMode: 'floor' }))).toEqual([0, 1]);
    expect(values(x.div(2, { roundingMode: null }))).toEqual([0.5, 1]);
  });
});

describe('memory', () => {
  it('of temporaries comes back at once where nothing is recorded', () => {
    const x = cr.zeros([1 << 16]);
    const weight = tensor([0.1]);
    const run = () => {
      for (const f of [cr.mish, cr.gelu, cr.hardswish, cr.celu, cr.softshrink, cr.nanToNum, cr.logit]) f(x).dispose();
      x.clamp(x, 1).dispose();
      x.lerp(x, x).dispose();
      x.lerp(x, 0.5).dispose();
      x.addcdiv(x, x, { value: 2 }).dispose();
      x.prelu(weight).dispose();
      x.glu().dispose();
    };
    noGrad(run);
    const before = memory();
    noGrad(run);
    expect(memory()).toEqual(before);
  });
});
