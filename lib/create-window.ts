// Making windows, with which signals are weighted before a Fourier transform.
import { make } from './core/dispatch.js';
import { isFloat } from './core/dtype.js';
import { composite } from './core/scope.js';
import { checkBoolean, checkInteger, checkNumber, checkShape } from './core/shape.js';
import { type CreateOptions, dtypeOf, finish } from './create-options.js';
import { TensorError } from './errors.js';
import { i0 } from './ops/elementwise/special.js';
import type { Tensor } from './tensor.js';

/** Options of the windows. */
export interface WindowOptions extends CreateOptions {
  /** Whether the window is one period of a periodic signal, or symmetric; true unless given. */
  periodic?: boolean;
}

/** `shape(t)` for t from 0 to 1, which a periodic window does not reach. */
function window(
  op: string,
  length: number,
  options: WindowOptions | undefined,
  more: readonly string[],
  shape: (t: number) => number,
): Tensor {
  const dtype = dtypeOf(op, options, 'float32', ['periodic', ...more]);
  if (!isFloat(dtype)) throw new TensorError('dtype', op, `expected float32 or float64, got ${dtype}`);
  const periodic = checkBoolean(op, 'periodic', options?.periodic ?? true);
  const n = checkInteger(op, 'the length', length, 0, 2 ** 31);
  const y = make(op, checkShape(op, [n]), dtype);
  const out = y.typed();
  const last = periodic ? n : n - 1;
  for (let i = 0; i < n; i++) out[i] = n === 1 ? 1 : shape(i / last);
  return finish(op, y, options);
}

const { cos, PI } = Math;

/**
 * A triangle: `w = 1 - |2 t - 1|`, t from 0 to 1 (PyTorch: `torch.bartlett_window`).
 *
 * @throws TensorError `value` for a negative length, `dtype` unless floating point is asked for
 *
 * @example
 * ```ts
 * import { bartlettWindow } from 'chainrule';
 * console.log(bartlettWindow(4).toArray()); // [0, 0.5, 1, 0.5]
 * ```
 */
export function bartlettWindow(length: number, options?: WindowOptions): Tensor {
  return window('bartlettWindow', length, options, [], (t) => 1 - Math.abs(2 * t - 1));
}

/**
 * One wave of a cosine: `w = (1 - cos(2 pi t)) / 2`, t from 0 to 1 (PyTorch: `torch.hann_window`).
 *
 * @throws TensorError `value` for a negative length, `dtype` unless floating point is asked for
 *
 * @example
 * ```ts
 * import { hannWindow } from 'chainrule';
 * console.log(hannWindow(4).toArray()); // [0, 0.5, 1, 0.5]
 * ```
 */
export function hannWindow(length: number, options?: WindowOptions): Tensor {
  return window('hannWindow', length, options, [], (t) => 0.5 - 0.5 * cos(2 * PI * t));
}

/** Options of {@link hammingWindow}. */
export interface HammingOptions extends WindowOptions {
  /** The constant; 0.54 unless given. */
  alpha?: number;
  /** The height of the wave; 0.46 unless given. */
  beta?: number;
}

/**
 * One wave of a cosine on a constant: `w = alpha - beta cos(2 pi t)`, t from 0 to 1 (PyTorch: `torch.hamming_window`).
 *
 * @throws TensorError `value` for a negative length, `dtype` unless floating point is asked for
 *
 * @example
 * ```ts
 * import { hammingWindow } from 'chainrule';
 * console.log(hammingWindow(4).amax().item()); // 1
 * ```
 */
export function hammingWindow(length: number, options?: HammingOptions): Tensor {
  const alpha = checkNumber('hammingWindow', 'alpha', options?.alpha ?? 0.54);
  const beta = checkNumber('hammingWindow', 'beta', options?.beta ?? 0.46);
  return window('hammingWindow', length, options, ['alpha', 'beta'], (t) => alpha - beta * cos(2 * PI * t));
}

/**
 * Two waves of cosines: `w = 0.42 - 0.5 cos(2 pi t) + 0.08 cos(4 pi t)`, t from 0 to 1 (PyTorch: `torch.blackman_window`).
 *
 * @throws TensorError `value` for a negative length, `dtype` unless floating point is asked for
 *
 * @example
 * ```ts
 * import { blackmanWindow } from 'chainrule';
 * console.log(blackmanWindow(4).amax().item().toFixed(4)); // 1.0000
 * ```
 */
export function blackmanWindow(length: number, options?: WindowOptions): Tensor {
  return window('blackmanWindow', length, options, [], (t) => 0.42 - 0.5 * cos(2 * PI * t) + 0.08 * cos(4 * PI * t));
}

/** Options of {@link kaiserWindow}. */
export interface KaiserOptions extends WindowOptions {
  /** How narrow it is; 12 unless given. */
  beta?: number;
}

/**
 * Kaiser's window: `w = i0(beta sqrt(1 - (2 t - 1)^2)) / i0(beta)`, t from 0 to 1 (PyTorch: `torch.kaiser_window`).
 *
 * @throws TensorError `value` for a negative length, `dtype` unless floating point is asked for
 *
 * @example
 * ```ts
 * import { kaiserWindow } from 'chainrule';
 * console.log(kaiserWindow(4).amax().item()); // 1
 * ```
 */
export function kaiserWindow(length: number, options?: KaiserOptions): Tensor {
  const op = 'kaiserWindow';
  const beta = checkNumber(op, 'beta', options?.beta ?? 12);
  // In double, because i0 grows as fast as the exponential function.
  const places = window(op, length, { ...options, dtype: 'float64', requiresGrad: false }, ['beta'], (t) =>
    Math.sqrt(Math.max(0, 1 - (2 * t - 1) ** 2)),
  );
  const dtype = dtypeOf(op, options, 'float32', ['periodic', 'beta']);
  if (!isFloat(dtype)) throw new TensorError('dtype', op, `expected float32 or float64, got ${dtype}`);
  const y = composite(() => {
    const w = i0(places.mul(beta));
    const top = make(op, [], 'float64');
    top.typed()[0] = beta;
    return w.div(i0(top)).to(dtype);
  });
  places.dispose();
  return finish(op, y, options);
}
