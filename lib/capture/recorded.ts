// A recorded step: its calls, where their memory lies, and what of it outlives the step.
import { wrap } from '../core/dispatch.js';
import { DTYPES, type DType } from '../core/dtype.js';
import { HIDDEN, popFrame, pushFrame } from '../core/scope.js';
import { type Shape, sizeOf } from '../core/shape.js';
import { allocate, release, Storage } from '../core/storage.js';
import { TensorError } from '../errors.js';
import { type Bytes, native } from '../native.js';
import type { Tensor } from '../tensor.js';
import { type Argument, bindings } from './bindings.js';
import { type Group, groups } from './fuse.js';
import { type Plan, type Planned, plan, plannedOf } from './plan.js';
import {
  copyGeometry,
  type Leaf,
  type Own,
  type RecordedCall,
  type Prelude as RecordedPrelude,
  type Recorder,
} from './record.js';

const G = native.geometry;

/** Memory that is copied in or out at every replay. */
export interface Port {
  readonly bytes: Bytes;
  readonly byteOffset: number;
  readonly shape: Shape;
  readonly dtype: DType;
}

/** The gradient that the step leaves at a leaf, in memory of its own. */
export interface Gradient {
  readonly leaf: Tensor;
  readonly storage: Storage;
  tensor: Tensor;
}

/** Work of JavaScript before every replay, with the gradients that it finds. */
export interface Prelude {
  readonly run: () => void;
  readonly begin: number;
  readonly end: number;
  readonly gradients: readonly (readonly [leaf: Tensor, gradient: Tensor | null])[];
}

const BELONGS =
  'it was made inside a captured function, whose replays use its memory again; return it from the function to keep it';

const lengthOf = ({ shape, dtype }: Port): number => sizeOf(shape) * DTYPES[dtype].bytes;

export class Recorded {
  readonly calls: readonly RecordedCall[];
  readonly preludes: readonly Prelude[];
  readonly leaves: ReadonlyMap<Tensor, Leaf>;
  readonly gradients: Gradient[] = [];
  /** Leaves that have no gradient after the step. */
  readonly without: Tensor[] = [];
  /** Memory from before that the step writes: its versions count on. */
  readonly written: readonly Storage[];
  readonly plan: Plan;
  /** Calls that run together. */
  readonly groups: readonly Group[];
  /** Memory that no longer is any: tiles take its place. */
  readonly tiled: readonly Planned[];
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  /** Memory of the step that stays between replays: gradients, optimizer states, constants. */
  readonly persistent: Own[] = [];
  private readonly held: Storage[];

  constructor(recorder: Recorder, inputs: readonly Port[], outputs: readonly Port[]) {
    const { calls } = recorder;
    // Leaves that the step makes are new in every call: nobody asks what gradient they had before.
    this.leaves = new Map([...recorder.leaves].filter(([leaf]) => !recorder.tensors.has(leaf)));
    const stays = this.settle(recorder);
    const out = new Set(outputs.map(({ bytes }) => bytes));
    const persists = (own: Own) => own.constant || own.held || stays.has(own.storage.bytes);
    const internal = (own: Own) => !persists(own) && own.input < 0 && !out.has(own.storage.bytes);
    const together = groups(calls, recorder.own, internal);
    const tiles = new Set<unknown>(together.flatMap((group) => [...group.tiles.keys()]));
    const [tiled, planned]: [Planned[], Planned[]] = [[], []];
    const names = new Map<Argument, Bytes>();
    for (const own of recorder.own.values()) {
      const { bytes } = own.storage;
      if (persists(own)) {
        this.persistent.push(own);
        continue;
      }
      if (own.first < 0 && own.input < 0 && !out.has(bytes)) continue;
      const place = plannedOf(own, out.has(bytes), calls.length, together);
      names.set(bytes, place.bytes);
      (tiles.has(bytes) ? tiled : planned).push(place);
    }
    this.tiled = tiled;
    this.plan = plan(planned);
    // From here on nothing refers to the memory of the recording, which goes back to the pool.
    const renamed = (bytes: Bytes) => names.get(bytes) ?? bytes;
    this.calls = calls.map((call) => renamedCall(call, names));
    this.inputs = inputs.map((port) => ({ ...port, bytes: renamed(port.bytes) }));
    this.outputs = outputs.map((port) => ({ ...port, bytes: renamed(port.bytes) }));
    this.groups = together.map((group) => ({
      ...group,
      tiles: new Map(Array.from(group.tiles, ([bytes, tile]) => [names.get(bytes) ?? bytes, tile])),
    }));
    for (const own of this.persistent) recorder.hold(own);
    this.preludes = recorder.preludes.filter(({ opaque }) => !opaque).map(again);
    this.release(recorder);
    this.held = [...recorder.storages.keys(), ...this.persistent.map(({ storage }) => storage)];
    this.written = recorder.changed();
  }

