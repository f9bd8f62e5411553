// Checks of values that an operation makes before or after its kernel: at once, and of a captured step at every replay.
import type { TensorError } from '../errors.js';
import { native } from '../native.js';
import type { Tensor } from '../tensor.js';
import { dense, dropCopy, offsetOf } from './dispatch.js';
import { DTYPES } from './dtype.js';
import { checkPlace } from './recording.js';

const G = native.geometry;

/** Throws what `refuse` says of the first element of `read` below `low` or above `high`; NaN is neither. */
export function checkValues(
  op: string,
  x: Tensor,
  low: number,
  high: number,
  refuse: (read: Tensor, place: number) => TensorError,
): void {
  const read = dense(op, x);
  G[0] = DTYPES[x.dtype].code;
  G[1] = x.size;
  G[2] = offsetOf(read);
  G[3] = low;
  G[4] = high;
  try {
    checkPlace(native.firstOutside(read.storage.bytes), read, (place) => refuse(read, place));
  } finally {
    dropCopy(read, x);
  }
}
