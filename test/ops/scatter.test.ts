// What the sweeps over the table cannot see of indexed writes: who wins where several meet, shared memory, threads.
import {
  grad,
  gradcheck,
  numThreads,
  pad,
  randint,
  randn,
  setNumThreads,
  slice,
  TensorError,
  tensor,
  zeros,
} from 'chainrule';
import { describe, expect, it } from 'vitest';

const ints = (data: number[]) => tensor(data, { dtype: 'int32' });
const wide = (data: number[]) => tensor(data, { dtype: 'float64', requiresGrad: true });

describe('several values for one place', () => {
  const index = ints([1, 0, 1, 1]);
  const writes = {
    scatter: (x: ReturnType<typeof wide>, v: ReturnType<typeof wide>) => x.scatter(0, index, v),
    indexCopy: (x: ReturnType<typeof wide>, v: ReturnType<typeof wide>) => x.indexCopy(0, index, v),
    put: (x: ReturnType<typeof wide>, v: ReturnType<typeof wide>) => x.put(index, v),
    setAt: (x: ReturnType<typeof wide>, v: ReturnType<typeof wide>) => x.setAt([index], v),
    indexPut: (x: ReturnType<typeof wide>, v: ReturnType<typeof wide>) => x.indexPut([index], v),
  };
  it.each(Object.entries(writes))('%s keeps the last, which alone takes the gradient', (_, write) => {
    const x = wide([1, 2, 3]);
    const values = wide([5, 6, 7, 8]);
    const y = write(x, values);
    expect(y.toArray()).toEqual([6, 8, 3]);
    const [dx, dv] = grad(y.sum(), [x, values]);
    expect(dx?.toArray()).toEqual([0, 0, 1]);
    expect(dv?.toArray()).toEqual([0, 1, 0, 1]);
    expect(gradcheck(write, [x, values])).toBe(true);
  });

  it('is the same with one thread and with several', () => {
    const x = zeros([300, 128]);
    const each = randint(0, 300, [4000, 128]);
    const rows = randint(0, 300, [4000]);
    const src = randn([4000, 128]);
    const all = () => [
      x.scatter(0, each, src),
      x.scatterAdd(0, each, src),
      x.scatterReduce(0, each, src, 'prod'),
      x.scatterReduce(0, each, src, 'amax'),
      x.indexCopy(0, rows, src),
      x.indexAdd(0, rows, src),
    ];
    const before = numThreads();
    try {
      setNumThreads(1);
      const one = all();
      setNumThreads(3);
      all().forEach((y, i) => {
        expect(Buffer.from(y.data.buffer, y.data.byteOffset, y.data.byteLength)).toEqual(
          Buffer.from(one[i].data.buffer, one[i].data.byteOffset, one[i].data.byteLength),
        );
      });
    } finally {
      setNumThreads(before);
    }
  });
});

describe('reductions into places', () => {
  it('NaN wins among extremes, and integers keep to their range', () => {
    const index = ints([0, 0, 1]);
    const src = tensor([1, Number.NaN, 2]);
    expect(zeros([3]).scatterReduce(0, index, src, 'amax').toArray()).toEqual([Number.NaN, 2, 0]);
    expect(zeros([3]).scatterReduce(0, index, src, 'amin').toArray()).toEqual([Number.NaN, 0, 0]);
    const low = ints([-(2 ** 31), -5, -7]);
    const own = { includeSelf: false };
    expect(ints([9, 9, 9]).scatterReduce(0, index, low, 'amax', own).toArray()).toEqual([-5, -7, 9]);
    expect(
      ints([0, 0, 9])
        .scatterReduce(0, index, ints([-3, 0, 5]), 'mean')
        .toArray(),
    ).toEqual([-1, 2, 9]);
  });

  it('products with zeros have the gradient of the other factors', () => {
    const index = ints([0, 0, 1, 1, 1, 2]);
    const values = wide([0, 3, 0, 0, 5, 7]);
    const x = wide([2, 2, 0]);
    const [dx, dv] = grad(x.scatterReduce(0, index, values, 'prod').sum(), [x, values]);
    expect(dx?.toArray()).toEqual([0, 0, 7]);
    expect(dv?.toArray()).toEqual([6, 0, 0, 0, 0, 0]);
  });
});

describe('views', () => {
  it('nothing is written to the tensor itself', () => {
    const x = tensor([1, 2, 3, 4]);
    x.setAt([slice(1, 3)], 0);
    x.selectScatter(tensor(0), 0, 0);
    x.scatter(0, ints([0]), 9);
    pad(x, [-1, 2]);
    expect(x.toArray()).toEqual([1, 2, 3, 4]);
  });

  it('windows share memory, add their gradients, and cannot be assigned to where they overlap', () => {
    const x = tensor([1, 2, 3, 4, 5], { requiresGrad: true });
    const windows = x.unfold(0, 3, 1);
    expect(windows.storage).toBe(x.storage);
    expect(grad(windows.sum(), [x])[0]?.toArray()).toEqual([1, 2, 3, 2, 1]);
    expect(windows.matmul(tensor([1, 10, 100])).toArray()).toEqual([321, 432, 543]);
    expect(windows.t().matmul(windows).toArray()).toEqual([
      [14, 20, 26],
      [20, 29, 38],
      [26, 38, 50],
    ]);
    expect(() =>
      x
        .detach()
        .unfold(0, 3, 1)
        .assign(zeros([3, 3])),
    ).toThrow(TensorError);
    const apart = tensor([1, 2, 3, 4, 5]);
    apart.unfold(0, 2, 3).assign(zeros([2, 2]));
    expect(apart.toArray()).toEqual([0, 0, 3, 0, 0]);
  });
});