  /** What the leaves have afterwards; gives the memory that tensors keep beyond the step. */
  private settle({ own, tensors, leaves }: Recorder): Set<Bytes> {
    const stays = new Set<Bytes>();
    for (const leaf of leaves.keys()) {
      const { gradient } = leaf;
      if (gradient === null) {
        if (!tensors.has(leaf)) this.without.push(leaf);
      } else if (tensors.has(gradient) && own.has(gradient.storage.bytes)) {
        gradient.node = null;
        gradient.requiresGrad = false;
        if (tensors.has(leaf)) continue;
        stays.add(gradient.storage.bytes);
        this.gradients.push({ leaf, storage: gradient.storage, tensor: gradient });
      }
    }
    for (const t of tensors) if (t.kept && !t.released) stays.add(t.storage.bytes);
    return stays;
  }

  /** Tensors made on the way are no longer anybody's; the memory of the recording goes back. */
  private release({ tensors }: Recorder): void {
    const gradients = new Set(this.gradients.map(({ tensor }) => tensor));
    for (const t of tensors) {
      if (t.released || t.kept || gradients.has(t)) continue;
      t.end(BELONGS);
    }
  }

  /** A native program on an arena of its own. */
  bind(): Instance {
    return new Instance(this);
  }

  /** Gives back what the step held. */
  free(): void {
    for (const storage of this.held) release(storage);
    this.held.length = 0;
  }

  get inputBytes(): number {
    return this.inputs.reduce((sum, port) => sum + lengthOf(port), 0);
  }

  get outputBytes(): number {
    return this.outputs.reduce((sum, port) => sum + lengthOf(port), 0);
  }

  get persistentBytes(): number {
    return this.persistent.reduce((sum, { storage }) => sum + storage.byteLength, 0);
  }
}

const freed = new FinalizationRegistry<{ id: number; arena: Storage }>(({ id, arena }) => {
  G[0] = id;
  native.programFree();
  release(arena);
});

/** A call on memory by its names. */
function renamedCall(call: RecordedCall, names: ReadonlyMap<Argument, Bytes>): RecordedCall {
  const { check } = call;
  const args = call.args.map((arg) => names.get(arg) ?? arg);
  if (check === null) return { ...call, args };
  const { bytes, byteOffset, byteLength } = check.storage;
  const storage = new Storage(names.get(bytes) ?? bytes, byteOffset, byteLength, null);
  return { ...call, args, check: { ...check, storage } };
}

/** A prelude with handles of its own on the gradients that the step makes. */
function again({ run, begin, end, gradients }: RecordedPrelude): Prelude {
  const found = Array.from(gradients, ([leaf, { tensor, own }]) => {
    return [leaf, own === null ? tensor : gradientOn(own.storage, leaf)] as const;
  });
  return { run, begin, end, gradients: found };
}

/** A tensor on memory of the step, as the gradient of a leaf. */
export function gradientOn(storage: Storage, leaf: Tensor): Tensor {
  const outer = pushFrame(HIDDEN);
  const g = wrap('backward', storage, leaf.shape, leaf.dtype);
  popFrame(outer);
  storage.refs++;
  g.hidden = true;
  g.attached = true;
  return g;
}

