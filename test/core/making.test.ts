// Tensors made of constants, powers, windows and the places of triangles, and the dtypes in which operands meet.
import * as cr from 'chainrule';
import { canCast, ones, promoteTypes, resultType, tensor } from 'chainrule';
import { describe, expect, it } from 'vitest';

const code = (name: string) => expect.objectContaining({ name: 'TensorError', code: name });
const wrong = <T>(value: unknown) => value as T;

describe('tensors without values', () => {
  it('have the shape and dtype asked for', () => {
    const y = cr.empty([2, 3], { dtype: 'int32' });
    expect([y.shape, y.dtype, y.size]).toEqual([[2, 3], 'int32', 6]);
    expect(cr.empty([2], { requiresGrad: true }).requiresGrad).toBe(true);
    expect(cr.emptyLike(y).dtype).toBe('int32');
    expect(cr.emptyLike(y, { dtype: 'float64' }).dtype).toBe('float64');
    expect(cr.empty([3], { dtype: 'bool' }).toArray()).toEqual([false, false, false]);
    expect(() => cr.empty([-1])).toThrow(code('shape'));
    expect(() => cr.empty([1], wrong({ type: 'float32' }))).toThrow(code('option'));
  });
});

describe('fullLike', () => {
  it('takes dtype and shape from the other tensor, and checks the value', () => {
    expect(cr.fullLike(ones([2], { dtype: 'uint8' }), 200).toArray()).toEqual([200, 200]);
    expect(cr.fullLike(ones([1]), 1.5, { dtype: 'float64' }).dtype).toBe('float64');
    expect(cr.fullLike(tensor([false]), true).toArray()).toEqual([true]);
    expect(() => cr.fullLike(ones([1], { dtype: 'uint8' }), 300)).toThrow(code('value'));
    expect(() => cr.fullLike(ones([1]), wrong('1'))).toThrow(code('value'));
  });
});

describe('logspace, windows and triangles', () => {
  it('know their dtypes', () => {
    expect(cr.logspace(0, 2, 3, { dtype: 'int32' }).toArray()).toEqual([1, 10, 100]);
    expect(cr.hannWindow(4, { dtype: 'float64' }).dtype).toBe('float64');
    expect(cr.kaiserWindow(4, { requiresGrad: true }).requiresGrad).toBe(true);
    expect(cr.trilIndices(2, 2).dtype).toBe('int32');
  });

  it('name what does not fit', () => {
    expect(() => cr.logspace(0, 1, -1)).toThrow(code('value'));
    expect(() => cr.logspace(0, 20, 2, { dtype: 'int32' })).toThrow(code('value'));
    for (const window of [cr.bartlettWindow, cr.blackmanWindow, cr.hammingWindow, cr.hannWindow, cr.kaiserWindow]) {
      expect(() => window(-1)).toThrow(code('value'));
      expect(() => window(3, { dtype: 'int32' })).toThrow(code('dtype'));
      expect(() => window(3, wrong({ sym: true }))).toThrow(code('option'));
    }
    expect(() => cr.trilIndices(-1, 2)).toThrow(code('value'));
    expect(() => cr.triuIndices(2, 2, 0.5)).toThrow(code('value'));
  });
});

describe('dtypes', () => {
  it('meet as those of PyTorch do', () => {
    expect(promoteTypes('uint8', 'int32')).toBe('int32');
    expect(promoteTypes('float64', 'float32')).toBe('float64');
    expect(promoteTypes('bool', 'uint8')).toBe('uint8');
    expect(resultType(ones([2]), tensor(1, { dtype: 'float64' }))).toBe('float32');
    expect(resultType(ones([2], { dtype: 'int32' }), 1.5)).toBe('float32');
    expect(resultType(1, 2)).toBe('float32');
    expect([canCast('float64', 'float32'), canCast('int32', 'bool'), canCast('bool', 'uint8')]).toEqual([
      true,
      false,
      true,
    ]);
    expect(() => promoteTypes(wrong('int64'), 'int32')).toThrow(code('dtype'));
    expect(() => canCast('int32', wrong('int64'))).toThrow(code('dtype'));
    expect(() => resultType(wrong('1'), 1)).toThrow(code('value'));
  });
});
