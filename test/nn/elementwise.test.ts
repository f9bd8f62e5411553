// Activations, losses, distances and reshapes as modules: PyTorch's values and gradients, printing, refusals.
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { nn, ones, randn, type Tensor, tensor, zeros } from 'chainrule';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { codeOf } from '../thrown.js';

interface Case {
  module: string;
  args: unknown[];
  options: Record<string, unknown>;
  inputs: number[][];
  /** Which inputs hold class numbers. */
  ints?: number[];
  y: number[];
  grads: Record<string, number[]>;
}
const { cases } = JSON.parse(
  gunzipSync(readFileSync(new URL('./fixtures/modules.json.gz', import.meta.url))).toString(),
) as { cases: Case[] };

const classes = nn as unknown as Record<string, new (...args: unknown[]) => nn.Module<Tensor[]>>;
const weights = (values: unknown) => (Array.isArray(values) ? tensor(values, { dtype: 'float64' }) : values);

function make({ module, args, options }: Case): nn.Module<Tensor[]> {
  const given = Object.fromEntries(Object.entries(options).map(([name, value]) => [name, weights(value)]));
  const made = Object.keys(given).length > 0 ? given : undefined;
  if (module === 'PReLU') return new nn.PReLU({ ...made, dtype: 'float64' }) as unknown as nn.Module<Tensor[]>;
  return new classes[module](...args, ...(made === undefined ? [] : [made]));
}

function expectClose(got: Tensor, want: unknown): void {
  const expected = tensor(want as number[], { dtype: 'float64' });
  expect(got.shape).toEqual(expected.shape);
  expect(got.dtype).toBe('float64');
  const scale = expected.abs().add(1);
  expect(got.detach().sub(expected).abs().div(scale).amax().item()).toBeLessThan(1e-11);
}

describe("values and gradients are PyTorch's", () => {
  it.each(cases.map((c, i) => [`${c.module} ${JSON.stringify([...c.args, c.options])} (${i})`, c] as const))(
    '%s',
    (_, c) => {
      const inputs = c.inputs.map((values, i) =>
        tensor(values, { dtype: c.ints?.includes(i) ? 'int32' : 'float64', requiresGrad: String(i) in c.grads }),
      );
      const y = make(c).forward(...inputs);
      expectClose(y, c.y);
      const w = tensor(
        Array.from({ length: y.size }, (_, i) => Math.cos(i)),
        { dtype: 'float64' },
      ).reshape(y.shape);
      y.mul(w).sum().backward();
      for (const [i, want] of Object.entries(c.grads)) expectClose(inputs[Number(i)].grad as Tensor, want);
    },
  );
});

describe('parameters and state', () => {
  it('PReLU learns its slopes', () => {
    const prelu = new nn.PReLU({ numParameters: 3, init: 0.5 });
    expect(prelu.stateDict().weight.toArray()).toEqual([0.5, 0.5, 0.5]);
    prelu
      .forward(ones([2, 3, 4]).neg())
      .sum()
      .backward();
    expect(prelu.weight.grad?.toArray()).toEqual([-8, -8, -8]);
    expect(codeOf(() => prelu.forward(ones([2, 4])))).toBe('shape');
  });

  it('RBF answers with 1 at its centres and falls with the width', () => {
    const layer = new nn.RBF(2, 3);
    expect(Object.keys(layer.stateDict())).toEqual(['centres', 'log_widths']);
    const at = layer.forward(layer.centres.detach());
    expect([0, 1, 2].map((i) => at.at(i, i).item())).toEqual([1, 1, 1]);
    layer.centres.assign(zeros([3, 2]));
    layer.logWidths.assign(tensor([0, Math.log(2), Math.log(0.5)]));
    const [y] = layer.forward(tensor([[0.6, 0.8]])).toArray() as number[][];
    for (const [i, beta] of [1, 0.25, 4].entries()) expect(y[i]).toBeCloseTo(Math.exp(-beta), 6);
    layer
      .forward(randn([4, 2]))
      .sum()
      .backward();
    expect(layer.parameters().every((p) => p.grad !== null)).toBe(true);
    expect(new nn.RBF(2, 1, { dtype: 'float64' }).centres.dtype).toBe('float64');
    expect(codeOf(() => layer.forward(ones([3])))).toBe('shape');
  });

  it('weights of losses are buffers under the names of PyTorch', () => {
    const weight = ones([3]);
    expect(Object.keys(new nn.BCELoss({ weight }).stateDict())).toEqual(['weight']);
    expect(Object.keys(new nn.MultiMarginLoss({ weight }).stateDict())).toEqual(['weight']);
    expect(Object.keys(new nn.BCEWithLogitsLoss({ weight, posWeight: weight }).stateDict())).toEqual([
      'weight',
      'pos_weight',
    ]);
    expect(Object.keys(new nn.MultiLabelSoftMarginLoss().stateDict())).toEqual([]);
  });
});

