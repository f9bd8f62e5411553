// AdaptiveLogSoftmaxWithLoss against PyTorch 1.13: values, gradients, state-dict keys, errors.
import { nn, ones, type Tensor, tensor } from 'chainrule';
import { describe, expect, it } from 'vitest';
import { codeOf } from '../thrown.js';

/** Numbers ((i a + b) mod m) / d - 1/2. */
const row = (shape: readonly number[], [a, b, m, d]: readonly [number, number, number, number]) => {
  const size = shape.reduce((x, y) => x * y);
  return tensor(Array.from({ length: size }, (_, i) => ((i * a + b) % m) / d - 0.5)).reshape([...shape]);
};
const made = (headBias: boolean) => {
  const model = new nn.AdaptiveLogSoftmaxWithLoss(8, 20, [4, 10], { divValue: 2, headBias });
  model.loadStateDict(
    Object.fromEntries(model.namedParameters().map(([name, p], k) => [name, row(p.shape, [37, 11 + k, 97, 97])])),
  );
  return model;
};
const squares = (x: Tensor | null) => (x as Tensor).square().sum().item();
const close = (got: number[], want: number[]) => {
  expect(got.length).toBe(want.length);
  for (const [i, value] of got.entries()) expect(value).toBeCloseTo(want[i], 4);
};

// m = torch.nn.AdaptiveLogSoftmaxWithLoss(8, 20, [4, 10], div_value=2.0, head_bias=bias) with the same numbers
const cases = [
  {
    bias: false,
    output: [-2.529606, -1.992693, -3.281278, -4.198628, -4.475083, -3.650147],
    loss: 3.354573,
    total: -425.7852,
    classes: [3, 2, 3, 2, 2, 3],
    gradients: [0.602597, 0.083764, 0.022605, 0.044816, 0.014017],
    input: 0.119585,
  },
  {
    bias: true,
    output: [-2.826353, -2.265591, -3.109196, -4.006184, -4.98323, -4.088569],
    loss: 3.54652,
    total: -448.3003,
    classes: [3, 2, 2, 2, 2, 2],
    gradients: [0.724244, 0.172996, 0.073278, 0.029443, 0.045469, 0.011543],
    input: 0.126453,
  },
];

describe('AdaptiveLogSoftmaxWithLoss', () => {
  it.each(cases)('with headBias $bias gives what PyTorch gives', (want) => {
    const model = made(want.bias);
    const x = row([6, 8], [29, 7, 64, 32]);
    x.requiresGrad = true;
    const { output, loss } = model.forward(x, tensor([0, 3, 5, 9, 10, 19], { dtype: 'int32' }));
    loss.backward();
    close(output.toArray() as number[], want.output);
    expect(loss.item()).toBeCloseTo(want.loss, 4);
    close(
      model.parameters().map((p) => squares(p.grad)),
      want.gradients,
    );
    expect(squares(x.grad)).toBeCloseTo(want.input, 4);
    const all = model.logProb(x.detach());
    expect(all.sum().item()).toBeCloseTo(want.total, 2);
    close(all.exp().sum(1).toArray() as number[], [1, 1, 1, 1, 1, 1]);
    expect(model.predict(x.detach()).toArray()).toEqual(want.classes);
    const one = model.forward(x.detach().at(0), tensor(0, { dtype: 'int32' }));
    expect(one.output.shape).toEqual([]);
    expect(one.output.item()).toBeCloseTo(want.output[0], 4);
  });

  it("has PyTorch's keys", () => {
    const keys = [
      'head.weight',
      'head.bias',
      'tail.0.0.weight',
      'tail.0.1.weight',
      'tail.1.0.weight',
      'tail.1.1.weight',
    ];
    expect(Object.keys(made(true).stateDict())).toEqual(keys);
    expect(Object.keys(made(false).stateDict())).toEqual(keys.filter((key) => key !== 'head.bias'));
  });

  const ints = (values: number[]) => tensor(values, { dtype: 'int32' });
  it.each<[string, () => unknown, string]>([
    ['cutoffs that fall', () => new nn.AdaptiveLogSoftmaxWithLoss(8, 20, [10, 4]), 'value'],
    ['a cutoff at the end', () => new nn.AdaptiveLogSoftmaxWithLoss(8, 20, [4, 20]), 'value'],
    ['a cutoff of 0', () => new nn.AdaptiveLogSoftmaxWithLoss(8, 20, [0, 4]), 'value'],
    ['no cutoffs', () => new nn.AdaptiveLogSoftmaxWithLoss(8, 20, []), 'value'],
    ['a division that leaves nothing', () => new nn.AdaptiveLogSoftmaxWithLoss(8, 20, [4, 10]), 'value'],
    ['an unknown option', () => new nn.AdaptiveLogSoftmaxWithLoss(8, 20, [4], { bias: true } as never), 'option'],
    ['a target of another length', () => made(false).forward(ones([2, 8]), ints([1])), 'shape'],
    ['a target of floats', () => made(false).forward(ones([1, 8]), ones([1])), 'dtype'],
    ['a class too far', () => made(false).forward(ones([1, 8]), ints([20])), 'index'],
  ])('refuses %s', (_, make, code) => {
    expect(codeOf(make)).toBe(code);
  });
});
