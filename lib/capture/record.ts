// The recorder: runs nothing itself, but notes every call of a binding and all memory it touches while a step runs.
import { DTYPES } from '../core/dtype.js';
import { type Recording, setRecording } from '../core/recording.js';
import type { Shape } from '../core/shape.js';
import { checkRoom, release, Storage } from '../core/storage.js';
import { TensorError } from '../errors.js';
import { type Bytes, native } from '../native.js';
import type { Tensor } from '../tensor.js';
import { type Argument, BINDINGS, type Binder, type Binding, bindings, UPDATES, writes } from './bindings.js';
import { callingPlace } from './place.js';
import { type Planned, plan, plannedOf } from './plan.js';

const G = native.geometry;

/** Shape and bytes of a tensor. */
export interface Operand {
  readonly shape: Shape;
  readonly bytes: number;
}

/** One call of a binding, to be made again on other memory. */
export interface RecordedCall {
  readonly name: Binding;
  readonly args: readonly Argument[];
  readonly geometry: Float64Array;
  /** The tensors it works on, for the explanation. */
  readonly operands: readonly Operand[];
  /** The prelude that makes it, or -1. */
  readonly prelude: number;
  /** Its result became a constant: it is not made again. */
  skipped: boolean;
  /** What a bad index is answered with; the tensor is read for it. */
  check: { readonly read: Tensor; readonly storage: Storage; readonly refuse: (place: number) => TensorError } | null;
}

/** Memory taken while recording. */
export interface Own {
  readonly storage: Storage;
  /** The input that it holds, or -1. */
  readonly input: number;
  /** The first and the last call that touch it, -1 where none does. */
  first: number;
  last: number;
  /** JavaScript wrote it, or nobody before it was read: it stays as it is, and is put back where calls write it. */
  constant: boolean;
  /** The calls that made it, while all of it follows from their numbers; null once another call has touched it. */
  makers: RecordedCall[] | null;
  /** Its values when the first call was to write it. */
  before: Bytes | null;
  /** An optimizer's step touches it. */
  updated: boolean;
  /** The recorder holds it, because it stays as it is. */
  held: boolean;
}

/** What becomes of the gradient of a leaf. */
export interface Leaf {
  /** The memory of its gradient before the step. */
  readonly before: Storage | null;
  /** The step drops that unread. */
  readonly cleared: boolean;
}

/** Work of JavaScript before the kernels of a replay. */
export interface Prelude {
  readonly owner: object;
  readonly run: () => void;
  /** The calls it makes. */
  readonly begin: number;
  end: number;
  /** The gradients as it finds them. */
  readonly gradients: Map<Tensor, { readonly tensor: Tensor | null; readonly own: Own | null }>;
  /** Whether it calls anything but the updates of optimizers: its calls are recorded like those of any operation then. */
  opaque: boolean;
}

/** Drops the zeros at the end. */
function trimmed(geometry: Float64Array): Float64Array {
  let n = geometry.length;
  while (n > 0 && geometry[n - 1] === 0) n--;
  return geometry.slice(0, n);
}

/** The numbers of a call of `copy` that copies bytes. */
export function copyGeometry(n: number): Float64Array {
  const geometry = new Float64Array(16);
  geometry.set([0, DTYPES.uint8.code, DTYPES.uint8.code, 0, 0, 1]);
  geometry.set([n, 1, 1], 13);
  return geometry;
}

export class Recorder implements Recording {
  readonly calls: RecordedCall[] = [];
  readonly own = new Map<Bytes, Own>();
  readonly tensors = new Set<Tensor>();
  /** Tensors from before, and the memory they had. */
  readonly externals = new Map<Tensor, Storage>();
  readonly storages = new Map<Storage, number>();
  /** Gradients that the step adds to: other tensors on the same memory do as well. */
  private readonly gradientsBefore = new Set<Tensor>();
  readonly leaves = new Map<Tensor, Leaf>();
  readonly preludes: Prelude[] = [];
  readonly modes = new Map<{ training: boolean }, boolean>();
  private readonly originals = new Map<Binding, Binder>();
  private operands: Operand[] = [];
  private current: Prelude | null = null;
  /** A bad index was met: what is read from here on goes into its error. */
  private doomed = false;
  /** The input whose memory is being taken, or -1. */
  input = -1;

