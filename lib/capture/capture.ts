// capture(): runs a function once and records its kernels; later calls replay them natively, without JavaScript.
import { isFree } from '../core/busy.js';
import { recording } from '../core/recording.js';
import { checkInteger, checkNumber } from '../core/shape.js';
import { checkOptions, describe, TensorError } from '../errors.js';
import type { Tensor } from '../tensor.js';
import type { Explanation } from './explain.js';
import { Lane, type RunOptions } from './lane.js';
import { checkInput, type Program, record } from './program.js';
import { matches } from './structure.js';

/** Options of {@link capture}. */
export interface CaptureOptions {
  /** How many recordings for inputs of different forms are kept, the least recently used goes first; 8 unless given. */
  maxSignatures?: number;
}

/** Bytes of a captured step, of the recording that was used last. */
export interface CaptureMemory {
  /** Memory in which the step works; buffers that are not needed at the same time share it. */
  readonly arena: number;
  /** What the arena would be if each buffer had a place of its own. */
  readonly unshared: number;
  /** Copies of the inputs, a part of the arena. */
  readonly inputs: number;
  /** Results that every call copies out of the arena. */
  readonly outputs: number;
  /** Gradients, optimizer states and constants, which stay between calls. */
  readonly persistent: number;
}

/** A function whose calls are replayed; see {@link capture}. */
export interface CapturedStep<Inputs extends unknown[], Output> {
  (...inputs: Inputs): Output;
  /** How many recordings there are, one for each form of inputs. */
  readonly signatures: number;
  /** Bytes of the recording that was used last; zeros before the first call. */
  readonly memory: CaptureMemory;
  /**
   * Runs the step in the background: the event loop goes on meanwhile. Inputs are read at once; runs of one step follow each other in the order of
   * the calls. While it runs, using tensors that the step changes, or changing tensors that it reads, is a `TensorError` `busy`. The first
   * call with inputs of a form records, on this thread.
   */
  async(...inputs: Inputs): Promise<Output>;
  /**
   * The step with a signal that ends its runs in the background, between two kernels: the promise rejects with code `aborted`. A training
   * step that was cut short may have changed some of its parameters.
   */
  with(options: RunOptions): { async(...inputs: Inputs): Promise<Output> };
  /**
   * A call like any other whose kernels are timed, for {@link explain}; the first call with inputs of a form records, and is not timed.
   */
  profile(...inputs: Inputs): Output;
  /**
   * The kernels of the recording that was used last, with the times of its {@link profile} calls.
   *
   * @throws TensorError `capture` before the first call
   */
  explain(): Explanation;
  /** Lets go of all recordings and their memory, after what runs in the background; the next call records anew. */
  dispose(): void;
}

const NO_MEMORY: CaptureMemory = { arena: 0, unshared: 0, inputs: 0, outputs: 0, persistent: 0 };

function nested(): TensorError {
  return new TensorError(
    'capture',
    'capture',
    'expected no captured step inside a captured function; call the plain function there',
  );
}

/** What {@link capture} returns calls this. */
class Captured {
  /** The most recently used first. */
  private readonly programs: Program[] = [];
  private running = false;
  readonly lane = new Lane(this);

  constructor(
    private readonly fn: (...inputs: never[]) => unknown,
    private readonly maxSignatures: number,
  ) {}

  call(inputs: readonly unknown[], timed = false): unknown {
    if (recording !== null || this.running) throw nested();
    const tensors: Tensor[] = [];
    const program = this.find(inputs, tensors);
    if (program === null) return this.record(inputs);
    if (this.lane.busy || !isFree(program.claim)) {
      throw new TensorError(
        'busy',
        'capture',
        'expected nothing in the background to work on the memory of this step, but a run is under way; await it, or call async() to queue',
      );
    }
    return timed ? program.runTimed(tensors) : program.run(tensors);
  }

  /** Runs the function and records it. */
  record(inputs: readonly unknown[], tensors?: readonly Tensor[]): unknown {
    if (recording !== null || this.running) throw nested();
    this.running = true;
    try {
      const { program: made, value } = record(this.fn, inputs, tensors);
      this.programs.unshift(made);
      if (this.programs.length > this.maxSignatures) this.programs.pop()?.free();
      return value;
    } finally {
      this.running = false;
    }
  }

  /** The recording for these inputs, which becomes the first; their tensors are put into `tensors`. */
  find(inputs: readonly unknown[], tensors: Tensor[]): Program | null {
    const { programs } = this;
    for (let i = 0; i < programs.length; i++) {
      tensors.length = 0;
      const program = programs[i];
      if (!matches(program.form, inputs, tensors)) continue;
      for (let k = 0; k < tensors.length; k++) checkInput(tensors[k]);
      if (!program.valid) continue;
      if (i > 0) {
        programs.splice(i, 1);
        programs.unshift(program);
      }
      return program;
    }
    return null;
  }

