// Lazy modules: what they are before their first input and after it, states into and out of them, and what they refuse.
import { capture, manualSeed, nn, ones, optim, randn, type Tensor, tensor, zeros } from 'chainrule';
import { describe, expect, it } from 'vitest';
import { codeOf } from '../thrown.js';

const shapes = (module: nn.AnyModule) => module.namedParameters().map(([name, p]) => `${name} ${p.shape.join('x')}`);

/** The lazy module, the one it becomes, an input, and the keys and shapes of PyTorch 1.13's state dict afterwards. */
const cases: [name: string, lazy: () => nn.Module, usual: () => nn.Module, input: number[], state: string][] = [
  [
    'LazyLinear',
    () => new nn.LazyLinear(3, { bias: false }),
    () => new nn.Linear(5, 3, { bias: false }),
    [4, 5],
    'weight 3x5',
  ],
  ['LazyConv1d', () => new nn.LazyConv1d(4, 3), () => new nn.Conv1d(2, 4, 3), [1, 2, 8], 'weight 4x2x3 bias 4'],
  [
    'LazyConv2d',
    () => new nn.LazyConv2d(4, [2, 3], { groups: 2, paddingMode: 'circular', padding: 1 }),
    () => new nn.Conv2d(6, 4, [2, 3], { groups: 2, paddingMode: 'circular', padding: 1 }),
    [6, 5, 5],
    'weight 4x3x2x3 bias 4',
  ],
  [
    'LazyConv3d',
    () => new nn.LazyConv3d(1, 2, { stride: 2 }),
    () => new nn.Conv3d(3, 1, 2, { stride: 2 }),
    [2, 3, 4, 4, 4],
    'weight 1x3x2x2x2 bias 1',
  ],
  [
    'LazyConvTranspose1d',
    () => new nn.LazyConvTranspose1d(4, 3),
    () => new nn.ConvTranspose1d(2, 4, 3),
    [2, 8],
    'weight 2x4x3 bias 4',
  ],
  [
    'LazyConvTranspose2d',
    () => new nn.LazyConvTranspose2d(4, 3, { groups: 4, bias: false }),
    () => new nn.ConvTranspose2d(8, 4, 3, { groups: 4, bias: false }),
    [1, 8, 3, 3],
    'weight 8x1x3x3',
  ],
  [
    'LazyConvTranspose3d',
    () => new nn.LazyConvTranspose3d(2, 2),
    () => new nn.ConvTranspose3d(3, 2, 2),
    [1, 3, 2, 2, 2],
    'weight 3x2x2x2x2 bias 2',
  ],
  ...([1, 2, 3] as const).flatMap((n) => {
    const input = [2, 3, 4, 4, 4].slice(0, n + 2);
    const batch = [nn.LazyBatchNorm1d, nn.LazyBatchNorm2d, nn.LazyBatchNorm3d][n - 1];
    const usual = [nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d][n - 1];
    const instance = [nn.LazyInstanceNorm1d, nn.LazyInstanceNorm2d, nn.LazyInstanceNorm3d][n - 1];
    const plain = [nn.InstanceNorm1d, nn.InstanceNorm2d, nn.InstanceNorm3d][n - 1];
    const options = { affine: true, trackRunningStats: true, momentum: null };
    const state = 'weight 3 bias 3 running_mean 3 running_var 3 num_batches_tracked ';
    return [
      [`LazyBatchNorm${n}d`, () => new batch({ eps: 0.1 }), () => new usual(3, { eps: 0.1 }), input, state],
      [
        `LazyBatchNorm${n}d, plain`,
        () => new batch({ affine: false }),
        () => new usual(3, { affine: false }),
        input,
        state.slice(16),
      ],
      [`LazyInstanceNorm${n}d`, () => new instance(options), () => new plain(3, options), input, state],
    ] as [string, () => nn.Module, () => nn.Module, number[], string][];
  }),
];

