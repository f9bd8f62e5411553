// assign(): the one public way to change values in place.
import { arange, noGrad, ones, type Tensor, tensor, zeros } from 'chainrule';
import { describe, expect, it } from 'vitest';
import { codeOf } from '../thrown.js';

const square = () => arange(9).reshape([3, 3]);

describe('assign()', () => {
  it('writes into the same memory, through views too, and returns the tensor', () => {
    const x = zeros([2, 3]);
    const view = x.t();
    expect(x.assign(ones([2, 3]))).toBe(x);
    expect(view.toArray()).toEqual([
      [1, 1],
      [1, 1],
      [1, 1],
    ]);
    view.at(0).assign(tensor([5, 6]));
    expect(x.toArray()).toEqual([
      [5, 1, 1],
      [6, 1, 1],
    ]);
    expect(x.data.byteOffset).toBe(view.storage.bytes.byteOffset + view.storage.byteOffset);
  });

  it('converts the dtype, and broadcasts a view that does', () => {
    const x = zeros([2], { dtype: 'int32' });
    expect(x.assign(tensor([1.7, -1.7])).toArray()).toEqual([1, -1]);
    expect(
      zeros([2, 2])
        .assign(tensor([1, 2]).expand([2, 2]))
        .toArray(),
    ).toEqual([
      [1, 2],
      [1, 2],
    ]);
  });

  it('reads before it writes where both look at the same memory', () => {
    const x = square();
    expect(x.assign(x.t()).toArray()).toEqual([
      [0, 3, 6],
      [1, 4, 7],
      [2, 5, 8],
    ]);
    const wide = arange(40_000).reshape([200, 200]);
    const want = wide.t().clone();
    expect(wide.assign(wide.t()).eq(want).all().item()).toBe(1);
    const y = arange(6);
    y.narrow(0, 1, 5).assign(y.narrow(0, 0, 5));
    expect(y.toArray()).toEqual([0, 0, 1, 2, 3, 4]);
    const big = arange(100_000);
    big.narrow(0, 1, 99_999).assign(big.narrow(0, 0, 99_999));
    expect(big.at(99_999).item()).toBe(99_998);
  });

  it('is for leaves, and leaves graph and gradient alone', () => {
    const w = tensor([1, 2], { requiresGrad: true });
    w.square().sum().backward();
    noGrad(() => w.assign(w.sub(w.grad as Tensor)));
    expect([w.toArray(), w.grad?.toArray(), w.requiresGrad, w.isLeaf]).toEqual([[-1, -2], [2, 4], true, true]);
    expect(codeOf(() => w.exp().assign(ones([2])))).toBe('grad');
  });

  it('checks what it is given', () => {
    const x = zeros([2, 2]);
    expect(codeOf(() => x.assign(ones([2])))).toBe('shape');
    for (const bad of [
      1,
      undefined,
      [
        [1, 2],
        [3, 4],
      ],
    ])
      expect(codeOf(() => x.assign(bad as unknown as Tensor))).toBe('value');
    expect(
      codeOf(() =>
        zeros([1])
          .expand([3])
          .assign(ones([3])),
      ),
    ).toBe('value');
    expect(
      zeros([1])
        .expand([1])
        .assign(ones([1]))
        .item(),
    ).toBe(1);
    const gone = ones([2, 2]);
    gone.dispose();
    expect(codeOf(() => x.assign(gone))).toBe('released');
    expect(codeOf(() => gone.assign(x))).toBe('released');
  });
});
