// Powers and exponentials of square matrices.
import { checkTensor, filled, make } from '../../core/dispatch.js';
import { fused } from '../../core/fused.js';
import { composite } from '../../core/scope.js';
import { checkInteger, formatShape } from '../../core/shape.js';
import { TensorError } from '../../errors.js';
import type { Tensor } from '../../tensor.js';
import { amax } from '../reduce/reduce.js';
import { cat, where } from '../shape/join.js';
import { checkSquare, identity, mT } from './call.js';
import { inv, solve } from './solve.js';

/**
 * Whole powers of square matrices [..., n, n] by repeated squaring: `A^n`, the identity for 0, powers of the inverse for
 * negative ones (PyTorch: `torch.linalg.matrix_power`).
 *
 * @throws TensorError `shape` unless the matrices are square, `value` unless n is a whole number, `singular` where a negative power
 * meets a matrix without an inverse, `dtype` for a negative power of integers
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([[1, 1], [0, 1]]).matrixPower(5).toArray()); // [[1, 5], [0, 1]]
 * ```
 */
export function matrixPower(x: Tensor, n: number): Tensor {
  const op = 'matrixPower';
  const { shape, ndim, dtype } = checkTensor(op, x);
  if (ndim < 2 || shape[ndim - 1] !== shape[ndim - 2]) {
    throw new TensorError('shape', op, `expected square matrices, got ${formatShape(shape)}`);
  }
  checkInteger(op, 'n', n, -(2 ** 31), 2 ** 31);
  if (n === 0) {
    const ones = () =>
      identity(shape[ndim - 1], dtype)
        .expand(shape)
        .clone();
    return fused(op, [x], [], ones, (g) => filled('zeros', shape, g.dtype, 0));
  }
  return composite(() => {
    let square = n < 0 ? inv(x) : x;
    let y: Tensor | null = null;
    for (let rest = Math.abs(n); ; square = square.matmul(square)) {
      if (rest % 2 === 1) y = y === null ? square : y.matmul(square);
      rest = Math.floor(rest / 2);
      if (rest === 0) break;
    }
    const power = y as Tensor;
    return power === x ? x.clone() : power;
  });
}

/** Coefficients of the numerator of the [13/13] Padé approximant of e^x, lowest first (Higham 2005). */
const PADE = [
  64764752532480000, 32382376266240000, 7771770303897600, 1187353796428800, 129060195264000, 10559470521600,
  670442572800, 33522128640, 1323241920, 40840800, 960960, 16380, 182, 1,
] as const;
/** Norm up to which the approximant is exact to float64. */
const THETA = 5.371920351148152;

/** p(a) with the coefficients from `first` on, in even powers: c0 + c2 a^2 + c4 a^4 + ..., given a^2, a^4, a^6. */
function polynomial(first: 0 | 1, one: Tensor, a2: Tensor, a4: Tensor, a6: Tensor): Tensor {
  const c = (i: number) => PADE[first + i] / PADE[0];
  const high = a6
    .mul(c(12))
    .add(a4.mul(c(10)))
    .add(a2.mul(c(8)));
  const low = a6
    .mul(c(6))
    .add(a4.mul(c(4)))
    .add(a2.mul(c(2)))
    .add(one.mul(c(0)));
  return a6.matmul(high).add(low);
}

/** Scaling, [13/13] Padé approximant, squaring; every matrix with a scale of its own. */
function exponential(x: Tensor): Tensor {
  const { batch, n } = checkSquare('matrixExp', x);
  if (x.size === 0) return x.clone();
  const norms = amax(x.abs().sum(-2), -1);
  const values = norms.contiguous().typed();
  const doublings = make('matrixExp', [...batch, 1, 1], 'int32');
  const counts = doublings.typed();
  values.forEach((norm: number, i: number) => {
    // NaN and infinity come out as NaN without any.
    counts[i] = Number.isFinite(norm) && norm > THETA ? Math.ceil(Math.log2(norm / THETA)) : 0;
  });
  let most = 0;
  for (const count of counts) most = Math.max(most, count);
  const scaled = x.mul(doublings.to(x.dtype).neg().exp2());
  const one = identity(n, x.dtype);
  const a2 = scaled.matmul(scaled);
  const a4 = a2.matmul(a2);
  const a6 = a2.matmul(a4);
  const odd = scaled.matmul(polynomial(1, one, a2, a4, a6));
  const even = polynomial(0, one, a2, a4, a6);
  const sound = x.isFinite().all(-1).all(-1).unsqueeze(-1).unsqueeze(-1);
  let y = solve(where(sound, even.sub(odd), one), where(sound, even.add(odd), Number.NaN));
  for (let i = 0; i < most; i++) y = where(doublings.gt(i), y.matmul(y), y);
  return y;
}

/**
 * Exponential of square matrices [..., n, n]: `e^A = I + A + A^2 / 2 + ...` by scaling, Padé approximation and squaring (Higham 2005;
 * PyTorch: `torch.linalg.matrix_exp`). The gradient is a block of the exponential of `[[A^T, g], [0, A^T]]`.
 *
 * @throws TensorError `shape` unless the matrices are square, `dtype` unless they are floating point
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([[0, 1], [0, 0]]).matrixExp().toArray()); // [[1, 1], [0, 1]]
 * ```
 */
export function matrixExp(x: Tensor): Tensor {
  const op = 'matrixExp';
  const { n } = checkSquare(op, x);
  return fused(
    op,
    [x],
    [x],
    // Squaring doubles rounding errors, so float32 is worked out in float64.
    () => exponential(x.to('float64')).to(x.dtype),
    (g, [a]) => {
      const t = mT(a);
      const zero = filled('zeros', a.shape, a.dtype, 0);
      const block = cat([cat([t, g], -1), cat([zero, t], -1)], -2);
      return matrixExp(block).narrow(-2, 0, n).narrow(-1, n, n);
    },
  );
}
