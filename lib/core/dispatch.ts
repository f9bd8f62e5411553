// The one road of every operation: check, promote, broadcast, allocate, cross the border, record.
import { describe, TensorError } from '../errors.js';
import { type Bytes, kernelId, native } from '../native.js';
import type { Tensor } from '../tensor.js';
import { busy, checkIdle, checkUnread } from './busy.js';
import { codeOf, DTYPES, type DType, floatOf, isFloat, promote, promoteNumber, widthOf } from './dtype.js';
import { recording } from './recording.js';
import { track } from './scope.js';
import { broadcastShapes, broadcastStrides, formatShape, type Shape, sameShape, sizeOf, stridesOf } from './shape.js';
import { allocate, RELEASED, Storage } from './storage.js';
import { isSole, type Rule, record } from './tape.js';

type TensorConstructor = new (
  storage: Storage,
  shape: Shape,
  strides: Shape,
  offset: number,
  dtype: DType,
  contiguous: boolean,
  op: string,
) => Tensor;

let TensorClass: TensorConstructor;
/** lib/tensor.ts hands over the class at load, so that core/ and ops/ need it as a type only. */
export function provideTensor(given: TensorConstructor): void {
  TensorClass = given;
}

const G = native.geometry;

// ---- making tensors

/** An uninitialised contiguous tensor. */
export function make(op: string, shape: Shape, dtype: DType): Tensor {
  const storage = allocate(op, sizeOf(shape) * widthOf(dtype));
  const y = new TensorClass(storage, shape, stridesOf(shape), 0, dtype, true, op);
  if (recording !== null) recording.made(y, null);
  track(y);
  return y;
}

/** A tensor on memory that exists already. */
export function wrap(op: string, storage: Storage, shape: Shape, dtype: DType): Tensor {
  const y = new TensorClass(storage, shape, stridesOf(shape), 0, dtype, true, op);
  if (recording !== null) recording.made(y, null);
  track(y);
  return y;
}

/** Another look at the memory of `x`; `contiguous` must be true only for a row-major view without gaps. */
export function view(op: string, x: Tensor, shape: Shape, strides: Shape, offset: number, contiguous: boolean): Tensor {
  x.storage.refs++;
  const y = new TensorClass(x.storage, shape, strides, offset, x.dtype, contiguous, op);
  if (recording !== null) recording.made(y, x);
  track(y);
  return y;
}

/** A contiguous tensor of one value; not recorded. */
export function filled(op: string, shape: Shape, dtype: DType, value: number): Tensor {
  const y = make(op, shape, dtype);
  fillRun(y, 0, y.size, value);
  return y;
}

/** Overwrites `n` elements of a contiguous tensor from place `start` on; not recorded. */
export function fillRun(y: Tensor, start: number, n: number, value: number): void {
  G[0] = codeOf(y.dtype);
  G[1] = n;
  G[2] = offsetOf(y) + start * widthOf(y.dtype);
  G[3] = value;
  native.fill(y.storage.bytes);
}

/** Overwrites all memory of a tensor with zeros; not recorded. */
export function clear(y: Tensor): void {
  const { bytes, byteOffset, byteLength } = y.storage;
  // Without a crossing where no captured step has to know of it.
  if (recording === null) bytes.fill(0, byteOffset, byteOffset + byteLength);
  else fillRun(y, 0, y.size, 0);
}

/** Marks a tensor that only the tape will hold, so that its memory comes back as soon as backward has read it. */
export function hidden(x: Tensor): Tensor {
  x.hidden = true;
  return x;
}

// ---- checking arguments

export function isTensor(value: unknown): value is Tensor {
  return value instanceof TensorClass;
}

/** The argument as a usable tensor. */
export function checkTensor(op: string, value: unknown, name = 'a tensor'): Tensor {
  // By what it holds: V8 compiles instanceof of a class it knows, and looks one up that is a variable.
  const storage = (value as Tensor | null | undefined)?.storage;
  if (!(storage instanceof Storage)) throw new TensorError('value', op, `expected ${name}, got ${describe(value)}`);
  if (storage === RELEASED) (value as Tensor).check(op);
  return value as Tensor;
}

export function checkFloat(op: string, x: Tensor, name = 'the input'): Tensor {
  if (isFloat(x.dtype)) return x;
  throw new TensorError(
    'dtype',
    op,
    `expected ${name} to be float32 or float64, got ${x.dtype}; convert it with x.to('float32')`,
  );
}

export function checkNdim(op: string, x: Tensor, ndim: number, layout: string, name = 'the input'): Tensor {
  if (x.ndim === ndim) return x;
  throw new TensorError('shape', op, `expected ${name} of shape ${layout}, got ${formatShape(x.shape)}`);
}

