// What stands where in a module: names and paths of its parameters, buffers and modules, and its state dict.
import { inspect } from 'node:util';
import { checkOptions, describe, TensorError } from '../errors.js';
import { Tensor } from '../tensor.js';
import { checkBoolean } from './check.js';
import type { AnyModule } from './module.js';
import { Parameter } from './parameter.js';
import { openState, type SharedState, shareState } from './share.js';
import { load, type StateDict } from './state.js';

type Member = [name: string, value: Tensor | AnyModule, persistent: boolean | null];
const { getPrototypeOf } = Object;

/** The part of every {@link Module} that finds what is assigned to it; nothing but Module extends it. */
export abstract class ModuleTree {
  /** Whether each buffer belongs into state dicts, by attribute. */
  readonly #buffers = new Map<string, boolean>();

  /** This as a module: nothing but Module extends this class. */
  get #self(): AnyModule {
    return this as ModuleTree as AnyModule;
  }

  /** What an attribute is called in state dicts; overridden where PyTorch's name is another. */
  protected stateName(attribute: string): string {
    return attribute;
  }

  /** What {@link toString} shows between the parentheses. */
  protected summary(): string {
    return '';
  }

  /** Where parameters, buffers and modules are looked for; overridden by containers that keep them elsewhere. */
  protected attributes(): Iterable<[name: string, value: unknown]> {
    return Object.entries(this);
  }

  /** Parameters, buffers and modules among the attributes; `persistent` is null for all but buffers. */
  *#members(): Generator<Member> {
    for (const [attribute, value] of this.attributes()) {
      const name = this.stateName(attribute);
      const persistent = this.#buffers.get(attribute);
      if (persistent === undefined) yield* found(name, value);
      else if (value instanceof Tensor) yield [name, value, persistent];
    }
  }

  /** Its own parameters, or its own buffers. */
  *#tensors(buffers: boolean): Generator<[name: string, tensor: Tensor, persistent: boolean | null]> {
    for (const [name, value, persistent] of this.#members()) {
      if (value instanceof Tensor && buffers === (persistent !== null)) yield [name, value, persistent];
    }
  }

  /** The modules directly inside, each once (PyTorch: `children`). */
  children(): AnyModule[] {
    return this.namedChildren().map(([, child]) => child);
  }

  /** The modules directly inside with their names, each once (PyTorch: `named_children`). */
  namedChildren(): [name: string, module: AnyModule][] {
    const children = new Map<AnyModule, string>();
    for (const [name, value] of this.#members()) {
      if (value instanceof ModuleTree && !children.has(value)) children.set(value, name);
    }
    return Array.from(children, ([child, name]) => [name, child]);
  }

  /** This module and all inside it, each once, outer before inner (PyTorch: `modules`). */
  modules(): AnyModule[] {
    return this.namedModules().map(([, module]) => module);
  }

  /** This module (named '') and all inside it, each once, with their paths (PyTorch: `named_modules`). */
  namedModules(): [name: string, module: AnyModule][] {
    const paths = new Map<AnyModule, string>();
    const visit = (path: string, module: AnyModule) => {
      if (paths.has(module)) return;
      paths.set(module, path);
      for (const [name, child] of module.namedChildren()) visit(join(path, name), child);
    };
    visit('', this.#self);
    return Array.from(paths, ([module, path]) => [path, module]);
  }

  /** All parameters, each once: what an optimizer takes (PyTorch: `parameters`). */
  parameters(): Parameter[] {
    return this.namedParameters().map(([, p]) => p);
  }

  /** All parameters with their paths, each once (PyTorch: `named_parameters`). */
  namedParameters(): [name: string, parameter: Parameter][] {
    return this.#named(false) as [string, Parameter][];
  }

  /** All buffers with their paths, each once (PyTorch: `named_buffers`). */
  namedBuffers(): [name: string, buffer: Tensor][] {
    return this.#named(true);
  }

  #named(buffers: boolean): [string, Tensor][] {
    const paths = new Map<Tensor, string>();
    for (const [path, module] of this.namedModules()) {
      for (const [name, tensor] of module.#tensors(buffers)) {
        if (!paths.has(tensor)) paths.set(tensor, join(path, name));
      }
    }
    return Array.from(paths, ([tensor, path]) => [path, tensor]);
  }

  /** What stands at a path of state names. */
  #at(path: string): Tensor | AnyModule | undefined {
    for (const [name, value] of this.#members()) {
      if (name === path) return value;
      const found =
        value instanceof ModuleTree && path.startsWith(`${name}.`) && value.#at(path.slice(name.length + 1));
      if (found) return found;
    }
    return undefined;
  }

  #get<K extends Tensor | AnyModule>(op: string, kind: string, path: string, is: (value: unknown) => value is K): K {
    const found = typeof path === 'string' ? this.#at(path) : undefined;
    if (is(found)) return found;
    const got = found === undefined ? describe(path) : `that of ${describe(found)}`;
    throw new TensorError('value', op, `expected the path of a ${kind} in ${this.constructor.name}, got ${got}`);
  }

  /**
   * The module at a path such as `'layers.0'`, itself for '' (PyTorch: `get_submodule`).
   *
   * @throws TensorError `value` where there is none
   *
   * @example
   * ```ts
   * import { nn } from 'chainrule';
   * const model = new nn.Sequential(new nn.Linear(2, 1), new nn.ReLU());
   * console.log(`${model.getSubmodule('1')}`); // ReLU()
   * ```
   */
  getSubmodule(path: string): AnyModule {
    if (path === '') return this.#self;
    return this.#get('getSubmodule', 'module', path, (value): value is AnyModule => value instanceof ModuleTree);
  }

  /**
   * The parameter at a path such as `'layers.0.weight'` (PyTorch: `get_parameter`).
   *
   * @throws TensorError `value` where there is none
   *
   * @example
   * ```ts
   * import { nn } from 'chainrule';
   * const model = new nn.Sequential(new nn.Linear(2, 1));
   * console.log(model.getParameter('0.weight').shape); // [1, 2]
   * ```
   */
  getParameter(path: string): Parameter {
    return this.#get('getParameter', 'parameter', path, (value): value is Parameter => value instanceof Parameter);
  }

  /**
   * The buffer at a path such as `'norm.running_mean'` (PyTorch: `get_buffer`).
   *
   * @throws TensorError `value` where there is none
   *
   * @example
   * ```ts
   * import { nn } from 'chainrule';
   * console.log(new nn.BatchNorm1d(2).getBuffer('running_var').toArray()); // [1, 1]
   * ```
   */
  getBuffer(path: string): Tensor {
    const is = (value: unknown): value is Tensor => value instanceof Tensor && !(value instanceof Parameter);
    return this.#get('getBuffer', 'buffer', path, is);
  }

  /**
   * Makes a tensor part of the state without being a parameter, running statistics for example, and assigns it to the
   * attribute `name` (PyTorch: `register_buffer`).
   *
   * @param options `persistent`: whether it belongs into state dicts, true unless given
   * @returns the tensor
   * @throws TensorError `value` for a name with a dot, or of a method
   */
  registerBuffer(name: string, tensor: Tensor, options?: { persistent?: boolean }): Tensor {
    const op = 'registerBuffer';
    checkOptions(op, options, ['persistent']);
    if (typeof name !== 'string' || name === '' || name.includes('.') || name in getPrototypeOf(this)) {
      throw new TensorError('value', op, `expected a name without dots that no method has, got ${describe(name)}`);
    }
    if (!(tensor instanceof Tensor)) throw new TensorError('value', op, `expected a tensor, got ${describe(tensor)}`);
    tensor.check(op);
    tensor.kept = true;
    this.#buffers.set(name, checkBoolean(op, 'persistent', options?.persistent ?? true));
    Object.assign(this, { [name]: tensor });
    return tensor;
  }

  /** @internal Its own buffers by attribute. */
  protected *ownBuffers(): Generator<[attribute: string, buffer: Tensor, persistent: boolean]> {
    for (const [attribute, persistent] of this.#buffers) {
      const buffer: unknown = Reflect.get(this, attribute);
      if (buffer instanceof Tensor) yield [attribute, buffer, persistent];
    }
  }

  /**
   * All parameters and persistent buffers by path, as views on the live memory: `'fc.weight'`, `'layers.0.bias'`
   * (PyTorch: `state_dict`, with the same names and layouts).
   *
   * @example
   * ```ts
   * import { nn } from 'chainrule';
   * console.log(Object.keys(new nn.Linear(2, 1).stateDict())); // ['weight', 'bias']
   * ```
   */
  stateDict(): StateDict {
    const dict: StateDict = {};
    for (const [path, tensor] of this.#state('', [])) dict[path] = tensor.detach();
    return dict;
  }

  /** What a state dict holds; a tensor in two places is there twice, as in PyTorch. */
  *#state(path: string, outer: readonly ModuleTree[]): Generator<[path: string, tensor: Tensor]> {
    for (const [name, p] of this.#tensors(false)) yield [join(path, name), p];
    for (const [name, b, persistent] of this.#tensors(true)) if (persistent) yield [join(path, name), b];
    const around = [...outer, this];
    for (const [name, child] of this.#members()) {
      if (child instanceof ModuleTree && !around.includes(child)) yield* child.#state(join(path, name), around);
    }
  }

  /**
   * Copies values from a state dict into the parameters and buffers; where anything does not fit, nothing is changed
   * (PyTorch: `load_state_dict`).
   *
   * @param options `strict`: whether names that are missing or unexpected are errors, true unless given
   * @returns the names that were missing and unexpected
   * @throws TensorError `value` listing every name that is missing, unexpected or of another shape
   */
  loadStateDict(
    dict: Readonly<StateDict> | ReadonlyMap<string, Tensor>,
    options?: { strict?: boolean },
  ): { missing: string[]; unexpected: string[] } {
    const op = 'loadStateDict';
    checkOptions(op, options, ['strict']);
    const strict = checkBoolean(op, 'strict', options?.strict ?? true);
    return load(this.constructor.name, new Map(this.#state('', [])), dict, strict);
  }

  /**
   * Moves all parameters and persistent buffers into memory that worker threads share, and tells where they lie: send it by
   * `postMessage` or `workerData`, and give it there to {@link Module.fromShared} or {@link loadShared}. Nothing is copied then: an
   * update in one thread is an update in all; see {@link SharedState} for what holds between them (PyTorch: `share_memory`).
   *
   * Tensors stay the same objects, so optimizers, checkpoints and `assign` go on as before; views taken earlier, those of
   * `stateDict()` for example, are left with the old memory, and `to` leaves the shared one.
   *
   * @throws TensorError `memory` where the system refuses the memory
   *
   * @example
   * ```ts
   * import { nn } from 'chainrule';
   * const model = new nn.Linear(2, 1);
   * const state = model.share();
   * // In a worker, where state arrives as workerData:
   * const same = nn.Linear.fromShared(state, 2, 1);
   * nn.init.constant(model.weight, 3);
   * console.log(same.weight.toArray()); // [[3, 3]]
   * ```
   */
  share(): SharedState {
    return shareState(new Map(this.#state('', [])));
  }

  /**
   * Lets all parameters and persistent buffers look at the memory that another thread's {@link share} told of, instead of their
   * own; where anything does not fit, nothing is changed.
   *
   * @param options `strict`: whether names that are missing or unexpected are errors, true unless given
   * @returns the module
   * @throws TensorError `value` listing every name that is missing, unexpected, or of another shape or dtype; or for what `share`
   * did not give
   *
   * @example
   * ```ts
   * import { nn } from 'chainrule';
   * const model = new nn.Linear(2, 1);
   * const same = new nn.Linear(2, 1).loadShared(model.share());
   * nn.init.constant(same.weight, 3);
   * console.log(model.weight.toArray()); // [[3, 3]]
   * ```
   */
  loadShared(state: SharedState, options?: { strict?: boolean }): this {
    const op = 'loadShared';
    checkOptions(op, options, ['strict']);
    const strict = checkBoolean(op, 'strict', options?.strict ?? true);
    openState(this.constructor.name, new Map(this.#state('', [])), state, strict);
    return this;
  }

  /** The module and all inside it as text. */
  toString(): string {
    return this.#print([]);
  }

  [inspect.custom](): string {
    return this.toString();
  }

  #print(outer: readonly ModuleTree[]): string {
    const around = [...outer, this];
    const lines: string[] = [];
    for (const [name, child] of this.#members()) {
      if (!(child instanceof ModuleTree)) continue;
      const text = around.includes(child) ? '...' : child.#print(around).replaceAll('\n', '\n  ');
      lines.push(`\n  (${name}): ${text}`);
    }
    return `${this.constructor.name}(${lines.length === 0 ? this.summary() : `${lines.join('')}\n`})`;
  }
}

function* found(name: string, value: unknown): Generator<Member> {
  if (value instanceof Parameter) yield [name, value, null];
  else if (value instanceof ModuleTree) yield [name, value as AnyModule, null];
  else if (Array.isArray(value)) for (const [i, item] of value.entries()) yield* found(`${name}.${i}`, item);
}

function join(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}
