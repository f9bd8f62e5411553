// serve(): a model answers many callers at once, in batches, off the event loop.
import { capture } from '../capture/capture.js';
import { formOf, rebuilt } from '../capture/structure.js';
import type { TypedArray } from '../core/dtype.js';
import { restoreGradEnabled, setGradEnabled } from '../core/mode.js';
import { isScoped, popFrame, pushFrame, track } from '../core/scope.js';
import { checkInteger, checkNumber, type Shape } from '../core/shape.js';
import { checkOptions, describe, TensorError } from '../errors.js';
import { Module } from '../nn/module.js';
import { clone } from '../ops/shape/view.js';
import type { Tensor } from '../tensor.js';

import { Batcher, type BatcherOptions, type BatcherStats } from './batcher.js';
import { checkRow, Kinds } from './kinds.js';
import type { Given } from './rows.js';

const OP = 'serve';
/** Shapes of a row for which programs are kept: sequences of a few lengths. */
const FORMS = 4;

/** Options of {@link serve}. */
export interface ServeOptions {
  /** Batches under way at once, each on a thread of its own with buffers of its own; 1 unless given. */
  concurrency?: number;
  /** Most rows of a batch; 32 unless given. */
  maxBatch?: number;
  /** Milliseconds a request waits for company while a thread is free; 0 unless given: what comes in one turn of the event loop goes together. */
  maxDelayMs?: number;
  /** Most requests that wait; more are refused. 1024 unless given. */
  maxQueue?: number;
  /** Shape of a row that comes as a typed array, without the dimension of rows; for several inputs one each. `[length]` unless given. */
  row?: Shape | readonly Shape[];
}

/** Options of one request. */
export interface RequestOptions {
  /** Gives the request up; the promise rejects at once. */
  signal?: AbortSignal;
}

/** An answer to typed arrays: the same with a typed array in the place of every tensor, its rows one behind the other. */
export type RawAnswer<Output> = Output extends Tensor
  ? TypedArray
  : Output extends object
    ? { [Key in keyof Output]: RawAnswer<Output[Key]> }
    : Output;

/** Asks a model. */
interface Ask<Output> {
  /**
   * The model's output for these inputs, each [rows, ...]: what `model.forward` gives for them alone. They are read at once.
   *
   * @throws TensorError `queue-full`, `closed`, `aborted`, `shape`, or what the model itself throws
   */
  (inputs: Tensor | readonly Tensor[], options?: RequestOptions): Promise<Output>;
  /**
   * The same for the numbers of a row (of several, where the option `row` says what one is) in typed arrays of the model's dtype, which is
   * how a service has them: the answer is in typed arrays too, and no tensor is made on the way.
   */
  (inputs: TypedArray | readonly TypedArray[], options?: RequestOptions): Promise<RawAnswer<Output>>;
}

/** A model that answers; made by {@link serve}. */
export interface Service<Output> extends Ask<Output> {
  /** Runs a function that changes weights (`model.loadStateDict`, `model.loadShared`) between two batches; requests wait meanwhile. */
  update<T>(fn: () => T | Promise<T>): Promise<T>;
  /** What it has done and has before it. */
  stats(): BatcherStats;
  /** Takes nothing more, answers what waits, and is done after the last answer. */
  close(): Promise<void>;
}

/** What can be served: a module, or a function of tensors. */
export type Servable<Output> = Module<Tensor[], Output> | ((...inputs: Tensor[]) => Output);

const DEFAULTS: BatcherOptions = { concurrency: 1, maxBatch: 32, maxDelayMs: 0, maxQueue: 1024 };

function optionsOf(options: ServeOptions | undefined): BatcherOptions & { row: readonly Shape[] | null } {
  checkOptions(OP, options, [...Object.keys(DEFAULTS), 'row']);
  const chosen = { ...DEFAULTS, ...options, row: checkRow(options?.row) };
  checkInteger(OP, 'concurrency', chosen.concurrency, 1, 64);
  checkInteger(OP, 'maxBatch', chosen.maxBatch, 1);
  checkNumber(OP, 'maxDelayMs', chosen.maxDelayMs, 0, 60_000);
  checkInteger(OP, 'maxQueue', chosen.maxQueue, 1);
  return chosen;
}

