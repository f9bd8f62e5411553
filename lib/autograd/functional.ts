// Derivatives of functions: jacobian, hessian, and their products with vectors.
import { checkFloat, checkTensor, isTensor } from '../core/dispatch.js';
import { enableGrad } from '../core/mode.js';
import { scope } from '../core/scope.js';
import { checkBoolean, formatShape, sameShape } from '../core/shape.js';
import { ones, zeros, zerosLike } from '../create.js';
import { checkOptions, describe, TensorError } from '../errors.js';
import { stack } from '../ops/shape/join.js';
import { alias } from '../ops/shape/stride.js';
import type { Tensor } from '../tensor.js';
import { grad } from './backward.js';

/** One tensor, or several. */
type Tensors = Tensor | readonly Tensor[];
/** A tensor where `T` is one, an array where it is several. */
type Like<T, Y = Tensor> = T extends readonly unknown[] ? Y[] : Y;
/** A function of one tensor, or of several as its arguments. */
type Differentiable<X, Y extends Tensors> = (...inputs: X extends readonly unknown[] ? Tensor[] : [Tensor]) => Y;

/** Options of {@link jacobian}, {@link hessian}, {@link vjp} and {@link jvp}. */
export interface DerivativeOptions {
  /** Record the computation, so that the result can be differentiated; false unless given. */
  createGraph?: boolean;
}

interface Run {
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
  readonly createGraph: boolean;
  /** Whether one input stands alone, and so on. */
  readonly single: { readonly input: boolean; readonly output: boolean };
}

const listOf = (xs: Tensors): readonly Tensor[] => (isTensor(xs) ? [xs] : xs);

/** Calls the function on inputs that require gradients. */
function run(op: string, fn: unknown, given: Tensors, options: DerivativeOptions | undefined): Run {
  checkOptions(op, options, ['createGraph']);
  const createGraph = checkBoolean(op, 'createGraph', options?.createGraph ?? false);
  if (typeof fn !== 'function') throw new TensorError('value', op, `expected a function, got ${describe(fn)}`);
  if (!isTensor(given) && (!Array.isArray(given) || given.length === 0)) {
    throw new TensorError('value', op, `expected a tensor or an array of tensors, got ${describe(given)}`);
  }
  const inputs = listOf(given).map((x) => {
    checkFloat(op, checkTensor(op, x), 'every input');
    if (createGraph && x.requiresGrad) return alias(x);
    const leaf = x.detach();
    leaf.requiresGrad = true;
    return leaf;
  });
  const result: unknown = fn(...inputs);
  const outputs = isTensor(result) ? [result] : result;
  if (!Array.isArray(outputs) || !outputs.every(isTensor)) {
    throw new TensorError('value', op, `expected the function to return a tensor or several, got ${describe(result)}`);
  }
  return { inputs, outputs, createGraph, single: { input: isTensor(given), output: isTensor(result) } };
}

/** Gradients of outputs that may not depend on anything, zeros then. */
function gradients(
  outputs: readonly Tensor[],
  inputs: readonly Tensor[],
  seeds: readonly Tensor[],
  createGraph: boolean,
): Tensor[] {
  const used = outputs.map((y, i) => ({ y, seed: seeds[i] })).filter(({ y }) => y.requiresGrad);
  if (used.length === 0) return inputs.map((x) => zerosLike(x));
  const found = grad(
    used.map(({ y }) => y),
    inputs,
    { gradOutputs: used.map(({ seed }) => seed), allowUnused: true, createGraph, retainGraph: true },
  );
  return found.map((g, i) => g ?? zerosLike(inputs[i]));
}

/** Vectors shaped as what they multiply; ones for a single number when left out. */
function vectors(op: string, given: Tensors | undefined, shaped: readonly Tensor[], what: string): readonly Tensor[] {
  if (given === undefined) {
    if (shaped.length === 1 && shaped[0].size === 1) return [ones(shaped[0].shape, { dtype: shaped[0].dtype })];
    throw new TensorError('value', op, `expected vectors for ${what} of more than one element, got none`);
  }
  const all = listOf(given);
  if (!Array.isArray(all) || all.length !== shaped.length) {
    throw new TensorError(
      'value',
      op,
      `expected ${shaped.length} vectors, one for each of ${what}, got ${describe(given)}`,
    );
  }
  for (const [i, v] of all.entries()) {
    if (sameShape(checkTensor(op, v, 'a vector as a tensor').shape, shaped[i].shape)) continue;
    throw new TensorError(
      'shape',
      op,
      `expected a vector of shape ${formatShape(shaped[i].shape)}, got ${formatShape(v.shape)}`,
    );
  }
  return all;
}

