// Layers, losses and initialisation: same as the operations, begun as PyTorch begins them, refusing wrong arguments.
import {
  conv2d,
  crossEntropy,
  Generator,
  linear,
  manualSeed,
  nn,
  ones,
  randn,
  type Tensor,
  tensor,
  zeros,
} from 'chainrule';
import { describe, expect, it } from 'vitest';
import { codeOf } from '../thrown.js';

const ints = (values: number[]) => tensor(values, { dtype: 'int32' });
const largest = (x: Tensor | null) => (x as Tensor).abs().amax().item();

describe('layers', () => {
  it('Linear and Conv2d are their operations', () => {
    const fc = new nn.Linear(3, 2);
    const x = randn([4, 3]);
    expect(fc.forward(x).toArray()).toEqual(linear(x, fc.weight, fc.bias).toArray());
    const conv = new nn.Conv2d(2, 4, [3, 2], { stride: 2, padding: [1, 0], groups: 2, bias: false });
    const images = randn([2, 2, 7, 7]);
    expect(conv.weight.shape).toEqual([4, 1, 3, 2]);
    expect(conv.forward(images).toArray()).toEqual(
      conv2d(images, conv.weight, null, { stride: 2, padding: [1, 0], groups: 2 }).toArray(),
    );
  });

  it('work in float64 where asked', () => {
    const model = new nn.Sequential(
      new nn.Conv2d(1, 2, 3, { dtype: 'float64' }),
      new nn.Flatten(),
      new nn.Linear(8, 2, { dtype: 'float64' }),
    );
    expect(model.forward(ones([1, 1, 4, 4], { dtype: 'float64' })).dtype).toBe('float64');
  });

  it('pools and activations are their operations', () => {
    const x = randn([2, 3, 6, 6]);
    const pairs: [nn.Module, Tensor][] = [
      [new nn.MaxPool2d(3, { stride: 1, padding: 1 }), nn.functional.maxPool2d(x, 3, { stride: 1, padding: 1 })],
      [new nn.AvgPool2d([2, 3]), nn.functional.avgPool2d(x, [2, 3])],
      [new nn.ReLU(), x.relu()],
      [new nn.Sigmoid(), x.sigmoid()],
      [new nn.Tanh(), x.tanh()],
      [new nn.LogSigmoid(), x.logSigmoid()],
      [new nn.LeakyReLU({ negativeSlope: 0.2 }), x.leakyRelu({ negativeSlope: 0.2 })],
      [new nn.ELU({ alpha: 2 }), x.elu({ alpha: 2 })],
      [new nn.Softmax(1), x.softmax(1)],
      [new nn.LogSoftmax(-1), x.logSoftmax(-1)],
      [new nn.Flatten({ start: 2 }), x.flatten(2)],
    ];
    for (const [module, want] of pairs) {
      expect(module.forward(x).toArray(), module.toString()).toEqual(want.toArray());
    }
  });

  it('modules of windows are their operations, with indices where asked', () => {
    const f = nn.functional;
    const [line, plane, volume] = [randn([2, 3, 7]), randn([2, 3, 7, 6]), randn([2, 3, 4, 7, 6])];
    const pairs: [Tensor, Tensor][] = [
      [new nn.MaxPool1d(3, { stride: 2 }).forward(line), f.maxPool1d(line, 3, { stride: 2 })],
      [new nn.MaxPool3d([1, 2, 3]).forward(volume), f.maxPool3d(volume, [1, 2, 3])],
      [new nn.AvgPool1d(3, { countIncludePad: false }).forward(line), f.avgPool1d(line, 3, { countIncludePad: false })],
      [new nn.AvgPool3d(2, { divisorOverride: 3 }).forward(volume), f.avgPool3d(volume, 2, { divisorOverride: 3 })],
      [new nn.LPPool1d(2, 3, { stride: 1 }).forward(line), f.lpPool1d(line, 2, 3, { stride: 1 })],
      [new nn.LPPool2d(2, [2, 3]).forward(plane), f.lpPool2d(plane, 2, [2, 3])],
      [new nn.AdaptiveAvgPool1d(4).forward(line), f.adaptiveAvgPool1d(line, 4)],
      [new nn.AdaptiveAvgPool2d([null, 4]).forward(plane), f.adaptiveAvgPool2d(plane, [7, 4])],
      [new nn.AdaptiveAvgPool3d(3).forward(volume), f.adaptiveAvgPool3d(volume, 3)],
      [new nn.AdaptiveMaxPool1d(4).forward(line), f.adaptiveMaxPool1d(line, 4)],
      [new nn.AdaptiveMaxPool2d(4).forward(plane), f.adaptiveMaxPool2d(plane, 4)],
      [new nn.AdaptiveMaxPool3d([2, null, 4]).forward(volume), f.adaptiveMaxPool3d(volume, [2, 7, 4])],
    ];
    for (const [got, want] of pairs) expect(got.toArray()).toEqual(want.toArray());
    const { values, indices } = new nn.MaxPool2d([2, 3], { returnIndices: true }).forward(plane);
    expect(plane.flatten(2).gather(2, indices.flatten(2)).toArray()).toEqual(values.flatten(2).toArray());
    const back = new nn.MaxUnpool2d([2, 3]).forward(values, indices, [7, 6]);
    expect(back.shape).toEqual(plane.shape);
    expect(back.sum().item()).toBeCloseTo(values.sum().item(), 4);
    expect(codeOf(() => new nn.MaxPool2d(0))).toBe('value');
    expect(codeOf(() => new nn.AvgPool3d([1, 2] as never))).toBe('value');
    expect(codeOf(() => new nn.AvgPool1d(2, { divisorOverride: 2 } as never))).toBe('option');
    expect(codeOf(() => new nn.AdaptiveAvgPool2d(-1))).toBe('value');
    expect(`${new nn.MaxPool2d(2, { stride: 1 })}`).toBe('MaxPool2d(2, { stride: 1 })');
  });

  it('modules of other sizes are their operations', () => {
    const f = nn.functional;
    const x = randn([2, 8, 4, 6]);
    const options = { scaleFactor: [1.5, 2], mode: 'bilinear', alignCorners: true } as const;
    const pairs: [nn.Module, Tensor][] = [
      [new nn.Upsample(options), f.interpolate(x, options)],
      [new nn.UpsamplingNearest2d({ size: [3, 7] }), f.interpolate(x, { size: [3, 7] })],
      [
        new nn.UpsamplingBilinear2d({ scaleFactor: 2 }),
        f.interpolate(x, { scaleFactor: 2, mode: 'bilinear', alignCorners: true }),
      ],
      [new nn.PixelShuffle(2), f.pixelShuffle(x, 2)],
      [new nn.PixelUnshuffle(2), f.pixelUnshuffle(x, 2)],
      [new nn.ChannelShuffle(4), f.channelShuffle(x, 4)],
    ];
    for (const [module, want] of pairs) expect(module.forward(x).toArray(), module.toString()).toEqual(want.toArray());
    expect(codeOf(() => new nn.Upsample({}))).toBe('value');
    expect(codeOf(() => new nn.Upsample({ size: 2, mode: 'cubic' as never }))).toBe('value');
    expect(codeOf(() => new nn.UpsamplingNearest2d({ size: 2, mode: 'area' } as never))).toBe('option');
    expect(codeOf(() => new nn.PixelShuffle(0))).toBe('value');
  });

  it('modules of borders are pad', () => {
    const f = nn.functional;
    const [line, plane, volume] = [randn([2, 3, 5]), randn([2, 3, 5, 4]), randn([2, 3, 4, 5, 4])];
    const pairs: [Tensor, Tensor][] = [
      [new nn.ConstantPad1d([1, 2], 3).forward(line), f.pad(line, [1, 2], { value: 3 })],
      [new nn.ConstantPad2d([1, 2, -1, 0], 3).forward(plane), f.pad(plane, [1, 2, -1, 0], { value: 3 })],
      [new nn.ConstantPad3d(1, 3).forward(volume), f.pad(volume, [1, 1, 1, 1, 1, 1], { value: 3 })],
      [new nn.ZeroPad2d(2).forward(plane), f.pad(plane, [2, 2, 2, 2])],
      [new nn.ReflectionPad1d([1, 2]).forward(line), f.pad(line, [1, 2], { mode: 'reflect' })],
      [new nn.ReflectionPad2d(1).forward(plane), f.pad(plane, [1, 1, 1, 1], { mode: 'reflect' })],
      [new nn.ReflectionPad3d(1).forward(volume), f.pad(volume, [1, 1, 1, 1, 1, 1], { mode: 'reflect' })],
      [new nn.ReplicationPad1d(2).forward(line), f.pad(line, [2, 2], { mode: 'replicate' })],
      [new nn.ReplicationPad2d([0, 1, 2, 3]).forward(plane), f.pad(plane, [0, 1, 2, 3], { mode: 'replicate' })],
      [new nn.ReplicationPad3d(1).forward(volume), f.pad(volume, [1, 1, 1, 1, 1, 1], { mode: 'replicate' })],
    ];
    for (const [got, want] of pairs) expect(got.toArray()).toEqual(want.toArray());
    expect(codeOf(() => new nn.ZeroPad2d([1, 2] as never))).toBe('value');
    expect(codeOf(() => new nn.ConstantPad1d(1, Number.NaN))).toBe('value');
    expect(`${new nn.ReflectionPad2d([1, 2, 0, 0])}`).toBe('ReflectionPad2d([1, 2, 0, 0])');
  });

  it('Dropout drops while training only, by its generator', () => {
    const make = () => new nn.Dropout({ p: 0.5, generator: new Generator(3) });
    const x = ones([100]);
    const dropped = make().forward(x).toArray() as number[];
    expect(new Set(dropped)).toEqual(new Set([0, 2]));
    expect(make().forward(x).toArray()).toEqual(dropped);
    expect(make().eval().forward(x).toArray()).toEqual(x.toArray());
    expect(new nn.Dropout().p).toBe(0.5);
  });
});

