// nn.utils: clipping gradients, and parameters as one vector.
import { nn, ones, type Tensor, tensor, zeros } from 'chainrule';
import { describe, expect, it } from 'vitest';
import { codeOf } from '../thrown.js';

const { clipGradNorm, clipGradValue, getTotalNorm, parametersToVector, vectorToParameters } = nn.utils;
const holder = (values: number[], dtype: 'float32' | 'float64' = 'float32') => {
  const p = new nn.Parameter(zeros([values.length], { dtype }));
  p.grad = tensor(values, { dtype });
  return p;
};
const gradOf = (p: Tensor) => (p.grad as Tensor).toArray() as number[];

describe('clipGradNorm', () => {
  it('changes gradients in place, of both precisions together, and gives the norm before', () => {
    const params = [holder([3]), new nn.Parameter(zeros([2])), holder([4], 'float64')];
    const held = params[0].grad as Tensor;
    expect(clipGradNorm(params, 1).item()).toBeCloseTo(5, 6);
    expect(held.item()).toBeCloseTo(0.6, 5);
    expect(gradOf(params[2])[0]).toBeCloseTo(0.8, 5);
    expect(params[1].grad).toBeNull();
  });

  it('leaves small ones as they are, takes one parameter, and none', () => {
    const p = holder([0.3, 0.4], 'float64');
    expect(clipGradNorm(p, 1).item()).toBeCloseTo(0.5, 12);
    expect(gradOf(p)).toEqual([0.3, 0.4]);
    expect(clipGradNorm([], 1).item()).toBe(0);
    expect(clipGradNorm(new nn.Linear(2, 1).parameters(), 1, { errorIfNonfinite: true }).item()).toBe(0);
  });

  it.each([
    [1, 7],
    [3, 4.497941445275415],
    [Infinity, 4],
    [-Infinity, 3],
  ])('knows the norm of order %d', (normType, want) => {
    expect(clipGradNorm([holder([3]), holder([-4])], 100, { normType }).item()).toBeCloseTo(want, 5);
  });

  it('passes NaN on, unless told that it is an error, which changes nothing', () => {
    const p = holder([Number.NaN, 1]);
    expect(codeOf(() => clipGradNorm([p], 1, { errorIfNonfinite: true }))).toBe('value');
    expect(gradOf(p)).toEqual([Number.NaN, 1]);
    expect(clipGradNorm([p], 1).item()).toBeNaN();
    expect(gradOf(p)).toEqual([Number.NaN, Number.NaN]);
  });

  it('takes gradients that are views with gaps or repeat elements', () => {
    const p = new nn.Parameter(zeros([2, 2]));
    p.grad = tensor([2]).expand([2, 2]);
    expect(clipGradNorm([p], 2).item()).toBe(4);
    expect((p.grad as Tensor).norm().item()).toBeCloseTo(2, 4);
  });

  it('does not change the graph that made the gradients', () => {
    const w = new nn.Parameter(ones([2]));
    w.pow(3).sum().backward(undefined, { createGraph: true });
    clipGradNorm([w], 1);
    expect(gradOf(w)[0]).toBeCloseTo(1 / Math.SQRT2, 5);
  });

  it('refuses what is no norm', () => {
    const p = holder([1]);
    expect(codeOf(() => clipGradNorm([p], -1))).toBe('value');
    expect(codeOf(() => clipGradNorm([p], Number.NaN))).toBe('value');
    expect(codeOf(() => clipGradNorm([p], 1, { normType: 'inf' as unknown as number }))).toBe('value');
    expect(codeOf(() => clipGradNorm([p], 1, { norm: 2 } as object))).toBe('option');
    expect(codeOf(() => clipGradNorm([1 as unknown as Tensor], 1))).toBe('value');
    expect(codeOf(() => clipGradNorm(new nn.ReLU() as unknown as Tensor[], 1))).toBe('value');
  });
});

describe('clipGradValue', () => {
  it('limits elements, keeps NaN, and refuses negative limits', () => {
    const p = holder([-3, 0.5, Number.NaN, Infinity]);
    clipGradValue(p, 1);
    expect(gradOf(p)).toEqual([-1, 0.5, Number.NaN, 1]);
    expect(codeOf(() => clipGradValue(p, -1))).toBe('value');
  });
});

describe('getTotalNorm', () => {
  it('is that of all elements, of tensors and not of their gradients', () => {
    expect(getTotalNorm([tensor([1, 2]), tensor([[2], [4]])]).item()).toBe(5);
    expect(getTotalNorm([zeros([0])], { normType: Infinity }).item()).toBe(0);
    expect(codeOf(() => getTotalNorm(tensor([1], { dtype: 'int32' })))).toBe('dtype');
  });
});

describe('parametersToVector', () => {
  it('goes there and back, with gradients', () => {
    const [from, to] = [new nn.Linear(3, 2), new nn.Linear(3, 2)];
    const vector = parametersToVector(from.parameters());
    vectorToParameters(vector, to.parameters());
    expect(to.weight.toArray()).toEqual(from.weight.toArray());
    expect(to.bias?.toArray()).toEqual(from.bias?.toArray());
    vector.mul(2).sum().backward();
    expect(from.bias?.grad?.toArray()).toEqual([2, 2]);
    expect(to.weight.requiresGrad).toBe(true);
  });

  it('refuses what does not fit', () => {
    const { weight } = new nn.Linear(3, 2);
    expect(codeOf(() => parametersToVector([]))).toBe('value');
    expect(codeOf(() => vectorToParameters(zeros([5]), weight))).toBe('shape');
    expect(codeOf(() => vectorToParameters(zeros([2, 3]), weight))).toBe('shape');
  });
});
