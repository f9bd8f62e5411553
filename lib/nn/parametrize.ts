// nn.utils.parametrize: parameters that are functions of others, computed whenever they are read.
import { noGrad } from '../core/mode.js';
import { checkOptions, describe, TensorError } from '../errors.js';
import { Tensor } from '../tensor.js';
import { checkBoolean } from './check.js';
import { ModuleList } from './container.js';
import { ModuleDict } from './container-dict.js';
import { type AnyModule, Module } from './module.js';
import type { Parameter } from './parameter.js';
import { attributes, checkWeight } from './reparametrize.js';

/** A module from a tensor to one of the same shape and dtype; `rightInverse`, where there is one, gives the tensor it makes a value of. */
export interface Parametrization extends Module {
  rightInverse?(value: Tensor): Tensor;
}

/** Where the list of parametrizations stands, under the name PyTorch has for it. */
const PLACE = 'parametrizations';
type Lists = ModuleDict<Record<string, AnyModule>>;

/** What a parameter is computed from, and the functions that come one after the other. */
class ParametrizationList extends ModuleList<Parametrization> {
  constructor(
    public original: Parameter,
    readonly attribute: string,
    first: Parametrization,
  ) {
    super([first]);
  }

  /** The parameter as it is read. */
  value(): Tensor {
    let x: Tensor = this.original;
    for (const part of this) x = part.forward(x);
    return x;
  }

  /** What the original has to be for a value; null where a function cannot be turned round. */
  inverse(value: Tensor): Tensor | null {
    let x = value;
    for (const part of [...this].reverse()) {
      if (typeof part.rightInverse !== 'function') return null;
      x = part.rightInverse(x);
    }
    return x;
  }
}

/** The parametrizations of a module by the names of state dicts, which some attributes do not have. */
function* listsOf(module: object): Generator<[name: string, list: ParametrizationList]> {
  const lists: unknown = Reflect.get(module, PLACE);
  if (!(lists instanceof ModuleDict)) return;
  for (const [name, list] of (lists as Lists).entries()) if (list instanceof ParametrizationList) yield [name, list];
}

function listOf(module: object, attribute: string): ParametrizationList | null {
  for (const [, list] of listsOf(module)) if (list.attribute === attribute) return list;
  return null;
}

function checkModule(op: string, module: unknown): void {
  if (!(module instanceof Module)) throw new TensorError('value', op, `expected a module, got ${describe(module)}`);
}

/** A value that can stand where another one stood. */
function checkSame(op: string, what: string, value: unknown, like: Tensor): Tensor {
  if (!(value instanceof Tensor))
    throw new TensorError('value', op, `expected ${what} to be a tensor, got ${describe(value)}`);
  if (value.shape.join() === like.shape.join() && value.dtype === like.dtype) return value;
  const [wanted, got] = [like, value].map((x) => `[${x.shape.join(', ')}] ${x.dtype}`);
  throw new TensorError('shape', op, `expected ${what} as ${wanted}, got ${got}`);
}

/** Has the parameter computed whenever it is read. Only names are held, so that clones read their own. */
function define(module: object, name: string): void {
  Object.defineProperty(module, name, {
    get(this: object) {
      return listOf(this, name)?.value();
    },
    set(this: object, value: Tensor) {
      const op = 'registerParametrization';
      const list = listOf(this, name) as ParametrizationList;
      const original = noGrad(() => list.inverse(checkSame(op, 'the value', value, list.value())));
      if (original === null) {
        throw new TensorError('value', op, `expected a parametrization with rightInverse to assign ${name}, got none`);
      }
      list.original.assign(checkSame(op, 'what rightInverse gives', original, list.original));
    },
    // Hidden from walks over attributes: what is learned is the original.
    enumerable: false,
    configurable: true,
  });
}

/**
 * Makes a parameter a function of another one, that is learned in its place; again, a function of the function (PyTorch:
 * `nn.utils.parametrize.register_parametrization`). The function is computed whenever the parameter is read, in `forward` for example.
 * State dicts hold `parametrizations.weight.original`, and what the function has, under `parametrizations.weight.0`.
 *
 * Where the parametrization has a `rightInverse`, the original begins as that of the parameter's value, and assignments to the parameter go
 * through it.
 *
 * @param name of a parameter
 * @param parametrization a module from a tensor to one of the same shape and dtype
 * @returns the module, changed; make the optimizer afterwards, unless it has the parameter already
 * @throws TensorError `value` for what is no module or no parameter, `shape` for a function to another shape or dtype; nothing is changed then
 *
 * @example
 * ```ts
 * import { nn, tensor, type Tensor } from 'chainrule';
 * class Symmetric extends nn.Module {
 *   forward(x: Tensor) { return x.triu().add(x.triu(1).t()); }
 * }
 * const layer = new nn.Linear(2, 2);
 * layer.weight.assign(tensor([[1, 2], [3, 4]]));
 * nn.utils.parametrize.registerParametrization(layer, 'weight', new Symmetric());
 * console.log(layer.weight.toArray()); // [[1, 2], [2, 4]]
 * console.log(Object.keys(layer.stateDict())); // ['bias', 'parametrizations.weight.original']
 * ```
 */
