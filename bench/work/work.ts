// What a piece of work is, and the tensors it works on.
import { type DType, fromTypedArray, type nn, type Shape, type Tensor } from 'chainrule';
import { boundOf, numbers, sizeOf, wholeNumbers } from './numbers.js';

/** Element types a piece of work can be made of; float64 checks float32. */
export type Float = Extract<DType, 'float32' | 'float64'>;
/** What a family is told; the same object goes to every peer as JSON. */
export type Options = Readonly<Record<string, number | string | boolean | readonly number[]>>;

/** The least the hardware needs, and how far above it the work may be. */
export interface Floor {
  /** Floating-point operations of its products, at the speed of a large product. */
  readonly flops?: number;
  /** Bytes read and written, at the speed of a copy of as many. */
  readonly copied?: number;
  /** Bytes only read, at the speed of a search through as many. */
  readonly read?: number;
  /** It is itself one product [m, k] x [k, n]: the floor is the fastest way to call it. */
  readonly product?: readonly [m: number, k: number, n: number];
  /** Most times the floor. */
  readonly goal?: number;
}

/** One line of the tables. */
export interface Work {
  readonly name: string;
  /** Name of the function that makes it, on every side. */
  readonly family: string;
  readonly options: Options;
  /** Least ratio of PyTorch's time to ours. */
  readonly goal?: number;
  readonly floor?: Floor;
  /** The step's result is still needed by the next step: whoever calls it must not release it. */
  readonly keeps?: boolean;
  readonly prepare: (dtype: Float) => () => Tensor;
}

/** {@link numbers} as a tensor; float64 holds the same float32 values. */
export function values(shape: Shape, seed: number, dtype: Float, low = -1, high = 1): Tensor {
  const data = numbers(sizeOf(shape), seed, low, high);
  return fromTypedArray(dtype === 'float32' ? data : Float64Array.from(data), shape);
}

/** {@link wholeNumbers} as a tensor: whole numbers from 0 to n - 1. */
export function labels(shape: Shape, seed: number, n: number): Tensor {
  return fromTypedArray(wholeNumbers(sizeOf(shape), seed, n), shape);
}

/** Gives the parameters their values, by their order. */
export function fill<M extends nn.AnyModule>(model: M, dtype: Float): M {
  const entries = model.namedParameters().map(([name, p], k) => {
    const bound = boundOf(p.shape);
    return [name, values(p.shape, k + 1, dtype, -bound, bound)];
  });
  model.loadStateDict(Object.fromEntries(entries), { strict: false });
  return model;
}
