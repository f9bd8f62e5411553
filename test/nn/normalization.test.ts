// Normalisation layers: their operations, running statistics, state dicts, mistakes.
import {
  batchNorm,
  groupNorm,
  instanceNorm,
  localResponseNorm,
  nn,
  noGrad,
  randn,
  rmsNorm,
  type Tensor,
  tensor,
  zeros,
} from 'chainrule';
import { describe, expect, it } from 'vitest';
import { codeOf } from '../thrown.js';

const close = (got: Tensor | null, want: number[]) => {
  for (const [i, value] of ((got as Tensor).toArray() as number[]).entries()) expect(value).toBeCloseTo(want[i], 5);
};

describe('BatchNorm', () => {
  it('normalises by the batch in training and by running statistics in evaluation', () => {
    const norm = new nn.BatchNorm2d(3);
    const x = randn([4, 3, 2, 2]);
    const y = norm.forward(x);
    expect(y.toArray()).toEqual(
      batchNorm(x, null, null, { weight: norm.weight, bias: norm.bias, training: true }).toArray(),
    );
    norm.eval();
    const before = [norm.runningMean, norm.runningVar].map((b) => (b as Tensor).toArray());
    const z = norm.forward(x);
    expect(z.toArray()).toEqual(
      batchNorm(x, norm.runningMean, norm.runningVar, { weight: norm.weight, bias: norm.bias }).toArray(),
    );
    expect([norm.runningMean, norm.runningVar].map((b) => (b as Tensor).toArray())).toEqual(before);
    expect(norm.numBatchesTracked?.item()).toBe(1);
  });

  it('moves its statistics by the momentum, or takes the mean of all batches', () => {
    const batches = [tensor([[0], [2]]), tensor([[5], [7]]), tensor([[-3], [5]])];
    const moving = new nn.BatchNorm1d(1, { momentum: 0.5 });
    const all = new nn.BatchNorm1d(1, { momentum: null });
    for (const x of batches) for (const norm of [moving, all]) norm.forward(x);
    // Means 1, 6, 1; unbiased variances 2, 2, 32; begun at 0 and 1.
    close(moving.runningMean, [0.125 * 1 + 0.25 * 6 + 0.5 * 1]);
    close(moving.runningVar, [0.125 * 1 + 0.125 * 2 + 0.25 * 2 + 0.5 * 32]);
    close(all.runningMean, [8 / 3]);
    close(all.runningVar, [12]);
    expect(all.numBatchesTracked?.item()).toBe(3);
  });

  it('keeps no statistics where told so, and then always normalises by the batch', () => {
    const norm = new nn.BatchNorm1d(2, { trackRunningStats: false, affine: false });
    expect(Object.keys(norm.stateDict())).toEqual([]);
    const x = randn([5, 2]);
    const y = norm.forward(x).toArray();
    expect(norm.eval().forward(x).toArray()).toEqual(y);
  });

  it('has the state of PyTorch, which goes in and out', () => {
    const norm = new nn.BatchNorm3d(2);
    expect(Object.keys(norm.stateDict())).toEqual([
      'weight',
      'bias',
      'running_mean',
      'running_var',
      'num_batches_tracked',
    ]);
    norm.forward(randn([2, 2, 2, 1, 2]));
    const other = new nn.BatchNorm3d(2);
    other.loadStateDict(norm.stateDict());
    expect(other.numBatchesTracked?.item()).toBe(1);
    const x = randn([1, 2, 1, 1, 1]);
    expect(other.eval().forward(x).toArray()).toEqual(norm.eval().forward(x).toArray());
    expect(norm.parameters()).toHaveLength(2);
  });

  it('passes gradients to input, weight and bias', () => {
    const norm = new nn.BatchNorm1d(2, { dtype: 'float64' });
    const x = randn([4, 2], { dtype: 'float64', requiresGrad: true });
    norm.forward(x).square().sum().backward();
    expect(norm.weight?.grad?.dtype).toBe('float64');
    // What normalisation takes out has no gradient.
    expect(x.grad?.sum(0).abs().amax().item()).toBeLessThan(1e-12);
  });
});

