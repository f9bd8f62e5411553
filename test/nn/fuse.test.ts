// Batch normalisation taken into the layer before it, and modules made without initial values.
import { arange, manualSeed, nn, noGrad, rand, randn, type Tensor, tensor } from 'chainrule';
import { describe, expect, it } from 'vitest';
import { codeOf } from '../thrown.js';

const { fuseConvBnEval, fuseLinearBnEval, skipInit } = nn.utils;
const float64 = { dtype: 'float64' } as const;

/** Whole numbers from -5 to 5. */
function ints(shape: readonly number[], step: number): Tensor {
  const n = shape.reduce((product, size) => product * size, 1);
  return arange(n).mul(step).remainder(11).sub(5).to('float32').reshape(shape);
}

/** A normalisation that has seen much. */
function used<N extends nn.BatchNorm1d | nn.BatchNorm2d | nn.BatchNorm3d>(norm: N): N {
  const n = norm.numFeatures;
  norm.runningMean?.assign(randn([n]));
  norm.runningVar?.assign(rand([n]).add(0.5));
  noGrad(() => {
    norm.weight?.assign(randn([n]));
    norm.bias?.assign(randn([n]));
  });
  return norm.eval() as N;
}

describe('fuseConvBnEval', () => {
  // PyTorch 1.13, fuse_conv_bn_eval(m, bn, transpose) of the same modules in evaluation.
  it.each([
    [
      'Conv1d(2, 2, 2, groups=2, bias=False)',
      () => new nn.Conv1d(2, 2, 2, { groups: 2, bias: false }),
      [-5, -2, 0.75, 3],
      [0, -2.5],
    ],
    [
      'ConvTranspose1d(2, 3, 2)',
      () => new nn.ConvTranspose1d(2, 3, 2),
      [-5, -2, 0.75, 3, -32, -8, 2, 5, -2.25, 0, 24, -40],
      [-5, -1, -38],
    ],
  ] as const)('gives PyTorch’s numbers for %s', (_, make, weight, bias) => {
    const conv = make().eval() as nn.Conv1d | nn.ConvTranspose1d;
    for (const [i, p] of conv.parameters().entries()) p.assign(ints(p.shape, [3, 7][i]));
    const n = conv.outChannels;
    const norm = new nn.BatchNorm1d(n, { eps: 0 }).eval() as nn.BatchNorm1d;
    const state = { weight: [2, 3, 4], bias: [1, -1, 2], running_mean: [1, 2, 3], running_var: [4, 16, 0.25] };
    const dict = Object.entries(state).map(([key, values]) => [key, tensor(values.slice(0, n))]);
    norm.loadStateDict({ ...Object.fromEntries(dict), num_batches_tracked: tensor(1, { dtype: 'int32' }) });
    const made = fuseConvBnEval(conv, norm);
    expect(made.weight.flatten().toArray()).toEqual(weight);
    expect(made.bias?.toArray()).toEqual(bias);
  });

  const layers: [string, () => nn.utils.AnyConvolution, number[]][] = [
    ['Conv1d', () => new nn.Conv1d(4, 6, 3, { groups: 2, ...float64 }), [2, 4, 8]],
    [
      'Conv2d',
      () => new nn.Conv2d(3, 4, [2, 3], { bias: false, stride: 2, paddingMode: 'reflect', padding: 1, ...float64 }),
      [2, 3, 6, 6],
    ],
    ['Conv3d', () => new nn.Conv3d(2, 4, 2, float64), [2, 2, 3, 3, 3]],
    ['ConvTranspose1d', () => new nn.ConvTranspose1d(4, 6, 3, { groups: 2, stride: 2, ...float64 }), [2, 4, 5]],
    ['ConvTranspose2d', () => new nn.ConvTranspose2d(3, 3, 3, { groups: 3, bias: false, ...float64 }), [2, 3, 4, 4]],
    ['ConvTranspose3d', () => new nn.ConvTranspose3d(2, 3, 2, float64), [1, 2, 2, 2, 2]],
  ];
  for (const affine of [true, false]) {
    it.each(layers)(`computes what both do: %s${affine ? '' : ', without weights'}`, (name, make, shape) => {
      const conv = make().eval() as nn.utils.AnyConvolution;
      const kind = [nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d][Number(name.at(-2)) - 1];
      const norm = used(new kind(conv.outChannels, { affine, ...float64 }));
      const before = conv.weight.toArray();
      const made = fuseConvBnEval(conv, norm);
      const x = randn(shape, float64);
      const [got, wanted] = [made.forward(x), norm.forward(conv.forward(x))];
      expect(got.sub(wanted).abs().amax().item()).toBeLessThan(1e-12);
      expect(made.constructor).toBe(conv.constructor);
      expect(Object.keys(made.stateDict())).toEqual(['weight', 'bias']);
      expect(made.parameters().every((p) => p.requiresGrad && p.isLeaf)).toBe(true);
      expect(conv.weight.toArray()).toEqual(before);
      expect(`${made}`).not.toContain('bias');
    });
  }

  it('keeps frozen layers frozen', () => {
    const conv = new nn.Conv1d(1, 1, 1).setRequiresGrad(false).eval() as nn.Conv1d;
    expect(fuseConvBnEval(conv, used(new nn.BatchNorm1d(1))).weight.requiresGrad).toBe(false);
  });

  it('refuses what cannot be fused', () => {
    const conv = new nn.Conv1d(1, 2, 1);
    const norm = new nn.BatchNorm1d(2);
    expect(codeOf(() => fuseConvBnEval(conv, norm))).toBe('value');
    conv.eval();
    expect(codeOf(() => fuseConvBnEval(conv, norm))).toBe('value');
    norm.eval();
    expect(codeOf(() => fuseConvBnEval(new nn.Linear(1, 2).eval() as never, norm))).toBe('value');
    expect(codeOf(() => fuseConvBnEval(conv, new nn.InstanceNorm1d(2).eval() as never))).toBe('value');
    expect(codeOf(() => fuseConvBnEval(conv, new nn.BatchNorm1d(3).eval() as nn.BatchNorm1d))).toBe('shape');
    const untracked = new nn.BatchNorm1d(2, { trackRunningStats: false }).eval() as nn.BatchNorm1d;
    expect(codeOf(() => fuseConvBnEval(conv, untracked))).toBe('value');
    expect(codeOf(() => fuseLinearBnEval(conv as never, norm))).toBe('value');
  });
});

