// Ranks, modes, quantiles, distinct elements, searching and running products against their definitions.
import {
  bucketize,
  cat,
  grad,
  histc,
  type Interpolation,
  isin,
  manualSeed,
  mode,
  randint,
  randn,
  searchsorted,
  type Tensor,
  tensor,
  unique,
  uniqueConsecutive,
} from 'chainrule';
import { beforeEach, describe, expect, it } from 'vitest';

const list = (x: Tensor) => Array.from(x.contiguous().data);
const ascending = (a: number, b: number) => a - b;
beforeEach(() => manualSeed(11));

describe('ranks', () => {
  it('of a long line are those of the sorted line, whatever the dimension', () => {
    const rows = randn([3, 5000]);
    const lines = rows.toArray() as number[][];
    for (const x of [rows, rows.t().contiguous().t()]) {
      const { values, indices } = x.topk(700);
      const small = x.topk(700, 1, { largest: false, sorted: false });
      const kth = x.kthvalue(1234);
      for (const [i, line] of lines.entries()) {
        const sorted = [...line].sort(ascending);
        expect(list(values.at(i))).toEqual(sorted.slice(-700).reverse());
        expect(list(indices.at(i)).map((p) => line[p])).toEqual(list(values.at(i)));
        expect(list(small.values.at(i)).sort(ascending)).toEqual(sorted.slice(0, 700));
        expect(kth.values.at(i).item()).toBe(sorted[1233]);
        expect(x.median(1).values.at(i).item()).toBe(sorted[2499]);
      }
    }
  });

  it('shares the gradient of the median of all among those equal to it', () => {
    const x = tensor([2, 1, 2, 3, 2], { requiresGrad: true });
    const third = expect.closeTo(1 / 3, 6);
    expect(grad(x.median(), [x])[0].toArray()).toEqual([third, 0, third, 0, third]);
    const y = tensor([Number.NaN, 1, 1], { requiresGrad: true });
    expect(grad(y.median(), [y])[0].toArray()).toEqual([1, 0, 0]);
    expect(grad(y.nanmedian(), [y])[0].toArray()).toEqual([0, 0.5, 0.5]);
  });

  it('leaves NaN out of the median only where asked', () => {
    const x = tensor([
      [3, Number.NaN, 1, 2],
      [4, 5, 6, 7],
    ]);
    expect(x.median(1).values.toArray()).toEqual([Number.NaN, 5]);
    expect(x.nanmedian(1).values.toArray()).toEqual([2, 5]);
    expect(x.median().item()).toBeNaN();
    expect(x.nanmedian().item()).toBe(4);
    expect(tensor([]).median().item()).toBeNaN();
  });

  it('finds the most frequent element, the smallest of several', () => {
    const x = randint(0, 6, [40, 25]);
    const { values, indices } = mode(x, 1);
    for (const [i, line] of (x.toArray() as number[][]).entries()) {
      const count = (v: number) => line.filter((w) => w === v).length;
      const best = [...new Set(line)].sort((a, b) => count(b) - count(a) || a - b)[0];
      expect(values.at(i).item()).toBe(best);
      expect(indices.at(i).item()).toBe(line.lastIndexOf(best));
    }
  });
});

describe('quantiles', () => {
  const between: Record<Interpolation, (low: number, high: number, part: number) => number> = {
    linear: (low, high, part) => low + part * (high - low),
    lower: (low) => low,
    higher: (_, high) => high,
    midpoint: (low, high) => (low + high) / 2,
    nearest: (low, high, part) => (part < 0.5 ? low : high),
  };

  it.each(Object.keys(between) as Interpolation[])('stand where %s puts them', (interpolation) => {
    const x = randn([4, 37], { dtype: 'float64' });
    const fractions = [0, 0.123, 0.4, 0.77, 1];
    const y = x.quantile(fractions, 1, { interpolation });
    expect(y.shape).toEqual([5, 4]);
    expect(x.quantile(fractions, 1, { interpolation, keepdim: true }).shape).toEqual([5, 4, 1]);
    for (const [i, line] of (x.toArray() as number[][]).entries()) {
      const sorted = [...line].sort(ascending);
      for (const [j, q] of fractions.entries()) {
        const rank = q * 36;
        const want = between[interpolation](sorted[Math.floor(rank)], sorted[Math.ceil(rank)], rank % 1);
        expect(y.at(j, i).item()).toBeCloseTo(want, 12);
      }
    }
    const gap = cat([x, x.mul(Number.NaN)], 1);
    expect(list(gap.quantile(fractions, 1)).every(Number.isNaN)).toBe(true);
    const found = list(gap.nanquantile(fractions, 1, { interpolation }));
    for (const [i, want] of list(y).entries()) expect(found[i]).toBeCloseTo(want, 12);
  });
});

