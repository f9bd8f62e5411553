// Containers by number: Sequential, ModuleList, ParameterList.
import { describe, TensorError } from '../errors.js';
import type { Tensor } from '../tensor.js';
import { runChain } from './chain.js';
import { type AnyModule, Module } from './module.js';
import { Parameter } from './parameter.js';

type InputsOf<L> = L extends readonly [infer First, ...unknown[]]
  ? First extends { forward(...inputs: infer I extends unknown[]): unknown }
    ? I
    : never
  : [x: Tensor];
type OutputOf<L> = L extends readonly [...unknown[], infer Last]
  ? Last extends { forward(...inputs: never): infer O }
    ? O
    : never
  : Tensor;

/** Elements by number, as properties of their own, where `list[place]` and the walk over attributes find them. */
abstract class Listed<E, Added, Inputs extends unknown[], Output> extends Module<Inputs, Output> {
  readonly [place: number]: E;
  /** How many there are. */
  readonly length: number = 0;

  /** The element as it is kept, or an error for what is none. */
  protected abstract accept(element: Added, place: number): E;

  /** Sets the elements from a place on, and how many there are. */
  private write(elements: readonly E[], from: number): void {
    for (const [i, value] of elements.entries()) {
      Object.defineProperty(this, from + i, { value, enumerable: true, configurable: true, writable: true });
    }
    for (let i = from + elements.length; i < this.length; i++) Reflect.deleteProperty(this, i);
    Object.assign(this, { length: from + elements.length });
  }

  /** A place from 0 up; negative ones count from the end. */
  private place(op: string, place: number, end: number): number {
    const at = Number.isInteger(place) && place < 0 ? place + this.length : place;
    if (Number.isInteger(at) && at >= 0 && at < end) return at;
    throw new TensorError(
      'index',
      op,
      `expected a place from ${-this.length} to ${end - 1} in ${this.constructor.name}, got ${describe(place)}`,
    );
  }

  /** The element at a place; negative ones count from the end. */
  at(place: number): E {
    return this[this.place('at', place, this.length)];
  }

  /** Adds an element at the end (PyTorch: `append`). */
  append(element: Added): this {
    this.write([this.accept(element, this.length)], this.length);
    return this;
  }

  /** Adds several at the end (PyTorch: `extend`). */
  extend(elements: Iterable<Added>): this {
    const added = Array.from(elements, (element, i) => this.accept(element, this.length + i));
    this.write(added, this.length);
    return this;
  }

  /** Adds an element before the one at a place; at the end for the length (PyTorch: `insert`). */
  insert(place: number, element: Added): this {
    const at = this.place('insert', place, this.length + 1);
    this.write([this.accept(element, at), ...Array.from(this).slice(at)], at);
    return this;
  }

  /** Puts another element at a place (PyTorch: `list[place] = element`). */
  set(place: number, element: Added): this {
    const at = this.place('set', place, this.length);
    this.write([this.accept(element, at), ...Array.from(this).slice(at + 1)], at);
    return this;
  }

  /** Takes an element out, the last unless told otherwise, and gives it (PyTorch: `pop`). */
  pop(place = -1): E {
    const at = this.place('pop', place, this.length);
    const [taken, ...rest] = Array.from(this).slice(at);
    this.write(rest, at);
    return taken;
  }

  *[Symbol.iterator](): Generator<E> {
    for (let i = 0; i < this.length; i++) yield this[i];
  }
}

function checkModule<M>(list: object, module: M, place: number): M {
  if (module instanceof Module) return module;
  throw new TensorError('value', list.constructor.name, `expected modules, got ${describe(module)} at place ${place}`);
}

/** Always an error: what only holds has no order of its own in which values go through it. */
export function refuseForward(op: string): never {
  throw new TensorError(
    'value',
    op,
    'expected the forward() of its elements to be called, got a call of its own; use Sequential for a chain',
  );
}

