// fit(): the training loop, as events to iterate over or as a history to wait for.
import { DataLoader } from '../data/loader.js';
import { TensorError } from '../errors.js';
import type { Tensor } from '../tensor.js';
import type { FitEvent, FitHistory } from './events.js';
import { Loop } from './loop.js';
import { type FitOptions, planOf } from './options.js';
import { FitProgress } from './progress.js';

/**
 * A run of {@link fit}: `for await` gives its events, `await` its history; it advances only while somebody does either.
 *
 * Leaving the loop ends the run, without a checkpoint of its own. Inside the loop the history is not there yet: wait for it behind.
 *
 * @throws TensorError `value` where it is iterated twice, and what {@link fit} names, from both
 *
 * @example
 * ```ts
 * import { mseLoss, nn, ones, optim, train } from 'chainrule';
 * const model = new nn.Linear(2, 1);
 * const optimizer = new optim.SGD(model.parameters(), { lr: 0.1 });
 * const run = train.fit({ model, optimizer, loss: mseLoss, data: [[ones([4, 2]), ones([4, 1])]], epochs: 3 });
 * for await (const event of run) if (event.type === 'epochEnd') console.log(event.epoch); // 0, 1, 2
 * console.log((await run).reason); // complete
 * ```
 */
export class FitRun implements AsyncIterable<FitEvent>, PromiseLike<FitHistory> {
  private started = false;
  private readonly done: Promise<FitHistory>;
  private resolve!: (history: FitHistory) => void;
  private reject!: (error: unknown) => void;

  /** @internal */
  constructor(
    private readonly events: () => AsyncGenerator<FitEvent, void, undefined>,
    private readonly history: () => FitHistory,
    private readonly close: () => void,
  ) {
    this.done = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    // Whoever iterates hears of an error there, and need not wait for the history as well.
    this.done.catch(() => {});
  }

  /** The events; leaving the loop ends the run, without a checkpoint of its own. */
  async *[Symbol.asyncIterator](): AsyncGenerator<FitEvent, void, undefined> {
    if (this.started) {
      throw new TensorError('value', 'fit', 'expected to be iterated once, got a run that has begun; call fit() again');
    }
    this.started = true;
    try {
      yield* this.events();
    } catch (error) {
      this.reject(error);
      throw error;
    } finally {
      this.close();
      this.resolve(this.history());
    }
  }

  /** Runs to the end, unless somebody iterates already. */
  // biome-ignore lint/suspicious/noThenProperty: being awaited is what it is for
  then<T = FitHistory, E = never>(
    onDone?: ((history: FitHistory) => T | PromiseLike<T>) | null,
    onError?: ((error: unknown) => E | PromiseLike<E>) | null,
  ): Promise<T | E> {
    if (!this.started) void this.drain();
    return this.done.then(onDone, onError);
  }

  private async drain(): Promise<void> {
    try {
      for await (const _ of this);
    } catch {
      // Told through `done`.
    }
  }
}

/**
 * Trains a model: epochs over batches, a step of the optimizer for each, and after every epoch the losses and metrics of
 * validation data.
 *
 * The result is both: `for await` gives typed events (start, epochStart, step, epochEnd, checkpoint, end), `await` the history; nothing
 * runs until one of them is asked for. The event loop turns every few milliseconds. With a checkpoint, a run that was killed or stopped
 * at any moment and is started again with `resume: true` ends with the same bits as one that never stopped: weights, optimizer,
 * schedule, generators, place in the data, early stopping, averages and history are one file, replaced atomically. More epochs may be
 * asked for then; model, data and what makes a step must be the same, which is checked.
 *
 * @param options `model`, `data`, `loss` and `optimizer`, and what {@link FitOptions} lists
 * @throws TensorError `option` or `value` for wrong options, at once; while running, `nan` for a loss that is NaN or infinite, before
 * the weights take it in, for gradients that `clipNorm` would spread, and for weights about to replace a good checkpoint, `io` and
 * `format` for checkpoints, and whatever model, loss, data and callbacks throw
 *
 * @example
 * ```ts
 * import { data, mseLoss, nn, optim, randn, train } from 'chainrule';
 * const x = randn([64, 3]);
 * const model = new nn.Linear(3, 1);
 * const run = train.fit({
 *   model,
 *   data: new data.DataLoader(new data.TensorDataset(x, x.sum(1, { keepdim: true })), { batchSize: 16, shuffle: true }),
 *   loss: mseLoss,
 *   optimizer: new optim.Adam(model.parameters(), { lr: 0.05 }),
 *   epochs: 60,
 * });
 * const { losses, epochs, reason } = await run;
 * console.log(losses.length, epochs.length, reason); // 240 60 complete
 * console.log(epochs[59].loss < 0.01); // true
 * ```
 */
export function fit<Output = Tensor>(options: FitOptions<Output>): FitRun {
  const plan = planOf('fit', options);
  const { data } = plan;
  const batches = data instanceof DataLoader || Array.isArray(data) ? data.length : null;
  const bar = new FitProgress(plan.epochs, batches);
  if (plan.progress) plan.callbacks = [...plan.callbacks, (event) => bar.show(event)];
  const loop = new Loop(plan);
  return new FitRun(
    () => loop.run(),
    () => loop.history(),
    () => bar.close(),
  );
}
