// The confusion table: how often images of one class were taken for another.
import { describe, TensorError } from '../errors.js';

/**
 * Counts predictions by class: row = true class, column = predicted class.
 *
 * @param labels true classes, 0 to classes - 1
 * @param predicted predicted classes, as many
 * @throws TensorError `shape` where the lengths differ, `index` for a class outside 0 to classes - 1
 *
 * @example
 * ```ts
 * import { train } from 'chainrule';
 * console.log(train.confusionTable([0, 1, 1], [0, 1, 0], 2)); // [[1, 0], [1, 1]]
 * ```
 */
export function confusionTable(labels: ArrayLike<number>, predicted: ArrayLike<number>, classes: number): number[][] {
  const op = 'confusionTable';
  if (labels.length !== predicted.length) {
    throw new TensorError(
      'shape',
      op,
      `expected as many predictions as labels, got ${predicted.length} and ${labels.length}`,
    );
  }
  const table = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  for (let i = 0; i < labels.length; i++) {
    const row = table[labels[i]];
    if (row?.[predicted[i]] === undefined) {
      const got = `${describe(labels[i])} and ${describe(predicted[i])}`;
      throw new TensorError('index', op, `expected classes from 0 to ${classes - 1}, got ${got} at place ${i}`);
    }
    row[predicted[i]]++;
  }
  return table;
}

/**
 * Share of the diagonal: 1 where every prediction was right, NaN for an empty table.
 *
 * @example
 * ```ts
 * import { train } from 'chainrule';
 * console.log(train.accuracyOf([[5, 1], [0, 4]])); // 0.9
 * ```
 */
export function accuracyOf(table: readonly (readonly number[])[]): number {
  let [right, all] = [0, 0];
  for (const [i, row] of table.entries()) {
    right += row[i];
    for (const count of row) all += count;
  }
  return right / all;
}

/**
 * The table as text: true classes down, predicted ones across, a dot for zero, and the share found of every class.
 *
 * @example
 * ```ts
 * import { train } from 'chainrule';
 * console.log(train.formatConfusion([[5, 1], [0, 4]]));
 * // true  predicted 0  1    found
 * ```
 */
export function formatConfusion(
  table: readonly (readonly number[])[],
  names: readonly string[] = table.map((_, i) => String(i)),
): string {
  const width =
    Math.max(3, ...table.flat().map((count) => String(count).length), ...names.map((name) => name.length)) + 1;
  const label = Math.max(4, ...names.map((name) => name.length));
  const lines = [`${'true'.padEnd(label)} |${names.map((name) => name.padStart(width)).join('')}  |   found`];
  lines.push(lines[0].replace(/[^|]/g, '-').replaceAll('|', '+'));
  for (const [i, row] of table.entries()) {
    const all = row.reduce((a, b) => a + b, 0);
    const cells = row.map((count) => (count === 0 ? '.' : String(count)).padStart(width)).join('');
    const found = all === 0 ? '-' : `${((100 * row[i]) / all).toFixed(1)} %`;
    lines.push(`${names[i].padStart(label)} |${cells}  | ${found.padStart(7)}`);
  }
  return lines.join('\n');
}