  submit(inputs: readonly unknown[], options: RunOptions): Promise<unknown> {
    if (recording !== null || this.running) return Promise.reject(nested());
    return this.lane.submit(inputs, options);
  }

  get signatures(): number {
    return this.programs.length;
  }

  get memory(): CaptureMemory {
    const first = this.programs.at(0)?.recorded;
    if (first === undefined) return NO_MEMORY;
    const { plan, inputBytes: inputs, outputBytes: outputs, persistentBytes: persistent } = first;
    return { arena: plan.bytes, unshared: plan.unshared, inputs, outputs, persistent };
  }

  explain(): Explanation {
    const [program] = this.programs;
    if (program === undefined) {
      throw new TensorError('capture', 'explain', 'expected a step that was called before; its first call records it');
    }
    return program.profile.explain();
  }

  dispose(): void {
    for (const program of this.programs) program.free();
    this.programs.length = 0;
  }
}

/**
 * Records what a function does when it is called for the first time, and replays it natively from then on: no JavaScript between the
 * kernels, no memory taken, the same bits (PyTorch has it for GPUs: `torch.cuda.make_graphed_callables`).
 *
 * A training step or an inference goes in as it is written: forward, backward, gradient clipping, optimizer and schedule steps, dropout,
 * running statistics. The first call with inputs of a form (structure, shapes, dtypes) runs the function and records; later ones replay.
 * Random states, step counts and learning rates advance as if the function were called. Inputs are tensors, numbers and the like in arrays
 * and plain objects; numbers are part of the form. Results are tensors of their own, without a graph: call `backward()` inside.
 *
 * Not recorded, and so not repeated, is what JavaScript does besides: its branches, counters, logs, and values of variables that are no
 * tensors. Parameters and modules that are replaced, other modes (`train()`, `noGrad`) and other inputs are noticed: the step is recorded
 * anew. Tensors made inside and not returned belong to the step and are released.
 *
 * @param fn a synchronous function
 * @param options `maxSignatures`: how many recordings are kept, 8 unless given
 * @throws TensorError `capture` in the first call, for what cannot be recorded: values read (`item()`, `data`, printing), shapes that depend
 *   on values (`nonzero`, `unique`), tensors made from numbers inside, another captured step inside, inputs with a graph; `memory` where
 *   the step does not fit into the budget: before an optimizer has changed anything, as far as that can be known by then, else the message says
 *   that the function has run
 *
 * @example
 * ```ts
 * import { capture, manualSeed, nn, ones, optim, type Tensor } from 'chainrule';
 * manualSeed(0);
 * const model = new nn.Linear(2, 1);
 * const optimizer = new optim.SGD(model.parameters(), { lr: 0.1 });
 * const step = capture((x: Tensor, y: Tensor) => {
 *   optimizer.zeroGrad();
 *   const loss = nn.functional.mseLoss(model.forward(x), y);
 *   loss.backward();
 *   optimizer.step();
 *   return loss;
 * });
 * const [x, y] = [ones([4, 2]), ones([4, 1])];
 * for (let i = 0; i < 50; i++) step(x, y);
 * console.log(step(x, y).item() < 1e-6, step.signatures); // true 1
 * ```
 */
export function capture<Inputs extends unknown[], Output>(
  fn: (...inputs: Inputs) => Output,
  options?: CaptureOptions,
): CapturedStep<Inputs, Output> {
  const op = 'capture';
  if (typeof fn !== 'function') throw new TensorError('value', op, `expected a function, got ${describe(fn)}`);
  checkOptions(op, options, ['maxSignatures']);
  const most = checkInteger(op, 'maxSignatures', options?.maxSignatures ?? 8, 1, 1024);
  const captured = new Captured(fn as (...inputs: never[]) => unknown, most);
  const step = (...inputs: Inputs) => captured.call(inputs) as Output;
  Object.defineProperties(step, {
    signatures: { get: () => captured.signatures },
    memory: { get: () => captured.memory },
    async: { value: (...inputs: Inputs) => captured.submit(inputs, {}) },
    with: {
      value: (chosen: RunOptions) => {
        checkOptions(op, chosen, ['signal', 'inlineBelowMs']);
        checkNumber(op, 'inlineBelowMs', chosen.inlineBelowMs ?? 0, 0);
        return { async: (...inputs: Inputs) => captured.submit(inputs, chosen) };
      },
    },
    profile: { value: (...inputs: Inputs) => captured.call(inputs, true) },
    explain: { value: () => captured.explain() },
    dispose: { value: () => captured.dispose() },
  });
  return step as CapturedStep<Inputs, Output>;
}
