// Convolution modules: PyTorch's numbers, names, beginnings and shapes, and what they refuse.
import { arange, convTranspose2d, nn, noGrad, ones, type Tensor, zeros } from 'chainrule';
import { describe, expect, it } from 'vitest';
import { codeOf } from '../thrown.js';

/** Whole numbers from -5 to 5, so that every sum is exact. */
function ints(shape: number[], step: number): Tensor {
  const n = shape.reduce((product, size) => product * size, 1);
  return arange(n).mul(step).remainder(11).sub(5).to('float32').reshape(shape);
}

/** The same module as in PyTorch after `p.copy_(ints(p.shape, k))` with k = 3 for the weight and 7 for the bias. */
function begun<M extends nn.AnyModule>(module: M): M {
  for (const [i, p] of module.parameters().entries()) p.assign(ints([...p.shape], [3, 7][i]));
  return module;
}

const flat = (x: Tensor) => x.flatten().toArray();

// Beside each: PyTorch's call m(ints(shape, 5)) in PyTorch 1.13, where ints(shape, k) is
// ((torch.arange(n) * k) % 11 - 5).float().reshape(shape).
const cases: [string, () => Tensor, number[], number[]][] = [
  [
    // nn.Conv1d(2, 2, 3, stride=2, padding=2, padding_mode='circular')
    'Conv1d, circular',
    () => begun(new nn.Conv1d(2, 2, 3, { stride: 2, padding: 2, paddingMode: 'circular' })).forward(ints([1, 2, 6], 5)),
    [1, 2, 4],
    [-5, 47, -1, -5, -15, -42, -22, -15],
  ],
  [
    // nn.Conv1d(2, 2, 3, padding='same', dilation=2, groups=2)
    "Conv1d, 'same', unbatched",
    () => begun(new nn.Conv1d(2, 2, 3, { padding: 'same', dilation: 2, groups: 2 })).forward(ints([2, 5], 5)),
    [2, 5],
    [10, -6, 14, -3, -38, 13, -12, 10, 6, 6],
  ],
  [
    // nn.Conv2d(2, 2, (2, 3), padding='same', padding_mode='reflect')
    "Conv2d, 'same' by reflection",
    () =>
      begun(new nn.Conv2d(2, 2, [2, 3], { padding: 'same', paddingMode: 'reflect' })).forward(ints([1, 2, 3, 4], 5)),
    [1, 2, 3, 4],
    [
      ...[-43, 98, -59, 40, -55, 53, -49, 50, -57, 51, -51, 48],
      ...[35, -6, 50, -22, 50, -24, 54, -18, 26, -48, 30, -42],
    ],
  ],
  [
    // nn.Conv2d(1, 1, 2, padding=(1, 2), padding_mode='replicate', stride=2, bias=False)
    'Conv2d, replicated',
    () => {
      const options = { padding: [1, 2], paddingMode: 'replicate', stride: 2, bias: false } as const;
      return begun(new nn.Conv2d(1, 1, 2, options)).forward(ints([1, 1, 3, 4], 5));
    },
    [1, 1, 2, 4],
    [10, 20, -22, 2, -18, -30, -28, -4],
  ],
  [
    // nn.Conv3d(1, 2, 2, padding=1, stride=2, padding_mode='replicate')
    'Conv3d, replicated',
    () => {
      const options = { padding: 1, stride: 2, paddingMode: 'replicate' } as const;
      return begun(new nn.Conv3d(1, 2, 2, options)).forward(ints([1, 1, 2, 3, 2], 5));
    },
    [1, 2, 2, 2, 2],
    [-5, -5, -17, -17, -5, -5, -17, -17, 32, 2, -26, 10, -16, 20, -8, 28],
  ],
  [
    // nn.Conv3d(2, 2, (2, 1, 2), padding=(1, 0, 0), dilation=(2, 1, 1))
    'Conv3d, unbatched',
    () =>
      begun(new nn.Conv3d(2, 2, [2, 1, 2], { padding: [1, 0, 0], dilation: [2, 1, 1] })).forward(ints([2, 2, 2, 2], 5)),
    [2, 2, 2, 1],
    [16, 4, 16, -27, 4, 6, 9, -20],
  ],
  [
    // nn.ConvTranspose1d(2, 4, 3, stride=2, padding=1, groups=2), output_size [6]
    'ConvTranspose1d to a size',
    () => begun(new nn.ConvTranspose1d(2, 4, 3, { stride: 2, padding: 1, groups: 2 })).forward(ints([1, 2, 3], 5), [6]),
    [1, 4, 6],
    [5, -10, -5, -30, -15, 0, 22, 7, 2, 22, -18, -3, -7, 9, 18, -18, -12, 4, 2, 10, 17, -15, -1, 15],
  ],
  [
    // nn.ConvTranspose2d(2, 1, 2, stride=2), output_size [5, 4]
    'ConvTranspose2d to a size, unbatched',
    () => begun(new nn.ConvTranspose2d(2, 1, 2, { stride: 2 })).forward(ints([2, 2, 2], 5), [5, 4]),
    [1, 5, 4],
    [4, 1, 3, -3, -2, -5, -9, -15, -42, -18, 12, 0, 6, 30, -12, -24, -5, -5, -5, -5],
  ],
  [
    // nn.ConvTranspose2d(1, 2, 3, stride=2, padding=1, output_padding=1)
    'ConvTranspose2d, padded',
    () =>
      begun(new nn.ConvTranspose2d(1, 2, 3, { stride: 2, padding: 1, outputPadding: 1 })).forward(
        ints([1, 1, 2, 2], 5),
      ),
    [1, 2, 4, 4],
    [
      ...[15, 0, -5, -5, -40, 20, -3, -6, -25, -14, -1, -4, 20, -22, -10, -2],
      ...[-3, -18, 2, 2, 22, -33, -1, 7, 7, 24, 1, -2, -3, 16, 3, 0],
    ],
  ],
  [
    // nn.ConvTranspose3d(1, 1, 2, stride=2), output_size [1, 1, 2, 5, 3]
    'ConvTranspose3d to a whole shape',
    () => begun(new nn.ConvTranspose3d(1, 1, 2, { stride: 2 })).forward(ints([1, 1, 1, 2, 1], 5), [1, 1, 2, 5, 3]),
    [1, 1, 2, 5, 3],
    [
      ...[20, 5, -5, -10, -25, -5, -5, -5, -5, -5, -5, -5, -5, -5, -5],
      ...[15, 0, -5, -15, -30, -5, -5, -5, -5, -5, -5, -5, -5, -5, -5],
    ],
  ],
];

