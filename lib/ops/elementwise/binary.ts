// Sums, products, powers and extremes of two operands, which broadcast. Every export is also a method of Tensor.
import { binary, binaryOp, checkTensor } from '../../core/dispatch.js';
import { composite } from '../../core/scope.js';
import { checkNumber } from '../../core/shape.js';
import { checkOptions } from '../../errors.js';
import type { Tensor } from '../../tensor.js';
import { ge, le } from './compare.js';

const neg = (g: Tensor) => g.neg();
const pass = (g: Tensor) => g;
const asTensor = (x: Tensor | number) => x as Tensor;

const ADD = binaryOp('add', pass, pass, { saves: false });
/**
 * Sum: `y = a + alpha b`, `da = g`, `db = alpha g`. Shapes broadcast, dtypes promote (PyTorch: `torch.add`).
 *
 * @param options `alpha`, 1 unless given
 * @throws TensorError `shape` where the shapes do not broadcast
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([[1, 2], [3, 4]]).add(tensor([10, 20])).toArray()); // [[11, 22], [13, 24]]
 * ```
 */
export function add(a: Tensor | number, b: Tensor | number, options?: { alpha?: number }): Tensor {
  return options === undefined ? binary(ADD, a, b) : composite(() => binary(ADD, a, scaled('add', b, options)));
}

/** alpha b. */
function scaled(op: string, b: Tensor | number, options: { alpha?: number }): Tensor | number {
  checkOptions(op, options, ['alpha']);
  const alpha = checkNumber(op, 'alpha', options.alpha ?? 1);
  if (alpha === 1) return b;
  return typeof b === 'number' ? b * alpha : checkTensor(op, b, 'a tensor or a number').mul(alpha);
}

const SUB = binaryOp('sub', pass, neg, { saves: false, numeric: true });
/**
 * Difference: `y = a - alpha b`, `da = g`, `db = -alpha g` (PyTorch: `torch.sub`).
 *
 * @param options `alpha`, 1 unless given
 * @throws TensorError `shape` where the shapes do not broadcast, `dtype` for two bool tensors
 *
 * @example
 * ```ts
 * import { sub, tensor } from 'chainrule';
 * console.log(sub(1, tensor([3, 4])).toArray()); // [-2, -3]
 * ```
 */
export function sub(a: Tensor | number, b: Tensor | number, options?: { alpha?: number }): Tensor {
  return options === undefined ? binary(SUB, a, b) : composite(() => binary(SUB, a, scaled('sub', b, options)));
}

const MUL = binaryOp(
  'mul',
  (g, _, b) => g.mul(b),
  (g, a) => g.mul(a),
);
/**
 * Product, element by element: `y = a b`, `da = g b`, `db = g a` (PyTorch: `torch.mul`).
 *
 * @throws TensorError `shape` where the shapes do not broadcast
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([1, 2]).mul(3).toArray()); // [3, 6]
 * ```
 */
export function mul(a: Tensor | number, b: Tensor | number): Tensor {
  return binary(MUL, a, b);
}

const POW = binaryOp(
  'pow',
  (g, a, b) => {
    // x^0 is constant everywhere, also at 0, where b * x^(b-1) would be NaN.
    if (typeof b === 'number') return b === 0 ? g.mul(0) : g.mul(asTensor(a).pow(b - 1)).mul(b);
    const slope = b.mul(binary(POW, a, b.sub(1)));
    return g.mul(b.eq(0).where(0, slope));
  },
  (g, a, b) => {
    const y = binary(POW, a, b);
    // 0^b for b >= 0 does not change with b.
    if (typeof a === 'number') {
      const slope = y.mul(Math.log(a));
      return g.mul(a === 0 ? asTensor(b).ge(0).where(0, slope) : slope);
    }
    const flat = a.eq(0).logicalAnd(typeof b === 'number' ? b >= 0 : b.ge(0));
    return g.mul(flat.where(0, y.mul(a.log())));
  },
  { numeric: true },
);
/**
 * Power: `y = a^b`, `da = g b a^(b-1)`, `db = g y log(a)` (PyTorch: `torch.pow`).
 *
 * @throws TensorError `shape` where the shapes do not broadcast
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([1, 2, 3]).pow(2).toArray()); // [1, 4, 9]
 * ```
 */
export function pow(a: Tensor | number, b: Tensor | number): Tensor {
  return binary(POW, a, b);
}

// Where both are equal each gets half, as in PyTorch.
const larger = (g: Tensor, a: Tensor | number, b: Tensor | number) => share(g, asTensor(a), b, 'gt');
const smaller = (g: Tensor, a: Tensor | number, b: Tensor | number) => share(g, asTensor(a), b, 'lt');
function share(g: Tensor, mine: Tensor, other: Tensor | number, wins: 'gt' | 'lt'): Tensor {
  const won = mine[wins](other).to(g.dtype);
  const tied = mine.eq(other).to(g.dtype);
  return g.mul(won.add(tied.mul(0.5)));
}

const MAXIMUM = binaryOp('maximum', larger, (g, a, b) => larger(g, b, a));
/**
 * The larger of two, NaN where either is; the gradient goes to the larger, half to each at a tie (PyTorch: `torch.maximum`).
 *
 * @throws TensorError `shape` where the shapes do not broadcast
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([1, 5]).maximum(tensor([3, 2])).toArray()); // [3, 5]
 * ```
 */
export function maximum(a: Tensor | number, b: Tensor | number): Tensor {
  return binary(MAXIMUM, a, b);
}

const MINIMUM = binaryOp('minimum', smaller, (g, a, b) => smaller(g, b, a));
/**
 * The smaller of two, NaN where either is; the gradient goes to the smaller, half to each at a tie (PyTorch: `torch.minimum`).
 *
 * @throws TensorError `shape` where the shapes do not broadcast
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([1, 5]).minimum(3).toArray()); // [1, 3]
 * ```
 */
export function minimum(a: Tensor | number, b: Tensor | number): Tensor {
  return binary(MINIMUM, a, b);
}

// PyTorch gives the whole gradient to the first operand where both are equal.
const FMAX = binaryOp(
  'fmax',
  (g, a, b) => first(a, b, ge).where(g, 0),
  (g, a, b) => first(a, b, ge).where(0, g),
);
/**
 * The larger of two, the number where the other is NaN; the gradient goes to what was chosen, to a where both are equal
 * (PyTorch: `torch.fmax`).
 *
 * @throws TensorError `shape` where the shapes do not broadcast
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([1, NaN]).fmax(tensor([3, 2])).toArray()); // [3, 2]
 * ```
 */
export function fmax(a: Tensor | number, b: Tensor | number): Tensor {
  return binary(FMAX, a, b);
}

const FMIN = binaryOp(
  'fmin',
  (g, a, b) => first(a, b, le).where(g, 0),
  (g, a, b) => first(a, b, le).where(0, g),
);
/**
 * The smaller of two, the number where the other is NaN; the gradient goes to what was chosen, to a where both are equal
 * (PyTorch: `torch.fmin`).
 *
 * @throws TensorError `shape` where the shapes do not broadcast
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([1, NaN]).fmin(tensor([3, 2])).toArray()); // [1, 2]
 * ```
 */
export function fmin(a: Tensor | number, b: Tensor | number): Tensor {
  return binary(FMIN, a, b);
}

/** Whether a is chosen: it wins or equals, or there is no other number. */
function first(a: Tensor | number, b: Tensor | number, wins: typeof ge): Tensor {
  const won = wins(a, b);
  if (typeof b !== 'number') return won.logicalOr(b.isNan());
  return Number.isNaN(b) ? won.logicalOr(true) : won;
}
