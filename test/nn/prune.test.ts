// Pruning: PyTorch 1.13's masks, what it leaves in a module, how it goes on and ends, errors.
import { arange, manualSeed, nn, ones, optim, type Tensor, tensor, zeros } from 'chainrule';
import { describe, expect, it } from 'vitest';
import { codeOf } from '../thrown.js';

const { prune } = nn.utils;

/** Whole numbers with their signs in turn, no two of up to 23 of one size. */
function ints(shape: readonly number[], step: number): Tensor {
  const n = shape.reduce((product, size) => product * size, 1);
  const sizes = arange(n).mul(step).remainder(23).add(1);
  return sizes.mul(arange(n).remainder(2).mul(-2).add(1)).to('float32').reshape(shape);
}

/** A layer with the weight `ints(shape, 7)`, as in PyTorch's `((n * 7 % 23 + 1) * (1 - n % 2 * 2)).float().reshape(shape)`, n counting from 0. */
function made(...shape: number[]): nn.Linear | nn.Conv1d {
  const [o, i, k] = shape;
  const layer = k === undefined ? new nn.Linear(i, o) : new nn.Conv1d(i, o, k);
  layer.weight.assign(ints(shape, 7));
  return layer;
}

const weightOf = (layer: nn.Linear | nn.Conv1d) => (layer.weight.flatten().toArray() as number[]).map((v) => v + 0);

describe('nn.utils.prune, as PyTorch 1.13 prunes', () => {
  it('the smallest elements, a share or a number, then the smallest of the rest', () => {
    const layer = made(3, 4);
    prune.l1Unstructured(layer, 'weight', 0.3);
    expect(weightOf(layer)).toEqual([0, -8, 15, -22, 0, -13, 20, 0, 11, -18, 0, -9]);
    prune.l1Unstructured(layer, 'weight', 0.5);
    expect(weightOf(layer)).toEqual([0, 0, 15, -22, 0, 0, 20, 0, 0, -18, 0, 0]);
    prune.l1Unstructured(layer, 'weight', 2);
    expect(weightOf(layer)).toEqual([0, 0, 0, -22, 0, 0, 20, 0, 0, 0, 0, 0]);
    expect(Object.keys(layer.stateDict())).toEqual(['bias', 'weight_orig', 'weight_mask']);
    expect(layer.namedParameters().map(([name]) => name)).toEqual(['bias', 'weight_orig']);
  });

  it('halves to the even number', () => {
    expect(weightOf(prune.l1Unstructured(made(2, 5), 'weight', 0.25))).toEqual([
      0, -8, 15, -22, 6, -13, 20, 0, 11, -18,
    ]);
  });

  it('by other scores', () => {
    const layer = prune.l1Unstructured(made(3, 4), 'weight', 3, { importanceScores: ints([3, 4], 5) });
    expect(weightOf(layer)).toEqual([0, -8, 15, -22, 6, 0, 20, -4, 11, -18, 0, -9]);
  });

  it('whole parts along a dimension, by their norm', () => {
    const layer = made(3, 4);
    prune.lnStructured(layer, 'weight', 0.4, 2, 0);
    expect(weightOf(layer)).toEqual([1, -8, 15, -22, 6, -13, 20, -4, 0, 0, 0, 0]);
    prune.lnStructured(layer, 'weight', 1, 1, 1);
    expect(weightOf(layer)).toEqual([0, -8, 15, -22, 0, -13, 20, -4, 0, 0, 0, 0]);
    prune.lnStructured(layer, 'weight', 0.5, Infinity, 0);
    expect(weightOf(layer)).toEqual([0, -8, 15, -22, 0, 0, 0, 0, 0, 0, 0, 0]);
    const conv = prune.lnStructured(made(2, 3, 2), 'weight', 1, 2, -1);
    expect(weightOf(conv)).toEqual([0, -8, 0, -22, 0, -13, 0, -4, 0, -18, 0, -9]);
  });

  it('in several ways one after the other', () => {
    const layer = made(3, 4);
    prune.l1Unstructured(layer, 'weight', 4);
    prune.lnStructured(layer, 'weight', 1, 1, 1);
    expect(weightOf(layer)).toEqual([0, -8, 15, -22, 0, -13, 20, 0, 0, -18, 0, -9]);
    const mask = tensor([1, 1, 1, 0]).expand([3, 4]);
    prune.customFromMask(layer, 'weight', mask);
    expect(weightOf(layer)).toEqual([0, -8, 15, 0, 0, -13, 20, 0, 0, -18, 0, 0]);
  });

  it('several parameters together', () => {
    const [a, b] = [made(3, 2), made(2, 4)];
    b.weight.assign(b.weight.add(0.5));
    prune.l1Unstructured(a, 'weight', 1);
    prune.globalUnstructured(
      [
        [a, 'weight'],
        [b, 'weight'],
      ],
      'l1Unstructured',
      0.4,
    );
    expect([weightOf(a), weightOf(b)]).toEqual([
      [0, -8, 15, -22, 0, -13],
      [0, 0, 15.5, -21.5, 0, -12.5, 20.5, 0],
    ]);
  });

  it('gives gradients to what remains, and ends with the same parameter', () => {
    const layer = made(3, 4) as nn.Linear;
    const { weight } = layer;
    prune.l1Unstructured(layer, 'weight', 0.5);
    layer
      .forward(ints([2, 4], 3))
      .sum()
      .backward();
    expect(weight.grad?.flatten().add(0).toArray()).toEqual([0, 0, 26, -32, 0, -20, 26, 0, 14, -20, 0, 0]);
    prune.remove(layer, 'weight');
    expect(layer.weight).toBe(weight);
    expect(weightOf(layer)).toEqual([0, 0, 15, -22, 0, -13, 20, 0, 11, -18, 0, 0]);
    expect(Object.keys(layer.stateDict())).toEqual(['bias', 'weight']);
    expect(Object.hasOwn(layer, 'forward')).toBe(false);
  });
});

