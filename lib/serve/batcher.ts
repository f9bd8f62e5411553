// Requests that come close together as one batch: a bounded queue of trays in front of a few runners.
import { TensorError } from '../errors.js';

/** How requests wait and run. */
export interface BatcherOptions {
  /** Batches under way at once. */
  concurrency: number;
  /** Most rows of a batch. */
  maxBatch: number;
  /** Milliseconds that the oldest request waits for company while a runner is free. */
  maxDelayMs: number;
  /** Most requests that wait; more are refused. */
  maxQueue: number;
}

/** What a batcher has done so far, and has before it. */
export interface BatcherStats {
  /** Requests that wait. */
  queued: number;
  /** Batches under way. */
  running: number;
  /** Requests answered. */
  answered: number;
  /** Requests that ended with an error, those refused and cancelled among them. */
  failed: number;
  /** Batches that were run. */
  batches: number;
  /** Rows in them. */
  rows: number;
}

/** The answers of a batch. */
export interface Answers<O> {
  /** The answer for so many rows from `start` on. */
  take(start: number, rows: number): O;
  /** Lets go of what no request took. */
  end(): void;
}

/** Memory for the rows of one batch. */
export interface Tray<I, O> {
  /** Copies the rows of a request to those from `start` on. */
  put(input: I, start: number, rows: number): void;
  /** Works on the first so many rows. */
  run(rows: number): Promise<Answers<O>>;
  /** Works on the rows of one request, as if it had come alone. */
  alone(start: number, rows: number): Promise<Answers<O>>;
  /** Gives the memory back. */
  free(): void;
}

/** Requests that can go together. */
export abstract class Kind<I, O> {
  /** The batch that takes what comes. */
  open: Batch<I, O> | null = null;
  /** Memory for a batch. */
  abstract tray(): Tray<I, O>;
}

/** One request, whose rows are in a tray. */
interface Request<O> {
  readonly start: number;
  readonly rows: number;
  readonly resolve: (output: O) => void;
  readonly reject: (error: unknown) => void;
  /** Stops listening to the caller's signal; null where there is none. */
  release: (() => void) | null;
  settled: boolean;
}

/** Requests in the order in which they came, whose rows lie one behind the other. */
class Batch<I, O> {
  readonly requests: Request<O>[] = [];
  rows = 0;
  /** Requests that were not cancelled. */
  live = 0;
  /** It does not wait any more. */
  begun = false;

  constructor(
    readonly kind: Kind<I, O>,
    readonly tray: Tray<I, O>,
    /** Milliseconds of {@link performance.now} when its first request came. */
    readonly born: number,
  ) {}
}

/**
 * Gathers requests into batches, which trays answer. A batch that fails is run again request by request, so that only those that are wrong
 * themselves fail.
 */
export class Batcher<I, O> {
  private readonly queue: Batch<I, O>[] = [];
  private waiting = 0;
  private running = 0;
  private held = false;
  private closing = false;
  private scheduled = false;
  private timer: NodeJS.Timeout | null = null;
  private onIdle: (() => void)[] = [];
  private order: Promise<unknown> = Promise.resolve();
  private readonly counts = { answered: 0, failed: 0, batches: 0, rows: 0 };
  private readonly turn = () => {
    this.scheduled = false;
    this.flush();
  };

  constructor(
    private readonly op: string,
    private readonly options: BatcherOptions,
  ) {}

  stats(): BatcherStats {
    return { queued: this.waiting, running: this.running, ...this.counts };
  }

  /** The answer to one request of so many rows, which are read at once. */
  push(kind: Kind<I, O>, input: I, rows: number, signal?: AbortSignal): Promise<O> {
    let batch: Batch<I, O>;
    try {
      this.admit(signal);
      batch = this.place(kind, input, rows);
    } catch (error) {
      this.counts.failed++;
      return Promise.reject(error);
    }
    return new Promise<O>((resolve, reject) => {
      const request = { start: batch.rows, rows, resolve, reject, release: null, settled: false };
      batch.requests.push(request);
      batch.rows += rows;
      batch.live++;
      this.waiting++;
      if (signal !== undefined) this.listen(batch, request, signal);
      if (!this.scheduled) this.schedule();
    });
  }

  private admit(signal: AbortSignal | undefined): void {
    if (this.closing) throw new TensorError('closed', this.op, 'expected a request before close(), got one after it');
    if (signal?.aborted) throw aborted(this.op, signal);
    const { maxQueue } = this.options;
    if (this.waiting < maxQueue) return;
    throw new TensorError(
      'queue-full',
      this.op,
      `expected at most ${maxQueue} requests to wait, got one more. Answer 'busy' to the caller, or raise maxQueue`,
    );
  }

