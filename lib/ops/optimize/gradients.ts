// What is done with the gradients and values of many parameters together: clipping, joining, parting.
import { binaryInPlace, castRaw, checkTensor, filled, isTensor } from '../../core/dispatch.js';
import { noGrad } from '../../core/mode.js';
import { composite } from '../../core/scope.js';
import { checkBoolean, checkNumber, formatShape } from '../../core/shape.js';
import { checkOptions, describe, TensorError } from '../../errors.js';
import { kernelId } from '../../native.js';
import type { Tensor } from '../../tensor.js';
import { norm } from '../reduce/statistics.js';
import { cat, stack } from '../shape/join.js';
import { gradientOf } from './crossing.js';

const MUL = kernelId('binary', 'mul');
const MAXIMUM = kernelId('binary', 'maximum');
const MINIMUM = kernelId('binary', 'minimum');

/** Options of {@link clipGradNorm} and {@link getTotalNorm}. */
export interface TotalNormOptions {
  /** Which norm: any number, Infinity for the largest element; 2 unless given. */
  normType?: number;
  /** Whether a norm that is NaN or infinite is an error; false unless given. */
  errorIfNonfinite?: boolean;
}

/** One tensor, or many. */
export type Tensors = Tensor | Iterable<Tensor>;

function listOf(op: string, given: Tensors): Tensor[] {
  if (isTensor(given)) return [checkTensor(op, given)];
  if (given === null || typeof given !== 'object' || !(Symbol.iterator in given)) {
    throw new TensorError('value', op, `expected a tensor or a list of tensors, got ${describe(given)}`);
  }
  return Array.from(given, (x) => checkTensor(op, x));
}

function gradientsOf(op: string, params: Tensors): Tensor[] {
  return listOf(op, params)
    .map((p) => gradientOf(op, p))
    .filter((g) => g !== null);
}

function totalNorm(op: string, tensors: readonly Tensor[], options: TotalNormOptions | undefined): Tensor {
  checkOptions(op, options, ['normType', 'errorIfNonfinite']);
  const p = checkNumber(op, 'normType', options?.normType ?? 2);
  const strict = checkBoolean(op, 'errorIfNonfinite', options?.errorIfNonfinite ?? false);
  // Nothing has no largest element, and no other norm but 0 either.
  const full = tensors.filter((x) => x.size > 0);
  if (full.length === 0) return filled(op, [], 'float32', 0);
  const total = noGrad(() =>
    composite(() => {
      const norms = full.map((x) => norm(x, p));
      return p === Infinity && norms.length === 1 ? norms[0] : norm(stack(norms), p);
    }),
  );
  if (strict && !Number.isFinite(total.item())) {
    const value = total.item();
    total.dispose();
    throw new TensorError('value', op, `expected a finite norm of order ${p} with errorIfNonfinite, got ${value}`);
  }
  return total;
}

/**
 * Norm of all tensors together, as if they were one vector: `(sum |x|^p)^(1 / p)` (PyTorch: `nn.utils.get_total_norm`).
 *
 * @returns 0-d, 0 without any element
 * @throws TensorError `dtype` unless they are floating point, `value` for a norm that is not finite with `errorIfNonfinite`
 *
 * @example
 * ```ts
 * import { nn, tensor } from 'chainrule';
 * console.log(nn.utils.getTotalNorm([tensor([3]), tensor([[4]])]).item()); // 5
 * ```
 */
export function getTotalNorm(tensors: Tensors, options?: TotalNormOptions): Tensor {
  const op = 'getTotalNorm';
  return totalNorm(op, listOf(op, tensors), options);
}

/**
 * Scales the gradients of all parameters in place so that their norm together is at most `maxNorm`:
 * `g = g min(1, maxNorm / (norm + 1e-6))` (Pascanu et al. 2013; PyTorch: `nn.utils.clip_grad_norm_`).
 *
 * @param params one parameter or many; those without a gradient count for nothing
 * @returns the norm before, 0-d
 * @throws TensorError `value` for a negative `maxNorm`, and for a norm that is not finite with `errorIfNonfinite`
 *
 * @example
 * ```ts
 * import { nn, tensor } from 'chainrule';
 * const p = new nn.Parameter(tensor([1, 1]));
 * p.mul(tensor([3, 4])).sum().backward();
 * console.log(nn.utils.clipGradNorm([p], 1).item()); // 5
 * console.log(p.grad?.norm().item().toFixed(4)); // 1.0000
 * ```
 */
