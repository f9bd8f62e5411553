// Joining tensors and choosing between them.
import { cast, checkTensor, copyInto, make, meet, selectRaw } from '../../core/dispatch.js';
import { type DType, promote } from '../../core/dtype.js';
import { composite } from '../../core/scope.js';
import { broadcastShapes, formatShape, normalizeAxis, type Shape, sameShape } from '../../core/shape.js';
import { record } from '../../core/tape.js';
import { describe, TensorError } from '../../errors.js';
import type { Tensor } from '../../tensor.js';
import { stride } from './stride.js';

/** Checks that a value is a list of at least one tensor. */
export function checkList(op: string, tensors: readonly Tensor[]): void {
  if (!Array.isArray(tensors) || tensors.length === 0) {
    throw new TensorError('value', op, `expected an array of at least one tensor, got ${describe(tensors)}`);
  }
  for (const x of tensors) checkTensor(op, x);
}

/**
 * Joins tensors along an existing dimension; dtypes promote (PyTorch: `torch.cat`).
 *
 * @param tensors equal in shape outside the dimension; empty vectors, [0], join anything
 * @throws TensorError `shape` where another size differs
 *
 * @example
 * ```ts
 * import { cat, tensor } from 'chainrule';
 * console.log(cat([tensor([1, 2]), tensor([3])]).toArray()); // [1, 2, 3]
 * ```
 */
export function cat(tensors: readonly Tensor[], axis = 0): Tensor {
  checkList('cat', tensors);
  const solid = tensors.filter((x) => x.ndim !== 1 || x.size > 0);
  const first = solid[0] ?? tensors[0];
  const at = normalizeAxis('cat', axis, first.ndim);
  // Where nothing is left out the list stays what it is: the gradients are those of its tensors.
  const joined = solid.length > 0 && first.ndim !== 1 ? solid : tensors;
  let dtype: DType = first.dtype;
  let n = 0;
  for (const x of joined) {
    if (x.ndim === 0 || x.ndim !== first.ndim || x.shape.some((size, i) => i !== at && size !== first.shape[i])) {
      throw new TensorError(
        'shape',
        'cat',
        `expected shapes that differ in dimension ${at} only, got ${formatShape(first.shape)} and ${formatShape(x.shape)}`,
      );
    }
    n += x.shape[at];
  }
  for (const x of tensors) dtype = promote(dtype, x.dtype);
  const shape = first.shape.toSpliced(at, 1, n);
  const y = make('cat', shape, dtype);
  const starts: number[] = [];
  let start = 0;
  for (const x of joined) {
    starts.push(start);
    const window = stretch(y, at, start, x.shape[at]);
    copyInto(window, x);
    window.dispose();
    start += x.shape[at];
  }
  const lengths = joined.map((x) => x.shape[at]);
  return record('cat', y, joined, [], (g, _, needs) =>
    lengths.map((length, i) => (needs[i] === null ? null : stretch(g, at, starts[i], length))),
  );
}

function stretch(x: Tensor, axis: number, start: number, length: number): Tensor {
  return stride(
    x,
    x.shape.map((n, i) => (i === axis ? { start, step: 1, length } : { start: 0, step: 1, length: n })),
  );
}

/**
 * Joins tensors of one shape along a new dimension (PyTorch: `torch.stack`).
 *
 * @throws TensorError `shape` where the shapes differ
 *
 * @example
 * ```ts
 * import { stack, tensor } from 'chainrule';
 * console.log(stack([tensor([1, 2]), tensor([3, 4])], 1).toArray()); // [[1, 3], [2, 4]]
 * ```
 */
export function stack(tensors: readonly Tensor[], axis = 0): Tensor {
  checkList('stack', tensors);
  const at = normalizeAxis('stack', axis, tensors[0].ndim + 1);
  for (const x of tensors) {
    if (!sameShape(x.shape, tensors[0].shape)) {
      throw new TensorError(
        'shape',
        'stack',
        `expected equal shapes, got ${formatShape(tensors[0].shape)} and ${formatShape(x.shape)}`,
      );
    }
  }
  return composite(() =>
    cat(
      tensors.map((x) => x.unsqueeze(at)),
      at,
    ),
  );
}

/**
 * Chooses element by element: `condition ? a : b`; all three broadcast (PyTorch: `torch.where`).
 *
 * @param condition bool; other dtypes count as true where nonzero
 * @throws TensorError `shape` where the shapes do not broadcast
 *
 * @example
 * ```ts
 * import { tensor, where } from 'chainrule';
 * const x = tensor([1, -2]);
 * console.log(where(x.gt(0), x, 0).toArray()); // [1, 0]
 * ```
 */
export function where(condition: Tensor, a: Tensor | number, b: Tensor | number): Tensor {
  const op = 'where';
  checkTensor(op, condition, 'a condition tensor');
  const c = condition.dtype === 'bool' ? condition : condition.ne(0);
  if (typeof a !== 'number') checkTensor(op, a, 'a tensor or a number');
  if (typeof b !== 'number') checkTensor(op, b, 'a tensor or a number');
  const dtype = meet(a, b);
  const p = typeof a === 'number' ? a : cast(op, a, dtype);
  const q = typeof b === 'number' ? b : cast(op, b, dtype);
  let shape: Shape = c.shape;
  for (const x of [p, q]) if (typeof x !== 'number') shape = broadcastShapes(op, shape, x.shape);
  const y = selectRaw(op, c, p, q, shape, dtype);
  return record(
    op,
    y,
    [typeof p === 'number' ? null : p, typeof q === 'number' ? null : q],
    [c],
    (g, [mask], needs) => [needs[0] === null ? null : where(mask, g, 0), needs[1] === null ? null : where(mask, 0, g)],
  );
}
