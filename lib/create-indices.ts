// Making the places of triangles of matrices.
import { make } from './core/dispatch.js';
import { checkInteger, checkShape } from './core/shape.js';
import type { Tensor } from './tensor.js';

/** Rows and columns of a triangle, row by row; `first` and `last` bound the columns of each row. */
function triangle(
  op: string,
  rows: number,
  columns: number,
  offset: number,
  bounds: (row: number) => readonly [first: number, end: number],
): Tensor {
  checkInteger(op, 'rows', rows, 0, 2 ** 26);
  checkInteger(op, 'columns', columns, 0, 2 ** 26);
  checkInteger(op, 'offset', offset, -(2 ** 31), 2 ** 31);
  const inside = (row: number): [number, number] => {
    const [first, end] = bounds(row);
    return [Math.min(Math.max(first, 0), columns), Math.min(Math.max(end, 0), columns)];
  };
  checkShape(op, [2, rows * columns]);
  let count = 0;
  for (let row = 0; row < rows; row++) {
    const [first, end] = inside(row);
    count += end - first;
  }
  const y = make(op, [2, count], 'int32');
  const out = y.typed();
  let next = 0;
  for (let row = 0; row < rows; row++) {
    const [first, end] = inside(row);
    for (let column = first; column < end; column++, next++) {
      out[next] = row;
      out[count + next] = column;
    }
  }
  return y;
}

/**
 * The places of the lower triangle of a matrix, row by row, int32: rows above columns (PyTorch: `torch.tril_indices`).
 *
 * @param offset columns to the right of the diagonal that belong to it too; negative ones take away
 * @returns [2, count]
 * @throws TensorError `value` for negative sizes, or ones above 2^26
 *
 * @example
 * ```ts
 * import { trilIndices } from 'chainrule';
 * console.log(trilIndices(2, 2).toArray()); // [[0, 1, 1], [0, 0, 1]]
 * ```
 */
export function trilIndices(rows: number, columns: number, offset = 0): Tensor {
  return triangle('trilIndices', rows, columns, offset, (row) => [0, row + offset + 1]);
}

/**
 * The places of the upper triangle of a matrix, row by row, int32: rows above columns (PyTorch: `torch.triu_indices`).
 *
 * @param offset columns to the right of the diagonal with which it begins
 * @returns [2, count]
 * @throws TensorError `value` for negative sizes, or ones above 2^26
 *
 * @example
 * ```ts
 * import { triuIndices } from 'chainrule';
 * console.log(triuIndices(2, 2).toArray()); // [[0, 0, 1], [0, 1, 1]]
 * ```
 */
export function triuIndices(rows: number, columns: number, offset = 0): Tensor {
  return triangle('triuIndices', rows, columns, offset, (row) => [row + offset, columns]);
}
