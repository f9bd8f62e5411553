// Rows of a table by their numbers.
import { checkFloat, checkNdim, checkTensor, filled, fillRun, make } from '../../core/dispatch.js';
import { noGrad } from '../../core/mode.js';
import { composite } from '../../core/scope.js';
import { checkBoolean, checkInteger, checkNumber, checkShape } from '../../core/shape.js';
import { record } from '../../core/tape.js';
import { checkOptions } from '../../errors.js';
import { native } from '../../native.js';
import type { Tensor } from '../../tensor.js';
import { normOver } from '../normalize/similarity.js';
import { where } from '../shape/join.js';
import { around, checkIndex, indexAddInto, indexSelect, runIndexed } from './index.js';
import { indexCopy } from './index-write.js';

/** Options of {@link embedding}. */
export interface EmbeddingOptions {
  /** A row whose gradient is 0; a negative number counts from the end. */
  paddingIdx?: number;
  /** Before they are read, rows with a larger norm are scaled down to it, in place. */
  maxNorm?: number;
  /** Exponent of that norm, at least 0, Infinity too; 2 unless given. */
  normType?: number;
  /** Divide the gradient of a row by how often it is read; false unless given. */
  scaleGradByFreq?: boolean;
}

/** The options of a lookup, checked; `padding` is -1 for none. */
export interface Lookup {
  readonly padding: number;
  readonly maxNorm: number;
  readonly normType: number;
  readonly scaled: boolean;
}

/** The table and the options, checked. */
export function checkLookup(op: string, weight: Tensor, options: EmbeddingOptions | undefined): Lookup {
  checkNdim(op, checkFloat(op, checkTensor(op, weight, 'a table'), 'the table'), 2, '[rows, columns]', 'a table');
  const n = weight.shape[0];
  const padding = options?.paddingIdx;
  const row = padding === undefined ? -1 : checkInteger(op, 'paddingIdx', padding, -n, n - 1);
  return {
    padding: padding === undefined || row >= 0 ? row : row + n,
    maxNorm: checkNumber(op, 'maxNorm', options?.maxNorm ?? Infinity),
    normType: checkNumber(op, 'normType', options?.normType ?? 2, 0),
    scaled: checkBoolean(op, 'scaleGradByFreq', options?.scaleGradByFreq ?? false),
  };
}

/** The rows of a table that an index row names, none of them from the end. */
export function rowsOf(op: string, weight: Tensor, index: Tensor, padding: number, scaled: boolean): Tensor {
  const [n, columns] = weight.shape;
  const y = make(op, [index.size, columns], weight.dtype);
  runIndexed(native.indexSelect, op, y, weight, index, around(weight.shape, 0, index.size), false);
  return record(op, y, [weight], [index], (g, [i]) => gradientOfRows(op, g, i, n, padding, scaled));
}

/** The gradient of the table from those of the rows that were read. */
export function gradientOfRows(
  op: string,
  g: Tensor,
  index: Tensor,
  n: number,
  padding: number,
  scaled: boolean,
): Tensor {
  if (!scaled) return tableOf(g, index, n, padding);
  const times = indexAddInto(filled(op, [index.size], g.dtype, 1), [n], 0, index);
  return tableOf(g.div(indexSelect(times, 0, index).unsqueeze(1)), index, n, padding);
}

/** The gradient of {@link rowsOf}: zeros with the rows added where they came from, but for the padding row. */
function tableOf(g: Tensor, index: Tensor, n: number, padding: number): Tensor {
  const op = 'embedding backward';
  const columns = g.shape[1];
  const y = noGrad(() => indexAddInto(g, [n, columns], 0, index));
  if (padding >= 0) fillRun(y, padding * columns, columns, 0);
  return record(op, y, [g], [index], (gg, [i]) => {
    const rows = rowsOf(op, gg, i, -1, false);
    return padding < 0 ? rows : where(i.ne(padding).unsqueeze(1), rows, 0);
  });
}

/** Scales the rows that are read down to a largest norm, in place. */
export function renormalize(op: string, weight: Tensor, index: Tensor, { maxNorm, normType }: Lookup): void {
  if (maxNorm === Infinity || index.size === 0) return;
  const rows = noGrad(() =>
    composite(() => {
      const read = rowsOf(op, weight, index, -1, false);
      const norm = normOver(op, read, normType, 1);
      // PyTorch's 1e-7 keeps the result from lying above the bound by a rounding.
      return read.mul(where(norm.gt(maxNorm), norm.add(1e-7).reciprocal().mul(maxNorm), 1));
    }),
  );
  // Rows read several times are written several times, with the same values.
  const table = weight.detach();
  if (weight.isContiguous) {
    runIndexed(native.indexCopy, op, table, rows, index, around(table.shape, 0, index.size), false);
    table.storage.version++;
  } else {
    const values = indexCopy(table, 0, index, rows);
    table.assign(values);
    values.dispose();
  }
  rows.dispose();
  table.dispose();
}

/**
 * Rows of a table by their numbers: `y[...] = weight[indices[...]]`, `dweight[i] = sum of g where indices == i`
 * (PyTorch: `F.embedding`).
 *
 * @param indices int32 of any shape, from 0 to the number of rows - 1
 * @param weight the table, [rows, columns]
 * @returns [...indices, columns]
 * @throws TensorError `index` for a number outside the table, `shape` unless the table has two dimensions, `dtype` for
 * indices that are not int32 or a table that is not floating point, `value` for a paddingIdx outside the table
 *
 * @example
 * ```ts
 * import { embedding, tensor } from 'chainrule';
 * const table = tensor([[0, 0], [1, 2], [3, 4]]);
 * console.log(embedding(tensor([2, 1], { dtype: 'int32' }), table).toArray()); // [[3, 4], [1, 2]]
 * ```
 */
export function embedding(indices: Tensor, weight: Tensor, options?: EmbeddingOptions): Tensor {
  const op = 'embedding';
  checkOptions(op, options, ['paddingIdx', 'maxNorm', 'normType', 'scaleGradByFreq']);
  const given = checkIndex(op, indices);
  const lookup = checkLookup(op, weight, options);
  const shape = checkShape(op, [...given.shape, weight.shape[1]]);
  return composite(() => {
    const index = given.reshape([given.size]);
    renormalize(op, weight, index, lookup);
    return rowsOf(op, weight, index, lookup.padding, lookup.scaled).reshape(shape);
  });
}