export function registerParametrization<M extends AnyModule | Module>(
  module: M,
  name: string,
  parametrization: Parametrization,
): M {
  const op = 'registerParametrization';
  checkModule(op, module);
  checkModule(op, parametrization);
  const list = listOf(module, name);
  const now = list === null ? checkWeight(op, module, name) : list.value();
  parametrization.train(module.training);
  const begin = noGrad(() => {
    const value = now.detach();
    // What comes later takes what was computed before, and changes nothing about the original.
    const inverse = list === null ? parametrization.rightInverse?.(value) : undefined;
    const start = checkSame(op, 'what rightInverse gives', inverse ?? value, now);
    checkSame(op, 'what forward gives', parametrization.forward(start), now);
    return start;
  });
  if (list !== null) {
    list.append(parametrization);
    return module;
  }
  const parameter = checkWeight(op, module, name);
  if (begin.storage !== parameter.storage) parameter.assign(begin);
  const [key = name] = module.namedParameters({ recurse: false }).find(([, p]) => p === parameter) ?? [];
  Reflect.deleteProperty(module, name);
  const own = attributes(module) as Record<string, unknown>;
  own[PLACE] ??= new ModuleDict();
  (own[PLACE] as Lists).set(key, new ParametrizationList(parameter, name, parametrization) as AnyModule);
  define(module, name);
  return module;
}

/**
 * Whether a parameter of a module is a function of another one, or any of its own parameters is (PyTorch:
 * `nn.utils.parametrize.is_parametrized`).
 *
 * @throws TensorError `value` for what is no module
 *
 * @example
 * ```ts
 * import { nn } from 'chainrule';
 * const { registerParametrization, isParametrized } = nn.utils.parametrize;
 * const layer = registerParametrization(new nn.Linear(2, 2), 'weight', new nn.Tanh());
 * console.log(isParametrized(layer), isParametrized(layer, 'bias')); // true false
 * ```
 */
export function isParametrized(module: AnyModule | Module, name?: string): boolean {
  checkModule('isParametrized', module);
  if (name !== undefined) return listOf(module, name) !== null;
  return listsOf(module).next().done === false;
}

/**
 * Makes a parameter what it was, the same object (PyTorch: `nn.utils.parametrize.remove_parametrizations`).
 *
 * @param options `leaveParametrized`: whether it keeps the value that was computed, true unless given; with false that of the original
 * @returns the module, changed
 * @throws TensorError `value` where the parameter is not parametrized
 *
 * @example
 * ```ts
 * import { nn, tensor } from 'chainrule';
 * const { registerParametrization, removeParametrizations } = nn.utils.parametrize;
 * const layer = new nn.Linear(2, 1, { bias: false });
 * layer.weight.assign(tensor([[-1, 2]]));
 * registerParametrization(layer, 'weight', new nn.ReLU());
 * console.log(removeParametrizations(layer, 'weight').weight.toArray()); // [[0, 2]]
 * ```
 */
export function removeParametrizations<M extends AnyModule | Module>(
  module: M,
  name: string,
  options?: { leaveParametrized?: boolean },
): M {
  const op = 'removeParametrizations';
  checkModule(op, module);
  checkOptions(op, options, ['leaveParametrized']);
  const leave = checkBoolean(op, 'leaveParametrized', options?.leaveParametrized ?? true);
  const list = listOf(module, name);
  if (list === null) {
    throw new TensorError('value', op, `expected a parameter that is parametrized, got ${describe(name)}`);
  }
  const { original } = list;
  if (leave) noGrad(() => void original.assign(list.value()));
  Reflect.deleteProperty(module, name);
  const own = attributes(module) as Record<string, unknown>;
  const lists = own[PLACE] as Lists;
  for (const [key, other] of [...listsOf(module)]) if (other === list) lists.delete(key);
  if (lists.size === 0) Reflect.deleteProperty(own, PLACE);
  own[name] = original;
  return module;
}
