// The results of a batch, cut into the answers of its requests.
import { type Form, formOf, rebuilt } from '../capture/structure.js';
import { view } from '../core/dispatch.js';
import type { TypedArray } from '../core/dtype.js';
import { HIDDEN, popFrame, pushFrame } from '../core/scope.js';
import { formatShape } from '../core/shape.js';
import { TensorError } from '../errors.js';
import type { Tensor } from '../tensor.js';
import type { Answers } from './batcher.js';

/** A view of some rows that no scope releases: that of the caller who happens to come first must not. */
export function rowsFrom(x: Tensor, start: number, rows: number): Tensor {
  const outer = pushFrame(HIDDEN);
  const y = view('serve', x, [rows, ...x.shape.slice(1)], x.strides, x.offset + start * x.strides[0], true);
  popFrame(outer);
  return y;
}

abstract class Cut<Part> implements Answers<unknown> {
  protected readonly tensors: Tensor[] = [];
  private readonly form: Form;

  constructor(whole: unknown, room: number) {
    this.form = formOf(whole, this.tensors);
    for (const y of this.tensors) {
      if (y.ndim > 0 && y.shape[0] === room) continue;
      throw new TensorError(
        'shape',
        'serve',
        `expected the model to give [rows, ...] for ${room} rows, got ${formatShape(y.shape)}`,
      );
    }
  }

  protected abstract part(i: number, start: number, rows: number): Part;

  take(start: number, rows: number): unknown {
    if (this.form.kind === 'tensor') return this.part(0, start, rows);
    const parts = this.tensors.map((_, i) => this.part(i, start, rows));
    return rebuilt(this.form, parts);
  }

  end(): void {
    for (const y of this.tensors) y.dispose();
  }
}

/** Answers as tensors: views of the results, whose memory lives as long as one of them. */
export class TensorAnswers extends Cut<Tensor> {
  protected part(i: number, start: number, rows: number): Tensor {
    return rowsFrom(this.tensors[i], start, rows);
  }
}

/** Answers as typed arrays: copies, of which each belongs to its caller alone. */
export class RawAnswers extends Cut<TypedArray> {
  private readonly arrays: readonly TypedArray[];

  constructor(whole: unknown, room: number) {
    super(whole, room);
    this.arrays = this.tensors.map((y) => y.typed());
  }

  protected part(i: number, start: number, rows: number): TypedArray {
    const size = this.tensors[i].strides[0];
    return this.arrays[i].slice(start * size, (start + rows) * size);
  }
}
