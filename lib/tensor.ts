// The Tensor class: its fields, what reads it out, and every operation as a method.
import { inspect } from 'node:util';
import { busy, checkIdle, checkUnread } from './core/busy.js';
import { checkTensor, copyInto, dense, provideTensor } from './core/dispatch.js';
import { DTYPES, type DType, type TypedArray } from './core/dtype.js';
import { formatBriefly, formatTensor } from './core/print.js';
import { hooks, recording } from './core/recording.js';
import { formatShape, overlaps, type Shape, sameShape, sizeOf } from './core/shape.js';
import { RELEASED, release, type Storage } from './core/storage.js';
import { type GradHook, type Node, nodeOf } from './core/tape.js';
import { describe, TensorError } from './errors.js';
import * as at from './ops/index/at.js';
import { attach, type Methods } from './ops/methods.js';
import type { Placed } from './ops/order/lines.js';
import * as quantile from './ops/order/quantile.js';
import * as distinct from './ops/order/unique.js';
import * as reduce from './ops/reduce/reduce.js';
import type { ReduceOptions } from './ops/reduce/reduction.js';
import * as join from './ops/shape/join.js';
import * as view from './ops/shape/view.js';

/** Elements as nested arrays, a number or a boolean for a 0-d tensor. */
export type NestedArray = number | boolean | NestedArray[];

export interface Tensor extends Methods {}

/**
 * An n-dimensional array of numbers that remembers how it was computed.
 *
 * Made by `tensor`, `zeros`, `randn` and the other creation functions, and by every operation. Views share memory with what they look at.
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * const x = tensor([[1, 2], [3, 4]], { requiresGrad: true });
 * x.square().sum().backward();
 * console.log(x.grad?.toArray()); // [[2, 4], [6, 8]]
 * ```
 */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: attach() below defines every method of the interface
export class Tensor {
  /** @internal */ storage: Storage;
  /** Sizes of the dimensions, outermost first. */
  readonly shape: Shape;
  /** Steps between neighbours along each dimension, in elements. */
  readonly strides: Shape;
  /** Place of the first element in the memory, in elements. */
  readonly offset: number;
  /** Element type. */
  readonly dtype: DType;
  /** Number of elements. */
  readonly size: number;
  /** Whether the elements lie in row-major order without gaps. */
  readonly isContiguous: boolean;
  /** Name of the operation that made it. */
  readonly op: string;
  /** Whether operations on it are recorded. */
  requiresGrad = false;
  /** @internal */ node: Node | null = null;
  /** @internal The collected gradient; {@link grad} is the public way to it. */ gradient: Tensor | null = null;
  /** @internal No scope releases it. */ kept = false;
  /** @internal It is the gradient of another tensor, which holds it beyond scopes for as long as it is. */ attached = false;
  /** @internal Only the library can reach it. */ hidden = false;
  /** Why the memory went back where dispose() did not give it. */
  private ended: string | null = null;

  /** @internal */
  constructor(
    storage: Storage,
    shape: Shape,
    strides: Shape,
    offset: number,
    dtype: DType,
    contiguous: boolean,
    op: string,
  ) {
    this.storage = storage;
    this.shape = shape;
    this.strides = strides;
    this.offset = offset;
    this.dtype = dtype;
    this.size = sizeOf(shape);
    this.isContiguous = contiguous;
    this.op = op;
  }

  /** Number of dimensions. */
  get ndim(): number {
    return this.shape.length;
  }

  /** Whether its memory was given back. */
  get released(): boolean {
    return this.storage === RELEASED;
  }

  /** Whether no operation made it from tensors that require gradients; gradients collect in leaves. */
  get isLeaf(): boolean {
    return this.node === null || this.node.op === 'leaf';
  }

  /** Gradient collected by backward(), or null. */
  get grad(): Tensor | null {
    if (recording !== null) recording.gradient(this, false);
    const { gradient } = this;
    if (gradient !== null) gradient.hidden = false;
    return gradient;
  }

  set grad(value: Tensor | null) {
    if (value !== null && !(value instanceof Tensor)) {
      throw new TensorError('value', 'grad', `expected a tensor or null, got ${describe(value)}`);
    }
    if (value !== null && (value.dtype !== this.dtype || !sameShape(value.shape, this.shape))) {
      throw new TensorError(
        'shape',
        'grad',
        `expected a gradient of shape ${formatShape(this.shape)} and dtype ${this.dtype}, got ${formatShape(value.shape)} ${value.dtype}`,
      );
    }
    if (recording !== null) recording.gradient(this, true);
    if (this.gradient !== null) this.gradient.attached = false;
    if (value !== null) value.attached = true;
    this.gradient = value;
  }