/** Rows of the identity, shaped as `y`, with one place set. */
function basis(y: Tensor, place: number): Tensor {
  const e = zeros([y.size], { dtype: y.dtype });
  e.typed()[place] = 1;
  return e.reshape(y.shape);
}

/** Blocks [output][input] of shape [...output, ...input]. */
function blocks({ inputs, outputs, createGraph }: Run): Tensor[][] {
  return outputs.map((y) => {
    const rows = Array.from({ length: y.size }, (_, k) => gradients([y], inputs, [basis(y, k)], createGraph));
    return inputs.map((x, i) => {
      const shape = [...y.shape, ...x.shape];
      if (rows.length === 0) return zeros(shape, { dtype: x.dtype });
      return stack(rows.map((row) => row[i])).reshape(shape);
    });
  });
}

/**
 * All first derivatives, a backward pass for each element of the result: `J[i, j] = dy_i / dx_j`, of shape [...y, ...x]
 * (PyTorch: `torch.autograd.functional.jacobian`).
 *
 * @param fn from tensors to a tensor or several
 * @param inputs one tensor, or several as the arguments
 * @returns one tensor for one input and one output; an array over inputs, outputs, or of outputs of inputs otherwise
 * @throws TensorError `value` where the function returns no tensors, `dtype` unless inputs are floating
 *
 * @example
 * ```ts
 * import { jacobian, tensor } from 'chainrule';
 * console.log(jacobian((x) => x.square(), tensor([1, 2])).toArray()); // [[2, 0], [0, 4]]
 * ```
 */
export function jacobian<X extends Tensors, Y extends Tensors>(
  fn: Differentiable<X, Y>,
  inputs: X,
  options?: DerivativeOptions,
): Like<Y, Like<X>> {
  return derive(options, () => {
    const ran = run('jacobian', fn, inputs, options);
    const rows = blocks(ran).map((row) => (ran.single.input ? row[0] : row));
    return (ran.single.output ? rows[0] : rows) as Like<Y, Like<X>>;
  });
}

/** Runs with recording on; what is not part of the result goes back to the pool where nothing refers to it. */
function derive<T>(options: DerivativeOptions | undefined, fn: () => T): T {
  return enableGrad(() => (options?.createGraph ? fn() : scope(fn)));
}

/** The outputs, of which there must be one with one element. */
function checkSingle(op: string, { outputs }: Run): readonly Tensor[] {
  if (outputs.length === 1 && outputs[0].size === 1) return outputs;
  const got = outputs.map((y) => formatShape(y.shape)).join(', ');
  throw new TensorError('shape', op, `expected a function whose result has one element, got ${got}`);
}

/**
 * All second derivatives of a single number: `H[i, j] = d2y / dx_i dx_j`, of shape [...x, ...x] (PyTorch:
 * `torch.autograd.functional.hessian`).
 *
 * @param fn from tensors to a tensor of one element
 * @param inputs one tensor, or several as the arguments
 * @returns one tensor for one input, an array of arrays for several
 * @throws TensorError `shape` where the result has more than one element
 *
 * @example
 * ```ts
 * import { hessian, tensor } from 'chainrule';
 * console.log(hessian((x) => x.pow(3).sum(), tensor([1, 2])).toArray()); // [[6, 0], [0, 12]]
 * ```
 */
export function hessian<X extends Tensors>(
  fn: Differentiable<X, Tensor>,
  inputs: X,
  options?: DerivativeOptions,
): X extends readonly unknown[] ? Tensor[][] : Tensor {
  const op = 'hessian';
  return derive(options, () => {
    const ran = run(op, fn, inputs, options);
    const [y] = checkSingle(op, ran);
    const seed = ones(y.shape, { dtype: y.dtype });
    const first = gradients([y], ran.inputs, [seed], true);
    const rows = blocks({ ...ran, outputs: first });
    return (ran.single.input ? rows[0][0] : rows) as X extends readonly unknown[] ? Tensor[][] : Tensor;
  });
}

/**
 * A vector times the Jacobian, one backward pass: `v^T J` (PyTorch: `torch.autograd.functional.vjp`).
 *
 * @param v shaped as the output, or one for each output; may be left out for a single number
 * @returns the outputs and the product, shaped as the inputs
 * @throws TensorError `shape` for vectors of another shape than the outputs
 *
 * @example
 * ```ts
 * import { tensor, vjp } from 'chainrule';
 * const [y, product] = vjp((x) => x.square(), tensor([1, 2]), tensor([1, 10]));
 * console.log(y.toArray(), product.toArray()); // [1, 4] [2, 40]
 * ```
 */
