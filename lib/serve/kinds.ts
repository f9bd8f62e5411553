// What requests bring, and which of them can go together.
import type { CapturedStep } from '../capture/capture.js';
import { checkTensor, isTensor } from '../core/dispatch.js';
import { DTYPES, type DType, type TypedArray } from '../core/dtype.js';
import { checkShape, formatShape, type Shape, sizeOf } from '../core/shape.js';
import { describe, TensorError } from '../errors.js';
import type { Tensor } from '../tensor.js';
import { type Given, type Row, Rows } from './rows.js';

const OP = 'serve';
/** Kinds of requests whose memory is kept: sequences of a few lengths, as tensors and as typed arrays. */
const KEPT = 8;
const ARRAYS: readonly DType[] = ['float32', 'float64', 'int32', 'uint8'];

const isRow = (value: unknown): value is Shape => Array.isArray(value) && !Array.isArray(value[0]);

/** The option `row`: the shape of a row of each input, or null. */
export function checkRow(row: Shape | readonly Shape[] | undefined): readonly Shape[] | null {
  if (row === undefined) return null;
  const shapes = (isRow(row) || !Array.isArray(row) ? [row] : row).map((shape) => [...checkShape(OP, shape)]);
  if (shapes.every((shape) => sizeOf(shape) > 0)) return shapes;
  throw new TensorError(
    'shape',
    OP,
    `expected rows of at least one element, got ${shapes.map(formatShape).join(' and ')}`,
  );
}

/** The kinds of requests that came, the most recent first. */
export class Kinds {
  private readonly recent: Rows[] = [];

  constructor(
    private readonly row: readonly Shape[] | null,
    private readonly maxBatch: number,
    private readonly free: CapturedStep<Tensor[], unknown>[],
  ) {}

  /** Where a request belongs. */
  of(inputs: readonly Given[]): Rows {
    const { recent } = this;
    for (let i = 0; i < recent.length; i++) {
      const kind = recent[i];
      if (!kind.takes(inputs)) continue;
      if (i > 0) recent.unshift(...recent.splice(i, 1));
      return kind;
    }
    const arrays = ArrayBuffer.isView(inputs[0]);
    const rows = arrays ? this.rowsOfArrays(inputs) : rowsOfTensors(inputs);
    const made = new Rows(rows, arrays ? (this.row === null ? 'row' : 'rows') : 'tensors', this.maxBatch, this.free);
    recent.unshift(made);
    if (recent.length > KEPT) recent.pop()?.dispose();
    return made;
  }

  private rowsOfArrays(inputs: readonly unknown[]): Row[] {
    if (this.row !== null && this.row.length !== inputs.length) {
      throw new TensorError('value', OP, `expected ${this.row.length} inputs, as row says, got ${inputs.length}`);
    }
    return inputs.map((x, i) => {
      const dtype = ARRAYS.find((name) => x instanceof DTYPES[name].array);
      if (dtype !== undefined) return { dtype, shape: this.row?.[i] ?? [(x as TypedArray).length] };
      throw new TensorError(
        'value',
        OP,
        `expected a Float32Array, Float64Array, Int32Array or Uint8Array for every input, got ${describe(x)}`,
      );
    });
  }

  /** Gives all memory back. */
  dispose(): void {
    for (const kind of this.recent.splice(0)) kind.dispose();
  }
}

function rowsOfTensors(inputs: readonly unknown[]): Row[] {
  if (inputs.length === 0) throw new TensorError('value', OP, 'expected tensors [rows, ...] or typed arrays, got none');
  return inputs.map((x) => {
    if (!isTensor(x) || x.ndim === 0) {
      throw new TensorError('value', OP, `expected tensors [rows, ...] or typed arrays, got ${describe(x)}`);
    }
    const { shape, dtype } = checkTensor(OP, x);
    return { dtype, shape: shape.slice(1) };
  });
}
