// Floating point numbers taken apart: sign, mantissa, exponent, neighbours. Every export is also a method of Tensor.
import { binary, binaryOp, cast, checkFloat, checkTensor, meet, unary, unaryOp } from '../../core/dispatch.js';
import { isFloat } from '../../core/dtype.js';
import { noGrad } from '../../core/mode.js';
import { composite, composites } from '../../core/scope.js';
import { TensorError } from '../../errors.js';
import type { Tensor } from '../../tensor.js';
import { copysign } from './arithmetic.js';

/**
 * True where the sign is negative, of -0 and -NaN too (PyTorch: `torch.signbit`).
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([1, -0, -2]).signbit().toArray()); // [false, true, true]
 * ```
 */
export function signbit(x: Tensor): Tensor {
  const { dtype } = checkTensor('signbit', x);
  return noGrad(() => composite(() => (isFloat(dtype) ? copysign(1, x) : x).lt(0)));
}

/** The result of {@link frexp}: `x = mantissa 2^exponent`. */
export interface Parts {
  /** At least 0.5 and below 1 in size; 0, infinities and NaN as they are. */
  mantissa: Tensor;
  /** int32; 0 for infinities and NaN. */
  exponent: Tensor;
}

const EXPONENT = unaryOp('exponent', 'none', null);
const MANTISSA = unaryOp('mantissa', 'x', (g, x) => g.mul(unary(EXPONENT, x).neg().exp2()));
/**
 * Mantissa and exponent: `x = mantissa 2^exponent` with `0.5 <= |mantissa| < 1`; `dx = g 2^-exponent` (PyTorch: `torch.frexp`).
 *
 * @throws TensorError `dtype` unless x is floating point
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * const { mantissa, exponent } = tensor([3, 8]).frexp();
 * console.log(mantissa.toArray(), exponent.toArray()); // [0.75, 0.5] [2, 4]
 * ```
 */
export function frexp(x: Tensor): Parts {
  const op = 'frexp';
  checkFloat(op, checkTensor(op, x));
  const [mantissa, exponent] = composites(() => [
    unary(MANTISSA, x),
    noGrad(() => composite(() => cast(op, unary(EXPONENT, x), 'int32'))),
  ]);
  return { mantissa, exponent };
}

function undifferentiable(): never {
  throw new TensorError(
    'grad',
    'nextafter',
    'expected no gradient to be asked for: it has none; detach() the operands',
  );
}

const NEXTAFTER = binaryOp('nextafter', undifferentiable, undifferentiable, { saves: false });
/**
 * The number next to a in the direction of b; shapes broadcast. It has no gradient (PyTorch: `torch.nextafter`).
 *
 * @throws TensorError `dtype` unless the operands meet in floating point, `shape` where the shapes do not broadcast, `grad` when
 * backward() comes through it
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([1]).nextafter(2).sub(1).item() === 2 ** -23); // true
 * ```
 */
export function nextafter(a: Tensor | number, b: Tensor | number): Tensor {
  const op = 'nextafter';
  for (const x of [a, b]) if (typeof x !== 'number') checkTensor(op, x, 'a tensor or a number');
  if (typeof a !== 'number' || typeof b !== 'number') {
    const dtype = meet(a, b);
    if (!isFloat(dtype)) throw new TensorError('dtype', op, `expected floating point numbers, got ${dtype}`);
  }
  return binary(NEXTAFTER, a, b);
}
