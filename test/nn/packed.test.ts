// nn.utils.rnn: padding and packing are each other's inverse, with gradients, and refuse what does not fit.
import { arange, nn, randn, type Tensor, tensor, zeros } from 'chainrule';
import { describe, expect, it } from 'vitest';
import { codeOf } from '../thrown.js';

const {
  PackedSequence,
  packPaddedSequence,
  packSequence,
  padPackedSequence,
  padSequence,
  unpackSequence,
  unpadSequence,
} = nn.utils.rnn;

describe('padding and packing', () => {
  const parts = [tensor([1, 2, 3]), tensor([4]), tensor([5, 6])];

  it('pads with any value in both layouts', () => {
    expect(padSequence(parts, { batchFirst: true }).toArray()).toEqual([
      [1, 2, 3],
      [4, 0, 0],
      [5, 6, 0],
    ]);
    expect(padSequence(parts, { paddingValue: -1 }).toArray()).toEqual([
      [1, 4, 5],
      [2, -1, 6],
      [3, -1, -1],
    ]);
    expect(padSequence([zeros([0, 2]), zeros([1, 2])]).shape).toEqual([1, 2, 2]);
  });

  it('packs in the order of PyTorch and remembers the order given', () => {
    const packed = packSequence(parts, { enforceSorted: false });
    expect(packed.data.toArray()).toEqual([1, 5, 4, 2, 6, 3]);
    expect(packed.batchSizes.toArray()).toEqual([3, 2, 1]);
    expect(packed.sortedIndices?.toArray()).toEqual([0, 2, 1]);
    expect(packed.unsortedIndices?.toArray()).toEqual([0, 2, 1]);
    const [padded, lengths] = padPackedSequence(packed, { batchFirst: true, paddingValue: 9, totalLength: 4 });
    expect(lengths.toArray()).toEqual([3, 1, 2]);
    expect(padded.toArray()).toEqual([
      [1, 2, 3, 9],
      [4, 9, 9, 9],
      [5, 6, 9, 9],
    ]);
    expect(unpackSequence(packed).map((x) => x.toArray())).toEqual(parts.map((x) => x.toArray()));
  });

  it('goes there and back in both layouts, with features', () => {
    for (const batchFirst of [false, true]) {
      const x = randn(batchFirst ? [3, 5, 2, 2] : [5, 3, 2, 2]);
      const lengths = [2, 5, 4];
      const packed = packPaddedSequence(x, lengths, { batchFirst, enforceSorted: false });
      const [padded] = padPackedSequence(packed, { batchFirst });
      const pairs = [unpadSequence(x, lengths, { batchFirst }), unpadSequence(padded, lengths, { batchFirst })];
      expect(pairs[1].map((part) => part.toArray())).toEqual(pairs[0].map((part) => part.toArray()));
      expect(padded.square().sum().item()).toBeCloseTo(packed.data.square().sum().item(), 4);
    }
  });

  it('takes lengths as a tensor, and integers as data', () => {
    const packed = packPaddedSequence(
      tensor(
        [
          [1, 2, 3],
          [4, 5, 6],
        ],
        { dtype: 'int32' },
      ),
      tensor([3, 2], { dtype: 'int32' }),
      { batchFirst: true },
    );
    expect(packed.data.dtype).toBe('int32');
    expect(packed.data.toArray()).toEqual([1, 4, 2, 5, 3]);
    expect(packed.sortedIndices).toBe(null);
  });

  it('hands gradients to what is inside the lengths only', () => {
    const x = tensor(arange(6).to('float32').reshape([3, 2]), { requiresGrad: true });
    const [padded] = padPackedSequence(packPaddedSequence(x, [3, 1]));
    padded.square().sum().backward();
    expect((x.grad as Tensor).toArray()).toEqual([
      [0, 2],
      [4, 0],
      [8, 0],
    ]);
  });
});

describe('bad input', () => {
  const x = zeros([3, 2]);
  it.each<[string, () => unknown, string]>([
    ['lengths that rise', () => packPaddedSequence(x, [1, 3]), 'value'],
    ['sequences that rise', () => packSequence([zeros([1]), zeros([2])]), 'value'],
    ['a sequence without elements', () => packSequence([zeros([1]), zeros([0])]), 'value'],
    ['a length of 0', () => packPaddedSequence(x, [3, 0]), 'value'],
    ['half a length', () => packPaddedSequence(x, [3, 0.5]), 'value'],
    ['a length above T', () => packPaddedSequence(x, [4, 1]), 'shape'],
    ['too many lengths', () => packPaddedSequence(x, [3, 2, 1]), 'shape'],
    ['no lengths', () => packPaddedSequence(x, []), 'value'],
    ['floating lengths', () => packPaddedSequence(x, tensor([3, 2])), 'value'],
    ['a vector', () => packPaddedSequence(zeros([3]), [3]), 'shape'],
    ['no tensor', () => packPaddedSequence([[1]] as never, [1]), 'value'],
    ['an unknown option', () => packPaddedSequence(x, [3, 2], { sorted: true } as never), 'option'],
    ['sequences that differ in features', () => padSequence([zeros([2, 1]), zeros([2, 2])]), 'shape'],
    ['no sequences', () => padSequence([]), 'value'],
    [
      'a total length below the longest',
      () => padPackedSequence(packPaddedSequence(x, [3, 2]), { totalLength: 2 }),
      'value',
    ],
    ['a tensor in place of a PackedSequence', () => padPackedSequence(x as never), 'value'],
    ['batch sizes that rise', () => new PackedSequence(zeros([3]), [1, 2]), 'shape'],
    ['batch sizes that miss rows', () => new PackedSequence(zeros([3]), [1, 1]), 'shape'],
    [
      'lengths with a PackedSequence',
      () => new nn.GRU(1, 1).forward(packSequence([zeros([2, 1])]), null, { lengths: [2] }),
      'value',
    ],
  ])('%s', (_, make, code) => {
    expect(codeOf(make)).toBe(code);
  });
});
