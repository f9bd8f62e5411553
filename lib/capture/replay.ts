// Replaying a recorded step: preludes, the kernels in one crossing, outputs, gradients.
import { dense, dropCopy, make, offsetOf } from '../core/dispatch.js';
import { allocate, release, Storage } from '../core/storage.js';
import { TensorError } from '../errors.js';
import { type Bytes, native } from '../native.js';
import type { Tensor } from '../tensor.js';
import { runInBackground } from './background.js';
import { type Argument, bindings, UPDATES } from './bindings.js';
import { type Gradient, gradientOn, type Instance, type Prelude, type Recorded } from './recorded.js';

const G = native.geometry;
const FIRST_COPY = 5;
const NOTHING: readonly Tensor[] = [];

/** A call that a prelude made. */
interface Update {
  readonly name: string;
  readonly args: readonly Argument[];
  readonly geometry: Float64Array;
}

/** What takes the place of the recorded calls of preludes. */
interface Otherwise {
  readonly instead: ReadonlyMap<Prelude, readonly Update[]>;
  /** A prelude threw: what comes behind it does not run. */
  readonly failure: { readonly error: unknown } | null;
}

/** Runs the calls from `begin` to before `end`, after copying `inputs` in and before copying `outputs` out. */
export function run(
  instance: Instance,
  begin: number,
  end: number,
  inputs: readonly Tensor[],
  outputs: readonly Tensor[],
  times: Float64Array | null = null,
): void {
  const buffers: Bytes[] = new Array(inputs.length + outputs.length);
  let slot = FIRST_COPY;
  for (let i = 0; i < inputs.length; i++) {
    buffers[i] = inputs[i].storage.bytes;
    G[slot++] = i;
    G[slot++] = offsetOf(inputs[i]);
  }
  const ports = instance.recorded.inputs.length;
  for (let i = 0; i < outputs.length; i++) {
    buffers[inputs.length + i] = outputs[i].storage.bytes;
    G[slot++] = ports + i;
    G[slot++] = offsetOf(outputs[i]);
  }
  G[0] = instance.id;
  G[1] = begin;
  G[2] = end;
  G[3] = inputs.length;
  G[4] = outputs.length;
  // A list spread over arguments costs 50 ns more.
  const stopped =
    times === null && buffers.length === 2
      ? native.programRun(null, buffers[0], buffers[1])
      : native.programRun(times, ...buffers);
  if (stopped !== end) throw badIndex(instance, stopped, G[0]);
}

/** The error of the operation that met a bad index. */
export function badIndex(instance: Instance, stopped: number, place: number): TensorError {
  const { calls } = instance.recorded;
  const call = calls.findLast((_, i) => instance.starts[i] <= stopped);
  if (!call?.check) return new TensorError('index', call?.name ?? 'capture', `expected good indices, got a bad one`);
  const { read, storage, refuse } = call.check;
  const before = read.storage;
  // The tensor is gone, but its values are still where the kernel read them.
  const { bytes, byteOffset, byteLength } = storage;
  read.storage = new Storage(instance.memory(bytes), byteOffset, byteLength, null);
  try {
    return refuse(place);
  } finally {
    read.storage = before;
  }
}

/** What a run in the background needs of whoever watches over it. */
export interface Beside {
  /** Runs what belongs to the run on this thread. */
  readonly between: <T>(fn: () => T) => T;
  /** Why to end, or null. */
  readonly stopped: () => TensorError | null;
}

export class Replay {
  /** Milliseconds that the last runs took. */
  lastMs = Number.POSITIVE_INFINITY;
  /** What the preludes bound last, by the number of the call. */
  private readonly bound = new Map<number, Update>();
  /** Runs of calls, each with the preludes before it: one, unless a check stands before a prelude. */
  private readonly parts: readonly { begin: number; end: number; preludes: Prelude[] }[];
  /** A prelude made other calls than were recorded: the step has to be recorded anew. */
  outdated = false;