/**
 * Serves a model to many callers at once.
 *
 * Requests that come close together are answered as one batch: the inputs are joined along their first dimension and the outputs cut
 * again, so the model must treat rows independently (in `eval()` mode all layers do). Batches run as captured programs on threads of
 * their own, the event loop goes on meanwhile; those that take less than 0.2 ms run where they are. Batch sizes are rounded up to powers
 * of two, with rows of zeros, so that few programs are enough. All share the model's weights: change them with `update`. A request that
 * fails alone does not disturb the others of its batch.
 *
 * A request brings tensors and gets tensors, or typed arrays and gets typed arrays; either way it is read at once, and the answer belongs
 * to its caller.
 *
 * @param model a module in `eval()` mode, or a function from tensors to a tensor or to an array or object of tensors, each [rows, ...]
 * @throws TensorError `value` for what is no model or trains, `option` for unknown options, `shape` for a `row` that is no shape
 *
 * @example
 * ```ts
 * import { nn, serve, ones } from 'chainrule';
 * const model = new nn.Sequential(new nn.Linear(4, 8), new nn.ReLU(), new nn.Linear(8, 2)).eval();
 * const predict = serve(model, { maxBatch: 16 });
 * const answers = await Promise.all([1, 2, 3].map(() => predict(ones([1, 4]))));
 * console.log(answers.length, answers[0].shape); // 3 [1, 2]
 * const answer = await predict(Float32Array.of(1, 2, 3, 4));
 * console.log(answer.length); // 2
 * await predict.close();
 * ```
 */
export function serve<Output>(model: Servable<Output>, options?: ServeOptions): Service<Output> {
  const { row, ...chosen } = optionsOf(options);
  const forward = forwardOf(model);
  const steps = Array.from({ length: chosen.concurrency }, () =>
    capture((...inputs: Tensor[]) => fresh(() => forward(...inputs)), {
      maxSignatures: FORMS * (Math.ceil(Math.log2(chosen.maxBatch)) + 1),
    }),
  );
  const kinds = new Kinds(row, chosen.maxBatch, [...steps]);
  const batcher = new Batcher<readonly Given[], unknown>(OP, chosen);
  const ask = (inputs: Given | readonly Given[], request?: RequestOptions): Promise<unknown> => {
    let answer: Promise<unknown>;
    try {
      checkOptions(OP, request, ['signal']);
      const list = (Array.isArray(inputs) ? inputs : [inputs]) as readonly Given[];
      const kind = kinds.of(list);
      answer = batcher.push(kind, list, kind.count(list), request?.signal);
    } catch (error) {
      return Promise.reject(error);
    }
    return isScoped() ? answer.then(tracked) : answer;
  };
  return Object.assign(ask as Ask<Output>, {
    update: <T>(fn: () => T | Promise<T>) => batcher.between(fn),
    stats: () => batcher.stats(),
    close: async () => {
      await batcher.close();
      kinds.dispose();
      for (const step of steps) step.dispose();
    },
  });
}

/** What a model returns, in tensors of its own: the service gives results away, which an input or a parameter must not be. */
function fresh<Output>(fn: () => Output): Output {
  const made: Tensor[] = [];
  const [mode, frame] = [setGradEnabled(false), pushFrame(made)];
  try {
    const found: Tensor[] = [];
    const form = formOf(fn(), found);
    return rebuilt(
      form,
      found.map((y) => (made.includes(y) ? y : clone(y))),
    ) as Output;
  } finally {
    popFrame(frame);
    restoreGradEnabled(mode);
  }
}

/** An answer whose tensors belong to the scope of the caller. */
function tracked(answer: unknown): unknown {
  const tensors: Tensor[] = [];
  formOf(answer, tensors);
  for (const y of tensors) track(y);
  return answer;
}

function forwardOf<Output>(model: Servable<Output>): (...inputs: Tensor[]) => Output {
  if (model instanceof Module) {
    if (model.training) {
      throw new TensorError(
        'value',
        OP,
        'expected a model in eval() mode, got one in train() mode; call model.eval() first',
      );
    }
    return (...inputs) => model.forward(...inputs);
  }
  if (typeof model === 'function') return model;
  throw new TensorError('value', OP, `expected a module or a function, got ${describe(model)}`);
}
