// Trigonometric and hyperbolic functions. Every export is also a method of Tensor.
import { checkTensor, unary, unaryOp } from '../../core/dispatch.js';
import type { Tensor } from '../../tensor.js';
import { tanhBackward } from './backward.js';

const SIN = unaryOp('sin', 'x', (g, x) => g.mul(x.cos()));
/**
 * Sine of an angle in radians; `dx = g cos(x)` (PyTorch: `torch.sin`).
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([0]).sin().item()); // 0
 * ```
 */
export function sin(x: Tensor): Tensor {
  return unary(SIN, x);
}

const COS = unaryOp('cos', 'x', (g, x) => g.mul(x.sin()).neg());
/**
 * Cosine of an angle in radians; `dx = -g sin(x)` (PyTorch: `torch.cos`).
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([0]).cos().item()); // 1
 * ```
 */
export function cos(x: Tensor): Tensor {
  return unary(COS, x);
}

const TAN = unaryOp('tan', 'y', (g, y) => g.mul(y.square().add(1)));
/**
 * Tangent of an angle in radians; `dx = g (1 + y^2)` (PyTorch: `torch.tan`).
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([0]).tan().item()); // 0
 * ```
 */
export function tan(x: Tensor): Tensor {
  return unary(TAN, x);
}

const ASIN = unaryOp('asin', 'x', (g, x) => g.mul(x.square().neg().add(1).rsqrt()));
/**
 * Inverse sine, between -pi/2 and pi/2; NaN outside [-1, 1]. `dx = g / sqrt(1 - x^2)` (PyTorch: `torch.asin`).
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([0]).asin().item()); // 0
 * ```
 */
export function asin(x: Tensor): Tensor {
  return unary(ASIN, x);
}

const ACOS = unaryOp('acos', 'x', (g, x) => g.mul(x.square().neg().add(1).rsqrt()).neg());
/**
 * Inverse cosine, between 0 and pi; NaN outside [-1, 1]. `dx = -g / sqrt(1 - x^2)` (PyTorch: `torch.acos`).
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([1]).acos().item()); // 0
 * ```
 */
export function acos(x: Tensor): Tensor {
  return unary(ACOS, x);
}

const ATAN = unaryOp('atan', 'x', (g, x) => g.div(x.square().add(1)));
/**
 * Inverse tangent, between -pi/2 and pi/2; `dx = g / (1 + x^2)` (PyTorch: `torch.atan`).
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([0]).atan().item()); // 0
 * ```
 */
export function atan(x: Tensor): Tensor {
  return unary(ATAN, x);
}

const SINH = unaryOp('sinh', 'x', (g, x) => g.mul(x.cosh()));
/**
 * Hyperbolic sine: `y = (e^x - e^-x) / 2`, `dx = g cosh(x)` (PyTorch: `torch.sinh`).
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([0]).sinh().item()); // 0
 * ```
 */
export function sinh(x: Tensor): Tensor {
  return unary(SINH, x);
}

const COSH = unaryOp('cosh', 'x', (g, x) => g.mul(x.sinh()));
/**
 * Hyperbolic cosine: `y = (e^x + e^-x) / 2`, `dx = g sinh(x)` (PyTorch: `torch.cosh`).
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([0]).cosh().item()); // 1
 * ```
 */
export function cosh(x: Tensor): Tensor {
  return unary(COSH, x);
}

const TANH = unaryOp('tanh', 'y', (g, y) => tanhBackward(g, y), { backward: 'tanhBackward' });
/**
 * Hyperbolic tangent; `dx = g (1 - y^2)` (PyTorch: `torch.tanh`).
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([0]).tanh().item()); // 0
 * ```
 */
export function tanh(x: Tensor): Tensor {
  return unary(TANH, x);
}

const ASINH = unaryOp('asinh', 'x', (g, x) => g.mul(x.square().add(1).rsqrt()));
/**
 * Inverse hyperbolic sine; `dx = g / sqrt(x^2 + 1)` (PyTorch: `torch.asinh`).
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([0]).asinh().item()); // 0
 * ```
 */
export function asinh(x: Tensor): Tensor {
  return unary(ASINH, x);
}

const ACOSH = unaryOp('acosh', 'x', (g, x) => g.mul(x.square().sub(1).rsqrt()));
/**
 * Inverse hyperbolic cosine; NaN below 1. `dx = g / sqrt(x^2 - 1)` (PyTorch: `torch.acosh`).
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([1]).acosh().item()); // 0
 * ```
 */
export function acosh(x: Tensor): Tensor {
  return unary(ACOSH, x);
}

const ATANH = unaryOp('atanh', 'x', (g, x) => g.div(x.square().neg().add(1)));
/**
 * Inverse hyperbolic tangent; NaN outside [-1, 1]. `dx = g / (1 - x^2)` (PyTorch: `torch.atanh`).
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([0]).atanh().item()); // 0
 * ```
 */
export function atanh(x: Tensor): Tensor {
  return unary(ATANH, x);
}

/**
 * Degrees to radians: `y = x pi / 180` (PyTorch: `torch.deg2rad`).
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([180], { dtype: 'float64' }).deg2rad().item() === Math.PI); // true
 * ```
 */
export function deg2rad(x: Tensor): Tensor {
  return checkTensor('deg2rad', x).mul(Math.PI / 180);
}

/**
 * Radians to degrees: `y = x 180 / pi` (PyTorch: `torch.rad2deg`).
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([Math.PI], { dtype: 'float64' }).rad2deg().item()); // 180
 * ```
 */
export function rad2deg(x: Tensor): Tensor {
  return checkTensor('rad2deg', x).mul(180 / Math.PI);
}