describe('convolution modules', () => {
  it.each(cases)('%s gives what PyTorch gives', (_, run, shape, want) => {
    const y = run();
    expect(y.shape).toEqual(shape);
    expect(flat(y)).toEqual(want);
    expect(flat(noGrad(run))).toEqual(want);
  });

  it('have PyTorch names and layouts in their state dicts', () => {
    const shapes = (module: nn.AnyModule) => Object.entries(module.stateDict()).map(([name, x]) => [name, x.shape]);
    expect(shapes(new nn.Conv1d(4, 6, 3, { groups: 2 }))).toEqual([
      ['weight', [6, 2, 3]],
      ['bias', [6]],
    ]);
    expect(shapes(new nn.Conv3d(2, 3, [1, 2, 3], { bias: false }))).toEqual([['weight', [3, 2, 1, 2, 3]]]);
    expect(shapes(new nn.ConvTranspose2d(4, 6, 3, { groups: 2 }))).toEqual([
      ['weight', [4, 3, 3, 3]],
      ['bias', [6]],
    ]);
    expect(shapes(new nn.ConvTranspose3d(2, 3, [1, 2, 3], { bias: false }))).toEqual([['weight', [2, 3, 1, 2, 3]]]);
  });

  it('begin within 1 / sqrt(fanIn), where the transposed count what a weight has behind its first size', () => {
    const largest = (x: Tensor | null) => (x as Tensor).abs().amax().item();
    const limits: [{ weight: Tensor; bias: Tensor | null }, number][] = [
      [new nn.Conv1d(8, 40, 3), 24],
      [new nn.Conv3d(4, 40, 3), 108],
      [new nn.ConvTranspose2d(8, 40, 3), 360],
    ];
    for (const [{ weight, bias }, fan] of limits) {
      expect(largest(weight)).toBeLessThanOrEqual(1 / Math.sqrt(fan));
      expect(largest(weight)).toBeGreaterThan(0.95 / Math.sqrt(fan));
      expect(largest(bias)).toBeLessThanOrEqual(1 / Math.sqrt(fan));
      expect(largest(bias)).toBeGreaterThan(0.7 / Math.sqrt(fan));
    }
  });

  it('learn through padding and in float64', () => {
    const conv = new nn.Conv2d(1, 2, 3, { padding: 1, paddingMode: 'circular', dtype: 'float64' });
    conv
      .forward(ones([1, 1, 4, 4], { dtype: 'float64' }))
      .sum()
      .backward();
    // Every tap meets each of 16 ones.
    expect(conv.weight.grad?.flatten().toArray()).toEqual(new Array(18).fill(16));
    expect(conv.bias?.grad?.toArray()).toEqual([16, 16]);
  });

  it('print what they were made with', () => {
    expect(`${new nn.Conv1d(1, 2, [3], { padding: 'same' })}`).toBe("Conv1d(1, 2, [3], { padding: 'same' })");
    expect(`${new nn.ConvTranspose2d(1, 2, 3, { stride: 2 })}`).toBe('ConvTranspose2d(1, 2, 3, { stride: 2 })');
    expect(`${new nn.Unfold([2, 3], { stride: 2 })}`).toBe('Unfold([2, 3], { stride: 2 })');
    expect(`${new nn.Fold(4, 2)}`).toBe('Fold(4, 2)');
  });

  it('transposed undoes the shape of a stride, whichever input it came from', () => {
    const down = new nn.Conv2d(3, 5, 3, { stride: 2, padding: 1 });
    const up = new nn.ConvTranspose2d(5, 3, 3, { stride: 2, padding: 1 });
    for (const size of [11, 12]) {
      const x = ones([2, 3, size, size]);
      expect(up.forward(down.forward(x), x.shape).shape).toEqual([2, 3, size, size]);
      expect(up.forward(down.forward(x), [size, size]).shape).toEqual([2, 3, size, size]);
    }
    const y = down.forward(ones([2, 3, 11, 11]));
    expect(flat(up.forward(y))).toEqual(flat(convTranspose2d(y, up.weight, up.bias, { stride: 2, padding: 1 })));
  });
});