describe('pruning by chance', () => {
  it('takes as many as asked, of those that remain, from a seed', () => {
    const layer = new nn.Linear(10, 10);
    const zeroed = () => layer.weight.eq(0).sum().item();
    manualSeed(5);
    prune.randomUnstructured(layer, 'weight', 0.2);
    expect(zeroed()).toBe(20);
    prune.randomUnstructured(layer, 'weight', 0.5);
    expect(zeroed()).toBe(60);
    const parts = prune.randomStructured(new nn.Linear(10, 10), 'weight', 3, 1);
    prune.randomStructured(parts, 'weight', 2, 1);
    expect(parts.weight.eq(0).all(0).sum().item()).toBe(5);
    expect(parts.weight.eq(0).sum().item()).toBe(50);
    const other = new nn.Linear(10, 10);
    manualSeed(5);
    prune.randomUnstructured(other, 'weight', 0.2);
    prune.randomUnstructured(other, 'weight', 0.5);
    const [first, second] = [layer, other].map((each) => each.getBuffer('weight_mask'));
    expect(first.equal(second)).toBe(true);
  });

  it('takes some of several parameters', () => {
    const model = new nn.Sequential(new nn.Linear(4, 4), new nn.Linear(4, 4));
    const pairs = [...model].map((layer) => [layer, 'weight'] as const);
    prune.globalUnstructured(pairs, 'randomUnstructured', 20);
    expect(model.buffers().reduce((sum, mask) => sum + mask.sum().item(), 0)).toBe(12);
  });
});