export function clipGradNorm(params: Tensors, maxNorm: number, options?: TotalNormOptions): Tensor {
  const op = 'clipGradNorm';
  checkNumber(op, 'maxNorm', maxNorm, 0);
  const gradients = gradientsOf(op, params);
  const total = totalNorm(op, gradients, options);
  // As a tensor, so that nothing waits for the value; NaN goes on into every gradient.
  const factor = noGrad(() => composite(() => total.add(1e-6).reciprocal().mul(maxNorm).clamp(null, 1)));
  for (const g of gradients) {
    const own = castRaw(op, factor, g.dtype);
    binaryInPlace(MUL, g, own);
    if (own !== factor) own.dispose();
  }
  factor.dispose();
  return total;
}

/**
 * Limits every element of the gradients in place: `g = min(max(g, -clipValue), clipValue)`; NaN stays (PyTorch:
 * `nn.utils.clip_grad_value_`).
 *
 * @param params one parameter or many; those without a gradient are left alone
 * @throws TensorError `value` for a negative `clipValue`
 *
 * @example
 * ```ts
 * import { nn, tensor } from 'chainrule';
 * const p = new nn.Parameter(tensor([1, 1]));
 * p.mul(tensor([3, -0.25])).sum().backward();
 * nn.utils.clipGradValue([p], 0.5);
 * console.log(p.grad?.toArray()); // [0.5, -0.25]
 * ```
 */
export function clipGradValue(params: Tensors, clipValue: number): void {
  const op = 'clipGradValue';
  checkNumber(op, 'clipValue', clipValue, 0);
  for (const g of gradientsOf(op, params)) {
    binaryInPlace(MAXIMUM, g, -clipValue);
    binaryInPlace(MINIMUM, g, clipValue);
  }
}

/**
 * All parameters in one vector, one after another; gradients flow through it (PyTorch: `nn.utils.parameters_to_vector`).
 *
 * @throws TensorError `value` for an empty list
 *
 * @example
 * ```ts
 * import { nn } from 'chainrule';
 * console.log(nn.utils.parametersToVector(new nn.Linear(3, 2).parameters()).shape); // [8]
 * ```
 */
export function parametersToVector(params: Tensors): Tensor {
  const op = 'parametersToVector';
  const list = listOf(op, params);
  if (list.length === 0) throw new TensorError('value', op, 'expected at least one parameter, got an empty list');
  return cat(list.map((p) => p.reshape([p.size])));
}

/**
 * Copies a vector of {@link parametersToVector} back into parameters (PyTorch: `nn.utils.vector_to_parameters`).
 *
 * @throws TensorError `shape` unless it is a vector with as many elements as they have together
 *
 * @example
 * ```ts
 * import { nn, ones } from 'chainrule';
 * const model = new nn.Linear(3, 2);
 * nn.utils.vectorToParameters(ones([8]), model.parameters());
 * console.log(model.weight.toArray()); // [[1, 1, 1], [1, 1, 1]]
 * ```
 */
export function vectorToParameters(vector: Tensor, params: Tensors): void {
  const op = 'vectorToParameters';
  checkTensor(op, vector);
  const list = listOf(op, params);
  const total = list.reduce((sum, p) => sum + p.size, 0);
  if (vector.ndim !== 1 || vector.size !== total) {
    throw new TensorError('shape', op, `expected a vector of ${total} elements, got ${formatShape(vector.shape)}`);
  }
  noGrad(() => {
    let start = 0;
    for (const p of list) {
      const part = vector.narrow(0, start, p.size);
      const shaped = part.reshape(p.shape);
      p.assign(shaped);
      shaped.dispose();
      part.dispose();
      start += p.size;
    }
  });
}