describe('Fold and Unfold', () => {
  it('count how many windows see an element', () => {
    // F.fold(F.unfold(torch.ones(1, 1, 3, 3), 2), (3, 3), 2)
    const counts = new nn.Fold(3, 2).forward(new nn.Unfold(2).forward(ones([1, 1, 3, 3])));
    expect(flat(counts)).toEqual([1, 2, 1, 2, 4, 2, 1, 2, 1]);
  });

  it('make convolution a product', () => {
    const conv = begun(new nn.Conv2d(2, 3, [2, 3], { padding: 1, stride: 2, bias: false }));
    const x = ints([2, 2, 4, 5], 5);
    const columns = new nn.Unfold([2, 3], { padding: 1, stride: 2 }).forward(x);
    const y = conv.weight.reshape([3, 12]).matmul(columns);
    expect(flat(y)).toEqual(flat(conv.forward(x)));
  });
});

describe('bad input', () => {
  const up = new nn.ConvTranspose2d(2, 3, 3, { stride: 2 });
  const x = zeros([1, 2, 4, 4]);
  it.each<[string, () => unknown, string]>([
    ['a Conv1d with two kernel sizes', () => new nn.Conv1d(1, 1, [2, 2] as never), 'value'],
    ['a Conv3d with a kernel of 0', () => new nn.Conv3d(1, 1, [1, 0, 1]), 'value'],
    ['an unknown padding mode', () => new nn.Conv2d(1, 1, 1, { paddingMode: 'mirror' as never }), 'value'],
    ["padding 'same' with a stride", () => new nn.Conv1d(1, 1, 3, { padding: 'same', stride: 2 }), 'value'],
    ['groups that do not divide', () => new nn.ConvTranspose1d(4, 6, 3, { groups: 4 }), 'value'],
    ['an output padding for Conv2d', () => new nn.Conv2d(1, 1, 1, { outputPadding: 1 } as never), 'option'],
    ['a transposed padding mode', () => new nn.ConvTranspose2d(1, 1, 1, { paddingMode: 'reflect' as never }), 'value'],
    ['transposed padding as text', () => new nn.ConvTranspose2d(1, 1, 1, { padding: 'same' as never }), 'value'],
    ['half an output padding', () => new nn.ConvTranspose2d(1, 1, 1, { outputPadding: 0.5 }), 'value'],
    ['an output too small', () => up.forward(x, [8, 9]), 'value'],
    ['an output too large', () => up.forward(x, [11, 9]), 'value'],
    ['an output of one size', () => up.forward(x, [9]), 'value'],
    ['an output that is a number', () => up.forward(x, 9 as never), 'value'],
    ['a reflection over the whole input', () => reflect(3).forward(zeros([1, 1, 3, 3])), 'shape'],
    ['a window of 0', () => new nn.Unfold(0), 'value'],
    ['an unknown option of Fold', () => new nn.Fold(2, 2, { strides: 1 } as never), 'option'],
    ['a Fold of three sizes', () => new nn.Fold([1, 2, 3] as never, 2), 'value'],
  ])('%s is an error', (_, call, code) => {
    expect(codeOf(call)).toBe(code);
  });

  function reflect(padding: number) {
    return new nn.Conv2d(1, 1, 1, { padding, paddingMode: 'reflect' });
  }
});