/** Byte offset of the first element inside `x.storage.bytes`. */
export function offsetOf(x: Tensor): number {
  if (recording !== null) recording.touched(x);
  if (busy !== null) checkIdle(x);
  return x.storage.byteOffset + x.offset * widthOf(x.dtype);
}

export function bytesOf(x: Tensor): Bytes {
  return x.storage.bytes;
}

// ---- elementwise kernels

type Operand = Tensor | number;

/** The offset of an operand, or its value; whether its elements lie as those of y do. */
function writeOperand(i: number, x: Operand, y: Tensor): boolean {
  if (typeof x === 'number') {
    G[7 + i] = -1;
    G[10 + i] = x;
    return true;
  }
  G[7 + i] = offsetOf(x);
  return x.isContiguous && sameShape(x.shape, y.shape);
}

function writeStrides(slot: number, x: Operand, shape: Shape): void {
  const strides = typeof x === 'number' ? null : broadcastStrides(x.shape, x.strides, shape);
  for (let d = 0; d < shape.length; d++) G[slot + d] = strides === null ? 0 : strides[d];
}

/** Fills the slots that all elementwise bindings share (see lib/native.ts). */
function writeGeometry(y: Tensor, a: Operand, b: Operand | null = null, c: Operand | null = null): void {
  G[6] = offsetOf(y);
  let plain = writeOperand(0, a, y) && y.isContiguous;
  if (b !== null) plain = writeOperand(1, b, y) && plain;
  if (c !== null) plain = writeOperand(2, c, y) && plain;
  if (plain) {
    G[5] = 1;
    G[13] = y.size;
    G[14] = 1;
    G[15] = typeof a === 'number' ? 0 : 1;
    G[16] = typeof b === 'number' ? 0 : 1;
    G[17] = typeof c === 'number' ? 0 : 1;
    return;
  }
  const { shape } = y;
  const ndim = shape.length;
  G[5] = ndim;
  for (let d = 0; d < ndim; d++) {
    G[13 + d] = shape[d];
    G[13 + ndim + d] = y.strides[d];
  }
  writeStrides(13 + 2 * ndim, a, shape);
  if (b !== null) writeStrides(13 + 3 * ndim, b, shape);
  if (c !== null) writeStrides(13 + 4 * ndim, c, shape);
}

const NO_BYTES: Bytes = new Uint8Array(0);
const bytesOrNone = (x: Operand): Bytes => (typeof x === 'number' ? NO_BYTES : x.storage.bytes);

/** Small tensors mostly share a buffer, and each one given costs 20 ns; a recorder wants to know all of them. */
function crossBinary(y: Bytes, a: Bytes, b: Bytes): void {
  if (a !== b || recording !== null) native.binary(y, a, b);
  else if (a !== y) native.binary(y, a);
  else native.binary(y);
}

function crossUnary(y: Bytes, x: Bytes): void {
  if (x !== y || recording !== null) native.unary(y, x);
  else native.unary(y);
}

/** y = cast(x), any strides on both sides; y is written in place. */
export function copyInto(y: Tensor, x: Tensor): void {
  if (y.size === 0) return;
  writeGeometry(y, x);
  G[0] = 0;
  G[1] = codeOf(x.dtype);
  G[2] = codeOf(y.dtype);
  native.copy(y.storage.bytes, x.storage.bytes);
}

/** `x` itself where it is contiguous, else a copy that is. Not recorded. */
export function dense(op: string, x: Tensor): Tensor {
  if (x.isContiguous) return x;
  const y = make(op, x.shape, x.dtype);
  copyInto(y, x);
  return y;
}

/** Gives back what {@link dense} or {@link castRaw} made, unless it was the tensor itself. */
export function dropCopy(made: Tensor, given: Tensor): void {
  if (made !== given) made.dispose();
}

/** Converts the dtype outside the tape; `x` itself where nothing changes. */
export function castRaw(op: string, x: Tensor, dtype: DType): Tensor {
  if (x.dtype === dtype) return x;
  const y = make(op, x.shape, dtype);
  copyInto(y, x);
  return y;
}

/** Converts the dtype; between floating types the gradient is converted back by the walk. */
export function cast(op: string, x: Tensor, dtype: DType): Tensor {
  if (x.dtype === dtype) return x;
  const y = castRaw(op, x, dtype);
  return isFloat(dtype) ? record(op, y, [x], [], (g) => g) : y;
}

// ---- families

const NONE: readonly Tensor[] = [];

/** An elementwise operation of one operand: its kernel, what its gradient needs, and the gradient. */
export interface UnaryOp {
  readonly name: string;
  readonly id: number;
  /** Integer operands are converted to float32 first. */
  readonly float: boolean;
  readonly saves: 'x' | 'y' | 'none';
  /** dx from g, what was saved, and the two parameters; null where the derivative is not defined. */
  readonly grad: ((g: Tensor, saved: Tensor, p0: number, p1: number) => Tensor) | null;
  /** The rule for the tape where both parameters are 0: made once, not at every call. */
  readonly rule: Rule<readonly Tensor[]>;
}