describe('losses', () => {
  const logits = tensor([
    [1, 2, 0.5],
    [0, -1, 3],
  ]);
  it('are their operations', () => {
    const target = ints([1, 0]);
    const weight = tensor([1, 2, 3]);
    const ce = new nn.CrossEntropyLoss({ weight, labelSmoothing: 0.1, ignoreIndex: 2, reduction: 'sum' });
    expect(ce.forward(logits, target).item()).toBe(
      crossEntropy(logits, target, { weight, labelSmoothing: 0.1, ignoreIndex: 2, reduction: 'sum' }).item(),
    );
    const logp = logits.logSoftmax(1);
    expect(new nn.NLLLoss({ weight }).forward(logp, target).item()).toBe(
      nn.functional.nllLoss(logp, target, { weight }).item(),
    );
    const zeroOne = tensor([
      [0, 1, 1],
      [1, 0, 0],
    ]);
    expect(new nn.BCEWithLogitsLoss({ posWeight: weight }).forward(logits, zeroOne).item()).toBe(
      nn.functional.binaryCrossEntropyWithLogits(logits, zeroOne, { posWeight: weight }).item(),
    );
    expect(new nn.MSELoss({ reduction: 'none' }).forward(logits, zeroOne).shape).toEqual([2, 3]);
    expect(new nn.L1Loss().forward(tensor([1]), tensor([3])).item()).toBe(2);
  });

  it('keep their weights as buffers under PyTorch names', () => {
    expect(Object.keys(new nn.CrossEntropyLoss({ weight: ones([2]) }).stateDict())).toEqual(['weight']);
    expect(Object.keys(new nn.BCEWithLogitsLoss({ posWeight: ones([2]) }).stateDict())).toEqual(['pos_weight']);
    expect(Object.keys(new nn.CrossEntropyLoss().stateDict())).toEqual([]);
  });
});