describe('what a convolution is', () => {
  it('can be read from it, a number for each dimension', () => {
    const plain = new nn.Conv2d(2, 4, 3);
    expect([plain.stride, plain.padding, plain.dilation, plain.groups, plain.paddingMode, plain.transposed]).toEqual([
      [1, 1],
      [0, 0],
      [1, 1],
      1,
      'zeros',
      false,
    ]);
    const own = new nn.Conv1d(2, 4, 3, { padding: 'same', dilation: 2, groups: 2, paddingMode: 'circular' });
    expect([own.padding, own.dilation, own.groups, own.paddingMode]).toEqual(['same', [2], 2, 'circular']);
    const up = new nn.ConvTranspose2d(2, 4, 3, { stride: [2, 3], outputPadding: [1, 2], padding: 1 });
    expect([up.stride, up.outputPadding, up.padding, up.transposed]).toEqual([[2, 3], [1, 2], [1, 1], true]);
    expect(`${new nn.Conv2d(2, 4, 3, { bias: false, stride: 2 })}`).toBe('Conv2d(2, 4, 3, { bias: false, stride: 2 })');
    expect([new nn.MaxPool2d(2).stride, new nn.AvgPool2d(3, { stride: [1, 2] }).stride]).toEqual([2, [1, 2]]);
    expect([new nn.BatchNorm1d(2).affine, new nn.InstanceNorm1d(2).trackRunningStats]).toEqual([true, false]);
  });
});