function unaryRule(op: Pick<UnaryOp, 'saves' | 'grad'>, p0: number, p1: number): Rule<readonly Tensor[]> {
  const grad = op.grad as NonNullable<UnaryOp['grad']>;
  return op.saves === 'none' ? (g) => grad(g, g, p0, p1) : (g, [saved]) => grad(g, saved, p0, p1);
}

export function unaryOp(
  name: string,
  saves: UnaryOp['saves'],
  grad: UnaryOp['grad'],
  options: { float?: boolean; kernel?: string; backward?: string } = {},
): UnaryOp {
  const id = kernelId('unary', options.kernel ?? name);
  const plain = unaryRule({ saves, grad }, 0, 0);
  const rule = options.backward === undefined ? plain : overwriting(kernelId('binary', options.backward), plain);
  return { name, id, float: options.float ?? true, saves, grad, rule };
}

/** A rule whose gradient is one kernel of g and what was saved, in the place of g where nobody else reads that. */
function overwriting(id: number, rule: Rule<readonly Tensor[]>): Rule<readonly Tensor[]> {
  return (g, saved, needs) => {
    if (!isSole(g)) return rule(g, saved, needs);
    binaryInPlace(id, g, saved[0]);
    return g;
  };
}

export function unary(op: UnaryOp, input: Tensor, p0 = 0, p1 = 0): Tensor {
  let x = checkTensor(op.name, input);
  if ((op.float || x.dtype === 'bool') && !isFloat(x.dtype)) x = cast(op.name, x, floatOf(x.dtype));
  const y = make(op.name, x.shape, x.dtype);
  if (y.size > 0) {
    writeGeometry(y, x);
    G[0] = op.id;
    G[1] = codeOf(x.dtype);
    G[3] = p0;
    G[4] = p1;
    crossUnary(y.storage.bytes, x.storage.bytes);
  }
  if (!x.requiresGrad || op.grad === null) {
    if (x !== input) x.dispose();
    return y;
  }
  const saved = op.saves === 'none' ? NONE : [op.saves === 'x' ? x : y];
  return record(op.name, y, [x], saved, p0 === 0 && p1 === 0 ? op.rule : unaryRule(op, p0, p1));
}

/** A question asked of every element: bool result, no gradient. */
export interface TestOp {
  readonly name: string;
  readonly id: number;
}

export function testOp(name: string): TestOp {
  return { name, id: kernelId('test', name) };
}

export function test(op: TestOp, input: Tensor): Tensor {
  const x = checkTensor(op.name, input);
  const y = make(op.name, x.shape, 'bool');
  if (y.size > 0) {
    writeGeometry(y, x);
    G[0] = op.id;
    G[1] = codeOf(x.dtype);
    native.test(y.storage.bytes, x.storage.bytes);
  }
  return y;
}

/** An elementwise operation of two operands; each gradient sees both operands as they were given. */
export interface BinaryOp {
  readonly name: string;
  readonly id: number;
  readonly family: 'binary' | 'compare';
  /** Integer operands are converted to float32 first. */
  readonly float: boolean;
  /** Booleans are refused: the result would not be one. */
  readonly numeric: boolean;
  /** Whether the gradients read the operands. */
  readonly saves: boolean;
  readonly gradA: BinaryGrad | null;
  readonly gradB: BinaryGrad | null;
  /** The rule for the tape of two tensors where the parameter is 0: made once, not at every call. */
  readonly rule: Rule<readonly Tensor[]>;
}
export type BinaryGrad = (g: Tensor, a: Tensor | number, b: Tensor | number, p0: number) => Tensor;

export function binaryOp(
  name: string,
  gradA: BinaryGrad | null,
  gradB: BinaryGrad | null,
  options: { float?: boolean; numeric?: boolean; saves?: boolean; family?: BinaryOp['family']; kernel?: string } = {},
): BinaryOp {
  const { float = false, numeric = false, saves = true, family = 'binary', kernel = name } = options;
  const rule = binaryRule(gradA, gradB, null, null, 0);
  return { name, id: kernelId(family, kernel), family, float, numeric, saves, gradA, gradB, rule };
}

/** The rule for the tape; an operand that is a number stands in it, the others are saved or not needed. */
function binaryRule(
  gradA: BinaryGrad | null,
  gradB: BinaryGrad | null,
  a: number | null,
  b: number | null,
  p0: number,
): Rule<readonly Tensor[]> {
  return (g, saved, needs) => {
    const p = a ?? (saved.length > 0 ? saved[0] : 0);
    const q = b ?? (saved.length > 0 ? saved[saved.length - 1] : 0);
    return [needs[0] && gradA ? gradA(g, p, q, p0) : null, needs[1] && gradB ? gradB(g, p, q, p0) : null];
  };
}

