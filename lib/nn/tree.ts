// What stands where in a module: names and paths of its parameters, buffers and modules, and its state dict.
import { inspect } from 'node:util';
import { checkOptions, describe, TensorError } from '../errors.js';
import { Tensor } from '../tensor.js';
import { checkBoolean } from './check.js';
import type { AnyModule } from './module.js';
import { Parameter } from './parameter.js';
import { openState, type SharedState, shareState } from './share.js';
import { load, type StateDict } from './state.js';
import { isUninitialized } from './uninitialized.js';

/** Whose parameters or buffers are asked for. */
export interface Recursion {
  /** Whether those of modules inside are among them; true unless given. */
  recurse?: boolean;
}

type Member = [name: string, value: Tensor | AnyModule, persistent: boolean | null];
const { getPrototypeOf } = Object;
/** Whether each buffer of a module belongs into state dicts, by attribute. */
const persistence = new WeakMap<ModuleTree, Map<string, boolean>>();

/** The part of every {@link Module} that finds what is assigned to it; nothing but Module extends it. */
export abstract class ModuleTree {
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
  static *#members(module: ModuleTree): Generator<Member> {
    for (const [attribute, value] of module.attributes()) {
      const name = module.stateName(attribute);
      const persistent = persistence.get(module)?.get(attribute);
      if (persistent === undefined) yield* found(name, value);
      else if (value instanceof Tensor) yield [name, value, persistent];
    }
  }

  /** Its own parameters, or its own buffers. */
  static *#tensors(
    module: ModuleTree,
    buffers: boolean,
  ): Generator<[name: string, tensor: Tensor, persistent: boolean | null]> {
    for (const [name, value, persistent] of ModuleTree.#members(module)) {
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
    for (const [name, value] of ModuleTree.#members(this)) {
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
    visit('', asModule(this));
    return Array.from(paths, ([module, path]) => [path, module]);
  }

  /**
   * All parameters, each once: what an optimizer takes (PyTorch: `parameters`).
   *
   * @param options `recurse`: those of modules inside too, true unless given
   */
  parameters(options?: Recursion): Parameter[] {
    return this.namedParameters(options).map(([, p]) => p);
  }

  /**
   * All parameters with their paths, each once (PyTorch: `named_parameters`).
   *
   * @param options `recurse`: those of modules inside too, true unless given
   */
  namedParameters(options?: Recursion): [name: string, parameter: Parameter][] {
    return ModuleTree.#named('namedParameters', this, false, options) as [string, Parameter][];
  }

  /**
   * All buffers, each once (PyTorch: `buffers`).
   *
   * @param options `recurse`: those of modules inside too, true unless given
   */
  buffers(options?: Recursion): Tensor[] {
    return this.namedBuffers(options).map(([, buffer]) => buffer);
  }

  /**
   * All buffers with their paths, each once (PyTorch: `named_buffers`).
   *
   * @param options `recurse`: those of modules inside too, true unless given
   */
  namedBuffers(options?: Recursion): [name: string, buffer: Tensor][] {
    return ModuleTree.#named('namedBuffers', this, true, options);
  }

  static #named(op: string, tree: ModuleTree, buffers: boolean, options?: Recursion): [string, Tensor][] {
    checkOptions(op, options, ['recurse']);
    const recurse = checkBoolean(op, 'recurse', options?.recurse ?? true);
    const paths = new Map<Tensor, string>();
    for (const [path, module] of recurse ? tree.namedModules() : [['', tree] as const]) {
      for (const [name, tensor] of ModuleTree.#tensors(module, buffers)) {
        if (!paths.has(tensor)) paths.set(tensor, join(path, name));
      }
    }
    return Array.from(paths, ([tensor, path]) => [path, tensor]);
  }

  /** What stands at a path of state names. */
  static #at(module: ModuleTree, path: string): Tensor | AnyModule | undefined {
    for (const [name, value] of ModuleTree.#members(module)) {
      if (name === path) return value;
      const found =
        value instanceof ModuleTree &&
        path.startsWith(`${name}.`) &&
        ModuleTree.#at(value, path.slice(name.length + 1));
      if (found) return found;
    }
    return undefined;
  }

  static #get<K extends Tensor | AnyModule>(
    tree: ModuleTree,
    op: string,
    kind: string,
    path: string,
    is: (value: unknown) => value is K,
  ): K {
    const found = typeof path === 'string' ? ModuleTree.#at(tree, path) : undefined;
    if (is(found)) return found;
    const got = found === undefined ? describe(path) : `that of ${describe(found)}`;
    throw new TensorError('value', op, `expected the path of a ${kind} in ${tree.constructor.name}, got ${got}`);
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
    if (path === '') return asModule(this);
    return ModuleTree.#get(
      this,
      'getSubmodule',
      'module',
      path,
      (value): value is AnyModule => value instanceof ModuleTree,
    );
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
    return ModuleTree.#get(
      this,
      'getParameter',
      'parameter',
      path,
      (value): value is Parameter => value instanceof Parameter,
    );
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
    return ModuleTree.#get(this, 'getBuffer', 'buffer', path, is);
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
    checkName(op, this, name);
    if (!(tensor instanceof Tensor)) throw new TensorError('value', op, `expected a tensor, got ${describe(tensor)}`);
    tensor.check(op);
    tensor.kept = true;
    const registered = persistence.get(this) ?? new Map<string, boolean>();
    persistence.set(this, registered);
    registered.set(name, checkBoolean(op, 'persistent', options?.persistent ?? true));
    Object.assign(this, { [name]: tensor });
    return tensor;
  }

  /**
   * Assigns a parameter to the attribute `name`, for names that are computed; otherwise an assignment does the same (PyTorch:
   * `register_parameter`).
   *
   * @param parameter null for a name that has none, a bias that is left out for example
   * @throws TensorError `value` for a name with a dot, or of a method, and for anything but a parameter
   *
   * @example
   * ```ts
   * import { nn, ones } from 'chainrule';
   * const model = new nn.Identity();
   * for (const i of [1, 2]) model.registerParameter(`scale${i}`, new nn.Parameter(ones([i])));
   * console.log(model.namedParameters().map(([name]) => name)); // ['scale1', 'scale2']
   * ```
   */
  registerParameter(name: string, parameter: Parameter | null): void {
    const op = 'registerParameter';
    checkName(op, this, name);
    if (parameter !== null && !(parameter instanceof Parameter)) {
      throw new TensorError('value', op, `expected a parameter or null, got ${describe(parameter)}`);
    }
    persistence.get(this)?.delete(name);
    Object.assign(this, { [name]: parameter });
  }

  /**
   * Assigns a module to the attribute `name`, for names that are computed; otherwise an assignment does the same (PyTorch:
   * `register_module`, `add_module`).
   *
   * @throws TensorError `value` for a name with a dot, or of a method, and for anything but a module
   *
   * @example
   * ```ts
   * import { nn } from 'chainrule';
   * const model = new nn.Identity();
   * for (const i of [1, 2]) model.registerModule(`layer${i}`, new nn.Linear(i, 1));
   * console.log(Object.keys(model.stateDict()).join(' ')); // layer1.weight layer1.bias layer2.weight layer2.bias
   * ```
   */
  registerModule(name: string, module: AnyModule | null): void {
    const op = 'registerModule';
    checkName(op, this, name);
    if (module !== null && !(module instanceof ModuleTree)) {
      throw new TensorError('value', op, `expected a module or null, got ${describe(module)}`);
    }
    Object.assign(this, { [name]: module });
  }

  /** @internal Takes over what another module says of buffers. */
  protected copyPersistence(from: ModuleTree): void {
    persistence.set(this, new Map(persistence.get(from)));
  }

  /** @internal Its own buffers by attribute. */
  protected *ownBuffers(): Generator<[attribute: string, buffer: Tensor, persistent: boolean]> {
    for (const [attribute, persistent] of persistence.get(this) ?? []) {
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
    for (const [path, tensor] of ModuleTree.#state(this))
      dict[path] = isUninitialized(tensor) ? tensor : tensor.detach();
    return dict;
  }

  /** What a state dict holds; a tensor in two places is there twice, as in PyTorch. */
  static *#state(
    module: ModuleTree,
    path = '',
    outer: readonly ModuleTree[] = [],
  ): Generator<[path: string, tensor: Tensor]> {
    for (const [name, p] of ModuleTree.#tensors(module, false)) yield [join(path, name), p];
    for (const [name, b, persistent] of ModuleTree.#tensors(module, true)) if (persistent) yield [join(path, name), b];
    const around = [...outer, module];
    for (const [name, child] of ModuleTree.#members(module)) {
      if (child instanceof ModuleTree && !around.includes(child))
        yield* ModuleTree.#state(child, join(path, name), around);
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
    return load(this.constructor.name, new Map(ModuleTree.#state(this)), dict, strict);
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
    return shareState(new Map(ModuleTree.#state(this)));
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
    openState(this.constructor.name, new Map(ModuleTree.#state(this)), state, strict);
    return this;
  }

  /** The module and all inside it as text. */
  toString(): string {
    return ModuleTree.#print(this, []);
  }

  [inspect.custom](): string {
    return this.toString();
  }

  static #print(module: ModuleTree, outer: readonly ModuleTree[]): string {
    const around = [...outer, module];
    const lines: string[] = [];
    for (const [name, child] of ModuleTree.#members(module)) {
      if (!(child instanceof ModuleTree)) continue;
      const text = around.includes(child) ? '...' : ModuleTree.#print(child, around).replaceAll('\n', '\n  ');
      lines.push(`\n  (${name}): ${text}`);
    }
    return `${module.constructor.name}(${lines.length === 0 ? module.summary() : `${lines.join('')}\n`})`;
  }
}

/** Nothing but Module extends the class. */
function asModule(tree: ModuleTree): AnyModule {
  return tree as AnyModule;
}

/** Throws unless an attribute can have the name. */
function checkName(op: string, tree: ModuleTree, name: unknown): void {
  if (typeof name === 'string' && name !== '' && !name.includes('.') && !(name in getPrototypeOf(tree))) return;
  throw new TensorError('value', op, `expected a name without dots that no method has, got ${describe(name)}`);
}

function* found(name: string, value: unknown): Generator<Member> {
  if (value instanceof Parameter) yield [name, value, null];
  else if (value instanceof ModuleTree) yield [name, value as AnyModule, null];
  else if (Array.isArray(value)) for (const [i, item] of value.entries()) yield* found(`${name}.${i}`, item);
}

function join(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}
