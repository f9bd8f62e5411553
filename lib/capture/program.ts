// One recording of a function: for which inputs it is, what it works on, and what replays it.
import type { Claim } from '../core/busy.js';
import { checkTensor, copyInto, dense, make } from '../core/dispatch.js';
import { DTYPES } from '../core/dtype.js';
import { TensorError } from '../errors.js';
import { clone } from '../ops/shape/view.js';
import type { Tensor } from '../tensor.js';
import { Profile } from './explain.js';
import { attributes, Guards, replaced } from './guard.js';
import { Recorder } from './record.js';
import { type Instance, type Port, Recorded } from './recorded.js';
import { Replay } from './replay.js';
import { type Form, formOf, rebuilt } from './structure.js';

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
    this.plain = output.kind === 'tensor' && 'port' in sources[0] && inputGradients.length === 0;
  }

  /** The output is the one result. */
  private readonly plain: boolean;

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
    if (this.plain) return results[0];
    const tensors = this.sources.map((source) => {
      if ('port' in source) return results[source.port];
      return 'input' in source ? inputs[source.input] : source.external;
    });
    return rebuilt(this.output, tensors);
  }

  /** Replays the step; the output as the function returns it. */
  run(inputs: readonly Tensor[]): unknown {
    return this.assemble(inputs, this.replay.run(inputs));
  }

  /** {@link run}, with a time for every kernel. */
  runTimed(inputs: readonly Tensor[]): unknown {
    const { profile } = this;
    const results = this.replay.run(inputs, profile.times);
    profile.add();
    return this.assemble(inputs, results);
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
  // A run in the background may end after its input was given back.
  if (x.released) {
    g.dispose();
    return;
  }
  const before = x.gradient;
  x.grad = before === null ? g : before.add(g);
}

/** A recorded step without the memory of its recording, and its first results. */
interface Taken {
  readonly recorded: Recorded;
  readonly guards: Guards;
  readonly output: Form;
  readonly sources: readonly Source[];
  readonly inputGradients: readonly { readonly input: number; readonly port: number }[];
  readonly results: readonly Tensor[];
}

/** Runs the function once for real and records it; the output refers to `tensors` where the inputs are copies of them. */
export function record(
  fn: (...inputs: never[]) => unknown,
  inputs: readonly unknown[],
  tensors?: readonly Tensor[],
): { program: Program; value: unknown } {
  const given: Tensor[] = [];
  const form = formOf(inputs, given);
  for (const x of given) checkInput(x);
  // From here on nothing holds the memory of the recording: it may become the arena.
  const { recorded, guards, output, sources, inputGradients, results } = take(fn, form, given);
  try {
    const program = new Program(form, guards, recorded, recorded.bind(), output, sources, inputGradients);
    return { program, value: program.assemble(tensors ?? given, results) };
  } catch (error) {
    recorded.free();
    throw afterwards(error);
  }
}

/** An error of the recording once the function has run: what lacks memory says so. */
function afterwards(error: unknown): unknown {
  if (!(error instanceof TensorError) || error.code !== 'memory') return error;
  const text = 'expected memory for replays, got none; the function has run, and what it changed stays changed';
  return new TensorError('memory', 'capture', `${text}. ${error.message}`, { cause: error });
}

function take(fn: (...inputs: never[]) => unknown, form: Form, given: readonly Tensor[]): Taken {
  const recorder = new Recorder();
  const before = attributes();
  let ran = false;
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
    ran = true;
    const results = ports.map(({ tensor }) => {
      const y = make('capture', tensor.shape, tensor.dtype);
      copyInto(y, tensor);
      return y;
    });
    const guards = new Guards(
      recorder,
      recorder.preludes.filter(({ opaque }) => opaque).map(({ owner }) => owner),
    );
    const recorded = new Recorded(
      recorder,
      own.map((x, i) => portOf(x, inputOf(recorder, i))),
      ports.map(({ port }) => port),
    );
    return { recorded, guards, output, sources, inputGradients, results };
  } catch (error) {
    recorder.end();
    recorder.abandon();
    throw ran ? afterwards(error) : error;
  }
}

/** Refuses what cannot be an input. */
export function checkInput(x: Tensor): void {
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
    const byteOffset = storage.byteOffset + offset * (tensor.size === 0 ? 0 : DTYPES[dtype].bytes);
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
