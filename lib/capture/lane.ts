// The queue of a captured step: its runs in the background, one after the other, beside the runs of other steps.
import { type Claim, claim, inside, isFree, unclaim } from '../core/busy.js';
import { TensorError } from '../errors.js';
import { clone } from '../ops/shape/view.js';
import type { Tensor } from '../tensor.js';
import { cancel, holdHere } from './background.js';
import type { Program } from './program.js';
import { formOf, rebuilt } from './structure.js';

/** What a lane needs of its captured step. */
export interface Step {
  /** The recording for these inputs, whose tensors are put into `tensors`; null where there is none. */
  find(inputs: readonly unknown[], tensors: Tensor[]): Program | null;
  /** Runs the function and records it; `given` are the tensors of the inputs as the caller knows them, where the inputs are copies. */
  record(inputs: readonly unknown[], given?: readonly Tensor[]): unknown;
}

/** Options of a run in the background. */
export interface RunOptions {
  /** Ends the run between two kernels; the promise rejects with code `aborted`. */
  signal?: AbortSignal;
  /**
   * Kernels that took less the last time run on this thread: the way to another one and back takes some hundredths of a millisecond. 0
   * unless given. A loop that awaits nothing but such runs leaves no turn to the event loop.
   */
  inlineBelowMs?: number;
}

interface Job {
  inputs: readonly unknown[];
  /** Where the inputs are copies of the lane's own, the tensors they were made from. */
  given: readonly Tensor[] | null;
  /** Takes the job out of the queue when its signal says so. */
  leave: (() => void) | null;
  readonly signal: AbortSignal | undefined;
  readonly inlineBelowMs: number;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** Lanes whose next job waits for memory that another step works on, in the order they came. */
const blocked = new Set<Lane>();

function aborted(signal: AbortSignal): TensorError {
  return new TensorError('aborted', 'async', 'expected to run the step to its end, got an abort signal', {
    cause: signal.reason,
  });
}

export class Lane {
  private readonly queue: Job[] = [];
  private running: Program | null = null;

  constructor(private readonly step: Step) {}

  /** Whether a run is under way: the step's memory is in use. */
  get busy(): boolean {
    return this.running !== null;
  }

  submit(inputs: readonly unknown[], { signal, inlineBelowMs = 0 }: RunOptions): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) throw aborted(signal);
      const job: Job = { inputs, given: null, leave: null, signal, inlineBelowMs, resolve, reject };
      this.queue.push(job);
      if (this.queue.length === 1) this.advance();
      // What waits reads its inputs now: they may be changed or given back until its turn.
      if (!this.queue.includes(job)) return;
      try {
        this.keep(job);
      } catch (error) {
        this.queue.splice(this.queue.indexOf(job), 1);
        throw error;
      }
    });
  }

  private keep(job: Job): void {
    const tensors: Tensor[] = [];
    const form = formOf(job.inputs, tensors);
    const copies = tensors.map((x) => {
      x.check('async');
      const copy = clone(x.detach());
      copy.requiresGrad = x.requiresGrad;
      return copy;
    });
    job.inputs = rebuilt(form, copies) as unknown[];
    job.given = tensors;
    const { signal } = job;
    if (signal === undefined) return;
    job.leave = () => {
      this.queue.splice(this.queue.indexOf(job), 1);
      this.drop(job);
      job.reject(aborted(signal));
    };
    signal.addEventListener('abort', job.leave, { once: true });
  }

  /** The job whose turn it is. */
  private next(): void {
    const { signal, leave } = this.queue.shift() as Job;
    if (leave !== null) signal?.removeEventListener('abort', leave);
  }

  private drop(job: Job): void {
    if (job.given === null) return;
    const tensors: Tensor[] = [];
    formOf(job.inputs, tensors);
    for (const x of tensors) x.dispose();
  }

  /** Begins what can begin: nothing of this step is under way, and nobody else works on its memory. */
  advance(): void {
    blocked.delete(this);
    while (this.running === null && this.queue.length > 0) {
      const job = this.queue[0];
      const tensors: Tensor[] = [];
      let program: Program | null;
      try {
        program = this.step.find(job.inputs, tensors);
      } catch (error) {
        this.next();
        job.reject(error);
        this.drop(job);
        continue;
      }
      // Recording runs on this thread and touches what the step does: whoever works on that is waited for.
      if (program === null ? !this.recordable(job) : !isFree(program.claim)) {
        blocked.add(this);
        return;
      }
      this.next();
      if (program !== null && program.replay.lastMs >= job.inlineBelowMs) {
        void this.run(job, program, tensors);
        return;
      }
      if (program !== null) this.runHere(job, program, tensors);
      this.drop(job);
    }
  }

  /** Records the step, which is its first run; false where memory of it is still in use. */
  private recordable(job: Job): boolean {
    try {
      job.resolve(this.step.record(job.inputs, job.given ?? undefined));
    } catch (error) {
      if (error instanceof TensorError && error.code === 'busy') return false;
      job.reject(error);
    }
    return true;
  }

  /** The run as a call like any other, on this thread. */
  private runHere(job: Job, program: Program, tensors: readonly Tensor[]): void {
    const start = performance.now();
    try {
      job.resolve(program.assemble(job.given ?? tensors, program.replay.run(tensors)));
    } catch (error) {
      job.reject(error);
    }
    program.replay.took(performance.now() - start);
  }

  private async run(job: Job, program: Program, tensors: readonly Tensor[]): Promise<void> {
    const own: Claim = program.claim;
    const { signal } = job;
    const abort = () => cancel(program.instance);
    this.running = program;
    program.hold();
    claim(own);
    holdHere(own);
    let value: unknown;
    let failure: { readonly error: unknown } | null = null;
    try {
      signal?.addEventListener('abort', abort, { once: true });
      const results = await program.replay.runAsync(tensors, {
        between: (fn) => inside(own, fn),
        stopped: () => (signal?.aborted ? aborted(signal) : null),
      });
      value = inside(own, () => program.assemble(job.given ?? tensors, results));
    } catch (error) {
      failure = { error };
    }
    signal?.removeEventListener('abort', abort);
    unclaim(own);
    this.running = null;
    program.release();
    this.drop(job);
    if (failure === null) job.resolve(value);
    else job.reject(failure.error);
    this.advance();
    for (const lane of [...blocked]) lane.advance();
  }
}