  /** Puts the rows of a request behind those of the batch that is open, or into the next one where they do not fit. */
  private place(kind: Kind<I, O>, input: I, rows: number): Batch<I, O> {
    const { open } = kind;
    if (open !== null && open.rows + rows <= this.options.maxBatch) {
      open.tray.put(input, open.rows, rows);
      return open;
    }
    const batch = new Batch(kind, kind.tray(), this.options.maxDelayMs > 0 ? performance.now() : 0);
    try {
      batch.tray.put(input, 0, rows);
    } catch (error) {
      batch.tray.free();
      throw error;
    }
    kind.open = batch;
    this.queue.push(batch);
    return batch;
  }

  private listen(batch: Batch<I, O>, request: Request<O>, signal: AbortSignal): void {
    const abort = () => {
      if (request.settled) return;
      batch.live--;
      // There is room for another one to wait; the rows stay in the tray.
      if (!batch.begun) this.waiting--;
      this.fail(request, aborted(this.op, signal));
    };
    signal.addEventListener('abort', abort, { once: true });
    request.release = () => signal.removeEventListener('abort', abort);
  }

  private fail(request: Request<O>, error: unknown): void {
    this.settle(request);
    this.counts.failed++;
    request.reject(error);
  }

  private settle(request: Request<O>): void {
    request.settled = true;
    if (request.release !== null) request.release();
  }

  /** Looks at the queue after the callers that were just answered have had their turn to ask again. */
  private schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    setImmediate(this.turn);
  }

  private flush(): void {
    while (!this.held && this.running < this.options.concurrency) {
      const batch = this.next();
      if (batch === null) break;
      void this.answer(batch);
    }
    this.checkIdle();
  }

  /** Takes the oldest batch that is ready out of the queue; null where there is none, or all wait for company. */
  private next(): Batch<I, O> | null {
    const { queue } = this;
    for (let i = 0; i < queue.length; i++) {
      const batch = queue[i];
      if (batch.live > 0 && !this.ready(batch)) continue;
      queue.splice(i--, 1);
      batch.begun = true;
      this.waiting -= batch.live;
      if (batch.kind.open === batch) batch.kind.open = null;
      if (batch.live > 0) return batch;
      batch.tray.free();
    }
    if (queue.length > 0 && this.timer === null) this.wait(queue[0]);
    return null;
  }

  private ready(batch: Batch<I, O>): boolean {
    const { maxBatch, maxDelayMs } = this.options;
    if (maxDelayMs === 0 || this.closing || batch.rows === maxBatch || batch.kind.open !== batch) return true;
    return batch.born + maxDelayMs <= performance.now();
  }

  private wait({ born }: Batch<I, O>): void {
    this.timer = setTimeout(
      () => {
        this.timer = null;
        this.flush();
      },
      born + this.options.maxDelayMs - performance.now(),
    );
  }

  private async answer(batch: Batch<I, O>): Promise<void> {
    const { tray, requests } = batch;
    this.running++;
    try {
      this.deliver(requests, 0, await tray.run(batch.rows));
    } catch (error) {
      if (requests.length > 1) for (const request of requests) await this.alone(tray, request);
      else if (!requests[0].settled) this.fail(requests[0], error);
    }
    tray.free();
    this.running--;
    this.schedule();
  }

  private async alone(tray: Tray<I, O>, request: Request<O>): Promise<void> {
    if (request.settled) return;
    try {
      this.deliver([request], request.start, await tray.alone(request.start, request.rows));
    } catch (error) {
      if (!request.settled) this.fail(request, error);
    }
  }

  /** Gives every request its rows of a batch that began at row `first` of the tray. */
  private deliver(requests: readonly Request<O>[], first: number, answers: Answers<O>): void {
    const { counts } = this;
    counts.batches++;
    for (let i = 0; i < requests.length; i++) {
      const request = requests[i];
      counts.rows += request.rows;
      if (request.settled) continue;
      const answer = answers.take(request.start - first, request.rows);
      this.settle(request);
      counts.answered++;
      request.resolve(answer);
    }
    answers.end();
  }

  private checkIdle(): void {
    if (this.running > 0 || !(this.held || this.waiting === 0)) return;
    for (const done of this.onIdle.splice(0)) done();
  }

  private idle(): Promise<void> {
    return new Promise((resolve) => {
      this.onIdle.push(resolve);
      this.schedule();
    });
  }

  /** Runs `fn` between two batches: what is under way ends first, what comes waits. One such call after the other. */
  between<T>(fn: () => T | Promise<T>): Promise<T> {
    const turn = async () => {
      this.held = true;
      try {
        await this.idle();
        return await fn();
      } finally {
        this.held = false;
        this.schedule();
      }
    };
    const result = this.order.then(turn);
    this.order = result.catch(nothing);
    return result;
  }

  /** Answers what waits and takes nothing more; done once the last answer is given. */
  async close(): Promise<void> {
    this.closing = true;
    await this.order;
    await this.idle();
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
  }
}

function nothing(): void {}

function aborted(op: string, signal: AbortSignal): TensorError {
  return new TensorError('aborted', op, 'expected to answer the request, got an abort signal', {
    cause: signal.reason,
  });
}
