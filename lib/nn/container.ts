// Modules that hold modules: Sequential and ModuleList.
import { describe, TensorError } from '../errors.js';
import type { Tensor } from '../tensor.js';
import { type AnyModule, Module } from './module.js';

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

/** Puts a module at a place, where `list[place]` and the walk over attributes find it. */
function put(list: AnyModule, place: number, module: unknown): void {
  if (!(module instanceof Module)) {
    throw new TensorError(
      'value',
      list.constructor.name,
      `expected modules, got ${describe(module)} at place ${place}`,
    );
  }
  Object.defineProperty(list, place, { value: module, enumerable: true, configurable: true, writable: true });
}

/** The modules from place 0 on. */
function* taken<M>(list: { readonly [place: number]: M; readonly length: number }): Generator<M> {
  for (let i = 0; i < list.length; i++) yield list[i];
}

/**
 * Runs modules one after the other: `y = m_n(... m_1(x))` (PyTorch: `nn.Sequential`).
 *
 * The first takes whatever the whole is given, each other what the one before returned; names in state dicts are `'0.weight'` and so on.
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
export class Sequential<const L extends readonly AnyModule[] = readonly AnyModule[]> extends Module<
  InputsOf<L>,
  OutputOf<L>
> {
  readonly [place: number]: L[number];
  readonly length: number;

  constructor(...modules: L) {
    super();
    this.length = modules.length;
    for (const [i, module] of modules.entries()) put(this as unknown as AnyModule, i, module);
  }

  [Symbol.iterator](): Generator<L[number]> {
    return taken<L[number]>(this);
  }

  forward(...inputs: InputsOf<L>): OutputOf<L> {
    let values: unknown[] = inputs;
    for (const module of this) values = [module.forward(...values)];
    return values[0] as OutputOf<L>;
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
export class ModuleList<M extends AnyModule = Module> extends Module<unknown[], never> {
  readonly [place: number]: M;
  length = 0;

  constructor(modules: Iterable<M> = []) {
    super();
    for (const module of modules) this.append(module);
  }

  /** Adds a module at the end. */
  append(module: M): this {
    put(this, this.length, module);
    this.length++;
    return this;
  }

  [Symbol.iterator](): Generator<M> {
    return taken<M>(this);
  }

  /** Always an error: a list has no order of its own in which values go through it. */
  forward(): never {
    throw new TensorError(
      'value',
      'ModuleList',
      'expected the forward() of its elements to be called, got a call of its own; use Sequential for a chain',
    );
  }
}
