// Tensors in the shape or dtype of others, and the shape in which several meet.
import { checkTensor } from '../../core/dispatch.js';
import { broadcastShapes as broadcastTwo, checkShape, formatShape, type Shape } from '../../core/shape.js';
import { TensorError } from '../../errors.js';
import type { Tensor } from '../../tensor.js';
import { checkList } from './join.js';
import { expand, reshape, to } from './view.js';

/**
 * The shape in which shapes meet: aligned at the end, a size of 1 stretches (PyTorch: `torch.broadcast_shapes`).
 *
 * @throws TensorError `shape` where the shapes do not broadcast
 *
 * @example
 * ```ts
 * import { broadcastShapes } from 'chainrule';
 * console.log(broadcastShapes([3, 1], [4], [1, 1, 1])); // [1, 3, 4]
 * ```
 */
export function broadcastShapes(...shapes: readonly Shape[]): number[] {
  const op = 'broadcastShapes';
  return [...shapes.map((shape) => checkShape(op, shape) as Shape).reduce((a, b) => broadcastTwo(op, a, b), [])];
}

/**
 * Views of the tensors in the shape in which they meet (PyTorch: `torch.broadcast_tensors`).
 *
 * @throws TensorError `value` without a tensor, `shape` where the shapes do not broadcast
 *
 * @example
 * ```ts
 * import { broadcastTensors, ones } from 'chainrule';
 * console.log(broadcastTensors(ones([3, 1]), ones([4])).map((x) => x.shape)); // [[3, 4], [3, 4]]
 * ```
 */
export function broadcastTensors(...tensors: readonly Tensor[]): Tensor[] {
  const op = 'broadcastTensors';
  checkList(op, tensors);
  const shape = tensors.map((x) => x.shape).reduce((a, b) => broadcastTwo(op, a, b));
  return tensors.map((x) => expand(x, shape));
}

/**
 * A view in which sizes of 1 are stretched to `shape`, which may have more dimensions in front; {@link expand} by another
 * name (PyTorch: `torch.broadcast_to`).
 *
 * @throws TensorError `shape` where the tensor does not stretch to it
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([1, 2]).broadcastTo([2, 2]).toArray()); // [[1, 2], [1, 2]]
 * ```
 */
export function broadcastTo(x: Tensor, shape: Shape): Tensor {
  return expand(x, shape);
}

/**
 * A view stretched to the shape of another tensor (PyTorch: `Tensor.expand_as`).
 *
 * @throws TensorError `shape` where the tensor does not stretch to it
 *
 * @example
 * ```ts
 * import { ones, tensor } from 'chainrule';
 * console.log(tensor([1, 2]).expandAs(ones([2, 2])).toArray()); // [[1, 2], [1, 2]]
 * ```
 */
export function expandAs(x: Tensor, other: Tensor): Tensor {
  return expand(x, checkTensor('expandAs', other).shape);
}

/**
 * The elements in the shape of another tensor (PyTorch: `Tensor.reshape_as`).
 *
 * @throws TensorError `shape` for another number of elements
 *
 * @example
 * ```ts
 * import { ones, tensor } from 'chainrule';
 * console.log(tensor([1, 2, 3, 4]).reshapeAs(ones([2, 2])).toArray()); // [[1, 2], [3, 4]]
 * ```
 */
export function reshapeAs(x: Tensor, other: Tensor): Tensor {
  return reshape(x, checkTensor('reshapeAs', other).shape);
}

/**
 * Another shape on the same memory; unlike reshape never a copy (PyTorch: `Tensor.view`).
 *
 * @param shape sizes, one of which may be -1: what is left
 * @throws TensorError `shape` for another number of elements, or where the elements do not lie so that this shape could read
 * them in place
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([1, 2, 3, 4]).view([2, -1]).toArray()); // [[1, 2], [3, 4]]
 * ```
 */
export function view(x: Tensor, shape: Shape): Tensor {
  const y = reshape(x, shape);
  if (y.storage === x.storage) return y;
  y.dispose();
  throw new TensorError(
    'shape',
    'view',
    `expected elements that ${formatShape(shape)} can read in place, got ${formatShape(x.shape)} with strides ${formatShape(x.strides)}; use reshape()`,
  );
}

/**
 * Another tensor's shape on the same memory; unlike reshapeAs never a copy (PyTorch: `Tensor.view_as`).
 *
 * @throws TensorError `shape` for another number of elements, or where the elements do not lie so
 *
 * @example
 * ```ts
 * import { ones, tensor } from 'chainrule';
 * console.log(tensor([1, 2, 3, 4]).viewAs(ones([2, 2])).shape); // [2, 2]
 * ```
 */
export function viewAs(x: Tensor, other: Tensor): Tensor {
  return view(x, checkTensor('viewAs', other).shape);
}

/**
 * The elements in the dtype of another tensor; the tensor itself where it is the same (PyTorch: `Tensor.type_as`).
 *
 * @example
 * ```ts
 * import { ones, tensor } from 'chainrule';
 * console.log(tensor([1.5, 2]).typeAs(ones([1], { dtype: 'int32' })).toArray()); // [1, 2]
 * ```
 */
export function typeAs(x: Tensor, other: Tensor): Tensor {
  return to(x, checkTensor('typeAs', other).dtype);
}
