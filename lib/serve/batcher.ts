// Requests that come close together as one batch: a bounded queue in front of a few runners.
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

interface Request<I, O> {
  readonly input: I;
  readonly rows: number;
  /** Milliseconds of {@link performance.now} when it came. */
  readonly born: number;
  readonly resolve: (output: O) => void;
  readonly reject: (error: unknown) => void;
  /** Stops listening to the caller's signal. */
  release: () => void;
  queued: boolean;
  settled: boolean;
}

/**
 * Gathers requests into batches for `run`, which answers each in order. A batch that fails is run again request by request, so that only
 * those that are wrong themselves fail.
 */
export class Batcher<I, O> {
  private queue: Request<I, O>[] = [];
  /** Place of the oldest in the queue: taking it must not move the others. */
  private head = 0;
  private waiting = 0;
  private running = 0;
  private held = false;
  private closing = false;
  private scheduled = false;
  private timer: NodeJS.Timeout | null = null;
  private onIdle: (() => void)[] = [];
  private order: Promise<unknown> = Promise.resolve();
  private readonly counts = { answered: 0, failed: 0, batches: 0, rows: 0 };

  constructor(
    private readonly op: string,
    private readonly run: (inputs: readonly I[]) => Promise<readonly O[]>,
    private readonly options: BatcherOptions,
  ) {}

  stats(): BatcherStats {
    return { queued: this.waiting, running: this.running, ...this.counts };
  }

  /** The answer to one request of so many rows. */
  push(input: I, rows: number, signal?: AbortSignal): Promise<O> {
    return new Promise<O>((resolve, reject) => {
      const refusal = this.refusal(signal);
      if (refusal !== null) {
        this.counts.failed++;
        reject(refusal);
        return;
      }
      const request: Request<I, O> = {
        input,
        rows,
        born: this.options.maxDelayMs > 0 ? performance.now() : 0,
        resolve,
        reject,
        release: nothing,
        queued: true,
        settled: false,
      };
      if (signal !== undefined) this.listen(request, signal);
      this.queue.push(request);
      this.waiting++;
      this.schedule();
    });
  }

  private refusal(signal: AbortSignal | undefined): unknown {
    if (this.closing) return new TensorError('closed', this.op, 'expected a request before close(), got one after it');
    if (signal?.aborted) return aborted(this.op, signal);
    const { maxQueue } = this.options;
    if (this.waiting < maxQueue) return null;
    return new TensorError(
      'queue-full',
      this.op,
      `expected at most ${maxQueue} requests to wait, got one more. Answer 'busy' to the caller, or raise maxQueue`,
    );
  }

  private listen(request: Request<I, O>, signal: AbortSignal): void {
    const abort = () => this.settle(request, () => request.reject(aborted(this.op, signal)), 'failed');
    signal.addEventListener('abort', abort, { once: true });
    request.release = () => signal.removeEventListener('abort', abort);
  }

  private settle(request: Request<I, O>, how: () => void, count: 'answered' | 'failed'): void {
    if (request.settled) return;
    request.settled = true;
    if (request.queued) this.leave(request);
    request.release();
    this.counts[count]++;
    how();
  }

  /** The request is answered, cancelled or under way: there is room for another one to wait. */
  private leave(request: Request<I, O>): void {
    request.queued = false;
    this.waiting--;
  }

  /** Looks at the queue after the callers that were just answered have had their turn to ask again. */
  private schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      this.flush();
    });
  }

  private flush(): void {
    while (!this.held && this.running < this.options.concurrency) {
      const count = this.ready();
      if (count === 0) break;
      const batch = this.queue.slice(this.head, this.head + count);
      this.head += count;
      this.compact();
      const open = batch.filter((request) => !request.settled);
      for (const request of open) this.leave(request);
      if (open.length > 0) void this.answer(open);
    }
    this.checkIdle();
  }

  /** How many requests at the head make the next batch now; 0 where none is there or the oldest still waits for company. */
  private ready(): number {
    const { maxBatch, maxDelayMs } = this.options;
    let [count, rows] = [0, 0];
    let full = false;
    for (let i = this.head; i < this.queue.length; i++) {
      const request = this.queue[i];
      if (!request.settled && rows + request.rows > maxBatch) {
        full = true;
        break;
      }
      if (!request.settled) rows += request.rows;
      count++;
    }
    if (count === 0 || full || rows === maxBatch || rows === 0 || maxDelayMs === 0 || this.closing) return count;
    const left = this.queue[this.head].born + maxDelayMs - performance.now();
    if (left <= 0) return count;
    if (this.timer === null) {
      this.timer = setTimeout(() => {
        this.timer = null;
        this.flush();
      }, left);
    }
    return 0;
  }

  /** Lets go of the requests that were taken. */
  private compact(): void {
    if (this.head === this.queue.length) {
      this.queue = [];
      this.head = 0;
    } else if (this.head > 1024) {
      this.queue = this.queue.slice(this.head);
      this.head = 0;
    }
  }

  private async answer(batch: readonly Request<I, O>[]): Promise<void> {
    this.running++;
    try {
      await this.attempt(batch);
    } catch (error) {
      if (batch.length === 1) this.settle(batch[0], () => batch[0].reject(error), 'failed');
      else for (const request of batch) await this.alone(request);
    }
    this.running--;
    this.schedule();
  }

  private async alone(request: Request<I, O>): Promise<void> {
    if (request.settled) return;
    try {
      await this.attempt([request]);
    } catch (error) {
      this.settle(request, () => request.reject(error), 'failed');
    }
  }

  private async attempt(batch: readonly Request<I, O>[]): Promise<void> {
    const outputs = await this.run(batch.map(({ input }) => input));
    this.counts.batches++;
    for (const [i, request] of batch.entries()) {
      this.counts.rows += request.rows;
      this.settle(request, () => request.resolve(outputs[i]), 'answered');
    }
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
