// Activations made of pieces: relu and its relatives, hard versions, shrinkage. Every export is also a method of Tensor.
import { checkFloat, checkTensor, unary, unaryOp } from '../../core/dispatch.js';
import { isFloat } from '../../core/dtype.js';
import { fused } from '../../core/fused.js';
import { composite } from '../../core/scope.js';
import { checkNumber, formatShape } from '../../core/shape.js';
import { checkOptions, TensorError } from '../../errors.js';
import type { Tensor } from '../../tensor.js';
import { where } from '../shape/join.js';
import { eluBackward, leakyReluBackward, reluBackward } from './backward.js';

const RELU = unaryOp('relu', 'y', (g, y) => reluBackward(g, y), { float: false, backward: 'reluBackward' });
/**
 * Rectified linear unit: `y = max(x, 0)`; its gradient is 1 above 0 and 0 elsewhere (PyTorch: `torch.relu`).
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([1, -2]).relu().toArray()); // [1, 0]
 * ```
 */
export function relu(x: Tensor): Tensor {
  return unary(RELU, x);
}

/**
 * Rectified linear unit that ends at 6: `y = min(max(x, 0), 6)`; its gradient is 1 between the two and 0 elsewhere (PyTorch:
 * `F.relu6`).
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([-1, 3, 8]).relu6().toArray()); // [0, 3, 6]
 * ```
 */
export function relu6(x: Tensor): Tensor {
  return limit('relu6', x, 0, 6);
}

const LEAKY_RELU = unaryOp('leakyRelu', 'x', (g, x, slope) => leakyReluBackward(g, x, slope));
/**
 * `y = x` above 0, `negativeSlope * x` elsewhere (PyTorch: `F.leaky_relu`).
 *
 * @param options `negativeSlope`, 0.01 unless given
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([1, -2]).leakyRelu({ negativeSlope: 0.5 }).toArray()); // [1, -1]
 * ```
 */
export function leakyRelu(x: Tensor, options?: { negativeSlope?: number }): Tensor {
  checkOptions('leakyRelu', options, ['negativeSlope']);
  return unary(LEAKY_RELU, x, checkNumber('leakyRelu', 'negativeSlope', options?.negativeSlope ?? 0.01));
}

/**
 * Leaky rectified linear unit with a learned slope: `y = x` above 0, `weight * x` elsewhere (He et al. 2015; PyTorch:
 * `F.prelu`).
 *
 * @param x of shape [N, C, ...]
 * @param weight one slope, or [C]
 * @throws TensorError `shape` for another number of slopes
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([1, -2]).prelu(tensor([0.25])).toArray()); // [1, -0.5]
 * ```
 */
export function prelu(x: Tensor, weight: Tensor): Tensor {
  checkFloat('prelu', checkTensor('prelu', x));
  checkFloat('prelu', checkTensor('prelu', weight, 'a weight tensor'), 'the weight');
  const channels = x.ndim > 1 ? x.shape[1] : 1;
  if (weight.ndim > 1 || (weight.size !== 1 && weight.size !== channels)) {
    throw new TensorError(
      'shape',
      'prelu',
      `expected a weight of shape [1] or [${channels}], got ${formatShape(weight.shape)}`,
    );
  }
  return composite(() => {
    const slope = weight.reshape(weight.size === 1 ? [] : [channels, ...x.shape.slice(2).fill(1)]);
    return fused(
      'prelu',
      [x, slope],
      [x, slope],
      () => where(x.gt(0), x, x.mul(slope)),
      (g, [x, slope]) => [where(x.gt(0), g, g.mul(slope)), where(x.gt(0), 0, g.mul(x))],
    );
  });
}

const ELU = unaryOp('elu', 'x', (g, x, alpha) => eluBackward(g, x, alpha));
/**
 * Exponential linear unit: `y = x` above 0, `alpha (e^x - 1)` elsewhere (Clevert et al. 2015; PyTorch: `F.elu`).
 *
 * @param options `alpha`, 1 unless given
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([2, 0]).elu().toArray()); // [2, 0]
 * ```
 */
export function elu(x: Tensor, options?: { alpha?: number }): Tensor {
  checkOptions('elu', options, ['alpha']);
  return unary(ELU, x, checkNumber('elu', 'alpha', options?.alpha ?? 1));
}

/**
 * Exponential linear unit with a continuous derivative: `y = max(x, 0) + alpha (e^(min(x, 0) / alpha) - 1)` (Barron 2017;
 * PyTorch: `F.celu`).
 *
 * @param options `alpha`, 1 unless given, not 0
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([2, 0]).celu().toArray()); // [2, 0]
 * ```
 */
export function celu(x: Tensor, options?: { alpha?: number }): Tensor {
  checkOptions('celu', options, ['alpha']);
  const alpha = checkNumber('celu', 'alpha', options?.alpha ?? 1);
  if (alpha === 0) throw new TensorError('value', 'celu', 'expected alpha to be a number other than 0, got 0');
  checkTensor('celu', x);
  return composite(() => x.relu().add(x.clamp(null, 0).div(alpha).expm1().mul(alpha)));
}

