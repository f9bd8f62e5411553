// What counts as slower than noise between two runs, and the spread that noise is made of.
import { describe, expect, it } from 'vitest';
import { changes } from '../../bench/changes.js';
import { alternate, median, type Result, spread } from '../../bench/harness.js';

const result = (name: string, value: number, rest: Partial<Result> = {}): Result => ({
  name,
  value,
  unit: 'ms',
  ...rest,
});

describe('changes', () => {
  it('names what became slower or faster than noise, worst first', () => {
    const before = [result('a', 1), result('b', 1), result('c', 1), result('d', 1), result('gone', 1)];
    const after = [result('a', 1.05), result('b', 1.5), result('c', 2), result('d', 0.5), result('new', 1)];
    const { slower, faster, missing } = changes(before, after);
    expect(slower.map(({ name, change }) => [name, change])).toEqual([
      ['c', 2],
      ['b', 1.5],
    ]);
    expect(faster.map(({ name }) => name)).toEqual(['d']);
    expect(missing).toEqual(['gone']);
  });

  it('allows the sum of both spreads', () => {
    const before = [result('a', 1, { noise: 0.3 })];
    expect(changes(before, [result('a', 1.45, { noise: 0.2 })]).slower).toEqual([]);
    expect(changes(before, [result('a', 1.45, { noise: 0.1 })]).slower[0].noise).toBeCloseTo(1.4);
  });

  it('compares with the floor of the same run where there is one', () => {
    const before = [result('a', 2, { floor: 1 })];
    expect(changes(before, [result('a', 4, { floor: 2 })]).slower).toEqual([]);
    expect(changes(before, [result('a', 2, { floor: 0.5 })]).slower[0].change).toBe(2);
  });

  it('takes less of a ratio for worse', () => {
    const before = [result('gain', 4, { unit: 'times' })];
    expect(changes(before, [result('gain', 2, { unit: 'times' })]).slower[0].change).toBe(2);
    expect(changes(before, [result('gain', 8, { unit: 'times' })]).faster[0].change).toBe(0.5);
  });
});

describe('medians', () => {
  it('are between neighbours where the count is even, whatever the order', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
    expect(median([7])).toBe(7);
  });

  it('have the distance of the quartiles as their spread', () => {
    expect(spread([1, 2, 3, 4, 5])).toBeCloseTo(2 / 3);
    expect(spread([2, 2, 2])).toBe(0);
  });

  it('come from repetitions that took turns', () => {
    const order: string[] = [];
    const slow = (name: string) => () => {
      if (order.at(-1) !== name) order.push(name);
      const end = performance.now() + 1;
      while (performance.now() < end);
    };
    const times = alternate([slow('a'), slow('b')], 2, 3);
    expect(times.map((t) => t.length >= 3 && t.every((ms) => ms >= 1))).toEqual([true, true]);
    expect(order.join('')).toBe('ab'.repeat(order.length / 2));
    expect(order.length).toBeGreaterThanOrEqual(8);
  });
});
