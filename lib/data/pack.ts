// Values as messages carry them between threads: tensors by their memory, what is portable by its recipe, errors with all they say.
import { copyInto, make, wrap } from '../core/dispatch.js';
import { DTYPES, type DType } from '../core/dtype.js';
import { defaultGenerator, Generator } from '../core/random.js';
import { type Shape, sizeOf } from '../core/shape.js';
import { adopt } from '../core/storage.js';
import { describe, type ErrorCode, TensorError } from '../errors.js';
import { native } from '../native.js';
import { copyToShared, describeShared, openShared, type SharedTensors } from '../shared.js';
import { Tensor } from '../tensor.js';
import { type Exports, make as makeByRecipe, recipeOf } from './portable.js';

/** A value whose tensors and other things are numbers. */
export type Packed =
  | readonly ['plain', unknown]
  | readonly ['thing', number]
  | readonly ['list', readonly Packed[]]
  | readonly ['record', readonly (readonly [string, Packed])[]]
  | readonly ['map', readonly (readonly [Packed, Packed])[]]
  | readonly ['set', readonly Packed[]];

/** What is made anew on the other side. A generator without a state is the default one. */
type Thing =
  | { readonly tensor: number }
  | { readonly state: number[] | null }
  | { readonly module: string | null; readonly name: string; readonly args: readonly Packed[] };

/** Packs values; everything that comes twice is one thing. */
class Packer {
  readonly things: Thing[] = [];
  readonly tensors: Tensor[] = [];
  /** Bytes of texts and buffers, which go as they are. */
  plainBytes = 0;
  private readonly numbers = new Map<object, number>();
  private readonly around = new Set<object>();

  constructor(
    /** Says what is wrong with a value that no message carries. */
    private readonly refuse: (got: string) => TensorError,
    /** Whether what is portable goes by its recipe. */
    private readonly byRecipe: boolean,
  ) {}

  pack(value: unknown): Packed {
    if (typeof value === 'symbol') throw this.refuse(describe(value));
    if (typeof value === 'string') this.plainBytes += 2 * value.length;
    if (value === null || (typeof value !== 'object' && typeof value !== 'function')) return ['plain', value];
    const known = this.numbers.get(value);
    if (known !== undefined) return ['thing', known];
    if (value instanceof Tensor) {
      value.check('DataLoader');
      return this.add(value, () => ({ tensor: this.tensors.push(value) - 1 }));
    }
    const recipe = this.byRecipe ? recipeOf(value) : undefined;
    if (recipe !== undefined) {
      const { module, name, args } = recipe;
      return this.inside(value, () => {
        const packed = args.map((arg) => this.pack(arg));
        return this.add(value, () => ({ module, name, args: packed }));
      });
    }
    if (this.byRecipe && value instanceof Generator) {
      return this.add(value, () => ({ state: value === defaultGenerator ? null : value.getState() }));
    }
    if (typeof value === 'function') throw this.refuse(describe(value));
    return this.inside(value, () => this.packObject(value));
  }

  private packObject(value: object): Packed {
    const all = (values: Iterable<unknown>) => Array.from(values, (one) => this.pack(one));
    if (Array.isArray(value)) return ['list', all(value)];
    if (value instanceof Map) return ['map', Array.from(value, ([key, one]) => [this.pack(key), this.pack(one)])];
    if (value instanceof Set) return ['set', all(value)];
    if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer || value instanceof SharedArrayBuffer) {
      this.plainBytes += value.byteLength;
      return ['plain', value];
    }
    if (value instanceof Date || value instanceof RegExp) return ['plain', value];
    const prototype = Object.getPrototypeOf(value);
    // Of another class a message would carry the fields and forget the methods.
    if (prototype !== null && prototype !== Object.prototype) throw this.refuse(describe(value));
    return ['record', Object.entries(value).map(([key, one]) => [key, this.pack(one)])];
  }

  private add(value: object, describeThing: () => Thing): Packed {
    const number = this.things.push(describeThing()) - 1;
    this.numbers.set(value, number);
    return ['thing', number];
  }

  private inside(value: object, pack: () => Packed): Packed {
    if (this.around.has(value)) throw this.refuse('a value that holds itself');
    this.around.add(value);
    const packed = pack();
    this.around.delete(value);
    return packed;
  }
}

function unpack(packed: Packed, things: readonly unknown[]): unknown {
  const [kind, content] = packed;
  const open = (one: Packed) => unpack(one, things);
  if (kind === 'plain') return content;
  if (kind === 'thing') return things[content];
  if (kind === 'list') return content.map(open);
  if (kind === 'set') return new Set(content.map(open));
  if (kind === 'map') return new Map(content.map(([key, value]) => [open(key), open(value)]));
  return Object.fromEntries(content.map(([key, value]) => [key, open(value)]));
}

/** How another thread makes a value: with its tensors in shared memory. */
export interface Blueprint {
  readonly value: Packed;
  readonly things: readonly Thing[];
  readonly shared: SharedTensors;
}

/** Whether the value could be made in another thread; throws what `refuse` gives for the part that cannot. */
export function checkPortable(value: unknown, refuse: (got: string) => TensorError): void {
  new Packer(refuse, true).pack(value);
}

/** Takes down how a value is made; tensors as they are now, in memory that all threads share. */
export function draw(op: string, value: unknown, refuse: (got: string) => TensorError): Blueprint {
  const packer = new Packer(refuse, true);
  const packed = packer.pack(value);
  const copies = copyToShared(op, packer.tensors);
  const shared = describeShared(new Map(copies.map((x, i) => [String(i), x])));
  return { value: packed, things: packer.things, shared };
}