  constructor(
    readonly recorded: Recorded,
    readonly instance: Instance,
  ) {
    const { calls, preludes } = recorded;
    for (const prelude of preludes) for (let i = prelude.begin; i < prelude.end; i++) this.bound.set(i, calls[i]);
    const parts: { begin: number; end: number; preludes: Prelude[] }[] = [
      { begin: 0, end: calls.length, preludes: [] },
    ];
    for (const prelude of preludes) {
      const part = parts[parts.length - 1];
      // Nothing of JavaScript may have changed when the step fails before.
      if (calls.slice(part.begin, prelude.begin).some(({ check }) => check !== null)) {
        part.end = prelude.begin;
        parts.push({ begin: prelude.begin, end: calls.length, preludes: [prelude] });
      } else part.preludes.push(prelude);
    }
    this.parts = parts;
  }

  /** Replays the step on the memory of `inputs`; gives the tensors of its outputs. */
  run(inputs: readonly Tensor[], times: Float64Array | null = null): Tensor[] {
    const { recorded, instance, parts } = this;
    const { outputs } = recorded;
    const results: Tensor[] = new Array(outputs.length);
    for (let i = 0; i < outputs.length; i++) results[i] = make('capture', outputs[i].shape, outputs[i].dtype);
    let copies = inputs;
    for (let i = 0; i < inputs.length; i++) {
      if (inputs[i].isContiguous) continue;
      copies = inputs.map((x) => dense('capture', x));
      break;
    }
    try {
      this.clearGradients();
      for (let i = 0; i < parts.length; i++) {
        const { begin, end, preludes } = parts[i];
        const last = i === parts.length - 1;
        const otherwise = this.prepare(preludes);
        const ins = i === 0 ? copies : NOTHING;
        const outs = last ? results : NOTHING;
        if (otherwise === null) run(instance, this.start(begin, i), instance.starts[end], ins, outs, times);
        else this.runOtherwise(otherwise, begin, end, ins, outs);
      }
    } catch (error) {
      for (const y of results) y.dispose();
      throw error;
    } finally {
      if (copies !== inputs) for (let i = 0; i < inputs.length; i++) dropCopy(copies[i], inputs[i]);
    }
    this.setGradients();
    return results;
  }

  /** As {@link run}, with the kernels on a thread of their own; all else happens on this one, `between` their stretches. */
  async runAsync(inputs: readonly Tensor[], { between, stopped }: Beside): Promise<Tensor[]> {
    const { recorded, instance, parts } = this;
    const { starts } = instance;
    let took = 0;
    between(() => {
      const copies = inputs.map((x) => dense('capture', x));
      run(instance, 0, 0, copies, NOTHING);
      for (let i = 0; i < inputs.length; i++) dropCopy(copies[i], inputs[i]);
      this.clearGradients();
    });
    for (let i = 0; i < parts.length; i++) {
      const { begin, end, preludes } = parts[i];
      const otherwise = between(() => this.prepare(preludes));
      if (otherwise !== null) {
        // Once: the step is recorded anew, or ends here.
        between(() => this.runOtherwise(otherwise, begin, end, NOTHING, NOTHING));
        continue;
      }
      const before = stopped();
      if (before !== null) throw before;
      const { next, place, ms } = await runInBackground(instance, this.start(begin, i), starts[end]);
      took += ms;
      if (next === starts[end]) continue;
      throw place >= 0 ? badIndex(instance, next, place) : (stopped() ?? new Error('a run ended without a reason'));
    }
    this.took(took);
    return between(() => {
      const results = recorded.outputs.map(({ shape, dtype }) => make('capture', shape, dtype));
      run(instance, starts[starts.length - 1], starts[starts.length - 1], NOTHING, results);
      this.setGradients();
      return results;
    });
  }

  /** Notes what a run took; one that something else held up counts for twice as much as those before it at most. */
  took(ms: number): void {
    this.lastMs = Math.min(ms, 2 * this.lastMs);
  }

  /** Calls that put constants back come before the first. */
  private start(call: number, part: number): number {
    return part === 0 ? 0 : this.instance.starts[call];
  }

  /** What the step does to the gradients before it makes new ones. */
  private clearGradients(): void {
    const { gradients, leaves } = this.recorded;
    for (const gradient of gradients) this.free(gradient);
    for (const [leaf, { cleared }] of leaves) {
      if (cleared && leaf.gradient !== null) leaf.zeroGrad();
    }
  }