describe('a lazy module', () => {
  it.each(cases)('%s becomes what it stands for, with the same numbers', (name, lazy, usual, input, state) => {
    const x = randn(input);
    const module = lazy();
    expect(module.constructor.name).toBe(name.split(',')[0]);
    manualSeed(7);
    const y = module.forward(x);
    manualSeed(7);
    const same = usual();
    expect(y.toArray()).toEqual(same.forward(x).toArray());
    expect(module.constructor).toBe(same.constructor);
    expect(`${module}`).toBe(`${same}`);
    expect(module).toBeInstanceOf(same.constructor);
    const dict = module.stateDict();
    expect(
      Object.entries(dict)
        .map(([key, value]) => `${key} ${value.shape.join('x')}`)
        .join(' '),
    ).toBe(state);
    expect(Object.keys(dict)).toEqual(Object.keys(same.stateDict()));
    expect(module.forward(x).toArray()).toEqual(same.forward(x).toArray());
  });

  it.each(cases)('%s has the keys of its state before', (_, lazy, usual) => {
    const module = lazy();
    expect(Object.keys(module.stateDict())).toEqual(Object.keys(usual().stateDict()));
    const waiting = Object.values(module.stateDict()).filter((x) => x.dtype !== 'int32');
    expect(waiting.every((x) => x instanceof nn.UninitializedParameter || x instanceof nn.UninitializedBuffer)).toBe(
      true,
    );
  });

  it('keeps its parameters the same objects, trainable and with gradients', () => {
    const model = new nn.Sequential(new nn.LazyLinear(4), new nn.Tanh(), new nn.LazyLinear(1));
    const before = model.parameters();
    expect(before[0].toString()).toBe('UninitializedParameter(float32)');
    model.forward(ones([2, 3]));
    expect(model.parameters().every((p, i) => p === before[i] && p.constructor === nn.Parameter)).toBe(true);
    expect(shapes(model)).toEqual(['0.weight 4x3', '0.bias 4', '2.weight 1x4', '2.bias 1']);
    const optimizer = new optim.SGD(model.parameters(), { lr: 0.1 });
    const loss = () =>
      model
        .forward(ones([2, 3]))
        .square()
        .sum();
    const first = loss();
    first.backward();
    optimizer.step();
    expect(loss().item()).toBeLessThan(first.item());
  });

  it('draws nothing before its first input', () => {
    manualSeed(3);
    const next = randn([2]).toArray();
    manualSeed(3);
    for (const [, lazy] of cases) lazy();
    expect(randn([2]).toArray()).toEqual(next);
  });

  it('changes its dtype, is frozen and cloned like others', () => {
    const layer = new nn.LazyLinear(2).double().setRequiresGrad(false);
    const norm = new nn.LazyBatchNorm1d().to('float64');
    const copy = layer.clone();
    const x = ones([3, 4], { dtype: 'float64' });
    expect(layer.forward(x).dtype).toBe('float64');
    expect([layer.weight.dtype, layer.weight.requiresGrad]).toEqual(['float64', false]);
    expect(norm.forward(randn([3, 4], { dtype: 'float64' })).dtype).toBe('float64');
    expect(norm.runningVar?.dtype).toBe('float64');
    expect(copy.weight).toBeInstanceOf(nn.UninitializedParameter);
    expect(copy.forward(ones([3, 7], { dtype: 'float64' })).shape).toEqual([3, 2]);
    expect([copy.weight.shape, layer.weight.shape]).toEqual([
      [2, 7],
      [2, 4],
    ]);
  });

  it('takes values from a state before its first input', () => {
    const from = new nn.Linear(3, 2);
    const layer = new nn.LazyLinear(2);
    layer.loadStateDict(from.stateDict());
    expect(layer.weight.toArray()).toEqual(from.weight.toArray());
    expect(layer.weight.constructor).toBe(nn.Parameter);
    const x = randn([2, 3]);
    expect(layer.forward(x).toArray()).toEqual(from.forward(x).toArray());
    expect(`${layer}`).toBe('Linear(3, 2)');
    from.weight.assign(zeros([2, 3]));
    expect(layer.weight.abs().sum().item()).toBeGreaterThan(0);
  });

  it('runs its hooks, once each', () => {
    const layer = new nn.LazyConv1d(2, 1);
    const seen: string[] = [];
    layer.registerForwardPreHook((module) => void seen.push(module.constructor.name));
    layer.registerForwardHook((module) => void seen.push(module.constructor.name));
    layer.forward(ones([1, 3, 2]));
    layer.forward(ones([1, 3, 2]));
    expect(seen).toEqual(['LazyConv1d', 'Conv1d', 'Conv1d', 'Conv1d']);
  });

  it('stays of a class of the user', () => {
    class Own extends nn.LazyLinear {
      override forward(x: Tensor) {
        return super.forward(x).neg();
      }
    }
    const own = new Own(2, { bias: false });
    const x = ones([1, 3]);
    expect(own.forward(x).toArray()).toEqual(own.forward(x).toArray());
    expect(own).toBeInstanceOf(Own);
    expect(own.inFeatures).toBe(3);
  });

  it('refuses to be used before its first input', () => {
    const layer = new nn.LazyLinear(2);
    const model = new nn.Sequential(layer);
    expect(codeOf(() => layer.weight.sum())).toBe('value');
    expect(codeOf(() => layer.weight.item())).toBe('value');
    expect(codeOf(() => nn.init.zeros(layer.weight))).toBe('value');
    expect(codeOf(() => new optim.SGD(model.parameters(), { lr: 1 }))).toBe('value');
    expect(codeOf(() => new nn.Linear(1, 2).loadStateDict(layer.stateDict()))).toBe('value');
    expect(codeOf(() => model.share())).toBe('value');
    expect(codeOf(() => model.loadShared(new nn.Sequential(new nn.Linear(1, 2)).share()))).toBe('value');
    expect(codeOf(() => nn.utils.weightNorm(layer))).toBe('value');
    expect(codeOf(() => nn.utils.parametersToVector(model.parameters()))).toBe('value');
    expect(() => layer.weight.sum()).toThrow(/run the module once/);
  });

  it('refuses what its class refuses, and then is as before', () => {
    expect(codeOf(() => new nn.LazyLinear(0))).toBe('value');
    expect(codeOf(() => new nn.LazyLinear(2, { inFeatures: 2 } as never))).toBe('option');
    expect(codeOf(() => new nn.LazyLinear(2, 5 as never))).toBe('option');
    expect(codeOf(() => new nn.LazyConv2d(3, 2, { groups: 2 }))).toBe('value');
    expect(codeOf(() => new nn.LazyConv2d(3, 2, { groups: -1 }))).toBe('value');
    const grouped = new nn.LazyConv1d(2, 1, { groups: 2 });
    expect(codeOf(() => grouped.forward(ones([1, 3, 4])))).toBe('value');
    expect(grouped.forward(ones([1, 4, 4])).shape).toEqual([1, 2, 4]);
    expect(codeOf(() => new nn.LazyConv2d(2, 1).forward(ones([3, 3])))).toBe('shape');
    expect(codeOf(() => new nn.LazyLinear(2).forward(tensor(1)))).toBe('shape');
    expect(codeOf(() => new nn.LazyLinear(2).forward([1] as never))).toBe('value');
    const norm = new nn.LazyBatchNorm2d();
    expect(codeOf(() => norm.forward(ones([2, 3])))).toBe('shape');
    expect(norm.weight).toBeInstanceOf(nn.UninitializedParameter);
    const loaded = new nn.LazyLinear(2);
    loaded.loadStateDict(new nn.Linear(3, 2).stateDict());
    expect(codeOf(() => loaded.forward(ones([1, 4])))).toBe('shape');
    expect(loaded.forward(ones([1, 3])).shape).toEqual([1, 2]);
  });

  it('has its first input outside captured functions', () => {
    const layer = new nn.LazyLinear(2);
    const step = capture((x: Tensor) => layer.forward(x));
    expect(codeOf(() => step(ones([1, 3])))).toBe('capture');
    layer.forward(ones([1, 3]));
    expect(step(ones([1, 3])).toArray()).toEqual(layer.forward(ones([1, 3])).toArray());
  });
});
