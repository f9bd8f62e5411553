// Parameters and buffers that have a name and a dtype, and neither shape nor values before their module sees its first input.
import { inspect } from 'node:util';
import { zeros } from '../create.js';
import { checkOptions, TensorError } from '../errors.js';
import { convert } from '../ops/elementwise/convert.js';
import { Tensor } from '../tensor.js';
import { checkChoice, type ParameterOptions } from './check.js';
import { Parameter } from './parameter.js';

type Floating = NonNullable<ParameterOptions['dtype']>;

function refuse(op: string, kind: string): never {
  const remedy = 'run the module once on an input, or load its state';
  throw new TensorError(
    'value',
    op,
    `expected values, got a ${kind} of a lazy module before its first input; ${remedy}`,
  );
}

/**
 * A parameter of a lazy module before its first input; it becomes a {@link Parameter} then, the same object (PyTorch:
 * `nn.UninitializedParameter`). Its shape is [0] meanwhile.
 *
 * @throws TensorError `value` in every operation on it
 *
 * @example
 * ```ts
 * import { nn, ones } from 'chainrule';
 * const { weight } = new nn.LazyLinear(3);
 * console.log(weight instanceof nn.UninitializedParameter); // true
 * ```
 */
export class UninitializedParameter extends Parameter {
  constructor(options?: { dtype?: Floating; requiresGrad?: boolean }) {
    checkOptions('UninitializedParameter', options, ['dtype', 'requiresGrad']);
    const nothing = nothingOf('UninitializedParameter', options?.dtype);
    super(nothing, { requiresGrad: options?.requiresGrad ?? true });
    nothing.dispose();
    this.dispose();
  }

  override check(op: string): void {
    if (this.released) refuse(op, 'parameter');
  }

  override toString(): string {
    return this.released ? `UninitializedParameter(${this.dtype})` : super.toString();
  }

  override [inspect.custom](): string {
    return this.toString();
  }
}

/**
 * A buffer of a lazy module before its first input; it becomes an ordinary tensor then, the same object (PyTorch:
 * `nn.parameter.UninitializedBuffer`). Its shape is [0] meanwhile.
 *
 * @throws TensorError `value` in every operation on it
 *
 * @example
 * ```ts
 * import { nn, ones } from 'chainrule';
 * const norm = new nn.LazyBatchNorm1d();
 * console.log(norm.runningMean instanceof nn.UninitializedBuffer); // true
 * norm.forward(ones([2, 3]));
 * console.log(norm.runningMean?.shape); // [3]
 * ```
 */
export class UninitializedBuffer extends Tensor {
  constructor(options?: { dtype?: Floating }) {
    checkOptions('UninitializedBuffer', options, ['dtype']);
    const { storage, shape, strides, offset, dtype } = nothingOf('UninitializedBuffer', options?.dtype);
    super(storage, shape, strides, offset, dtype, true, 'buffer');
    this.kept = true;
    this.dispose();
  }

  override check(op: string): void {
    if (this.released) refuse(op, 'buffer');
  }

  override toString(): string {
    return this.released ? `UninitializedBuffer(${this.dtype})` : super.toString();
  }

  override [inspect.custom](): string {
    return this.toString();
  }
}

function nothingOf(op: string, dtype: Floating = 'float32'): Tensor {
  const floating: readonly Floating[] = ['float32', 'float64'];
  return zeros([0], { dtype: checkChoice(op, 'the dtype', dtype, floating) });
}

/** A tensor that waits for the first input of its module. */
export type Uninitialized = UninitializedParameter | UninitializedBuffer;

export function isUninitialized(x: unknown): x is Uninitialized {
  return (x instanceof UninitializedParameter || x instanceof UninitializedBuffer) && x.released;
}

/** Another one like it. */
export function copyUninitialized(x: Uninitialized): Uninitialized {
  const dtype = x.dtype as Floating;
  if (x instanceof UninitializedBuffer) return new UninitializedBuffer({ dtype });
  return new UninitializedParameter({ dtype, requiresGrad: x.requiresGrad });
}

/** Says which dtype it will have. */
export function retype(x: Uninitialized, dtype: Floating): void {
  Object.assign(x, { dtype });
}

/** Gives it the memory of a leaf nobody else needs, in its own dtype, and makes it what others of its kind are. */
export function materialize(x: Uninitialized, from: Tensor): void {
  convert(from, x.dtype);
  const { storage, shape, strides, offset, size, isContiguous } = from;
  storage.refs++;
  Object.assign(x, { storage, shape, strides, offset, size, isContiguous, kept: true, node: null });
  from.dispose();
  Object.setPrototypeOf(x, x instanceof Parameter ? Parameter.prototype : Tensor.prototype);
}
