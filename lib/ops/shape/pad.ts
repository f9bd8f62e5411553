// Borders around a tensor: constant, mirrored, repeated or periodic.
import { checkTensor, copyInto, filled } from '../../core/dispatch.js';
import { composite } from '../../core/scope.js';
import { checkInteger, checkShape, formatShape, type Shape } from '../../core/shape.js';
import { record } from '../../core/tape.js';
import { checkOptions, describe, TensorError } from '../../errors.js';
import type { Tensor } from '../../tensor.js';
import { indexSelect, places } from '../index/index.js';
import { checkHolds } from '../index/scatter.js';
import { type Stretch, stride } from './stride.js';

const MODES = ['constant', 'reflect', 'replicate', 'circular'] as const;
/** What {@link pad} fills borders with. */
export type PadMode = (typeof MODES)[number];

/** Options of {@link pad}. */
export interface PadOptions {
  /**
   * `'constant'` (unless given) fills with `value`; `'reflect'` mirrors at the outermost elements, `'replicate'` repeats
   * them, `'circular'` goes on at the other end.
   */
  mode?: PadMode;
  /** What the constant mode fills with, 0 unless given. */
  value?: number;
}

/** How much to add on both sides of one dimension. */
interface Border {
  readonly axis: number;
  readonly before: number;
  readonly after: number;
}

/**
 * Borders added to dimensions, or cut off them where a number is negative (PyTorch: `torch.nn.functional.pad`).
 *
 * @param padding pairs `[before, after]` in one list, the last dimension first: `[left, right, top, bottom]`
 * @returns each dimension with both numbers added to its size
 * @throws TensorError `value` for an odd list, numbers that are not whole or an unknown mode, `shape` for more pairs than
 * dimensions, a size below 0 or a border that the mode cannot fill: reflect needs borders smaller than the dimension,
 * circular no larger, replicate at least one element; `dtype` for a value that the dtype of `x` cannot hold
 *
 * @example
 * ```ts
 * import { pad, tensor } from 'chainrule';
 * const x = tensor([1, 2, 3]);
 * console.log(pad(x, [1, 2]).toArray()); // [0, 1, 2, 3, 0, 0]
 * console.log(pad(x, [2, 1], { mode: 'reflect' }).toArray()); // [3, 2, 1, 2, 3, 2]
 * ```
 */
export function pad(x: Tensor, padding: readonly number[], options?: PadOptions): Tensor {
  const op = 'pad';
  const { shape } = checkTensor(op, x);
  checkOptions(op, options, ['mode', 'value']);
  const mode = options?.mode ?? 'constant';
  if (!MODES.includes(mode)) {
    throw new TensorError('value', op, `expected mode to be one of ${MODES.join(', ')}, got ${describe(mode)}`);
  }
  const value = options?.value ?? 0;
  checkHolds(op, x, value);
  if (mode !== 'constant' && value !== 0) {
    throw new TensorError('value', op, `expected no value for the mode '${mode}', got ${value}`);
  }
  const borders = bordersOf(op, shape, padding);
  checkShape(
    op,
    shape.map((n, axis) => borders.reduce((size, b) => (b.axis === axis ? size + b.before + b.after : size), n)),
  );
  if (mode === 'constant') return composite(() => surrounded(op, x, borders, value));
  for (const border of borders) checkReach(op, mode, shape, border);
  if (borders.length === 0) return x.clone();
  return composite(() => borders.reduce((y, border) => continued(op, mode, y, border), x));
}

function bordersOf(op: string, shape: Shape, padding: readonly number[]): Border[] {
  if (!Array.isArray(padding) || padding.length % 2 !== 0) {
    throw new TensorError('value', op, `expected pairs [before, after] in one list, got ${describe(padding)}`);
  }
  if (padding.length > 2 * shape.length) {
    throw new TensorError(
      'shape',
      op,
      `expected at most a pair for each dimension of ${formatShape(shape)}, got ${describe(padding)}`,
    );
  }
  for (const n of padding) checkInteger(op, 'each padding', n, -(2 ** 40), 2 ** 40);
  const borders: Border[] = [];
  for (let i = 0; i < padding.length; i += 2) {
    const axis = shape.length - 1 - i / 2;
    const [before, after] = [padding[i], padding[i + 1]];
    if (shape[axis] + Math.min(before, 0) + Math.min(after, 0) < 0) {
      throw new TensorError(
        'shape',
        op,
        `expected to cut at most the ${shape[axis]} elements of dimension ${axis} of ${formatShape(shape)}, got ${before} and ${after}`,
      );
    }
    if (before !== 0 || after !== 0) borders.push({ axis, before, after });
  }
  return borders;
}

function checkReach(op: string, mode: PadMode, shape: Shape, { axis, before, after }: Border): void {
  const n = mode === 'circular' ? shape[axis] + Math.min(before, 0) + Math.min(after, 0) : shape[axis];
  const most = mode === 'reflect' ? n - 1 : mode === 'circular' ? n : n > 0 ? Infinity : 0;
  if (Math.max(before, after) <= most) return;
  throw new TensorError(
    'shape',
    op,
    `expected borders of at most ${Math.max(most, 0)} for dimension ${axis} of ${formatShape(shape)} in the mode '${mode}', got ${before} and ${after}`,
  );
}

/** One value around what is left of `x`: `dx = g` without the borders. */
function surrounded(op: string, x: Tensor, borders: readonly Border[], value: number): Tensor {
  const kept: Stretch[] = x.shape.map((length) => ({ start: 0, step: 1, length }));
  const inside: Stretch[] = [...kept];
  const shape = [...x.shape];
  for (const { axis, before, after } of borders) {
    const n = x.shape[axis];
    const length = n + Math.min(before, 0) + Math.min(after, 0);
    kept[axis] = { start: Math.max(-before, 0), step: 1, length };
    inside[axis] = { start: Math.max(before, 0), step: 1, length };
    shape[axis] = n + before + after;
  }
  const y = filled(op, shape, x.dtype, value);
  const part = stride(x, kept);
  const window = stride(y, inside);
  copyInto(window, part);
  window.dispose();
  return record(op, y, [part], [], (g) => stride(g, inside));
}

/** One dimension continued over its ends by its own elements; a circle closes over those that are left. */
function continued(op: string, mode: PadMode, x: Tensor, { axis, before, after }: Border): Tensor {
  if (mode === 'circular' && (before < 0 || after < 0)) {
    const cut = Math.max(-before, 0);
    const left = x.narrow(axis, cut, x.shape[axis] - cut + Math.min(after, 0));
    return continued(op, mode, left, { axis, before: Math.max(before, 0), after: Math.max(after, 0) });
  }
  const n = x.shape[axis];
  const outside = places(op, n + before + after, -before);
  if (outside.size === 0) return x.narrow(axis, 0, 0);
  const last = n - 1;
  const index =
    mode === 'replicate'
      ? outside.clamp(0, last)
      : mode === 'circular'
        ? outside.remainder(n)
        : // Mirrored at 0, then at the last place.
          outside.abs().mul(-1).add(last).abs().mul(-1).add(last);
  return indexSelect(x, axis, index);
}