describe('a pruned module', () => {
  it('trains with what is pruned staying zero, and its state goes into another', () => {
    const layer = prune.l1Unstructured(new nn.Linear(4, 2), 'weight', 0.5);
    const optimizer = new optim.SGD(layer.parameters(), { lr: 0.1, momentum: 0.9 });
    const mask = layer.getBuffer('weight_mask').clone();
    for (let i = 0; i < 3; i++) {
      optimizer.zeroGrad();
      layer
        .forward(ones([3, 4]))
        .square()
        .sum()
        .backward();
      optimizer.step();
    }
    layer.forward(ones([3, 4]));
    expect(layer.weight.eq(0).equal(mask.eq(0))).toBe(true);
    const other = prune.identity(new nn.Linear(4, 2), 'weight');
    other.loadStateDict(layer.stateDict());
    const x = ints([2, 4], 3);
    expect(other.forward(x).toArray()).toEqual(layer.forward(x).toArray());
    expect(other.weight.eq(0).sum().item()).toBe(4);
  });

  it('is told from others, also by the model around it', () => {
    const layer = new nn.Linear(2, 2);
    const model = new nn.Sequential(layer);
    expect(prune.isPruned(model)).toBe(false);
    prune.identity(layer, 'bias');
    expect([prune.isPruned(model), prune.isPruned(layer)]).toEqual([true, true]);
    prune.remove(layer, 'bias');
    expect(prune.isPruned(model)).toBe(false);
    expect(prune.isPruned(nn.utils.weightNorm(layer))).toBe(false);
  });

  it('keeps float64', () => {
    const layer = prune.l1Unstructured(new nn.Linear(4, 2, { dtype: 'float64' }), 'weight', 3);
    expect([layer.weight.dtype, layer.getBuffer('weight_mask').dtype]).toEqual(['float64', 'float64']);
  });

  it('may lose nothing or everything', () => {
    expect(weightOf(prune.l1Unstructured(made(1, 3), 'weight', 0))).toEqual([1, -8, 15]);
    expect(weightOf(prune.l1Unstructured(made(1, 3), 'weight', 3))).toEqual([0, 0, 0]);
  });

  it('refuses what is no amount, no parameter, no mask', () => {
    const layer = new nn.Linear(4, 2);
    for (const amount of [-0.1, 1.5, 9, Number.NaN, '1' as never]) {
      expect(codeOf(() => prune.l1Unstructured(layer, 'weight', amount))).toBe('value');
      expect(codeOf(() => prune.randomUnstructured(layer, 'weight', amount))).toBe('value');
      expect(codeOf(() => prune.globalUnstructured([[layer, 'weight']], 'l1Unstructured', amount))).toBe('value');
    }
    expect(codeOf(() => prune.lnStructured(layer, 'weight', 3, 2, 0))).toBe('value');
    expect(codeOf(() => prune.identity(layer, 'wight'))).toBe('value');
    expect(codeOf(() => prune.identity({} as never, 'weight'))).toBe('value');
    expect(codeOf(() => prune.l1Unstructured(layer, 'weight', 1, { importanceScores: zeros([4, 2]) }))).toBe('shape');
    expect(codeOf(() => prune.l1Unstructured(layer, 'weight', 1, { scores: 1 } as never))).toBe('option');
    expect(codeOf(() => prune.customFromMask(layer, 'weight', ones([2])))).toBe('shape');
    expect(codeOf(() => prune.customFromMask(layer, 'weight', 1 as never))).toBe('shape');
    expect(codeOf(() => prune.lnStructured(layer, 'bias', 1, 2, 0))).toBe('shape');
    expect(codeOf(() => prune.lnStructured(layer, 'weight', 1, 2, 2))).toBe('axis');
    expect(codeOf(() => prune.randomStructured(layer, 'weight', 1, -3))).toBe('value');
    expect(codeOf(() => prune.globalUnstructured([], 'l1Unstructured', 1))).toBe('value');
    expect(codeOf(() => prune.globalUnstructured([[layer, 'weight']], 'l2' as never, 1))).toBe('value');
    expect(codeOf(() => prune.remove(layer, 'weight'))).toBe('value');
    expect(codeOf(() => prune.isPruned(1 as never))).toBe('value');
    expect(Object.keys(layer.stateDict())).toEqual(['weight', 'bias']);
    const normed = nn.utils.weightNorm(new nn.Linear(4, 2));
    expect(codeOf(() => prune.identity(normed, 'weight'))).toBe('value');
    expect(codeOf(() => nn.utils.weightNorm(prune.identity(layer, 'weight')))).toBe('value');
    expect(codeOf(() => layer.clone())).toBe('value');
  });
});
