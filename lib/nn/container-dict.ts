// Containers by name: ModuleDict and ParameterDict, with the methods of a Map.
import { describe, TensorError } from '../errors.js';
import type { Tensor } from '../tensor.js';
import { refuseForward } from './container.js';
import { type AnyModule, Module } from './module.js';
import { Parameter } from './parameter.js';

/** Elements by name, in the order they came. */
abstract class Named<T extends Record<string, unknown>, Added> extends Module<unknown[], never> {
  private readonly elements = new Map<keyof T & string, T[keyof T & string]>();

  /** The element as it is kept, or an error for what is none. */
  protected abstract accept(name: string, element: Added): T[keyof T & string];

  protected override *attributes(): Generator<[name: string, value: unknown]> {
    yield* super.attributes();
    yield* this.elements;
  }

  /** How many there are. */
  get size(): number {
    return this.elements.size;
  }

  has(name: string): boolean {
    return this.elements.has(name);
  }

  /**
   * The element of a name.
   *
   * @throws TensorError `value` where there is none
   */
  get<K extends keyof T & string>(name: K): T[K] {
    const found = this.elements.get(name);
    if (found !== undefined) return found as T[K];
    const names = [...this.keys()].join(', ') || 'none';
    throw new TensorError('value', this.constructor.name, `expected one of the names ${names}, got ${describe(name)}`);
  }

  /** Puts an element under a name, where one of that name stood before or at the end. */
  set(name: string, element: Added): this {
    if (typeof name !== 'string' || name === '' || name.includes('.')) {
      throw new TensorError('value', this.constructor.name, `expected a name without dots, got ${describe(name)}`);
    }
    this.elements.set(name, this.accept(name, element));
    return this;
  }

  /** Puts several under their names (PyTorch: `update`). */
  update(elements: Readonly<Record<string, Added>> | Iterable<readonly [name: string, element: Added]>): this {
    if (elements === null || typeof elements !== 'object') {
      throw new TensorError('value', this.constructor.name, `expected elements by name, got ${describe(elements)}`);
    }
    const pairs = Symbol.iterator in elements ? elements : Object.entries(elements);
    for (const [name, element] of pairs as Iterable<readonly [string, Added]>) this.set(name, element);
    return this;
  }

  /** Takes an element out; false where there was none of that name. */
  delete(name: string): boolean {
    return this.elements.delete(name);
  }

  /** Takes an element out and gives it (PyTorch: `pop`). */
  pop<K extends keyof T & string>(name: K): T[K] {
    const found = this.get(name);
    this.delete(name);
    return found;
  }

  /** Takes all out. */
  clear(): void {
    this.elements.clear();
  }

  keys(): IterableIterator<keyof T & string> {
    return this.elements.keys();
  }

  values(): IterableIterator<T[keyof T & string]> {
    return this.elements.values();
  }

  entries(): IterableIterator<[keyof T & string, T[keyof T & string]]> {
    return this.elements.entries();
  }

  [Symbol.iterator](): IterableIterator<[keyof T & string, T[keyof T & string]]> {
    return this.entries();
  }

  /** Always an error: what only holds has no order of its own in which values go through it. */
  forward(): never {
    return refuseForward(this.constructor.name);
  }
}

/**
 * Modules by name, for a `forward` that chooses among them (PyTorch: `nn.ModuleDict`).
 *
 * @typeParam T the modules by name, as far as they are known when it is made
 * @throws TensorError `value` for an element that is no module, or a name with dots
 *
 * @example
 * ```ts
 * import { nn, tensor, type Tensor } from 'chainrule';
 * class Choice extends nn.Module<[x: Tensor, name: 'relu' | 'tanh']> {
 *   activations = new nn.ModuleDict({ relu: new nn.ReLU(), tanh: new nn.Tanh() });
 *   forward(x: Tensor, name: 'relu' | 'tanh') { return this.activations.get(name).forward(x); }
 * }
 * console.log(new Choice().forward(tensor([-1, 1]), 'relu').toArray()); // [0, 1]
 * ```
 */
export class ModuleDict<T extends Record<string, AnyModule> = Record<string, Module>> extends Named<T, AnyModule> {
  constructor(modules?: T | Iterable<readonly [name: string, module: AnyModule]>) {
    super();
    if (modules !== undefined) this.update(modules);
  }

  protected override accept(name: string, module: AnyModule): T[keyof T & string] {
    if (module instanceof Module) return module as T[keyof T & string];
    throw new TensorError('value', 'ModuleDict', `expected modules, got ${describe(module)} under '${name}'`);
  }
}

/**
 * Parameters by name (PyTorch: `nn.ParameterDict`). Tensors become parameters.
 *
 * @throws TensorError `value` for an element that is no tensor, or a name with dots; `dtype` for one of integers
 *
 * @example
 * ```ts
 * import { nn, ones } from 'chainrule';
 * const choices = new nn.ParameterDict({ left: ones([2]), right: ones([3]) });
 * console.log(choices.get('right').shape, Object.keys(choices.stateDict())); // [3] ['left', 'right']
 * ```
 */
export class ParameterDict extends Named<Record<string, Parameter>, Tensor> {
  constructor(parameters?: Readonly<Record<string, Tensor>> | Iterable<readonly [name: string, parameter: Tensor]>) {
    super();
    if (parameters !== undefined) this.update(parameters);
  }

  protected override accept(_: string, parameter: Tensor): Parameter {
    return parameter instanceof Parameter ? parameter : new Parameter(parameter);
  }

  protected override summary(): string {
    return Array.from(this, ([name, p]) => `${name}: [${p.shape.join(', ')}]`).join(', ');
  }
}