/** The addresses of all modules that a blueprint needs. */
export function modulesOf({ things }: Blueprint): string[] {
  return things.flatMap((thing) => ('module' in thing && thing.module !== null ? [thing.module] : []));
}

/** Makes the value of a blueprint; `library` holds what the library can make itself. */
export async function build({ value, things, shared }: Blueprint, library: Exports): Promise<unknown> {
  const tensors = openShared('DataLoader', shared);
  const made: unknown[] = [];
  // What a recipe is called with stands before it.
  for (const thing of things) {
    if ('tensor' in thing) made.push(tensors.get(String(thing.tensor)));
    else if ('state' in thing)
      made.push(thing.state === null ? defaultGenerator : new Generator().setState(thing.state));
    else {
      const { module, name, args } = thing;
      made.push(await makeByRecipe({ module, name, args: args.map((arg) => unpack(arg, made)) }, library));
    }
  }
  return unpack(value, made);
}

/** A batch on its way, its tensors side by side in memory that both threads see. */
export interface Parcel {
  readonly value: Packed;
  readonly tensors: readonly { readonly dtype: DType; readonly shape: Shape; readonly byteOffset: number }[];
  readonly buffer: SharedArrayBuffer;
  /** How much memory all of it takes, about. */
  readonly bytes: number;
}

const ALIGNMENT = 64;

function batchRefused(got: string): TensorError {
  const wanted = 'batches of tensors, numbers, texts, typed arrays, plain objects and arrays, maps and sets of them';
  return new TensorError('value', 'DataLoader', `expected ${wanted} from a worker, got ${got}`);
}

/** Packs a batch, in memory of `spare` where some has about its size. */
export function send(value: unknown, spare: SharedArrayBuffer[]): Parcel {
  const packer = new Packer(batchRefused, false);
  const packed = packer.pack(value);
  const sizes = packer.tensors.map(
    ({ dtype, size }) => Math.ceil((size * DTYPES[dtype].bytes) / ALIGNMENT) * ALIGNMENT,
  );
  const total = sizes.reduce((a, b) => a + b, ALIGNMENT);
  const place = spare.findIndex(({ byteLength }) => byteLength >= total && byteLength <= 2 * total);
  const buffer = place < 0 ? new SharedArrayBuffer(total) : spare.splice(place, 1)[0];
  let top = (ALIGNMENT - native.misalignment(new Uint8Array(buffer))) % ALIGNMENT;
  const tensors = packer.tensors.map(({ dtype, shape }, i) => {
    const byteOffset = top;
    top += sizes[i];
    return { dtype, shape: [...shape], byteOffset };
  });
  const parcel = { value: packed, tensors, buffer, bytes: buffer.byteLength + packer.plainBytes };
  for (const [i, x] of packer.tensors.entries()) withPlace(parcel, i, (place) => copyInto(place, x));
  return parcel;
}

/** The value of a parcel and its tensors, copied out of it. */
export function receive(parcel: Parcel): { value: unknown; tensors: Tensor[] } {
  const made = parcel.tensors.map(({ dtype, shape }, i) => {
    const own = make('DataLoader', shape, dtype);
    withPlace(parcel, i, (place) => copyInto(own, place));
    return own;
  });
  return { value: unpack(parcel.value, made), tensors: made };
}

/** Lends a tensor on the memory of a parcel. */
function withPlace({ tensors, buffer }: Parcel, i: number, use: (place: Tensor) => void): void {
  const { dtype, shape, byteOffset } = tensors[i];
  const bytes = new Uint8Array(buffer, byteOffset, sizeOf(shape) * DTYPES[dtype].bytes);
  const place = wrap('DataLoader', adopt(bytes), shape, dtype);
  use(place);
  place.dispose();
}

/** An error as a message carries it; anything else that was thrown is a text. */
export interface PackedError {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  /** Of a TensorError. */
  readonly tensor: { readonly code: ErrorCode; readonly op: string } | null;
  /** Other fields: the code of a system error, its path. */
  readonly fields: readonly (readonly [string, unknown])[];
  readonly cause: PackedError | null;
}

const CAUSES = 8;

export function packError(error: unknown, depth = 0): PackedError {
  if (!(error instanceof Error)) {
    const message = typeof error === 'string' ? error : describe(error);
    return { name: 'Error', message, stack: undefined, tensor: null, fields: [], cause: null };
  }
  const { name, message, stack, cause } = error;
  const tensor = error instanceof TensorError ? { code: error.code, op: error.op } : null;
  const fields = Object.entries(error).filter(
    ([key, value]) => key !== 'name' && ['string', 'number', 'boolean'].includes(typeof value),
  );
  const inner = cause === undefined || depth === CAUSES ? null : packError(cause, depth + 1);
  return { name: String(name), message: String(message), stack, tensor, fields, cause: inner };
}

const KINDS: Readonly<Record<string, ErrorConstructor>> = {
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
};

export function unpackError({ name, message, stack, tensor, fields, cause }: PackedError): Error {
  const options = cause === null ? undefined : { cause: unpackError(cause) };
  const error =
    tensor !== null
      ? new TensorError(tensor.code, tensor.op, message, options)
      : new (Object.hasOwn(KINDS, name) ? KINDS[name] : Error)(message, options);
  const put = (key: string, value: unknown) =>
    Object.defineProperty(error, key, { value, writable: true, configurable: true });
  put('message', message);
  if (error.name !== name) put('name', name);
  if (stack !== undefined) put('stack', stack);
  Object.assign(error, Object.fromEntries(fields));
  return error;
}