describe('init', () => {
  it('begins Linear and Conv2d within 1 / sqrt(fanIn), filling the range', () => {
    const fc = new nn.Linear(100, 200, { generator: new Generator(1) });
    for (const p of [fc.weight, fc.bias]) {
      expect(largest(p)).toBeLessThanOrEqual(0.1);
      expect(largest(p)).toBeGreaterThan(0.095);
      expect(Math.abs((p as Tensor).mean().item())).toBeLessThan(0.01);
    }
    const conv = new nn.Conv2d(4, 60, 5, { groups: 2 });
    expect(largest(conv.weight)).toBeLessThanOrEqual(1 / Math.sqrt(50));
    expect(largest(conv.weight)).toBeGreaterThan(0.95 / Math.sqrt(50));
    expect(largest(conv.bias)).toBeLessThanOrEqual(1 / Math.sqrt(50));
  });

  it('repeats by seed', () => {
    const make = () => new nn.Linear(5, 5, { generator: new Generator(9) }).weight.toArray();
    expect(make()).toEqual(make());
    const seeded = () => {
      manualSeed(4);
      return new nn.Conv2d(1, 2, 3).weight.toArray();
    };
    expect(seeded()).toEqual(seeded());
  });

  it('fills in place with the right spread', () => {
    const x = new nn.Parameter(zeros([400, 100]));
    const std = (t: Tensor) => Math.sqrt(t.detach().square().mean().item());
    const { init } = nn;
    expect(init.uniform(x, { a: 2, b: 3 })).toBe(x);
    expect([x.amin().item() >= 2, x.amax().item() <= 3]).toEqual([true, true]);
    expect(init.normal(x, { mean: 5, std: 0.1 }).mean().item()).toBeCloseTo(5, 2);
    expect(init.constant(x, 7).amin().item()).toBe(7);
    expect([init.ones(x).mean().item(), init.zeros(x).mean().item()]).toEqual([1, 0]);
    expect(std(init.xavierUniform(x))).toBeCloseTo(Math.sqrt(2 / 500), 2);
    expect(std(init.xavierNormal(x, { gain: 2 }))).toBeCloseTo(2 * Math.sqrt(2 / 500), 2);
    expect(std(init.kaimingNormal(x, { nonlinearity: 'relu' }))).toBeCloseTo(Math.SQRT2 / 10, 2);
    expect(std(init.kaimingUniform(x, { mode: 'fanOut', nonlinearity: 'tanh' }))).toBeCloseTo(5 / 3 / 20, 2);
    expect(init.calculateGain('leakyRelu', 0)).toBeCloseTo(Math.SQRT2, 12);
    expect(x.requiresGrad && x.isLeaf).toBe(true);
  });
});