/**
 * Runs modules one after the other: `y = m_n(... m_1(x))` (PyTorch: `nn.Sequential`).
 *
 * The first takes whatever the whole is given, each other what the one before returned; names in state dicts are `'0.weight'` and so on.
 * `append`, `insert`, `extend`, `set`, `pop` and `slice` change or cut the chain; its type goes on telling what it was made of.
 *
 * @throws TensorError `value` for an argument that is no module
 *
 * @example
 * ```ts
 * import { nn, ones } from 'chainrule';
 * const model = new nn.Sequential(new nn.Linear(4, 8), new nn.ReLU(), new nn.Linear(8, 2));
 * console.log(model.forward(ones([3, 4])).shape); // [3, 2]
 * ```
 */
export class Sequential<const L extends readonly AnyModule[] = readonly AnyModule[]> extends Listed<
  L[number],
  AnyModule,
  InputsOf<L>,
  OutputOf<L>
> {
  constructor(...modules: L) {
    super();
    this.extend(modules);
  }

  protected override accept(module: AnyModule, place: number): L[number] {
    return checkModule(this, module, place);
  }

  /** A chain of some of the same modules; negative places count from the end (PyTorch: `model[start:end]`). */
  slice(start?: number, end?: number): Sequential {
    return new Sequential(...Array.from(this).slice(start, end));
  }

  forward(...inputs: InputsOf<L>): OutputOf<L> {
    return runChain(this, inputs) as OutputOf<L>;
  }
}

/**
 * A list of modules, for a `forward` that loops over them (PyTorch: `nn.ModuleList`). A plain array as an attribute does the same.
 *
 * @throws TensorError `value` for an element that is no module
 *
 * @example
 * ```ts
 * import { nn, ones, type Tensor } from 'chainrule';
 * class Deep extends nn.Module {
 *   layers = new nn.ModuleList([1, 2, 3].map(() => new nn.Linear(4, 4)));
 *   forward(x: Tensor) {
 *     for (const layer of this.layers) x = layer.forward(x).relu();
 *     return x;
 *   }
 * }
 * console.log(new Deep().forward(ones([4])).shape); // [4]
 * ```
 */
export class ModuleList<M extends AnyModule = Module> extends Listed<M, M, unknown[], never> {
  constructor(modules: Iterable<M> = []) {
    super();
    this.extend(modules);
  }

  protected override accept(module: M, place: number): M {
    return checkModule(this, module, place);
  }

  /** A list of some of the same modules; negative places count from the end (PyTorch: `list[start:end]`). */
  slice(start?: number, end?: number): ModuleList<M> {
    return new ModuleList(Array.from(this).slice(start, end));
  }

  /** Always an error: a list has no order of its own in which values go through it. */
  forward(): never {
    return refuseForward('ModuleList');
  }
}

/**
 * A list of parameters (PyTorch: `nn.ParameterList`). A plain array as an attribute does the same. Tensors become parameters.
 *
 * @throws TensorError `value` for an element that is no tensor, `dtype` for one of integers
 *
 * @example
 * ```ts
 * import { nn, ones, type Tensor } from 'chainrule';
 * class Powers extends nn.Module {
 *   factors = new nn.ParameterList([ones([1]), ones([1])]);
 *   forward(x: Tensor) { return this.factors[0].mul(x).add(this.factors[1].mul(x.square())); }
 * }
 * console.log(new Powers().namedParameters().map(([name]) => name)); // ['factors.0', 'factors.1']
 * ```
 */
export class ParameterList extends Listed<Parameter, Tensor, unknown[], never> {
  constructor(parameters: Iterable<Tensor> = []) {
    super();
    this.extend(parameters);
  }

  protected override accept(parameter: Tensor): Parameter {
    return parameter instanceof Parameter ? parameter : new Parameter(parameter);
  }

  /** Always an error: parameters are for the module around them to use. */
  forward(): never {
    return refuseForward('ParameterList');
  }

  protected override summary(): string {
    return Array.from(this, (p) => `[${p.shape.join(', ')}]`).join(', ');
  }
}