/** Says which tiles a call of a group works on. */
function setTiles({ tiles }: Group, { args }: RecordedCall): void {
  G[0] = 2;
  for (let k = 0; k < 4; k++) G[1 + k] = tiles.get(args[k] ?? null) ?? -1;
  native.programGroup();
}

/** A native program of a recorded step, with an arena of its own: what runs, one run at a time. */
export class Instance {
  /** Number of the native program. */
  readonly id: number;
  /** The first native call of every recorded one, and behind the last the number of all. */
  readonly starts: readonly number[];
  private readonly arena: Storage;
  private grouping = false;
  private readonly moved = new Map<Argument, Bytes>();

  constructor(readonly recorded: Recorded) {
    const { plan, inputs, outputs } = recorded;
    // Bindings check what they are given: memory that tiles take the place of has to be somewhere.
    const room = Math.max(plan.bytes, ...recorded.tiled.map(({ length }) => length));
    this.arena = allocate('capture', room);
    const { bytes, byteOffset } = this.arena;
    for (const tile of recorded.tiled) {
      this.moved.set(tile.bytes, new Uint8Array(bytes.buffer, bytes.byteOffset + byteOffset, tile.length));
    }
    for (const place of plan.places) {
      const start = bytes.byteOffset + byteOffset + place.offset;
      this.moved.set(place.bytes, new Uint8Array(bytes.buffer, start, place.length));
    }
    this.id = native.programMake();
    freed.register(this, { id: this.id, arena: this.arena }, this);
    this.starts = this.bind();
    for (const port of [...inputs, ...outputs]) {
      G[0] = this.id;
      G[1] = port.byteOffset;
      G[2] = lengthOf(port);
      native.programPort(this.memory(port.bytes));
    }
  }

  /** Where memory of the recording lies now. */
  memory(bytes: Bytes): Bytes {
    return this.moved.get(bytes) ?? bytes;
  }

  private bind(): number[] {
    const { calls, persistent, groups } = this.recorded;
    const starts: number[] = [];
    const opens = new Map(groups.map((group) => [group.begin, group]));
    let open: Group | undefined;
    let recorded = 0;
    this.record(-1);
    try {
      for (const { storage, before } of persistent)
        if (before !== null) this.make('copy', [storage.bytes, before], copyGeometry(before.byteLength));
      for (const [i, call] of calls.entries()) {
        if (open?.end === i) open = this.group(null);
        starts.push(this.size());
        open = open ?? this.group(opens.get(i) ?? null);
        if (open !== undefined) setTiles(open, call);
        if (!call.skipped) this.make(call.name, call.args, call.geometry);
      }
      if (open !== undefined) this.group(null);
      starts.push(this.size());
    } finally {
      recorded = native.programStop();
    }
    if (recorded < 0) throw new TensorError('native', 'capture', 'expected calls of a group to fit together');
    return starts;
  }

  /** Opens a group, or closes the one that is open. */
  private group(group: Group | null): Group | undefined {
    if (group === null && !this.grouping) return undefined;
    G[0] = group === null ? 0 : 1;
    native.programGroup();
    this.grouping = group !== null;
    return group ?? undefined;
  }

  private record(index: number): void {
    G[0] = this.id;
    G[1] = index;
    native.programRecord();
  }

  private size(): number {
    G[0] = this.id;
    return native.programSize();
  }

  private make(name: string, args: readonly Argument[], geometry: Float64Array): void {
    G.fill(0);
    G.set(geometry);
    bindings[name](...args.map((arg) => this.moved.get(arg) ?? arg));
  }

  /** Puts calls with other numbers, or on other memory, in the place of recorded ones. */
  replace(index: number, name: string, args: readonly Argument[], geometry: Float64Array): boolean {
    this.record(this.starts[index]);
    let made = -1;
    try {
      this.make(name, args, geometry);
    } finally {
      made = native.programStop();
    }
    return made === this.starts[index + 1] - this.starts[index];
  }

  /** Runs nothing any more. */
  free(): void {
    freed.unregister(this);
    G[0] = this.id;
    native.programFree();
    release(this.arena);
  }
}