/**
 * Self-normalising exponential linear unit: `y = scale * elu(x, alpha)` with the constants of Klambauer et al. 2017 (PyTorch:
 * `F.selu`).
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([0]).selu().item()); // 0
 * ```
 */
export function selu(x: Tensor): Tensor {
  checkTensor('selu', x);
  return composite(() => unary(ELU, x, 1.6732632423543772).mul(1.0507009873554805));
}

/**
 * `y = x` above the threshold, `value` elsewhere (PyTorch: `F.threshold`).
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([0.5, 2]).threshold(1, -1).toArray()); // [-1, 2]
 * ```
 */
export function threshold(x: Tensor, threshold: number, value: number): Tensor {
  checkTensor('threshold', x);
  checkNumber('threshold', 'threshold', threshold);
  checkNumber('threshold', 'value', value);
  return composite(() => x.le(threshold).where(value, x));
}

// Where PyTorch's clamp passes the gradient on at its bounds, its hardtanh does not.
const HARDTANH = unaryOp('hardtanh', 'x', (g, x, low, high) => x.gt(low).logicalAnd(x.lt(high)).where(g, 0), {
  kernel: 'clamp',
});
/**
 * Limits values: `y = min(max(x, minVal), maxVal)`; its gradient is 1 between the two and 0 elsewhere (PyTorch: `F.hardtanh`).
 *
 * @param options `minVal`, -1 unless given; `maxVal`, 1 unless given
 * @throws TensorError `value` where minVal is above maxVal
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([-2, 0.5, 2]).hardtanh().toArray()); // [-1, 0.5, 1]
 * ```
 */
export function hardtanh(x: Tensor, options?: { minVal?: number; maxVal?: number }): Tensor {
  checkOptions('hardtanh', options, ['minVal', 'maxVal']);
  const low = checkNumber('hardtanh', 'minVal', options?.minVal ?? -1);
  const high = checkNumber('hardtanh', 'maxVal', options?.maxVal ?? 1);
  if (low > high) throw new TensorError('value', 'hardtanh', `expected minVal below maxVal, got ${low} and ${high}`);
  return limit('hardtanh', x, low, high);
}

/** Hardtanh; integers, which have no gradient, stay integers. */
function limit(op: string, x: Tensor, low: number, high: number): Tensor {
  return isFloat(checkTensor(op, x).dtype) ? unary(HARDTANH, x, low, high) : x.clamp(low, high);
}

// PyTorch multiplies by the float32 constant in float64 too, 3e-8 from the true slope; the reference cases have it.
const SIXTH = Math.fround(1 / 6);
/**
 * Logistic function made of straight lines: `y = relu6(x + 3) / 6` (PyTorch: `F.hardsigmoid`).
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([-3, 0, 3]).hardsigmoid().toArray()); // [0, 0.5, 1]
 * ```
 */
export function hardsigmoid(x: Tensor): Tensor {
  checkTensor('hardsigmoid', x);
  return fused(
    'hardsigmoid',
    [x],
    [x],
    () => x.add(3).relu6().div(6),
    (g, [x]) => x.gt(-3).logicalAnd(x.lt(3)).where(g.mul(SIXTH), 0),
  );
}

/**
 * Silu made of straight lines: `y = x relu6(x + 3) / 6` (Howard et al. 2019; PyTorch: `F.hardswish`).
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([0, 3, 8]).hardswish().toArray()); // [0, 3, 8]
 * ```
 */
export function hardswish(x: Tensor): Tensor {
  checkTensor('hardswish', x);
  return composite(() => x.mul(x.add(3).clamp(0, 6)).div(6));
}

/**
 * Pulls values towards 0: `y = x - lambd` above lambd, `x + lambd` below -lambd, 0 elsewhere and for NaN (PyTorch:
 * `F.softshrink`).
 *
 * @param options `lambd`, 0.5 unless given, not negative
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([-2, 0.25, 2]).softshrink().toArray()); // [-1.5, 0, 1.5]
 * ```
 */
export function softshrink(x: Tensor, options?: { lambd?: number }): Tensor {
  checkOptions('softshrink', options, ['lambd']);
  const lambd = checkNumber('softshrink', 'lambd', options?.lambd ?? 0.5, 0);
  checkTensor('softshrink', x);
  return composite(() =>
    x
      .abs()
      .gt(lambd)
      .where(x.sub(x.clamp(-lambd, lambd)), 0),
  );
}

/**
 * Drops small values: `y = x` where `|x| > lambd`, else 0 (PyTorch: `F.hardshrink`).
 *
 * @param options `lambd`, 0.5 unless given
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([-2, 0.25, 2]).hardshrink().toArray()); // [-2, 0, 2]
 * ```
 */
export function hardshrink(x: Tensor, options?: { lambd?: number }): Tensor {
  checkOptions('hardshrink', options, ['lambd']);
  const lambd = checkNumber('hardshrink', 'lambd', options?.lambd ?? 0.5);
  checkTensor('hardshrink', x);
  return composite(() => x.abs().le(lambd).where(0, x));
}
