// The one error class of the package: every mistake a user can make arrives as a TensorError.

/** What kind of mistake a {@link TensorError} reports; programs branch on it, people read the message. */
export type ErrorCode =
  /** Sizes that do not go together, or a wrong number of dimensions. */
  | 'shape'
  /** An element type the operation does not take. */
  | 'dtype'
  /** A dimension number outside the tensor, or named twice. */
  | 'axis'
  /** An index outside its dimension, or not an integer. */
  | 'index'
  /** An argument whose type or value is not allowed. */
  | 'value'
  /** An option name the function does not know. */
  | 'option'
  /** A tensor used after its memory was given back. */
  | 'released'
  /** Differentiation asked for where there is nothing to differentiate. */
  | 'grad'
  /** A matrix that has no inverse, or is not positive definite. */
  | 'singular'
  /** A graph that an earlier backward pass has consumed. */
  | 'consumed'
  /** A saved tensor that was changed in place between forward and backward. */
  | 'version'
  /** The memory budget is exhausted, or the system refused to give memory. */
  | 'memory'
  /** NaN met by a backward pass in anomaly mode. */
  | 'nan'
  /** A file whose content breaks its format. */
  | 'format'
  /** A file or address that cannot be read or written. */
  | 'io'
  /** The native binary is missing, or is not for this platform. */
  | 'native'
  /** What a captured function must not do, because a replay could not repeat it. */
  | 'capture'
  /** A worker thread that ended before its work was done. */
  | 'worker'
  /** Work that the caller cancelled. */
  | 'aborted'
  /** Memory that a step in the background is working on. */
  | 'busy'
  /** More requests than may wait at once. */
  | 'queue-full'
  /** A service used after it was closed. */
  | 'closed';

/**
 * An error caused by how the library was called.
 *
 * The message reads `[op] expected ..., got ...` and, where it is known, ends with what to do about it.
 *
 * @example
 * ```ts
 * import { matmul, TensorError, zeros } from 'chainrule';
 * try {
 *   matmul(zeros([2, 3]), zeros([4, 5]));
 * } catch (error) {
 *   if (error instanceof TensorError) console.log(error.code, error.op); // shape matmul
 * }
 * ```
 */
export class TensorError extends Error {
  override readonly name = 'TensorError';
  /** The kind of mistake. */
  readonly code: ErrorCode;
  /** The function that noticed it, by its public name. */
  readonly op: string;

  constructor(code: ErrorCode, op: string, message: string, options?: ErrorOptions) {
    super(`[${op}] ${message}`, options);
    this.code = code;
    this.op = op;
  }
}

/** Short text of any value for an error message. */
export function describe(value: unknown): string {
  if (typeof value === 'string') return value.length > 40 ? `'${value.slice(0, 37)}...'` : `'${value}'`;
  if (typeof value === 'bigint') return `${value}n`;
  if (value === null || typeof value !== 'object') return typeof value === 'function' ? 'a function' : String(value);
  if (Array.isArray(value))
    return value.length > 8 ? `an array of ${value.length}` : `[${value.map(describe).join(', ')}]`;
  const shape = (value as { shape?: unknown }).shape;
  const kind = value.constructor?.name ?? 'object';
  return Array.isArray(shape) ? `${kind} [${shape.join(', ')}]` : `a value of type ${kind}`;
}

/**
 * Refuses option names that the function does not know, naming those it does.
 *
 * `undefined` stands for an absent options object; every known name may be left out.
 */
export function checkOptions(op: string, options: unknown, known: readonly string[]): void {
  if (options === undefined) return;
  if (options === null || typeof options !== 'object' || Array.isArray(options)) {
    throw new TensorError('option', op, `expected an options object, got ${describe(options)}`);
  }
  for (const name in options) {
    if (!known.includes(name)) {
      const list = known.length > 0 ? known.join(', ') : 'none';
      throw new TensorError('option', op, `expected only the options ${list}, got '${name}'`);
    }
  }
}