  /** Forgets the gradient; its memory goes back to the pool unless somebody asked for `.grad`. */
  zeroGrad(): void {
    if (recording !== null) recording.gradient(this, true);
    const { gradient } = this;
    if (gradient === null) return;
    gradient.attached = false;
    if (gradient.hidden) gradient.dispose();
    this.gradient = null;
  }

  /** @internal Throws if the memory was given back. */
  check(op: string): void {
    if (this.storage !== RELEASED) return;
    const why =
      this.ended ?? 'dispose() or the end of a scope() took the memory; return it from the scope or keep() it';
    throw new TensorError(
      'released',
      op,
      `expected a live tensor, got the released result of '${this.op}' ${formatShape(this.shape)}: ${why}`,
    );
  }

  /** Gives the memory back now instead of at garbage collection. Views of it stay usable. */
  dispose(): void {
    if (this.storage === RELEASED) return;
    release(this.storage);
    this.storage = RELEASED;
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  /** @internal Called when a later backward pass may reuse the memory. */
  endLease(): void {
    if (this.kept || this.attached || this.storage === RELEASED || this.storage.pinned) return;
    this.end(
      'its graph was consumed by backward() and a later backward() through the same parameters took the memory; keep it with detach() before',
    );
  }

  /** @internal Gives the memory back; later use is told why. */
  end(why: string): void {
    this.ended = why;
    this.dispose();
  }

  /** @internal The elements as a typed array that stays inside the library; contiguous tensors only. */
  typed(): TypedArray {
    if (recording !== null) recording.looked(this);
    if (busy !== null) checkIdle(this);
    const { array, bytes } = DTYPES[this.dtype];
    const { storage } = this;
    return new array(
      storage.bytes.buffer as ArrayBuffer,
      storage.bytes.byteOffset + storage.byteOffset + this.offset * bytes,
      this.size,
    );
  }

  /** @internal A typed array of the one element at a place of the row-major order. */
  private element(place: number): TypedArray {
    if (recording !== null) recording.looked(this);
    if (busy !== null) checkIdle(this);
    let { offset } = this;
    for (let i = this.ndim - 1; i >= 0; i--) {
      const n = this.shape[i];
      offset += (place % n) * this.strides[i];
      place = Math.floor(place / n);
    }
    const { array, bytes } = DTYPES[this.dtype];
    const { storage } = this;
    return new array(
      storage.bytes.buffer as ArrayBuffer,
      storage.bytes.byteOffset + storage.byteOffset + offset * bytes,
      1,
    );
  }

  /** @internal The element at a place of the row-major order. */
  read(place: number): number {
    return this.element(place)[0];
  }

  /** @internal Changes one element in place, unseen by the tape. */
  write(place: number, value: number): void {
    this.element(place)[0] = value;
  }

  /**
   * Overwrites the values in place with those of another tensor of the same shape; only for leaves, outside the graph.
   * Parameters and buffers change this way (PyTorch: `Tensor.copy_` under `no_grad`).
   *
   * @throws TensorError `shape` where the shapes differ, `grad` for a value in the middle of a graph
   */
  assign(source: Tensor): this {
    this.check('assign');
    checkTensor('assign', source, 'a tensor of new values');
    if (!sameShape(this.shape, source.shape)) {
      throw new TensorError(
        'shape',
        'assign',
        `expected values of shape ${formatShape(this.shape)}, got ${formatShape(source.shape)}`,
      );
    }
    if (!this.isLeaf)
      throw new TensorError(
        'grad',
        'assign',
        `expected a leaf, got the result of '${this.op}'; assign to parameters or detached tensors`,
      );
    if (overlaps(this.shape, this.strides)) {
      throw new TensorError(
        'value',
        'assign',
        `expected a tensor with memory for each element, got one that expand() or unfold() repeats; clone() it first`,
      );
    }
    if (busy !== null) checkUnread(this);
    // Elements of a view on the same memory might be overwritten before they are read.
    const values = source.storage === this.storage ? view.clone(source) : source;
    copyInto(this, values);
    if (values !== source) values.dispose();
    this.storage.version++;
    return this;
  }

  /**
   * The live elements as a typed array, without a copy: writing to it writes to the tensor, and its memory is never recycled.
   * A tensor that is not contiguous gives a copy.
   */
  get data(): TypedArray {
    this.check('data');
    const x = dense('data', this);
    x.storage.pinned = true;
    return x.typed();
  }

  /** The only element, as a number (booleans give 0 or 1). */
  item(): number {
    this.check('item');
    if (this.size !== 1) {
      throw new TensorError(
        'shape',
        'item',
        `expected a tensor with one element, got ${formatShape(this.shape)}; use toArray() for more`,
      );
    }
    return this.read(0);
  }

  /** The elements as nested arrays. */
  toArray(): NestedArray {
    this.check('toArray');
    const x = dense('toArray', this);
    const flat = x.typed();
    const bool = this.dtype === 'bool';
    let next = 0;
    const build = (axis: number): NestedArray => {
      if (axis === this.ndim) return bool ? flat[next++] !== 0 : flat[next++];
      return Array.from({ length: this.shape[axis] }, () => build(axis + 1));
    };
    const nested = build(0);
    if (x !== this) x.dispose();
    return nested;
  }

  /** Text in PyTorch's layout. */
  toString(): string {
    return formatTensor(this);
  }

  /** Prints the values, shape and dtype to standard output. */
  print(): void {
    console.log(this.toString());
  }

  [inspect.custom](depth?: number): string {
    return depth !== undefined && depth < 0 ? formatBriefly(this) : formatTensor(this);
  }

  /** Asks for the gradient of a value in the middle of a graph to be kept in `.grad` (PyTorch: `retain_grad`). */
  retainGrad(): this {
    this.check('retainGrad');
    const node = nodeOf(this);
    if (node === null) throw new TensorError('grad', 'retainGrad', 'expected a tensor that requires gradients');
    node.target = this;
    return this;
  }

  /**
   * Calls a function with the gradient of this tensor during backward(); what it returns takes the gradient's place
   * (PyTorch: `register_hook`).
   *
   * @returns a function that removes the hook
   */
  registerHook(hook: GradHook): () => void {
    this.check('registerHook');
    if (typeof hook !== 'function')
      throw new TensorError('value', 'registerHook', `expected a function, got ${describe(hook)}`);
    const node = nodeOf(this);
    if (node === null) throw new TensorError('grad', 'registerHook', 'expected a tensor that requires gradients');
    node.hooks ??= [];
    node.hooks.push(hook);
    // Of a leaf it stays from step to step.
    const changed = () => {
      if (this.isLeaf) hooks.changes++;
    };
    changed();
    return () => {
      changed();
      node.hooks = node.hooks?.filter((h) => h !== hook) ?? null;
    };
  }

  /** Part of the tensor by one subscript per dimension; see {@link at.at}. */
  at(...subscripts: at.Subscript[]): Tensor {
    return at.at(this, ...subscripts);
  }

  /** Where the tensor is true `a`, elsewhere `b` (PyTorch: `torch.where`). */
  where(a: Tensor | number, b: Tensor | number): Tensor {
    return join.where(this, a, b);
  }

  /** Largest of all elements, or values and places of the largest along a dimension (PyTorch: `torch.max`). */
  max(): Tensor;
  max(axis: number, options?: ReduceOptions): reduce.Extremes;
  max(axis?: number, options?: ReduceOptions): Tensor | reduce.Extremes {
    return axis === undefined ? reduce.max(this) : reduce.max(this, axis, options);
  }

  /** Smallest of all elements, or values and places of the smallest along a dimension (PyTorch: `torch.min`). */
  min(): Tensor;
  min(axis: number, options?: ReduceOptions): reduce.Extremes;
  min(axis?: number, options?: ReduceOptions): Tensor | reduce.Extremes {
    return axis === undefined ? reduce.min(this) : reduce.min(this, axis, options);
  }

  /** The middle of all elements, or values and places of the middle along a dimension; see {@link quantile.median}. */
  median(): Tensor;
  median(axis: number, options?: ReduceOptions): Placed;
  median(axis?: number, options?: ReduceOptions): Tensor | Placed {
    return axis === undefined ? quantile.median(this) : quantile.median(this, axis, options);
  }

  /** The middle of all elements but NaN, or along a dimension; see {@link quantile.nanmedian}. */
  nanmedian(): Tensor;
  nanmedian(axis: number, options?: ReduceOptions): Placed;
  nanmedian(axis?: number, options?: ReduceOptions): Tensor | Placed {
    return axis === undefined ? quantile.nanmedian(this) : quantile.nanmedian(this, axis, options);
  }

  /** The distinct elements in ascending order, or the distinct slices along a dimension; see {@link distinct.unique}. */
  unique(options?: distinct.UniqueOptions & distinct.ValuesOnly): Tensor;
  unique(options: distinct.UniqueOptions): distinct.Unique;
  unique(options?: distinct.UniqueOptions): Tensor | distinct.Unique {
    return distinct.unique(this, options as distinct.UniqueOptions);
  }

  /** The elements that differ from the one before; see {@link distinct.uniqueConsecutive}. */
  uniqueConsecutive(options?: distinct.UniqueConsecutiveOptions & distinct.ValuesOnly): Tensor;
  uniqueConsecutive(options: distinct.UniqueConsecutiveOptions): distinct.Unique;
  uniqueConsecutive(options?: distinct.UniqueConsecutiveOptions): Tensor | distinct.Unique {
    return distinct.uniqueConsecutive(this, options as distinct.UniqueConsecutiveOptions);
  }
}

attach(Tensor.prototype);
provideTensor(Tensor);
