// capture(): runs a function once and records its kernels; later calls replay them natively, without JavaScript.
import { type Claim, isFree } from '../core/busy.js';
import { checkTensor, copyInto, dense, make } from '../core/dispatch.js';
import { recording } from '../core/recording.js';
import { checkInteger, checkNumber } from '../core/shape.js';
import { checkOptions, describe, TensorError } from '../errors.js';
import { clone } from '../ops/shape/view.js';
import type { Tensor } from '../tensor.js';
import { type Explanation, Profile } from './explain.js';
import { attributes, Guards, replaced } from './guard.js';
import { Lane, type RunOptions } from './lane.js';
import { Recorder } from './record.js';
import { type Instance, type Port, Recorded } from './recorded.js';
import { Replay } from './replay.js';
import { type Form, formOf, matches, rebuilt } from './structure.js';

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

/** Where an output comes from. */
type Source = { readonly port: number } | { readonly input: number } | { readonly external: Tensor };

/** One recording: for which inputs it is, and what replays it. */
export class Program {
  readonly replay: Replay;
  private times: Profile | null = null;

  constructor(
    readonly form: Form,
    readonly guards: Guards,
    readonly recorded: Recorded,
    readonly instance: Instance,
    private readonly output: Form,
    private readonly sources: readonly Source[],
    /** Outputs that are the gradients of inputs. */
    private readonly inputGradients: readonly { readonly input: number; readonly port: number }[],
  ) {
    this.replay = new Replay(recorded, instance);
    this.claim = claimOf(recorded, guards);
  }

  /** Whether a replay does what the function would do now. */
  get valid(): boolean {
    if (this.replay.outdated) return false;
    for (const [leaf, { before, cleared }] of this.recorded.leaves) {
      if (!cleared && (leaf.gradient?.storage ?? null) !== before) return false;
    }
    return this.guards.hold();
  }

  /** The output of a replay, as the function returns it. */
  assemble(inputs: readonly Tensor[], results: readonly Tensor[]): unknown {
    for (const { input, port } of this.inputGradients) collect(inputs[input], results[port]);
    const tensors = this.sources.map((source) => {
      if ('port' in source) return results[source.port];
      return 'input' in source ? inputs[source.input] : source.external;
    });
    return rebuilt(this.output, tensors);
  }

  /** Times of the steps that were profiled. */
  get profile(): Profile {
    this.times ??= new Profile(this.instance);
    return this.times;
  }

  /** What a run works on: nobody else may write it, or look at what it writes. */
  readonly claim: Claim;
  private running = false;
  private dropped = false;

  /** Claims the recording for a run in the background. */
  hold(): void {
    this.running = true;
  }

  /** The run is over. */
  release(): void {
    this.running = false;
    if (this.dropped) this.free();
  }

  /** Frees the recording, once nothing runs. */
  free(): void {
    this.dropped = true;
    if (this.running) return;
    this.instance.free();
    this.recorded.free();
  }
}

/** What a recording reads and writes beside its arena. */
function claimOf({ written, persistent, gradients, calls }: Recorded, guards: Guards): Claim {
  const writes = new Set<object>([
    ...written,
    ...persistent.map(({ storage }) => storage),
    ...gradients.map(({ storage }) => storage),
  ]);
  // States of generators, which the kernels advance.
  for (const { args } of calls) for (const arg of args) if (arg instanceof Uint32Array) writes.add(arg);
  const reads = new Set<object>(guards.storages.filter((storage) => !writes.has(storage)));
  return { reads: [...reads], writes: [...writes] };
}

/** Adds to the gradient of an input. */
function collect(x: Tensor, g: Tensor): void {
  const before = x.gradient;
  x.grad = before === null ? g : before.add(g);
}