describe('distinct elements', () => {
  it('come with places and counts that put the input together again', () => {
    const x = randint(-4, 5, [13, 17]);
    const flat = list(x);
    const { values, inverse, counts } = unique(x, { returnInverse: true, returnCounts: true });
    expect(list(values)).toEqual([...new Set(flat)].sort(ascending));
    expect(values.indexSelect(0, (inverse as Tensor).reshape([-1])).toArray()).toEqual(flat);
    expect(list(counts as Tensor)).toEqual(list(values).map((v) => flat.filter((w) => w === v).length));
    const runs = uniqueConsecutive(x.reshape([-1]), { returnCounts: true });
    expect(list(runs.values)).toEqual(flat.filter((v, i) => i === 0 || v !== flat[i - 1]));
    expect((runs.counts as Tensor).sum().item()).toBe(flat.length);
  });

  it('may be slices along any dimension', () => {
    const x = randint(0, 2, [60, 2, 2]);
    for (const [dim, y] of [
      [0, x],
      [2, x.movedim(0, 2)],
    ] as const) {
      const { values, inverse, counts } = unique(y, { dim, returnInverse: true, returnCounts: true });
      const slices = values.movedim(dim, 0).reshape([-1, 4]).toArray() as number[][];
      const text = slices.map((s) => s.join());
      expect(text).toEqual([...new Set((x.reshape([-1, 4]).toArray() as number[][]).map((s) => s.join()))].sort());
      expect(values.indexSelect(dim, inverse as Tensor).toArray()).toEqual(y.toArray());
      expect((counts as Tensor).sum().item()).toBe(60);
    }
  });
});

describe('searching', () => {
  it('counts what lies before, in order or by a sorter', () => {
    const sequence = randint(0, 30, [3, 50]).to('float32');
    const values = randint(-2, 33, [3, 9]).to('float32');
    for (const right of [false, true]) {
      const want = (sequence.toArray() as number[][]).map((row, i) =>
        (values.toArray() as number[][])[i].map((v) => row.filter((w) => (right ? w <= v : w < v)).length),
      );
      expect(searchsorted(sequence.sort().values, values, { right }).toArray()).toEqual(want);
      const side = right ? 'right' : 'left';
      expect(searchsorted(sequence, values, { side, sorter: sequence.argsort() }).toArray()).toEqual(want);
    }
    expect(bucketize(2, tensor([1, 2, 3])).item()).toBe(1);
    expect(bucketize(2.5, tensor([1, 2, 3], { dtype: 'int32' }), { right: true }).item()).toBe(2);
  });

  it('counts into bins, and finds members', () => {
    const x = randn([1000]);
    const y = list(histc(x, { bins: 8, min: -2, max: 2 }));
    const want = new Array(8).fill(0);
    for (const v of list(x)) if (v >= -2 && v <= 2) want[Math.min(7, Math.floor((v + 2) * 2))]++;
    expect(y).toEqual(want);
    expect(histc(x).sum().item()).toBe(1000);
    const among = [5, Number.NaN, -1];
    const numbers = [Number.NaN, -1, 0, 5, 6];
    expect(isin(tensor(numbers), tensor(among)).toArray()).toEqual([false, true, false, true, false]);
    expect(isin(tensor(numbers), tensor([Number.NaN]), { invert: true }).toArray()).toEqual(new Array(5).fill(true));
    expect(isin(3, tensor([1, 3])).item()).toBe(1);
  });
});

describe('gradients of scans', () => {
  it('of a product are those of its definition, with no zero, one and several', () => {
    for (const zeros of [[], [2], [0], [1, 3], [4], [0, 1, 2, 3, 4]]) {
      const values = [1.5, -2, 0.5, 3, -1].map((v, i) => (zeros.includes(i) ? 0 : v));
      const g = [1, -2, 3, 0.5, 2];
      const x = tensor(values, { dtype: 'float64', requiresGrad: true });
      const [dx] = grad([x.cumprod(0)], [x], { gradOutputs: [tensor(g, { dtype: 'float64' })] });
      const want = values.map((_, k) =>
        g.reduce(
          (sum, gi, i) =>
            i < k ? sum : sum + gi * values.slice(0, i + 1).reduce((p, v, j) => (j === k ? p : p * v), 1),
          0,
        ),
      );
      // Adding 0 makes 0 of -0.
      expect(list(dx as Tensor).map((v) => v + 0)).toEqual(want.map((v) => v + 0));
    }
  });

  it('of a logarithm of sums is finite where x is -Infinity or far apart', () => {
    const x = tensor([-Infinity, -Infinity, 3, -Infinity, 900, -900], { dtype: 'float64', requiresGrad: true });
    const y = x.logcumsumexp(0);
    expect(list(y)).toEqual([-Infinity, -Infinity, 3, 3, 900, 900]);
    const [dx] = grad([y], [x], { gradOutputs: [tensor([1, 2, 3, 4, 5, 6], { dtype: 'float64' })] });
    expect(list(dx as Tensor)).toEqual([0, 0, 7, 0, 11, 0]);
  });
});

describe('cat', () => {
  it('leaves empty vectors out beside other shapes, as PyTorch does, but for their dtype', () => {
    const x = tensor([[1, 2]], { dtype: 'int32', requiresGrad: false });
    const y = cat([tensor([]), x, x], 1);
    expect([y.dtype, y.toArray()]).toEqual(['float32', [[1, 2, 1, 2]]]);
    expect(() => cat([tensor([1]), x])).toThrow('differ in dimension 0 only');
  });
});
