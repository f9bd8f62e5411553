// What a row of the table is, how its inputs are drawn, and what rows of several families share.
import * as cr from 'chainrule';
import { type ErrorCode, Generator, rand, randint, type Tensor, tensor } from 'chainrule';

/** How to draw one input. */
export interface Draw {
  readonly shape: readonly number[];
  /** Range of the values; -2 to 2 unless given. */
  readonly range?: readonly [number, number];
  /** An index or class number below `range[1]`. */
  readonly integer?: boolean;
  readonly bool?: boolean;
}

export interface Row {
  readonly name: string;
  readonly call: (...xs: Tensor[]) => Tensor;
  /** Sets of inputs; every sweep runs over all of them. */
  readonly inputs: readonly (readonly Draw[])[];
  /** PyTorch's names, whose reference cases must pass. */
  readonly reference?: readonly string[];
  /** 0 no gradient, 1 first, 2 second derivatives too (2 unless given). */
  readonly derivatives?: 0 | 1 | 2;
  /** An input without elements, where it differs from the first set with 0 in front. */
  readonly empty?: readonly Draw[] | null;
  /** Whether NaN in the first input reaches the output; true unless given. */
  readonly nan?: boolean;
  /** Whether matrices of the first set may be of any size, for the sweep over threads. */
  readonly grows?: boolean;
  readonly errors?: readonly (readonly [ErrorCode, (x: Tensor) => unknown])[];
}

export const drawn = (shape: readonly number[], range?: readonly [number, number]): Draw => ({ shape, range });
export const shapes = (range?: readonly [number, number]) => [
  [drawn([3, 4], range)],
  [drawn([], range)],
  [drawn([2, 1, 3], range)],
];
export const vector = tensor([1, 2, 3]);
export const ints = (data: number[]) => tensor(data, { dtype: 'int32' });
export const bad = <T>(value: unknown) => value as T;

/** The values of a pair of values and places, which go unless a graph needs them. */
export function valuesOf({ values, indices }: cr.Placed): Tensor {
  if (!values.requiresGrad) indices.dispose();
  return values;
}

export const unary = (name: keyof typeof cr & string, torch: string, row: Partial<Row> = {}): Row => ({
  name,
  call: cr[name] as (x: Tensor) => Tensor,
  inputs: shapes(),
  reference: [torch],
  grows: true,
  errors: [['value', () => (cr[name] as (x: unknown) => unknown)(3)]],
  ...row,
});

export const pairs = (a?: readonly [number, number], b?: readonly [number, number]) => [
  [drawn([3, 4], a), drawn([3, 4], b)],
  [drawn([3, 4], a), drawn([4], b)],
  [drawn([2, 1, 3], a), drawn([4, 1], b)],
  [drawn([], a), drawn([2, 2], b)],
];
export const binary = (name: keyof typeof cr & string, torch: string, row: Partial<Row> = {}): Row => ({
  name,
  call: cr[name] as (a: Tensor, b: Tensor) => Tensor,
  inputs: pairs(),
  reference: [torch],
  grows: true,
  empty: [drawn([0, 3]), drawn([3])],
  errors: [
    ['shape', () => (cr[name] as (a: Tensor, b: Tensor) => Tensor)(vector, tensor([1, 2]))],
    ['value', () => (cr[name] as (a: unknown, b: unknown) => unknown)(vector, 'x')],
    ['value', () => (cr[name] as (a: unknown, b: unknown) => unknown)(1, 2)],
  ],
  ...row,
});

/** The inputs of a set, from a fixed seed. */
export function draw(set: readonly Draw[], dtype: 'float32' | 'float64', requiresGrad = false, seed = 7): Tensor[] {
  const generator = new Generator(seed);
  return set.map(({ shape, range = [-2, 2], integer, bool }) => {
    if (bool) return rand(shape, { generator }).gt(0.5);
    if (integer) return randint(range[0], range[1], shape, { generator });
    const x = rand(shape, { dtype, generator })
      .mul(range[1] - range[0])
      .add(range[0]);
    return tensor(x, { requiresGrad });
  });
}