  /** Makes the memory of a gradient writable: who has looked at it keeps the values. */
  private free(gradient: Gradient): void {
    const { tensor, storage, leaf } = gradient;
    if (tensor.storage === storage) {
      if (tensor.hidden) {
        if (leaf.gradient === tensor) leaf.gradient = null;
        return;
      }
      const copy = allocate('capture', storage.byteLength);
      copy.bytes.set(
        storage.bytes.subarray(storage.byteOffset, storage.byteOffset + storage.byteLength),
        copy.byteOffset,
      );
      tensor.storage = copy;
      release(storage);
    }
    if (tensor.released && tensor.hidden) {
      tensor.storage = storage;
      storage.refs++;
    } else gradient.tensor = gradientOn(storage, leaf);
  }

  /** What the leaves have after the step. */
  private setGradients(): void {
    const { gradients, without, written } = this.recorded;
    for (let i = 0; i < without.length; i++) if (without[i].gradient !== null) without[i].zeroGrad();
    for (let i = 0; i < gradients.length; i++) {
      const { leaf, tensor } = gradients[i];
      leaf.gradient = tensor;
      tensor.attached = true;
    }
    for (let i = 0; i < written.length; i++) written[i].version++;
  }

  /** Runs preludes; null where they made the calls that were recorded. */
  private prepare(preludes: readonly Prelude[]): Otherwise | null {
    let instead: Map<Prelude, Update[]> | null = null;
    for (const prelude of preludes) {
      const made: Update[] = [];
      try {
        this.collect(prelude, made);
      } catch (error) {
        instead ??= new Map();
        instead.set(prelude, made);
        return { instead, failure: { error } };
      }
      if (this.rebind(prelude, made)) continue;
      this.outdated = true;
      instead ??= new Map();
      instead.set(prelude, made);
    }
    return instead && { instead, failure: null };
  }

  private collect({ run: again, gradients }: Prelude, made: Update[]): void {
    const outer = gradients.map(([leaf, g]) => {
      const before = leaf.gradient;
      leaf.gradient = g;
      return before;
    });
    const originals = [...UPDATES].map((name) => [name, bindings[name]] as const);
    for (const [name] of originals) {
      bindings[name] = (...args) => void made.push({ name, args, geometry: G.slice(0, usedOf(args)) });
    }
    try {
      again();
    } finally {
      for (const [name, original] of originals) bindings[name] = original;
      gradients.forEach(([leaf], i) => {
        leaf.gradient = outer[i];
      });
    }
  }

  /** Puts the calls of a prelude in the place of those before; false where they do not fit. */
  private rebind(prelude: Prelude, made: readonly Update[]): boolean {
    const { begin, end } = prelude;
    if (made.length !== end - begin) return false;
    for (let i = 0; i < made.length; i++) {
      const now = made[i];
      if (same(now, this.bound.get(begin + i) as Update)) continue;
      this.bound.set(begin + i, now);
      if (!this.instance.replace(begin + i, now.name, now.args, now.geometry)) return false;
    }
    return true;
  }

  /** The same step once more with other calls of optimizers; as far as it goes where JavaScript threw, which is then thrown here. */
  private runOtherwise(
    { instead, failure }: Otherwise,
    begin: number,
    end: number,
    inputs: readonly Tensor[],
    outputs: readonly Tensor[],
  ): void {
    const { instance } = this;
    let at = begin;
    let copies = inputs;
    for (const [prelude, updates] of instead) {
      run(instance, this.start(at, at), instance.starts[prelude.begin], copies, NOTHING);
      for (const { name, args, geometry } of updates) {
        G.fill(0);
        G.set(geometry);
        bindings[name](...args);
      }
      at = prelude.end;
      copies = NOTHING;
    }
    if (failure !== null) {
      this.setGradients();
      throw failure.error;
    }
    run(instance, instance.starts[at], instance.starts[end], copies, outputs);
  }
}

/** Slots of the geometry that an update fills (see lib/native.ts). */
function usedOf(args: readonly Argument[]): number {
  const count = G[1];
  return 16 + count + args.length;
}

function same(a: Update, b: Update): boolean {
  if (a.name !== b.name || a.args.length !== b.args.length) return false;
  for (let i = 0; i < a.args.length; i++) if (a.args[i] !== b.args[i]) return false;
  for (let i = 0; i < a.geometry.length; i++) if (a.geometry[i] !== (b.geometry[i] ?? 0)) return false;
  return true;
}
