// Another dtype under the same handle, for parameters that optimizers and modules hold on to.
import { castRaw } from '../../core/dispatch.js';
import type { DType } from '../../core/dtype.js';
import { release } from '../../core/storage.js';
import { nodeOf } from '../../core/tape.js';
import type { Tensor } from '../../tensor.js';

/**
 * Converts a leaf and its gradient in place, as PyTorch's `x.data = x.data.to(dtype)` does. Graphs that saved the old values
 * notice it like any other change; those that only lead here bring their gradients, converted.
 */
export function convert(x: Tensor, dtype: DType): void {
  if (x.dtype === dtype) return;
  const { storage, gradient } = x;
  const made = castRaw('to', x, dtype);
  made.storage.refs++;
  made.storage.version = storage.version + 1;
  const hooks = x.node?.hooks ?? null;
  const { strides, offset, isContiguous } = made;
  Object.assign(x, { storage: made.storage, dtype, strides, offset, isContiguous, node: null });
  made.dispose();
  release(storage);
  const node = nodeOf(x);
  if (node !== null) node.hooks = hooks;
  if (gradient === null) return;
  const converted = castRaw('to', gradient, dtype);
  x.gradient = null;
  x.grad = converted;
  converted.hidden = gradient.hidden;
  gradient.attached = false;
  if (gradient.hidden) gradient.dispose();
}
