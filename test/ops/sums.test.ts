// Sums of many float32 elements: what plain accumulation would lose is still there.
import { full, type Tensor, tensor } from 'chainrule';
import { describe, expect, it } from 'vitest';

const N = 10_000_000;

/** A pattern over and over, and what it sums to. */
function repeated(pattern: readonly number[]): { x: Tensor; want: number } {
  const data = Float32Array.from({ length: N }, (_, i) => pattern[i % pattern.length]);
  const whole = Math.floor(N / pattern.length);
  const sumOf = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
  return { x: tensor(data), want: whole * sumOf(pattern) + sumOf(pattern.slice(0, N % pattern.length)) };
}

const relative = (y: Tensor, want: number) => Math.abs(y.item() - want) / Math.abs(want);

describe('sums of ten million float32 elements', () => {
  it('counts ones', () => {
    const x = full([N], 1);
    expect(x.sum().item()).toBe(N);
    expect(x.mean().item()).toBe(1);
    expect(
      x
        .reshape([10, N / 10])
        .sum(1)
        .toArray(),
    ).toEqual(new Array(10).fill(N / 10));
    expect(
      x
        .reshape([N / 10, 10])
        .sum(0)
        .toArray(),
    ).toEqual(new Array(10).fill(N / 10));
    expect(x.cumsum(0).at(-1).item()).toBe(N);
  });

  it.each([[[1e8, 1, -1e8, 1]], [[1e8, 1]], [[1, 1e8, 1, 1, -1e8]], [[1e8, 1, 1, 1, 1, 1, 1, 1, 1, -1e8, 0.5]]])(
    'keeps the small ones of %j',
    (pattern) => {
      const { x, want } = repeated(pattern);
      expect(relative(x.sum(), want)).toBeLessThan(1e-6);
      expect(relative(x.mean(), want / N)).toBeLessThan(1e-6);
      expect(relative(x.sum(0), want)).toBeLessThan(1e-6);
      expect(relative(x.reshape([N, 1]).sum(0), want)).toBeLessThan(1e-6);
      expect(relative(x.cumsum(0).at(-1), want)).toBeLessThan(1e-6);
      // Rows of whole patterns, summed along them and, as columns, across.
      const rows = 10;
      const length = pattern.length * 90_000;
      const part = x.narrow(0, 0, rows * length).reshape([rows, length]);
      const perRow = 90_000 * pattern.reduce((a, b) => a + b, 0);
      for (const y of [part.sum(1), part.mean(1).mul(length), part.t().contiguous().sum(0), part.t().sum(0)]) {
        expect(y.shape).toEqual([rows]);
        for (let i = 0; i < rows; i++) expect(relative(y.at(i), perRow)).toBeLessThan(1e-6);
      }
    },
  );
});
