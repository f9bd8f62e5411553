// Memory in which the rows of requests lie one behind the other, and the captured steps that work on it.
import type { CapturedStep } from '../capture/capture.js';
import { dense, dropCopy, isTensor, make } from '../core/dispatch.js';
import { DTYPES, type DType, type TypedArray } from '../core/dtype.js';
import { restoreGradEnabled, setGradEnabled } from '../core/mode.js';
import { HIDDEN, popFrame, pushFrame } from '../core/scope.js';
import { formatShape, type Shape, sizeOf } from '../core/shape.js';
import { TensorError } from '../errors.js';
import type { Tensor } from '../tensor.js';
import { RawAnswers, rowsFrom, TensorAnswers } from './answers.js';
import { type Answers, Kind, type Tray } from './batcher.js';

/** What a request brings for one input of the model. */
export type Given = Tensor | TypedArray;

/** A row of one input. */
export interface Row {
  readonly shape: Shape;
  readonly dtype: DType;
}

/** Batches that are done about as soon as another thread would answer are no burden to the event loop. */
const RUN = { inlineBelowMs: 0.2 };
/** Trays that are kept for the next batches. */
const KEPT = 4;

/** How requests come: as tensors, as typed arrays of one row each, or of as many as fit; typed arrays are answered in typed arrays. */
export type Form = 'tensors' | 'row' | 'rows';

/** Requests whose rows have the same shapes and dtypes. */
export class Rows extends Kind<readonly Given[], unknown> {
  /** Elements of a row of each input. */
  readonly sizes: readonly number[];
  private readonly trays: RowTray[] = [];
  private disposed = false;

  constructor(
    readonly inputs: readonly Row[],
    readonly form: Form,
    readonly maxBatch: number,
    /** Captured steps that nobody runs: as many as batches may run at once. */
    readonly free: CapturedStep<Tensor[], unknown>[],
  ) {
    super();
    this.sizes = inputs.map(({ shape }) => sizeOf(shape));
  }

  /** Whether the inputs of a request are of this kind, however many rows they have. */
  takes(given: readonly Given[]): boolean {
    const { inputs, sizes, form } = this;
    if (given.length !== inputs.length) return false;
    for (let i = 0; i < inputs.length; i++) {
      const x = given[i];
      const { dtype, shape } = inputs[i];
      if (form !== 'tensors') {
        if (!(x instanceof DTYPES[dtype].array) || (form === 'row' && x.length !== sizes[i])) return false;
        continue;
      }
      if (!isTensor(x) || x.dtype !== dtype || x.ndim !== shape.length + 1) return false;
      for (let d = 0; d < shape.length; d++) if (x.shape[d + 1] !== shape[d]) return false;
    }
    return true;
  }

  /** How many rows a request of this kind has, the same of every input. */
  count(given: readonly Given[]): number {
    const { form, sizes, maxBatch } = this;
    let rows = 1;
    for (let i = 0; i < given.length && form !== 'row'; i++) {
      const x = given[i];
      const own = isTensor(x) ? x.shape[0] : x.length / sizes[i];
      if (isTensor(x)) x.check('serve');
      if (i > 0 && own !== rows) throw this.refusal('inputs of as many rows each', given);
      rows = own;
    }
    if (Number.isInteger(rows) && rows >= 1 && rows <= maxBatch) return rows;
    throw this.refusal(`1 to ${maxBatch} rows in a request`, given, '; send several requests or raise maxBatch');
  }

  private refusal(expected: string, given: readonly Given[], remedy = ''): TensorError {
    const shapes = given.map((x, i) => {
      if (isTensor(x)) return formatShape(x.shape);
      return `${x.length} elements for rows of ${formatShape(this.inputs[i].shape)}`;
    });
    return new TensorError('shape', 'serve', `expected ${expected}, got ${shapes.join(' and ')}${remedy}`);
  }

  tray(): RowTray {
    return this.trays.pop() ?? new RowTray(this);
  }

  /** Keeps a tray for the next batch. */
  back(tray: RowTray): void {
    if (this.trays.length < KEPT && !this.disposed) this.trays.push(tray);
    else tray.dispose();
  }

