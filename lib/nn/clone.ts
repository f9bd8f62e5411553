// Deep copies of modules: everything a module holds, without running a constructor.
import { TensorError } from '../errors.js';
import { Tensor } from '../tensor.js';
import { ownForward } from './hooks.js';
import type { AnyModule } from './module.js';
import { Parameter } from './parameter.js';
import { ModuleTree } from './tree.js';
import { copyUninitialized, isUninitialized } from './uninitialized.js';

type Finish = (copy: AnyModule, from: AnyModule) => void;

/** Copies a module; `finish` does for each copy inside what only Module can. */
export function copyModule<M extends ModuleTree>(module: M, finish: Finish): M {
  return new Copier(finish).copy(module) as M;
}

class Copier {
  /** Copies by original: what is found in two places stays one. */
  readonly #made = new Map<object, unknown>();

  constructor(private readonly finish: Finish) {}

  copy(value: unknown): unknown {
    if (value === null || typeof value !== 'object') return value;
    const made = this.#made.get(value);
    if (made !== undefined) return made;
    if (value instanceof Tensor) return this.#keep(value, copyTensor(value));
    if (value instanceof ModuleTree) return this.#module(value as AnyModule);
    if (Array.isArray(value)) return this.#fill(value, this.#keep(value, []));
    if (value instanceof Map) {
      const map = this.#keep(value, new Map());
      for (const [key, item] of value) map.set(this.copy(key), this.copy(item));
      return map;
    }
    const prototype = Object.getPrototypeOf(value);
    if (prototype !== Object.prototype && prototype !== null) return value;
    return this.#fill(value, this.#keep(value, Object.create(prototype)));
  }

  #keep<T>(value: object, copy: T): T {
    this.#made.set(value, copy);
    return copy;
  }

  #fill<T extends object>(from: object, into: T, but?: string): T {
    for (const key of Reflect.ownKeys(from)) {
      if (key === but) continue;
      const property = Object.getOwnPropertyDescriptor(from, key) as PropertyDescriptor;
      if ('value' in property) property.value = this.copy(property.value);
      Object.defineProperty(into, key, property);
    }
    return into;
  }

  #module(module: AnyModule): AnyModule {
    if (ownForward(module) !== null) {
      const expected = `expected forward to be a method of ${module.constructor.name}`;
      const got = 'got a property of its own, which would go on using the original';
      const remedy = 'write it as a method, or call removeWeightNorm(), removeSpectralNorm() or prune.remove() first';
      throw new TensorError('value', 'clone', `${expected}, ${got}; ${remedy}`);
    }
    const copy: AnyModule = this.#keep(module, Object.create(Object.getPrototypeOf(module)));
    // A forward that is there now runs the hooks of the original.
    this.#fill(module, copy, 'forward');
    this.finish(copy, module);
    return copy;
  }
}

/** The values in memory of their own, as a leaf. */
function copyTensor(x: Tensor): Tensor {
  if (isUninitialized(x)) return copyUninitialized(x);
  const { requiresGrad } = x;
  const values = x.detach().clone();
  if (x instanceof Parameter) {
    const copy = new Parameter(values, { requiresGrad });
    values.dispose();
    return copy;
  }
  values.requiresGrad = requiresGrad && x.isLeaf;
  values.kept = true;
  return values;
}
