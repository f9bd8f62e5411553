// Products that are added to a tensor: beta input + alpha product. Every export is also a method of Tensor.
import { checkTensor, filled, meet } from '../../core/dispatch.js';
import { isFloat } from '../../core/dtype.js';
import { composite } from '../../core/scope.js';
import { broadcastShapes, checkInteger, checkNumber, formatShape, type Shape, sameShape } from '../../core/shape.js';
import { checkOptions, TensorError } from '../../errors.js';
import type { Tensor } from '../../tensor.js';
import { checkFactors, checkStacks, checkVector } from './check.js';
import { matmul } from './matmul.js';

/** Factors of {@link addmm} and its like; whole numbers for integers. */
export interface AddProductOptions {
  /** Factor of the input, 1 unless given; 0 leaves it out, NaN and all. */
  beta?: number;
  /** Factor of the product, 1 unless given. */
  alpha?: number;
}

/** `beta input + alpha product()`, once it is known that the input stretches to `shape` and not beyond. */
function blend(
  op: string,
  input: Tensor,
  factors: readonly [Tensor, Tensor],
  shape: Shape,
  options: AddProductOptions | undefined,
  product: () => Tensor,
): Tensor {
  checkOptions(op, options, ['beta', 'alpha']);
  checkTensor(op, input, 'an input tensor');
  if (input.ndim > shape.length || !sameShape(broadcastShapes(op, input.shape, shape), shape)) {
    throw new TensorError(
      'shape',
      op,
      `expected an input that stretches to the product's shape ${formatShape(shape)}, got ${formatShape(input.shape)}`,
    );
  }
  const whole = !isFloat(meet(input, factors[0])) && !isFloat(meet(input, factors[1]));
  const check = whole ? checkInteger : checkNumber;
  const beta = check(op, 'beta', options?.beta ?? 1);
  const alpha = check(op, 'alpha', options?.alpha ?? 1);
  return composite(() => {
    const right = alpha === 1 ? product() : product().mul(alpha);
    if (beta === 1) return right.add(input);
    if (beta !== 0) return right.add(input.mul(beta));
    // What is left out has a gradient all the same, of zeros.
    return right.add(filled(op, [], 'bool', 0).where(input, 0));
  });
}

/**
 * Product of two matrices, added to a tensor: `beta input + alpha a b` (PyTorch: `torch.addmm`).
 *
 * @param input broadcasts to [n, m]
 * @param a [n, k]
 * @param b [k, m]
 * @throws TensorError `shape` where shapes do not go together, `value` for factors of integers that are not whole
 *
 * @example
 * ```ts
 * import { addmm, tensor } from 'chainrule';
 * console.log(addmm(tensor([1]), tensor([[1, 2]]), tensor([[3], [4]]), { alpha: 2 }).toArray()); // [[23]]
 * ```
 */
export function addmm(input: Tensor, a: Tensor, b: Tensor, options?: AddProductOptions): Tensor {
  checkFactors('addmm', a, 2, b, 2);
  return blend('addmm', input, [a, b], [a.shape[0], b.shape[1]], options, () => matmul(a, b));
}

/**
 * Matrix times vector, added to a tensor: `beta input + alpha a b` (PyTorch: `torch.addmv`).
 *
 * @param input broadcasts to [n]
 * @param a [n, m]
 * @param b [m]
 * @throws TensorError `shape` where shapes do not go together, `value` for factors of integers that are not whole
 *
 * @example
 * ```ts
 * import { addmv, tensor } from 'chainrule';
 * console.log(addmv(tensor([1, 1]), tensor([[1, 2], [3, 4]]), tensor([1, 1])).toArray()); // [4, 8]
 * ```
 */
export function addmv(input: Tensor, a: Tensor, b: Tensor, options?: AddProductOptions): Tensor {
  checkFactors('addmv', a, 2, b, 1);
  return blend('addmv', input, [a, b], [a.shape[0]], options, () => matmul(a, b));
}

/**
 * All products of the elements of two vectors, added to a tensor: `beta input + alpha a[i] b[j]` (PyTorch: `torch.addr`).
 *
 * @param input broadcasts to [n, m]
 * @param a [n]
 * @param b [m]
 * @throws TensorError `shape` where shapes do not go together, `value` for factors of integers that are not whole
 *
 * @example
 * ```ts
 * import { addr, tensor, zeros } from 'chainrule';
 * console.log(addr(zeros([2, 2]), tensor([1, 2]), tensor([3, 4])).toArray()); // [[3, 4], [6, 8]]
 * ```
 */
export function addr(input: Tensor, a: Tensor, b: Tensor, options?: AddProductOptions): Tensor {
  checkVector('addr', a, 'a first tensor');
  checkVector('addr', b, 'a second tensor');
  return blend('addr', input, [a, b], [a.size, b.size], options, () => a.unsqueeze(1).mul(b));
}

/**
 * Sum of the products of two stacks of matrices, added to a tensor: `beta input + alpha sum_b a[b] b[b]` (PyTorch:
 * `torch.addbmm`).
 *
 * @param input broadcasts to [n, m]
 * @param a [b, n, k]
 * @param b [b, k, m]
 * @throws TensorError `shape` where shapes do not go together, `value` for factors of integers that are not whole
 *
 * @example
 * ```ts
 * import { addbmm, ones, zeros } from 'chainrule';
 * console.log(addbmm(zeros([1]), ones([5, 2, 3]), ones([5, 3, 1])).toArray()); // [[15], [15]]
 * ```
 */
export function addbmm(input: Tensor, a: Tensor, b: Tensor, options?: AddProductOptions): Tensor {
  const op = 'addbmm';
  checkStacks(op, a, b);
  const [count, n, k] = a.shape;
  const m = b.shape[2];
  // The sum over the stack is part of one longer product.
  return blend(op, input, [a, b], [n, m], options, () =>
    matmul(a.transpose(0, 1).reshape([n, count * k]), b.reshape([count * k, m])),
  );
}

/**
 * Products of two stacks of matrices, added to a tensor: `beta input + alpha a b` (PyTorch: `torch.baddbmm`).
 *
 * @param input broadcasts to [b, n, m]
 * @param a [b, n, k]
 * @param b [b, k, m]
 * @throws TensorError `shape` where shapes do not go together, `value` for factors of integers that are not whole
 *
 * @example
 * ```ts
 * import { baddbmm, ones } from 'chainrule';
 * console.log(baddbmm(ones([1]), ones([5, 2, 3]), ones([5, 3, 4]), { beta: 0 }).sum().item()); // 120
 * ```
 */
export function baddbmm(input: Tensor, a: Tensor, b: Tensor, options?: AddProductOptions): Tensor {
  checkStacks('baddbmm', a, b);
  return blend('baddbmm', input, [a, b], [a.shape[0], a.shape[1], b.shape[2]], options, () => matmul(a, b));
}
