// Tensors as text: what a reader of a log or a REPL sees. The layout of the values is PyTorch's.
import { inspect } from 'node:util';
import { arange, full, linspace, ones, type Tensor, tensor, zeros } from 'chainrule';
import { describe, expect, it, vi } from 'vitest';

const text = (x: Tensor) => x.toString();
const values = (x: Tensor) => text(x).slice('tensor('.length, text(x).lastIndexOf(', shape'));

describe('values', () => {
  it.each<[string, Tensor]>([
    ['3.', tensor(3)],
    ['3.1416', tensor(3.14158)],
    ['-0.', tensor(-0)],
    ['true', tensor(true)],
    ['5', tensor(5, { dtype: 'int32' })],
    ['nan', tensor(Number.NaN)],
    ['1.0000e-05', tensor(1e-5)],
    ['1.2346e+08', tensor(123456789)],
    ['[1., 2., 3.]', tensor([1, 2, 3])],
    ['[   1.5000,    2.2500, 1000.0000]', tensor([1.5, 2.25, 1000])],
    ['[1.0000e-01, 1.0000e-07]', tensor([0.1, 1e-7])],
    ['[1.0000e+10, 1.0000e+00]', tensor([1e10, 1])],
    ['[1.2346e+05, 1.0000e-03]', tensor([123456.789, 0.001])],
    ['[1.0000e-300,  1.0000e+00]', tensor([1e-300, 1], { dtype: 'float64' })],
    ['[    nan,     inf, -1.5000]', tensor([Number.NaN, Number.POSITIVE_INFINITY, -1.5])],
    ['[ nan,  inf, -inf]', tensor([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])],
    ['[0., 0.]', zeros([2])],
    ['[255,   0]', tensor([255, 0], { dtype: 'uint8' })],
    ['[[ true, false]]', tensor([[true, false]])],
    ['[]', zeros([0])],
    ['[]', zeros([2, 0, 3])],
    ['[[[[7.]]]]', full([1, 1, 1, 1], 7)],
  ])('%s', (want, x) => expect(values(x)).toBe(want));
});

describe('layout', () => {
  it('lines up matrices and separates blocks, also of views', () => {
    expect(
      text(
        tensor(
          [
            [1, 2],
            [3, 40],
          ],
          { dtype: 'int32' },
        ).t(),
      ),
    ).toBe('tensor([[ 1,  3],\n        [ 2, 40]], shape [2, 2], int32, from permute)');
    expect(text(arange(8).reshape([2, 2, 2]))).toBe(
      'tensor([[[0., 1.],\n         [2., 3.]],\n\n        [[4., 5.],\n         [6., 7.]]], shape [2, 2, 2], float32, from reshape)',
    );
    expect(text(ones([2, 2, 1, 1])).split('\n\n\n')).toHaveLength(2);
  });

  it('breaks long rows within 80 columns', () => {
    const lines = text(linspace(0, 1, 200).reshape([2, 100])).split('\n');
    expect(lines.length).toBeGreaterThan(20);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(80);
    expect(lines[1]).toMatch(/^ {9}0\./);
  });

  it('summarises what is large, in every dimension, and quickly', () => {
    expect(text(arange(1001))).toBe(
      'tensor([   0.,    1.,    2.,  ...,  998.,  999., 1000.],\n       shape [1001], float32, from arange)',
    );
    expect(text(arange(1000))).not.toContain('...');
    const rows = text(zeros([40, 40])).split('\n');
    expect(rows).toHaveLength(7);
    expect(rows[0]).toBe('tensor([[0., 0., 0.,  ..., 0., 0., 0.],');
    expect(rows[3]).toBe('        ...,');
    expect(text(ones([1000, 1000]).gt(0)).length).toBeLessThan(500);
    expect(text(ones([5, 1, 500])).split('...')).toHaveLength(6);
    expect(text(zeros([7, 7, 7, 7])).length).toBeLessThan(20_000);
  });
});

describe('notes', () => {
  it('tell shape, dtype, the op, and whether it requires gradients', () => {
    const x = tensor([1, 2], { requiresGrad: true });
    expect(text(x)).toBe('tensor([1., 2.], shape [2], float32, requiresGrad)');
    expect(text(x.mul(2))).toBe('tensor([2., 4.], shape [2], float32, from mul, requiresGrad)');
    expect(text(tensor(true))).toBe('tensor(true, shape [], bool)');
  });

  it('say so when the memory is gone, instead of failing', () => {
    const x = ones([2]);
    x.dispose();
    expect(text(x)).toBe('tensor(released, shape [2], float32, from ones)');
    expect(inspect(x)).toBe(text(x));
  });
});

describe('ways to see it', () => {
  it('are the same for inspect, console.log, print() and templates', () => {
    const x = tensor([
      [1, 2],
      [3, 4],
    ]);
    const log = vi.spyOn(console, 'log').mockImplementation(() => {});
    x.print();
    const printed = log.mock.calls;
    log.mockRestore();
    expect(printed).toEqual([[text(x)]]);
    expect(inspect(x)).toBe(text(x));
    expect(`${x}`).toBe(text(x));
  });

  it('fit into objects around them', () => {
    expect(
      inspect({
        a: tensor([
          [1, 2],
          [3, 4],
        ]),
      }),
    ).toBe('{\n  a: tensor([[1., 2.],\n          [3., 4.]], shape [2, 2], float32)\n}');
    expect(inspect({ a: { b: { c: tensor([1, 2]) } } }, { depth: 1, compact: true })).not.toContain('storage');
    expect(inspect({ a: tensor([1, 2]) }, { depth: -1 })).not.toContain('storage');
    expect(inspect([tensor([1, 2])], { depth: 0 })).toBe('[ [Tensor [2] float32] ]');
  });
});