/** The dtype two operands meet in; a number, and a 0-d tensor likewise, widens only into a higher category. */
export function meet(a: Tensor | number, b: Tensor | number): DType {
  if (typeof a === 'number') return typeof b === 'number' ? 'float32' : promoteNumber(b.dtype, a);
  if (typeof b === 'number') return promoteNumber(a.dtype, b);
  if (a.dtype === b.dtype) return a.dtype;
  if (a.ndim > 0 === b.ndim > 0) return promote(a.dtype, b.dtype);
  const [wide, scalar] = a.ndim === 0 ? [b, a] : [a, b];
  return DTYPES[scalar.dtype].category > DTYPES[wide.dtype].category ? scalar.dtype : wide.dtype;
}

export function binary(op: BinaryOp, left: Tensor | number, right: Tensor | number, p0 = 0): Tensor {
  const { name } = op;
  if (typeof left === 'number' && typeof right === 'number') {
    throw new TensorError(
      'value',
      name,
      `expected a tensor on at least one side, got the numbers ${left} and ${right}`,
    );
  }
  let a = typeof left === 'number' ? left : checkTensor(name, left, 'a tensor or a number');
  let b = typeof right === 'number' ? right : checkTensor(name, right, 'a tensor or a number');
  const met = meet(a, b);
  const dtype = op.float ? floatOf(met) : met;
  if (dtype === 'bool' && op.numeric) {
    throw new TensorError(
      'dtype',
      name,
      "expected numbers on at least one side, got booleans on both; convert one with x.to('int32')",
    );
  }
  if (typeof a !== 'number' && a.dtype !== dtype) a = cast(name, a, dtype);
  if (typeof b !== 'number' && b.dtype !== dtype) b = cast(name, b, dtype);
  const shape =
    typeof a === 'number'
      ? (b as Tensor).shape
      : typeof b === 'number'
        ? a.shape
        : broadcastShapes(name, a.shape, b.shape);
  const y = make(name, shape, op.family === 'compare' ? 'bool' : dtype);
  if (y.size > 0) {
    writeGeometry(y, a, b);
    G[0] = op.id;
    G[1] = codeOf(dtype);
    G[3] = p0;
    if (op.family === 'compare') native.compare(y.storage.bytes, bytesOrNone(a), bytesOrNone(b));
    else crossBinary(y.storage.bytes, bytesOrNone(a), bytesOrNone(b));
  }
  const x = typeof a === 'number' ? null : a;
  const z = typeof b === 'number' ? null : b;
  const recorded = (op.gradA !== null || op.gradB !== null) && (x?.requiresGrad || z?.requiresGrad) === true;
  // Converted operands are the library's own: given back now, or with the graph that reads them.
  if (x !== null && x !== left) settleCast(x, recorded && op.saves);
  if (z !== null && z !== right) settleCast(z, recorded && op.saves);
  if (!recorded) return y;
  const saved = !op.saves ? NONE : x === null ? [z as Tensor] : z === null ? [x] : [x, z];
  const numbers = typeof a === 'number' || typeof b === 'number';
  const rule =
    (op.saves && numbers) || p0 !== 0
      ? binaryRule(op.gradA, op.gradB, typeof a === 'number' ? a : null, typeof b === 'number' ? b : null, p0)
      : op.rule;
  return record(name, y, [x, z], saved, rule);
}

function settleCast(x: Tensor, saved: boolean): void {
  if (saved) x.hidden = !x.requiresGrad;
  else if (!x.requiresGrad) x.dispose();
}

/** a = f(a, b) in place and outside the tape: gradients adding up, running statistics. */
export function binaryInPlace(id: number, a: Tensor, b: Tensor | number): void {
  if (a.size === 0) return;
  if (busy !== null) checkUnread(a);
  writeGeometry(a, a, b);
  G[0] = id;
  G[1] = codeOf(a.dtype);
  G[3] = 0;
  crossBinary(a.storage.bytes, a.storage.bytes, bytesOrNone(b));
  a.storage.version++;
}

/** y = condition ? a : b on operands of one dtype that broadcast; not recorded. */
export function selectRaw(
  op: string,
  condition: Tensor,
  a: Tensor | number,
  b: Tensor | number,
  shape: Shape,
  dtype: DType,
): Tensor {
  const y = make(op, shape, dtype);
  if (y.size > 0) {
    writeGeometry(y, condition, a, b);
    G[0] = 0;
    G[1] = codeOf(dtype);
    native.where(y.storage.bytes, condition.storage.bytes, bytesOrNone(a), bytesOrNone(b));
  }
  return y;
}