/** Runs the function once for real and records it. */
function record(fn: (...inputs: never[]) => unknown, inputs: readonly unknown[]): { program: Program; value: unknown } {
  const given: Tensor[] = [];
  const form = formOf(inputs, given);
  for (const x of given) checkInput(x);
  const recorder = new Recorder();
  const before = attributes();
  let recorded: Recorded | null = null;
  try {
    recorder.begin();
    const own = given.map((x, i) => {
      recorder.input = i;
      const copy = make('input', x.shape, x.dtype);
      recorder.input = -1;
      copyInto(copy, x);
      copy.requiresGrad = x.requiresGrad;
      return copy;
    });
    recorder.intercept();
    const value = fn(...(rebuilt(form, own) as never[]));
    if (value instanceof Promise) {
      throw recorder.refusal('expected a function that is not asynchronous; wait for its inputs outside');
    }
    const found: Tensor[] = [];
    const output = formOf(value, found);
    const { sources, ports, inputGradients } = outputsOf(recorder, found, own);
    const changed = replaced(before, recorder);
    if (changed !== null) {
      throw recorder.refusal(
        `expected modules to keep their tensors, but ${changed} became another one, which a replay could not repeat; use assign()`,
      );
    }
    recorder.end();
    const results = ports.map(({ tensor }) => {
      const y = make('capture', tensor.shape, tensor.dtype);
      copyInto(y, tensor);
      return y;
    });
    const guards = new Guards(
      recorder,
      recorder.preludes.filter(({ opaque }) => opaque).map(({ owner }) => owner),
    );
    recorded = new Recorded(
      recorder,
      own.map((x, i) => portOf(x, inputOf(recorder, i))),
      ports.map(({ port }) => port),
    );
    const instance = recorded.bind();
    const program = new Program(form, guards, recorded, instance, output, sources, inputGradients);
    return { program, value: program.assemble(given, results) };
  } catch (error) {
    recorder.end();
    if (recorded !== null) recorded.free();
    else recorder.abandon();
    throw error;
  }
}

function checkInput(x: Tensor): void {
  checkTensor('capture', x, 'an input');
  if (x.isLeaf) return;
  throw new TensorError(
    'capture',
    'capture',
    `expected inputs without a graph behind them, got the result of '${x.op}'; detach() it, or compute it inside`,
  );
}

function inputOf({ own }: Recorder, i: number): Port['bytes'] {
  for (const { input, storage } of own.values()) if (input === i) return storage.bytes;
  throw new TensorError('capture', 'capture', 'expected memory for every input');
}

const portOf = (x: Tensor, bytes: Port['bytes']): Port => ({ bytes, byteOffset: 0, shape: x.shape, dtype: x.dtype });

/** Where every tensor of the output comes from; results of the step get ports. */
function outputsOf(recorder: Recorder, found: readonly Tensor[], inputs: readonly Tensor[]) {
  const ports: { tensor: Tensor; port: Port }[] = [];
  const add = (x: Tensor): number => {
    checkTensor('capture', x, 'an output');
    let tensor = x;
    if (recorder.own.get(x.storage.bytes)?.storage !== x.storage) tensor = clone(x.detach());
    else if (!x.isContiguous) tensor = dense('capture', x.detach());
    const { storage, offset, shape, dtype } = tensor;
    const byteOffset = storage.byteOffset + offset * (tensor.size === 0 ? 0 : bytesOf(tensor));
    ports.push({ tensor, port: { bytes: storage.bytes, byteOffset, shape, dtype } });
    return ports.length - 1;
  };
  const sources = found.map((x): Source => {
    const input = inputs.indexOf(x);
    if (input >= 0) return { input };
    return recorder.tensors.has(x) ? { port: add(x) } : { external: x };
  });
  const inputGradients = inputs.flatMap((x, input) => {
    const { gradient } = x;
    return gradient === null ? [] : [{ input, port: add(gradient) }];
  });
  return { sources, ports, inputGradients };
}

function bytesOf(x: Tensor): number {
  return x.dtype === 'float64' ? 8 : x.dtype === 'float32' || x.dtype === 'int32' ? 4 : 1;
}

/** A replay that times every kernel. */
function profiled(program: Program, inputs: readonly Tensor[]): unknown {
  const { replay, profile } = program;
  const results = replay.run(inputs, profile.times);
  profile.add();
  return program.assemble(inputs, results);
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
    return timed ? profiled(program, tensors) : program.assemble(tensors, program.replay.run(tensors));
  }

  /** Runs the function and records it. */
  record(inputs: readonly unknown[]): unknown {
    if (recording !== null || this.running) throw nested();
    this.running = true;
    try {
      const { program: made, value } = record(this.fn, inputs);
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
 *   the step does not fit into the budget
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
