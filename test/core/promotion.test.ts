// Which dtype results have, and what integers and booleans do: PyTorch's rules, with int32 in the place of int64.
import {
  add,
  cat,
  type DType,
  div,
  eq,
  maximum,
  mul,
  ones,
  sub,
  type Tensor,
  TensorError,
  tensor,
  where,
} from 'chainrule';
import { describe, expect, it } from 'vitest';

const DTYPES = ['uint8', 'int32', 'float32', 'float64', 'bool'] as const;
// torch.result_type of two tensors with dimensions, PyTorch 1.13 and 2.x.
const TABLE: Record<DType, DType[]> = {
  uint8: ['uint8', 'int32', 'float32', 'float64', 'uint8'],
  int32: ['int32', 'int32', 'float32', 'float64', 'int32'],
  float32: ['float32', 'float32', 'float32', 'float64', 'float32'],
  float64: ['float64', 'float64', 'float64', 'float64', 'float64'],
  bool: ['uint8', 'int32', 'float32', 'float64', 'bool'],
};
const of = (dtype: DType, ...data: number[]) => tensor(data, { dtype });
const scalar = (dtype: DType, value: number) => tensor(value, { dtype });
const category = (dtype: DType) => (dtype === 'bool' ? 0 : dtype.startsWith('float') ? 2 : 1);

describe.each(DTYPES.flatMap((a) => DTYPES.map((b, i) => [a, b, TABLE[a][i]] as const)))('%s with %s', (a, b, want) => {
  it(`gives ${want}`, () => {
    const [x, y] = [of(a, 1, 1), of(b, 1, 0)];
    for (const result of [maximum(x, y), mul(x, y), where(tensor([true, false]), x, y), cat([x, y])])
      expect(result.dtype).toBe(want);
    expect(div(x, ones([2], { dtype: b })).dtype).toBe(category(want) === 2 ? want : 'float32');
    expect([eq(x, y).dtype, eq(x, y).toArray()]).toEqual(['bool', [true, false]]);
  });

  it('lets a 0-d tensor decide only by a higher category', () => {
    const want0 = category(b) > category(a) ? b : a;
    const [x, s] = [of(a, 1, 0), scalar(b, 1)];
    expect(maximum(x, s).dtype).toBe(want0);
    expect(maximum(s, x).dtype).toBe(want0);
    expect(mul(x, s).toArray()).toEqual(mul(s, x).toArray());
    expect(maximum(scalar(a, 1), s).dtype).toBe(want); // two of them are equals
  });
});

describe('numbers are weak', () => {
  it.each<[DType, number, DType]>([
    ['uint8', 2, 'uint8'],
    ['uint8', 1.5, 'float32'],
    ['int32', -3, 'int32'],
    ['int32', 0.5, 'float32'],
    ['int32', Number.NaN, 'float32'],
    ['int32', Number.POSITIVE_INFINITY, 'float32'],
    ['float32', 2, 'float32'],
    ['float32', 1e300, 'float32'],
    ['float64', 2, 'float64'],
    ['bool', 2, 'int32'],
    ['bool', 0.5, 'float32'],
  ])('%s with %d gives %s', (dtype, value, want) => {
    expect(mul(of(dtype, 1, 0), value).dtype).toBe(want);
    expect(mul(value, of(dtype, 1, 0)).dtype).toBe(want);
  });

  it('and keep their precision in float64', () => {
    expect(add(of('float64', 0), 0.1).item()).toBe(0.1);
    expect(add(of('float32', 0), 0.1).item()).toBe(Math.fround(0.1));
  });

  it('but are no tensors on their own', () => {
    expect(() => add(1, 2)).toThrow(TensorError);
    for (const bad of [undefined, null, '1', [1], true, 1n])
      expect(() => add(of('float32', 1), bad as unknown as number)).toThrow(TensorError);
  });
});

describe('integers', () => {
  const check = (x: Tensor, dtype: DType, data: number[]) => expect([x.dtype, x.toArray()]).toEqual([dtype, data]);

  it('wrap around', () => {
    check(add(of('int32', 2 ** 31 - 1), 1), 'int32', [-(2 ** 31)]);
    check(mul(of('int32', 2 ** 30, 65537), of('int32', 4, 65537)), 'int32', [0, 131073]);
    check(sub(of('uint8', 0, 200), 1), 'uint8', [255, 199]);
    check(add(of('uint8', 100, 200), of('uint8', 100, 100)), 'uint8', [200, 44]);
    check(of('uint8', 1).neg(), 'uint8', [255]);
    check(of('int32', -(2 ** 31)).abs(), 'int32', [-(2 ** 31)]);
    check(of('int32', 65536).square(), 'int32', [0]);
    check(of('int32', 2 ** 31 - 1, 1).sum(), 'int32', -(2 ** 31) as unknown as number[]);
  });

  it('divide as floats, by zero too', () => {
    check(div(of('int32', 7, 1, 0, -1), of('int32', 2, 0, 1, 4)), 'float32', [3.5, Number.POSITIVE_INFINITY, 0, -0.25]);
    check(div(of('uint8', 1), 2), 'float32', [0.5]);
  });

  it('become floats where an operation needs it', () => {
    for (const x of [of('int32', 1), of('uint8', 1), of('bool', 1)]) {
      expect([x.exp().dtype, x.mean().dtype, x.softmax(0).dtype]).toEqual(['float32', 'float32', 'float32']);
      expect(x.sum().dtype).toBe('int32');
    }
    check(of('uint8', 200, 200).sum(), 'int32', 400 as unknown as number[]);
  });

  it('are cut, wrapped or saturated by to(), without undefined behaviour', () => {
    check(tensor([1.9, -1.9, Number.NaN, 1e20, -1e20]).to('int32'), 'int32', [1, -1, 0, 2 ** 31 - 1, -(2 ** 31)]);
    check(of('int32', 300, -1).to('uint8'), 'uint8', [44, 255]);
    check(of('bool', 1, 0).to('int32'), 'int32', [1, 0]);
    expect(tensor([0, -0, 0.5, Number.NaN]).to('bool').toArray()).toEqual([false, false, true, true]);
    check(of('int32', 2 ** 31 - 1).to('float64'), 'float64', [2 ** 31 - 1]);
  });
});

describe('booleans', () => {
  const [t, f] = [tensor([true, true, false]), tensor([true, false, false])];
  it('multiply, take extremes, and add like `or`, as in PyTorch', () => {
    expect(mul(t, f).toArray()).toEqual([true, false, false]);
    expect(maximum(t, f).toArray()).toEqual([true, true, false]);
    expect(add(t, f).toArray()).toEqual([true, true, false]);
    expect([...add(t, f).data]).toEqual([1, 1, 0]);
  });

  it('do not subtract, which PyTorch refuses too', () => {
    expect(() => sub(t, f)).toThrow(expect.objectContaining({ name: 'TensorError', code: 'dtype' }));
  });

  it('count in sums and means', () => {
    expect([t.sum().item(), t.sum().dtype, t.mean().item()]).toEqual([2, 'int32', Math.fround(2 / 3)]);
    expect(mul(t, 2).toArray()).toEqual([2, 2, 0]);
  });
});
