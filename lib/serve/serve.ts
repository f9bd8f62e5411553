// serve(): a model answers many callers at once, in batches, off the event loop.
import { type CapturedStep, capture } from '../capture/capture.js';
import { formOf, rebuilt } from '../capture/structure.js';
import { noGrad } from '../core/mode.js';
import { checkInteger, checkNumber, formatShape } from '../core/shape.js';
import { zeros } from '../create.js';
import { checkOptions, describe, TensorError } from '../errors.js';
import { Module } from '../nn/module.js';
import { cat } from '../ops/shape/join.js';
import { Tensor } from '../tensor.js';

import { Batcher, type BatcherOptions, type BatcherStats } from './batcher.js';

const OP = 'serve';
/** Shapes of a row for which programs are kept: sequences of a few lengths. */
const FORMS = 4;
/** Batches that are done sooner than another thread would answer are no burden to the event loop. */
const RUN = { inlineBelowMs: 0.1 };

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
}

/** Options of one request. */
export interface RequestOptions {
  /** Gives the request up; the promise rejects at once. */
  signal?: AbortSignal;
}

/** A model that answers; made by {@link serve}. */
export interface Service<Output> {
  /**
   * The model's output for these inputs, each [rows, ...]: what `model.forward` gives for them alone.
   *
   * @throws TensorError `queue-full`, `closed`, `aborted`, `shape`, or what the model itself throws
   */
  (inputs: Tensor | readonly Tensor[], options?: RequestOptions): Promise<Output>;
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

function optionsOf(options: ServeOptions | undefined): BatcherOptions {
  checkOptions(OP, options, Object.keys(DEFAULTS));
  const chosen = { ...DEFAULTS, ...options };
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
 * their own, the event loop goes on meanwhile; those that take less than 0.1 ms run where they are. Batch sizes are rounded up to powers of two, with rows of zeros, so that few programs
 * are enough. All share the model's weights: change them with `update`. A request that fails alone does not disturb the others of its batch.
 *
 * @param model a module in `eval()` mode, or a function from tensors to a tensor or to an array or object of tensors, each [rows, ...]
 * @throws TensorError `value` for what is no model or trains, `option` for unknown options
 *
 * @example
 * ```ts
 * import { nn, serve, ones } from 'chainrule';
 * const model = new nn.Sequential(new nn.Linear(4, 8), new nn.ReLU(), new nn.Linear(8, 2)).eval();
 * const predict = serve(model, { maxBatch: 16 });
 * const answers = await Promise.all([1, 2, 3].map(() => predict(ones([1, 4]))));
 * console.log(answers.length, answers[0].shape); // 3 [1, 2]
 * await predict.close();
 * ```
 */
export function serve<Output>(model: Servable<Output>, options?: ServeOptions): Service<Output> {
  const chosen = optionsOf(options);
  const forward = forwardOf(model);
  const free = Array.from({ length: chosen.concurrency }, () =>
    capture((...inputs: Tensor[]) => noGrad(() => forward(...inputs)), {
      maxSignatures: FORMS * (Math.ceil(Math.log2(chosen.maxBatch)) + 1),
    }),
  );
  const run = async (batch: readonly (readonly Tensor[])[]) => {
    const program = free.pop() as CapturedStep<Tensor[], Output>;
    try {
      return await runBatch(program, batch, chosen.maxBatch);
    } finally {
      free.push(program);
    }
  };
  const batcher = new Batcher<readonly Tensor[], Output>(OP, run, chosen);
  const ask = async (inputs: Tensor | readonly Tensor[], request?: RequestOptions) => {
    checkOptions(OP, request, ['signal']);
    const list = inputs instanceof Tensor ? [inputs] : inputs;
    const rows = rowsOf(list, chosen.maxBatch);
    // A second handle: the caller's scope may end before the batch runs.
    const held = list.map((x) => x.detach());
    try {
      return await batcher.push(held, rows, request?.signal);
    } finally {
      for (const x of held) x.dispose();
    }
  };
  return Object.assign(ask, {
    update: <T>(fn: () => T | Promise<T>) => batcher.between(fn),
    stats: () => batcher.stats(),
    close: () => batcher.close(),
  });
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

function rowsOf(inputs: readonly Tensor[], maxBatch: number): number {
  const [first] = inputs;
  if (!Array.isArray(inputs) || inputs.length === 0 || !inputs.every((x) => x instanceof Tensor && x.ndim > 0)) {
    throw new TensorError(
      'value',
      OP,
      `expected tensors [rows, ...], got ${describe(first === undefined ? inputs : inputs.find((x) => !(x instanceof Tensor && x.ndim > 0)))}`,
    );
  }
  for (const x of inputs) x.check(OP);
  const rows = first.shape[0];
  if (inputs.some((x) => x.shape[0] !== rows)) {
    throw new TensorError(
      'shape',
      OP,
      `expected inputs of as many rows each, got ${inputs.map((x) => formatShape(x.shape)).join(' and ')}`,
    );
  }
  if (rows < 1 || rows > maxBatch) {
    throw new TensorError(
      'shape',
      OP,
      `expected 1 to ${maxBatch} rows in a request, got ${formatShape(first.shape)}; send several requests or raise maxBatch`,
    );
  }
  return rows;
}

/** What must agree before requests can be joined. */
const keyOf = (inputs: readonly Tensor[]) => inputs.map((x) => `${x.dtype} ${x.shape.slice(1)}`).join('; ');

/** The outputs of a batch, a request each; requests of other row shapes run after each other. */
async function runBatch<Output>(
  program: CapturedStep<Tensor[], Output>,
  batch: readonly (readonly Tensor[])[],
  maxBatch: number,
): Promise<Output[]> {
  const groups = new Map<string, number[]>();
  for (const [i, inputs] of batch.entries()) {
    const key = keyOf(inputs);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [i]);
    else group.push(i);
  }
  const outputs = new Array<Output>(batch.length);
  for (const places of groups.values()) {
    const requests = places.map((i) => batch[i]);
    const rows = requests.map(([x]) => x.shape[0]);
    const total = rows.reduce((a, b) => a + b, 0);
    const room = Math.min(maxBatch, 2 ** Math.ceil(Math.log2(total)));
    const joined = requests[0].map((_, k) =>
      joinRows(
        requests.map((inputs) => inputs[k]),
        room - total,
      ),
    );
    const whole = await program.with(RUN).async(...joined);
    for (const x of joined) if (!requests[0].includes(x)) x.dispose();
    const tensors: Tensor[] = [];
    const form = formOf(whole, tensors);
    let start = 0;
    for (const [k, i] of places.entries()) {
      const parts = tensors.map((y) => rowsFrom(y, start, rows[k], room));
      outputs[i] = rebuilt(form, parts) as Output;
      start += rows[k];
    }
  }
  return outputs;
}

/** All rows one below the other, and so many of zeros. */
function joinRows(parts: readonly Tensor[], missing: number): Tensor {
  return noGrad(() => {
    if (missing === 0) return parts.length === 1 ? parts[0] : cat(parts);
    const [{ shape, dtype }] = parts;
    const rest = zeros([missing, ...shape.slice(1)], { dtype });
    const joined = cat([...parts, rest]);
    rest.dispose();
    return joined;
  });
}

function rowsFrom(y: Tensor, start: number, rows: number, room: number): Tensor {
  if (y.ndim > 0 && y.shape[0] === room) return y.narrow(0, start, rows);
  throw new TensorError(
    'shape',
    OP,
    `expected the model to give [rows, ...] for ${room} rows, got ${formatShape(y.shape)}`,
  );
}