describe('InstanceNorm', () => {
  it('is its operation, on batches and on single samples', () => {
    const norm = new nn.InstanceNorm2d(3, { affine: true });
    const x = randn([2, 3, 4, 4]);
    const want = instanceNorm(x, { weight: norm.weight, bias: norm.bias });
    expect(norm.forward(x).toArray()).toEqual(want.toArray());
    expect(norm.forward(x.select(0, 1)).toArray()).toEqual(want.select(0, 1).toArray());
  });

  it('keeps statistics where asked, and uses them in evaluation', () => {
    const norm = new nn.InstanceNorm1d(1, { trackRunningStats: true, momentum: 1 });
    norm.forward(tensor([[[1, 3]]]));
    close(norm.runningMean, [2]);
    close(norm.runningVar, [2]);
    close(
      norm
        .eval()
        .forward(tensor([[[2, 2]]]))
        .reshape([2]),
      [0, 0],
    );
    expect(Object.keys(new nn.InstanceNorm3d(2).stateDict())).toEqual([]);
  });
});

describe('other layers', () => {
  it('are their operations', () => {
    const x = randn([2, 6, 3]);
    const group = new nn.GroupNorm(3, 6);
    noGrad(() => group.weight?.assign(randn([6])));
    expect(group.forward(x).toArray()).toEqual(groupNorm(x, 3, { weight: group.weight, bias: group.bias }).toArray());
    const rms = new nn.RMSNorm([6, 3], { eps: 0.5 });
    expect(rms.forward(x).toArray()).toEqual(rmsNorm(x, [6, 3], { eps: 0.5 }).toArray());
    expect(new nn.RMSNorm(3, { elementwiseAffine: false }).parameters()).toEqual([]);
    expect(new nn.LocalResponseNorm(3, { k: 2 }).forward(x).toArray()).toEqual(
      localResponseNorm(x, 3, { k: 2 }).toArray(),
    );
  });

  it('say what they are', () => {
    expect(`${new nn.BatchNorm2d(4, { momentum: null })}`).toBe('BatchNorm2d(4, { momentum: null })');
    expect(`${new nn.GroupNorm(2, 4)}`).toBe('GroupNorm(2, 4)');
    expect(`${new nn.RMSNorm([2, 3])}`).toBe('RMSNorm([2, 3])');
    expect(`${new nn.LocalResponseNorm(5)}`).toBe('LocalResponseNorm(5)');
  });
});

describe('mistakes', () => {
  it.each<[string, () => unknown, string]>([
    ['no features', () => new nn.BatchNorm1d(0), 'value'],
    ['an unknown option', () => new nn.BatchNorm2d(2, { training: true } as object), 'option'],
    ['a momentum as text', () => new nn.BatchNorm2d(2, { momentum: '1' as unknown as number }), 'value'],
    ['a negative eps', () => new nn.InstanceNorm1d(2, { eps: -1 }), 'value'],
    ['images for a 1-d layer', () => new nn.BatchNorm1d(2).forward(zeros([1, 2, 3, 3])), 'shape'],
    ['other channels', () => new nn.BatchNorm2d(2).forward(zeros([1, 3, 3, 3])), 'shape'],
    ['one value per channel in training', () => new nn.BatchNorm1d(2).forward(zeros([1, 2])), 'shape'],
    ['vectors for instances', () => new nn.InstanceNorm2d(2).forward(zeros([2, 2])), 'shape'],
    ['groups that do not divide', () => new nn.GroupNorm(2, 3), 'value'],
    ['channels of another group', () => new nn.GroupNorm(2, 4).forward(zeros([1, 2, 3])), 'shape'],
    ['no neighbours', () => new nn.LocalResponseNorm(0), 'value'],
    ['no sizes', () => new nn.RMSNorm([]), 'value'],
    ['an input of another size', () => new nn.RMSNorm(3).forward(zeros([2])), 'shape'],
  ])('%s', (_, make, code) => {
    expect(codeOf(make)).toBe(code);
  });
});