export function vjp<X extends Tensors, Y extends Tensors>(
  fn: Differentiable<X, Y>,
  inputs: X,
  v?: Tensors,
  options?: DerivativeOptions,
): [outputs: Y, product: Like<X>] {
  const op = 'vjp';
  return derive(options, () => {
    const ran = run(op, fn, inputs, options);
    const found = gradients(ran.outputs, ran.inputs, vectors(op, v, ran.outputs, 'the outputs'), ran.createGraph);
    return finish(ran, found, ran.single.input) as [Y, Like<X>];
  });
}

/** Outputs and a product, each alone or in an array; outputs without their graph unless it was asked for. */
function finish(ran: Run, product: readonly Tensor[], alone: boolean): [Tensors, Tensors] {
  const outputs = ran.createGraph ? ran.outputs : ran.outputs.map((y) => y.detach());
  return [ran.single.output ? outputs[0] : outputs, alone ? product[0] : product];
}

/**
 * The Jacobian times a vector: `J v`, by differentiating `u^T J` with respect to `u` (PyTorch:
 * `torch.autograd.functional.jvp`).
 *
 * @param v shaped as the input, or one for each input; may be left out for a single number
 * @returns the outputs and the product, shaped as the outputs
 * @throws TensorError `shape` for vectors of another shape than the inputs
 *
 * @example
 * ```ts
 * import { jvp, tensor } from 'chainrule';
 * const [y, product] = jvp((x) => x.square(), tensor([1, 2]), tensor([1, 10]));
 * console.log(y.toArray(), product.toArray()); // [1, 4] [2, 40]
 * ```
 */
export function jvp<X extends Tensors, Y extends Tensors>(
  fn: Differentiable<X, Y>,
  inputs: X,
  v?: Tensors,
  options?: DerivativeOptions,
): [outputs: Y, product: Like<Y>] {
  const op = 'jvp';
  return derive(options, () => {
    const ran = run(op, fn, inputs, options);
    const along = vectors(op, v, ran.inputs, 'the inputs');
    const seeds = ran.outputs.map((y) => zeros(y.shape, { dtype: y.dtype, requiresGrad: true }));
    const products = gradients(ran.outputs, ran.inputs, seeds, true);
    const found = gradients(products, seeds, along, ran.createGraph);
    return finish(ran, found, ran.single.output) as [Y, Like<Y>];
  });
}

/**
 * The Hessian of a single number times a vector: `H v`, without ever making the Hessian (Pearlmutter 1994; PyTorch:
 * `torch.autograd.functional.hvp`).
 *
 * @param v shaped as the input, or one for each input
 * @returns the output and the product, shaped as the inputs
 * @throws TensorError `shape` where the result has more than one element, or for vectors of another shape than the inputs
 *
 * @example
 * ```ts
 * import { hvp, tensor } from 'chainrule';
 * const [, product] = hvp((x) => x.pow(3).sum(), tensor([1, 2]), tensor([1, 1]));
 * console.log(product.toArray()); // [6, 12]
 * ```
 */
export function hvp<X extends Tensors>(
  fn: Differentiable<X, Tensor>,
  inputs: X,
  v?: Tensors,
  options?: DerivativeOptions,
): [output: Tensor, product: Like<X>] {
  const op = 'hvp';
  return derive(options, () => {
    const ran = run(op, fn, inputs, options);
    const [y] = checkSingle(op, ran);
    const first = gradients([y], ran.inputs, [ones(y.shape, { dtype: y.dtype })], true);
    const found = gradients(first, ran.inputs, vectors(op, v, ran.inputs, 'the inputs'), ran.createGraph);
    return finish(ran, found, ran.single.input) as [Tensor, Like<X>];
  });
}

/**
 * Wraps a function so that it gives its value and the gradients with respect to its arguments (JAX: `jax.value_and_grad`).
 *
 * @param fn from tensors to a tensor of one element
 * @returns a function of the same arguments; `[value, gradients]`, zeros for arguments the value does not depend on
 * @throws TensorError `shape` where the value has more than one element
 *
 * @example
 * ```ts
 * import { tensor, valueAndGrad } from 'chainrule';
 * const [value, [dx, dy]] = valueAndGrad((x, y) => x.mul(y))(tensor(3), tensor(4));
 * console.log(value.item(), dx.item(), dy.item()); // 12 4 3
 * ```
 */
export function valueAndGrad(
  fn: (...inputs: Tensor[]) => Tensor,
): (...inputs: Tensor[]) => [value: Tensor, gradients: Tensor[]] {
  const op = 'valueAndGrad';
  if (typeof fn !== 'function') throw new TensorError('value', op, `expected a function, got ${describe(fn)}`);
  return (...inputs) =>
    derive(undefined, () => {
      const ran = run(op, fn, inputs, undefined);
      const [y] = checkSingle(op, ran);
      const found = gradients([y], ran.inputs, [ones(y.shape, { dtype: y.dtype })], false);
      return [y.detach(), found];
    });
}