  /** Gives the memory back, that of batches under way when they are over. */
  dispose(): void {
    this.disposed = true;
    for (const tray of this.trays.splice(0)) tray.dispose();
  }
}

class RowTray implements Tray<readonly Given[], unknown> {
  /** Rows that there is room for; grows to what batches need. */
  private capacity = 0;
  private tensors: readonly Tensor[] = [];
  private arrays: readonly TypedArray[] = [];
  /** The first so many rows, for each number of them that was asked for. */
  private readonly heads = new Map<number, readonly Tensor[]>();

  constructor(private readonly kind: Rows) {}

  put(given: readonly Given[], start: number, rows: number): void {
    if (start + rows > this.capacity) this.grow(start + rows);
    const { sizes, form } = this.kind;
    for (let i = 0; i < given.length; i++) {
      const place = start * sizes[i];
      if (form === 'tensors') {
        const x = dense('serve', given[i] as Tensor);
        this.arrays[i].set(x.typed(), place);
        dropCopy(x, given[i] as Tensor);
      } else this.arrays[i].set(given[i] as TypedArray, place);
    }
  }

  private grow(rows: number): void {
    const { inputs, maxBatch } = this.kind;
    const { arrays } = this;
    const capacity = roomFor(rows, maxBatch);
    const outer = pushFrame(HIDDEN);
    let tensors: readonly Tensor[];
    try {
      tensors = inputs.map(({ shape, dtype }) => make('serve', [capacity, ...shape], dtype));
    } finally {
      popFrame(outer);
    }
    const grown = tensors.map((x) => x.typed());
    for (let i = 0; i < arrays.length; i++) grown[i].set(arrays[i]);
    this.dispose();
    [this.tensors, this.arrays, this.capacity] = [tensors, grown, capacity];
  }

  /** Rows of zeros fill up to the next size of batches. */
  async run(rows: number): Promise<Answers<unknown>> {
    const { maxBatch, sizes, free, form } = this.kind;
    const room = roomFor(rows, maxBatch);
    if (room > rows) for (let i = 0; i < sizes.length; i++) this.arrays[i].fill(0, rows * sizes[i], room * sizes[i]);
    const step = free.pop() as CapturedStep<Tensor[], unknown>;
    try {
      const whole = await begin(step, this.head(room));
      return form === 'tensors' ? new TensorAnswers(whole, room) : new RawAnswers(whole, room);
    } finally {
      free.push(step);
    }
  }

  async alone(start: number, rows: number): Promise<Answers<unknown>> {
    const { sizes } = this.kind;
    const tray = this.kind.tray();
    try {
      if (rows > tray.capacity) tray.grow(rows);
      for (let i = 0; i < sizes.length; i++) {
        tray.arrays[i].set(this.arrays[i].subarray(start * sizes[i], (start + rows) * sizes[i]));
      }
      return await tray.run(rows);
    } finally {
      tray.free();
    }
  }

  private head(room: number): readonly Tensor[] {
    const found = this.heads.get(room);
    if (found !== undefined) return found;
    const head = this.tensors.map((x) => rowsFrom(x, 0, room));
    this.heads.set(room, head);
    return head;
  }

  free(): void {
    this.kind.back(this);
  }

  dispose(): void {
    for (const x of this.tensors) x.dispose();
    for (const head of this.heads.values()) for (const x of head) x.dispose();
    this.heads.clear();
  }
}

/** Sizes of batches are powers of two, so that few programs are enough. */
function roomFor(rows: number, maxBatch: number): number {
  return Math.min(maxBatch, 2 ** Math.ceil(Math.log2(rows)));
}

/** Begins a run, whatever mode and scope the caller who happens to come first is in. */
function begin(step: CapturedStep<Tensor[], unknown>, inputs: readonly Tensor[]): Promise<unknown> {
  const mode = setGradEnabled(false);
  const outer = pushFrame(HIDDEN);
  try {
    return step.with(RUN).async(...inputs);
  } finally {
    popFrame(outer);
    restoreGradEnabled(mode);
  }
}