  /** From here on memory is known. */
  begin(): void {
    setRecording(this);
  }

  /** From here on calls are noted. */
  intercept(): void {
    this.operands = [];
    for (const name of BINDINGS) {
      const original = bindings[name];
      this.originals.set(name, original);
      bindings[name] = (...args) => this.call(name, original, args);
    }
  }

  end(): void {
    setRecording(null);
    for (const [name, original] of this.originals) bindings[name] = original;
    this.originals.clear();
  }

  /** Gives back everything where recording failed. */
  abandon(): void {
    for (const x of this.tensors) if (!x.kept && !x.attached) x.dispose();
    this.forget();
  }

  /** Lets go of the memory from before. */
  forget(): void {
    for (const storage of this.storages.keys()) release(storage);
    this.storages.clear();
    for (const own of this.own.values()) if (own.held) release(own.storage);
  }

  /** Memory from before that the step changed. */
  changed(): Storage[] {
    return Array.from(this.storages).flatMap(([storage, version]) => (storage.version === version ? [] : [storage]));
  }

  /** Keeps the memory from being used again while the step goes on. */
  hold(own: Own): void {
    if (own.held) return;
    own.held = true;
    own.storage.refs++;
  }

  private call(name: Binding, original: Binder, args: Argument[]): number | undefined {
    const place = this.calls.length;
    const geometry = trimmed(G);
    for (const [i, arg] of args.entries()) this.access(name, arg, writes(name, i), place);
    const { operands, current } = this;
    this.operands = [];
    if (current !== null && !UPDATES.has(name)) current.opaque = true;
    const prelude = current === null ? -1 : this.preludes.indexOf(current);
    const call = { name, args: [...args], geometry, operands, prelude, skipped: false, check: null };
    this.calls.push(call);
    for (const arg of args) {
      const own = this.own.get(arg as Bytes);
      if (own === undefined) continue;
      if (name === 'fill' || name === 'arange') own.makers?.push(call);
      else own.makers = null;
    }
    return original(...args);
  }

  private access(name: Binding, arg: Argument, written: boolean, place: number): void {
    const own = this.own.get(arg as Bytes);
    if (own === undefined) {
      if (
        arg instanceof Uint8Array &&
        arg.byteLength > 0 &&
        ![...this.storages.keys()].some(({ bytes }) => bytes === arg)
      ) {
        throw new TensorError('capture', name, 'expected memory of a tensor; this operation cannot be captured yet');
      }
      return;
    }
    if (written && own.input >= 0) {
      throw this.refusal('expected inputs to stay as they are; clone() an input before it is changed in place');
    }
    if (!written && own.first < 0 && own.input < 0) this.stays(own);
    if (written && own.constant && !UPDATES.has(name)) own.before ??= own.storage.bytes.slice();
    if (own.first < 0) own.first = place;
    own.last = place;
    if (this.current === null || !UPDATES.has(name)) return;
    own.updated = true;
    this.hold(own);
  }

  /** JavaScript wrote it: its values are part of the program. */
  private stays(own: Own): void {
    own.constant = true;
    this.hold(own);
  }

  allocated({ bytes, byteOffset, byteLength, block }: Storage): Storage {
    const part = new Uint8Array(bytes.buffer, bytes.byteOffset + byteOffset, byteLength);
    const storage = new Storage(part, 0, byteLength, block);
    const { input } = this;
    this.own.set(part, {
      storage,
      input,
      first: -1,
      last: -1,
      constant: false,
      makers: [],
      before: null,
      updated: false,
      held: false,
    });
    return storage;
  }

  made(x: Tensor, base: Tensor | null): void {
    this.tensors.add(x);
    if (base !== null) this.known(base);
  }