describe('fuseLinearBnEval', () => {
  it.each([true, false])('computes what both do, with a bias or not: %s', (bias) => {
    const linear = new nn.Linear(3, 4, { bias, ...float64 }).eval() as nn.Linear;
    const norm = used(new nn.BatchNorm1d(4, float64));
    const x = randn([5, 3], float64);
    const got = fuseLinearBnEval(linear, norm).forward(x);
    expect(
      got
        .sub(norm.forward(linear.forward(x)))
        .abs()
        .amax()
        .item(),
    ).toBeLessThan(1e-12);
    expect(codeOf(() => fuseLinearBnEval(new nn.Linear(3, 3).eval() as nn.Linear, norm))).toBe('shape');
  });
});

describe('skipInit', () => {
  const drawn = (fn: () => void): boolean => {
    manualSeed(1);
    const before = randn([3]).toArray() as number[];
    manualSeed(1);
    fn();
    return `${randn([3]).toArray()}` !== `${before}`;
  };

  it.each([
    ['Linear', () => skipInit(nn.Linear, 3, 2), () => new nn.Linear(3, 2)],
    ['Conv2d', () => skipInit(nn.Conv2d, 3, 2, 3, { bias: false }), () => new nn.Conv2d(3, 2, 3, { bias: false })],
    ['LSTM', () => skipInit(nn.LSTM, 3, 2), () => new nn.LSTM(3, 2)],
    ['Embedding', () => skipInit(nn.Embedding, 3, 2), () => new nn.Embedding(3, 2)],
    [
      'TransformerEncoderLayer',
      () => skipInit(nn.TransformerEncoderLayer, 4, 2),
      () => new nn.TransformerEncoderLayer(4, 2),
    ],
  ] as [string, () => nn.AnyModule, () => nn.AnyModule][])('draws nothing for %s', (_, skipped, usual) => {
    expect([drawn(skipped), drawn(usual)]).toEqual([false, true]);
    const [a, b] = [skipped(), usual()];
    expect(Object.keys(a.stateDict())).toEqual(Object.keys(b.stateDict()));
    a.loadStateDict(b.stateDict());
    expect(`${a}`).toBe(`${b}`);
  });

  it('ends with the module, or with the error of its constructor', () => {
    expect(codeOf(() => skipInit(nn.Linear, 0, 2))).toBe('value');
    expect(new nn.Linear(3, 2).weight.abs().sum().item()).toBeGreaterThan(0);
    class Own extends nn.Module {
      weight = nn.init.orthogonal(new nn.Parameter(tensor([[1, 1]])));
      cut = nn.init.truncNormal(new nn.Parameter(tensor([5])));
      forward = (x: Tensor) => x;
    }
    const own = skipInit(Own);
    expect([own.weight.toArray(), own.cut.toArray()]).toEqual([[[1, 1]], [5]]);
  });
});