describe('losses of papers', () => {
  it('FocalLoss is the mean of its operation', () => {
    const [x, z] = [randn([3, 4]), ones([3, 4])];
    const want = nn.functional.sigmoidFocalLoss(x, z, { alpha: 0.5, gamma: 1 }).mean().item();
    expect(new nn.FocalLoss({ alpha: 0.5, gamma: 1 }).forward(x, z).item()).toBe(want);
    expect(new nn.FocalLoss({ reduction: 'none' }).forward(x, z).shape).toEqual([3, 4]);
  });

  it('ContrastiveLoss is its operation', () => {
    const [a, b, t] = [randn([3, 4]), randn([3, 4]), tensor([0, 1, 0])];
    const want = nn.functional.contrastiveLoss(a, b, t, { margin: 3 }).item();
    expect(new nn.ContrastiveLoss({ margin: 3 }).forward(a, b, t).item()).toBe(want);
  });

  it('Maxout is its operation', () => {
    const x = randn([2, 4, 6]);
    expect(new nn.Maxout(2).forward(x).toArray()).toEqual(x.maxout(2).toArray());
    expect(new nn.Maxout(3, { axis: -1 }).forward(x).shape).toEqual([2, 4, 2]);
  });
});

describe('printing and refusals', () => {
  it('shows what a module was made of', () => {
    const shown: [nn.AnyModule, string][] = [
      [new nn.ReLU6(), 'ReLU6()'],
      [new nn.LeakyReLU(), 'LeakyReLU({ negativeSlope: 0.01 })'],
      [new nn.Softplus({ beta: 2 }), 'Softplus({ beta: 2, threshold: 20 })'],
      [new nn.Threshold(0.1, 20), 'Threshold(0.1, 20)'],
      [new nn.PReLU({ numParameters: 4 }), 'PReLU({ numParameters: 4 })'],
      [new nn.GELU(), "GELU({ approximate: 'none' })"],
      [new nn.Softmax(1), 'Softmax(1)'],
      [new nn.Maxout(2), 'Maxout(2, { axis: 1 })'],
      [new nn.Unflatten(1, [2, -1]), 'Unflatten(1, [2, -1])'],
      [new nn.Flatten(), 'Flatten({ start: 1, end: -1 })'],
      [new nn.RBF(2, 3), 'RBF(2, 3)'],
      [new nn.HuberLoss({ delta: 2 }), 'HuberLoss({ delta: 2 })'],
      [new nn.MSELoss(), 'MSELoss()'],
    ];
    for (const [module, text] of shown) expect(`${module}`).toBe(text);
  });

  it('refuses what makes no sense, when it is made or at the first call', () => {
    const wrong: [() => unknown, string][] = [
      [() => new nn.LeakyReLU({ slope: 1 } as never), 'option'],
      [() => new nn.ELU({ alpha: '1' } as never), 'value'],
      [() => new nn.GELU({ approximate: 'erf' } as never), 'value'],
      [() => new nn.CELU({ alpha: 0 }).forward(ones([1])), 'value'],
      [() => new nn.Hardtanh({ minVal: 2 }).forward(ones([1])), 'value'],
      [() => new nn.Threshold(1, null as never), 'value'],
      [() => new nn.PReLU({ numParameters: 0 }), 'value'],
      [() => new nn.Softmax(0.5), 'value'],
      [() => new nn.Softmax2d().forward(ones([2, 3])), 'shape'],
      [() => new nn.Maxout(0), 'value'],
      [() => new nn.Unflatten(1, 2 as never), 'value'],
      [() => new nn.RBF(2, 0), 'value'],
      [() => new nn.RBF(2, 1, { bias: false } as never), 'option'],
      [() => new nn.PairwiseDistance({ p: -1 }), 'value'],
      [() => new nn.KLDivLoss({ reduction: 'avg' } as never), 'value'],
      [() => new nn.HuberLoss({ delta: 0 }), 'value'],
      [() => new nn.GaussianNLLLoss({ eps: 0 }), 'value'],
      [() => new nn.MultiMarginLoss({ p: 3 } as never), 'value'],
      [() => new nn.BCELoss({ weight: [1] } as never), 'value'],
      [() => new nn.FocalLoss({ gamma: -1 }), 'value'],
      [() => new nn.TripletMarginLoss({ swap: 1 } as never), 'value'],
      [() => new nn.SoftMarginLoss({ margin: 1 } as never), 'option'],
    ];
    for (const [fn, code] of wrong) expect(codeOf(fn), fn.toString()).toBe(code);
  });

  it('types what forward takes', () => {
    expectTypeOf(new nn.TripletMarginLoss().forward).parameters.toEqualTypeOf<[Tensor, Tensor, Tensor]>();
    expectTypeOf(new nn.ELU().alpha).toEqualTypeOf<number>();
  });
});
