// Dropout: the one activation that draws random numbers.
import { busy, checkDrawable } from '../../core/busy.js';
import { cast, checkTensor, dense, dropCopy, hidden, make, offsetOf } from '../../core/dispatch.js';
import { DTYPES, floatOf } from '../../core/dtype.js';
import { defaultGenerator, drawnFrom, Generator } from '../../core/random.js';
import { checkBoolean, checkNumber } from '../../core/shape.js';
import { record } from '../../core/tape.js';
import { checkOptions, describe, TensorError } from '../../errors.js';
import { native } from '../../native.js';
import type { Tensor } from '../../tensor.js';
import { alias } from '../shape/stride.js';

const G = native.geometry;

function geometry(y: Tensor, mask: Tensor, x: Tensor, p: number): void {
  G[0] = DTYPES[y.dtype].code;
  G[1] = y.size;
  G[2] = offsetOf(y);
  G[3] = offsetOf(mask);
  G[4] = offsetOf(x);
  G[5] = p;
}

/** Options of {@link dropout}. */
export interface DropoutOptions {
  /** Probability of an element to be zeroed; 0.5 unless given. */
  p?: number;
  /** Without it the input passes unchanged; true unless given. */
  training?: boolean;
  /** Where the random numbers come from; the default generator unless given. */
  generator?: Generator;
}

/**
 * Zeroes elements with probability p and scales the others by `1 / (1 - p)` (Srivastava et al. 2014; PyTorch: `F.dropout`).
 *
 * @throws TensorError `value` for p outside 0..1
 *
 * @example
 * ```ts
 * import { dropout, ones } from 'chainrule';
 * console.log(dropout(ones([4]), { training: false }).toArray()); // [1, 1, 1, 1]
 * ```
 */
export function dropout(x: Tensor, options?: DropoutOptions): Tensor {
  const op = 'dropout';
  checkOptions(op, options, ['p', 'training', 'generator']);
  const p = checkNumber(op, 'p', options?.p ?? 0.5, 0, 1);
  const training = checkBoolean(op, 'training', options?.training ?? true);
  const input = cast(op, checkTensor(op, x), floatOf(x.dtype));
  if (!training || p === 0) return alias(input);
  if (p === 1) return input.mul(0);
  const generator = options?.generator ?? defaultGenerator;
  if (!(generator instanceof Generator)) {
    throw new TensorError('value', op, `expected a Generator, got ${describe(generator)}`);
  }
  if (busy !== null) checkDrawable(op, generator.state);
  const y = make(op, x.shape, input.dtype);
  const mask = hidden(make(op, x.shape, 'uint8'));
  const source = dense(op, input);
  geometry(y, mask, source, p);
  native.dropout(y.storage.bytes, mask.storage.bytes, source.storage.bytes, drawnFrom(generator).state);
  dropCopy(source, input);
  return record(op, y, [input], [mask], (g, [m]) => backward(g, m, p));
}

function backward(g: Tensor, mask: Tensor, p: number): Tensor {
  const dx = make('dropout backward', g.shape, g.dtype);
  const dy = dense('dropout', g);
  geometry(dx, mask, dy, p);
  native.dropoutBackward(dx.storage.bytes, mask.storage.bytes, dy.storage.bytes);
  // The first backward pass gives the mask back; a graph through the gradient keeps one of its own.
  return record('dropout backward', dx, [g], [mask.detach()], (gg, [m]) => backward(gg, m, p));
}
