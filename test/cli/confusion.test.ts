// The confusion table.
import { describe, expect, it } from 'vitest';
import { accuracyOf, confusionTable, formatConfusion } from '../../lib/train/confusion.js';

describe('confusionTable', () => {
  it('counts by true and predicted class', () => {
    const table = confusionTable([0, 1, 1, 2], [0, 1, 0, 2], 3);
    expect(table).toEqual([
      [1, 0, 0],
      [1, 1, 0],
      [0, 0, 1],
    ]);
    expect(accuracyOf(table)).toBe(0.75);
    expect(accuracyOf([[0]])).toBeNaN(); // as every metric of nothing
  });

  it('refuses other classes and lengths', () => {
    expect(() => confusionTable([0], [3], 3)).toThrow(
      '[confusionTable] expected classes from 0 to 2, got 0 and 3 at place 0',
    );
    expect(() => confusionTable([5], [0], 3)).toThrow('at place 0');
    expect(() => confusionTable([0, 1], [0], 2)).toThrow('as many predictions');
  });

  it('reads as a table', () => {
    expect(
      formatConfusion([
        [1000, 2],
        [0, 7],
      ]),
    ).toBe(
      [
        'true |    0    1  |   found',
        '-----+------------+--------',
        '   0 | 1000    2  |  99.8 %',
        '   1 |    .    7  | 100.0 %',
      ].join('\n'),
    );
    expect(formatConfusion([[0]])).toContain('-');
  });
});
