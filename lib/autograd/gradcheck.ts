// gradcheck and gradgradcheck: analytic gradients against numeric ones, in float64.
import { checkTensor, isTensor } from '../core/dispatch.js';
import { Generator } from '../core/random.js';
import { checkNumber, formatShape } from '../core/shape.js';
import { randn } from '../create.js';
import { checkOptions, describe, TensorError } from '../errors.js';
import type { Tensor } from '../tensor.js';
import { grad } from './backward.js';

/** Options of {@link gradcheck} and {@link gradgradcheck}. */
export interface GradcheckOptions {
  /** Step of the central difference; 1e-6 unless given. */
  eps?: number;
  /** Absolute tolerance; 1e-5 unless given. */
  atol?: number;
  /** Relative tolerance; 1e-3 unless given. */
  rtol?: number;
  /** Return false instead of throwing; false unless given. */
  quiet?: boolean;
}

/**
 * Compares the gradients of a function with central differences `(f(x + e) - f(x - e)) / 2e` of every element of every
 * input that requires a gradient (PyTorch: `torch.autograd.gradcheck`).
 *
 * @param fn from the inputs to a tensor or several; deterministic
 * @param inputs float64 tensors; those with requiresGrad are checked
 * @returns true; throws, or returns false with `quiet`, where a gradient is wrong
 * @throws TensorError `grad` naming the first element that differs, `dtype` unless inputs are float64
 *
 * @example
 * ```ts
 * import { gradcheck, tensor } from 'chainrule';
 * const x = tensor([0.3, -0.7], { dtype: 'float64', requiresGrad: true });
 * console.log(gradcheck((x) => x.tanh(), [x])); // true
 * ```
 */
export function gradcheck(
  fn: (...inputs: Tensor[]) => Tensor | readonly Tensor[],
  inputs: readonly Tensor[],
  options?: GradcheckOptions,
): boolean {
  const op = 'gradcheck';
  checkOptions(op, options, ['eps', 'atol', 'rtol', 'quiet']);
  const eps = checkNumber(op, 'eps', options?.eps ?? 1e-6, 1e-12);
  const atol = checkNumber(op, 'atol', options?.atol ?? 1e-5, 0);
  const rtol = checkNumber(op, 'rtol', options?.rtol ?? 1e-3, 0);
  checkInputs(op, fn, inputs);
  const checked = inputs.filter((x) => x.requiresGrad);
  for (const x of checked) {
    if (x.dtype !== 'float64')
      throw new TensorError(
        'dtype',
        op,
        `expected float64 inputs, got ${x.dtype}: float32 is too coarse for differences`,
      );
  }
  if (checked.length === 0) throw new TensorError('grad', op, 'expected at least one input with requiresGrad');
  const run = () => listOf(fn(...inputs));
  const outputs = run().filter((y) => y.requiresGrad);
  // Nothing to compare would pass unseen: a detach() inside fn, for example.
  if (outputs.length === 0)
    throw new TensorError('grad', op, 'expected at least one output that depends on an input with requiresGrad');
  const generator = new Generator(0);
  // A random combination of the outputs checks all of them in one pass.
  const factors = outputs.map((y) => randn(y.shape, { dtype: 'float64', generator }));
  const found = grad(outputs, checked, { gradOutputs: factors, allowUnused: true });
  const total = () => {
    const values = run();
    let sum = 0;
    let next = 0;
    for (const y of values) if (y.requiresGrad) sum += y.detach().mul(factors[next++]).sum().item();
    return sum;
  };
  for (const [i, x] of checked.entries()) {
    const analytic = found[i]?.contiguous() ?? null;
    const flat = x.detach();
    for (let j = 0; j < x.size; j++) {
      const numeric = difference(flat, j, eps, total);
      const got = analytic === null ? 0 : analytic.read(j);
      if (Math.abs(got - numeric) <= atol + rtol * Math.abs(numeric)) continue;
      if (options?.quiet) return false;
      throw new TensorError(
        'grad',
        op,
        `expected the gradient of input ${inputs.indexOf(x)} ${formatShape(x.shape)} at element ${j} to be ${numeric} (numeric), got ${got} (analytic)`,
      );
    }
  }
  return true;
}

function checkInputs(op: string, fn: unknown, inputs: unknown): void {
  if (typeof fn !== 'function') throw new TensorError('value', op, `expected a function, got ${describe(fn)}`);
  if (!Array.isArray(inputs))
    throw new TensorError('value', op, `expected an array of inputs, got ${describe(inputs)}`);
  for (const x of inputs) checkTensor(op, x, 'a tensor as input');
}

function listOf(value: Tensor | readonly Tensor[]): readonly Tensor[] {
  if (isTensor(value)) return [value];
  if (Array.isArray(value)) return value as readonly Tensor[];
  throw new TensorError(
    'value',
    'gradcheck',
    `expected the function to return a tensor or several, got ${describe(value)}`,
  );
}

/** Central difference in one element; the element is put back as it was. */
function difference(x: Tensor, place: number, eps: number, f: () => number): number {
  const before = x.read(place);
  try {
    x.write(place, before + eps);
    const above = f();
    x.write(place, before - eps);
    return (above - f()) / (2 * eps);
  } finally {
    x.write(place, before);
  }
}

/**
 * {@link gradcheck} of the gradient itself: second derivatives against differences of first ones
 * (PyTorch: `torch.autograd.gradgradcheck`).
 *
 * @throws TensorError `grad` naming the first element that differs
 *
 * @example
 * ```ts
 * import { gradgradcheck, tensor } from 'chainrule';
 * const x = tensor([0.3, -0.7], { dtype: 'float64', requiresGrad: true });
 * console.log(gradgradcheck((x) => x.tanh(), [x])); // true
 * ```
 */
export function gradgradcheck(
  fn: (...inputs: Tensor[]) => Tensor | readonly Tensor[],
  inputs: readonly Tensor[],
  options?: GradcheckOptions,
): boolean {
  checkInputs('gradgradcheck', fn, inputs);
  const generator = new Generator(1);
  const outputs = listOf(fn(...inputs)).filter((y) => y.requiresGrad);
  const seeds = outputs.map((y) => randn(y.shape, { dtype: 'float64', requiresGrad: true, generator }));
  const first = (...all: Tensor[]) => {
    const xs = all.slice(0, inputs.length);
    const ys = listOf(fn(...xs)).filter((y) => y.requiresGrad);
    const wanted = xs.filter((x) => x.requiresGrad);
    const grads = grad(ys, wanted, { gradOutputs: all.slice(inputs.length), createGraph: true, allowUnused: true });
    return grads.filter((g): g is Tensor => g?.requiresGrad ?? false);
  };
  return gradcheck(first, [...inputs, ...seeds], options);
}