  touched(x: Tensor): void {
    // The inputs are copied before: their memory may go back after the call.
    if (this.originals.size === 0) return;
    this.operands.push({ shape: x.shape, bytes: x.size * DTYPES[x.dtype].bytes });
    this.known(x);
  }

  /** Holds memory from before, and remembers whose it was. */
  private known(x: Tensor): void {
    const { storage } = x;
    if (this.own.get(storage.bytes)?.storage === storage) return;
    if (!this.tensors.has(x) && !this.gradientsBefore.has(x)) this.externals.set(x, storage);
    if (this.storages.has(storage)) return;
    this.storages.set(storage, storage.version);
    storage.refs++;
  }

  looked(x: Tensor): void {
    if (this.doomed) return;
    const own = this.own.get(x.storage.bytes);
    if (own === undefined || own.makers === null || own.input >= 0) {
      const { called } = callingPlace();
      throw this.refusal(
        `expected no look at values, which change from call to call: return the tensor and read it outside`,
        called,
      );
    }
    for (const call of own.makers) call.skipped = true;
    own.makers = [];
    own.first = -1;
    own.last = -1;
    this.stays(own);
  }

  seeded(state: Uint32Array): void {
    const bytes = new Uint8Array(state.buffer, state.byteOffset, state.byteLength);
    const geometry = copyGeometry(bytes.byteLength);
    const args = [bytes, bytes.slice()];
    this.calls.push({ name: 'copy', args, geometry, operands: [], prelude: -1, skipped: false, check: null });
  }

  constant(op: string): void {
    throw this.refusal(
      'expected no tensor made from numbers of JavaScript, which would stay as they are now: pass it as an input, or make it before capture()',
      op,
    );
  }

  gradient(leaf: Tensor, cleared: boolean): void {
    const { gradient } = leaf;
    if (!this.leaves.has(leaf)) {
      this.leaves.set(leaf, { before: gradient?.storage ?? null, cleared });
      if (gradient !== null && !cleared) {
        this.gradientsBefore.add(gradient);
        this.known(gradient);
      }
    }
    if (this.current === null) return;
    const own = (gradient !== null && this.own.get(gradient.storage.bytes)) || null;
    this.current.gradients.set(leaf, { tensor: gradient, own });
    if (own !== null) this.hold(own);
  }

  checked(place: number, read: Tensor, refuse: (place: number) => TensorError): void {
    const last = this.calls.at(-1);
    if (last !== undefined) last.check = { read, storage: read.storage, refuse };
    if (place >= 0) this.doomed = true;
  }

  prelude(owner: object, run: () => void): void {
    if (this.current !== null) {
      run();
      return;
    }
    // The first thing that a step cannot take back.
    if (this.preludes.length === 0) this.checkArena();
    const begin = this.calls.length;
    this.current = { owner, run, begin, end: begin, gradients: new Map(), opaque: false };
    this.preludes.push(this.current);
    try {
      run();
    } finally {
      this.current.end = this.calls.length;
      this.current = null;
    }
  }

  /** Refuses a step whose arena would not fit, as far as it is known by now; what is in use goes back before it is taken. */
  private checkArena(): void {
    const places: Planned[] = [];
    let inUse = 0;
    for (const own of this.own.values()) {
      if (own.constant || own.held || (own.first < 0 && own.input < 0)) continue;
      places.push(plannedOf(own, false, this.calls.length, []));
      if (own.storage.refs > 0) inUse += own.storage.byteLength;
    }
    checkRoom('capture', plan(places).bytes, inUse);
  }

  training(module: { training: boolean }): void {
    if (this.modes.has(module)) return;
    this.modes.set(module, true);
    setRecording(null);
    this.modes.set(module, module.training);
    setRecording(this);
  }

  /** An error of code 'capture' that names the user's line. */
  refusal(text: string, op: string | null = null): TensorError {
    const { called, line } = callingPlace();
    const where = line === null ? '' : ` (called at ${line})`;
    return new TensorError('capture', op ?? called ?? 'capture', `${text}${where}`);
  }
}
