// What all creation functions share: the dtype, requiresGrad and generator options.
import { busy, checkDrawable } from './core/busy.js';
import { checkDType, type DType, isFloat } from './core/dtype.js';
import { defaultGenerator, Generator } from './core/random.js';
import { checkBoolean } from './core/shape.js';
import { checkOptions, describe, TensorError } from './errors.js';
import type { Tensor } from './tensor.js';

/** Options of the creation functions. */
export interface CreateOptions {
  /** Element type; float32 unless given (or unless the data says otherwise). */
  dtype?: DType;
  /** Record operations on the tensor for backward(); floating dtypes only. */
  requiresGrad?: boolean;
}

const KNOWN = ['dtype', 'requiresGrad'];

/** The dtype asked for, once all option names are known to be right. */
export function dtypeOf(
  op: string,
  options: CreateOptions | undefined,
  otherwise: DType,
  more: readonly string[] = [],
): DType {
  if (options === undefined) return otherwise;
  checkOptions(op, options, [...KNOWN, ...more]);
  return options.dtype === undefined ? otherwise : checkDType(op, options.dtype);
}

/** The tensor with requiresGrad set where it was asked for. */
export function finish(op: string, y: Tensor, options: CreateOptions | undefined): Tensor {
  if (options?.requiresGrad === undefined || !checkBoolean(op, 'requiresGrad', options.requiresGrad)) return y;
  if (!isFloat(y.dtype))
    throw new TensorError('dtype', op, `expected a floating dtype for requiresGrad, got ${y.dtype}`);
  y.requiresGrad = true;
  return y;
}

/** The generator asked for, or the default one. */
export function generatorOf(op: string, options: { generator?: Generator } | undefined): Generator {
  const generator = options?.generator ?? defaultGenerator;
  if (generator instanceof Generator) {
    if (busy !== null) checkDrawable(op, generator.state);
    return generator;
  }
  throw new TensorError('value', op, `expected a Generator, got ${describe(generator)}`);
}