describe('bad input', () => {
  const x = zeros([2, 2]);
  it.each<[string, () => unknown, string]>([
    ['Linear of 0 inputs', () => new nn.Linear(0, 2), 'value'],
    ['Linear of half an output', () => new nn.Linear(2, 0.5), 'value'],
    ['Linear with a flag in place of options', () => new nn.Linear(2, 2, false as never), 'option'],
    ['Linear with an unknown option', () => new nn.Linear(2, 2, { biass: true } as never), 'option'],
    ['Linear with a bias of 1', () => new nn.Linear(2, 2, { bias: 1 as never }), 'value'],
    ['Linear of integers', () => new nn.Linear(2, 2, { dtype: 'int32' as never }), 'dtype'],
    ['Linear with a number as generator', () => new nn.Linear(2, 2, { generator: 1 as never }), 'value'],
    ['Linear on another size', () => new nn.Linear(3, 2).forward(x), 'shape'],
    ['Conv2d without a kernel size', () => new nn.Conv2d(1, 2, undefined as never), 'value'],
    ['Conv2d with three kernel sizes', () => new nn.Conv2d(1, 2, [1, 2, 3] as never), 'value'],
    ['Conv2d with groups that do not divide', () => new nn.Conv2d(4, 6, 3, { groups: 4 }), 'value'],
    ['Conv2d with padding as text', () => new nn.Conv2d(1, 1, 3, { padding: 'full' as never }), 'value'],
    ['Conv2d with negative padding', () => new nn.Conv2d(1, 1, 3, { padding: -1 }), 'value'],
    ['MaxPool2d of 0', () => new nn.MaxPool2d(0), 'value'],
    ['MaxPool2d with an unknown option', () => new nn.MaxPool2d(2, { strides: 2 } as never), 'option'],
    ['AvgPool2d with a divisor of 0', () => new nn.AvgPool2d(2, { divisorOverride: 0 }), 'value'],
    ['Dropout of 2', () => new nn.Dropout(2), 'value'],
    ['Softmax without an axis', () => new nn.Softmax(undefined as never), 'value'],
    ['Flatten with a number', () => new nn.Flatten(1 as never), 'option'],
    ['a loss with a wrong reduction', () => new nn.MSELoss({ reduction: 'avg' as never }), 'value'],
    ['a loss with an unknown option', () => new nn.L1Loss({ weight: x } as never), 'option'],
    ['a loss with a list of weights', () => new nn.NLLLoss({ weight: [1] as never }), 'value'],
    ['label smoothing of 2', () => new nn.CrossEntropyLoss({ labelSmoothing: 2 }), 'value'],
    ['an initialisation of integers', () => nn.init.uniform(ints([1])), 'dtype'],
    ['an initialisation of nothing', () => nn.init.zeros(null as never), 'value'],
    ['a range that ends before it begins', () => nn.init.uniform(x, { a: 1, b: 0 }), 'value'],
    ['fans of a vector', () => nn.init.kaimingUniform(zeros([3])), 'shape'],
    ['an unknown nonlinearity', () => nn.init.kaimingNormal(x, { nonlinearity: 'gelu' as never }), 'value'],
  ])('%s', (_, make, code) => {
    expect(codeOf(make)).toBe(code);
  });
});
