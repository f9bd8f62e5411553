// How a lazy module becomes what it is: at its first input, which tells the size that its constructor was not given.
import { Generator } from '../core/random.js';
import { recording } from '../core/recording.js';
import type { RandomOptions } from '../create.js';
import { describe, TensorError } from '../errors.js';
import { Tensor } from '../tensor.js';
import type { AnyModule } from './module.js';
import { Parameter } from './parameter.js';
import { isUninitialized, materialize, UninitializedBuffer, UninitializedParameter } from './uninitialized.js';

/** What a lazy module knows before its first input. */
interface Plan {
  /** The class it has until then. */
  readonly kind: { readonly prototype: object };
  /** The class it has from then on. */
  readonly becomes: { readonly prototype: object };
  /** The attribute with the size that is missing. */
  readonly size: string;
  /** The dimension that tells it of an input of so many; -1 where none does. */
  readonly axis: (ndim: number) => number;
  /** An ordinary module with that size. */
  readonly make: (size: number) => AnyModule;
}

/** Where the plan stands: no name, so that no walk over attributes meets it, but clones have it. */
const PLAN = Symbol('plan');
type Attributes = Record<string, unknown> & { [PLAN]?: Plan };
const attributes = (module: object): Attributes => module as Attributes;

/** Options whose numbers come from a generator of their own: what is drawn before the first input is thrown away. */
export function unseeded<O extends { generator?: RandomOptions['generator'] }>(options: O | undefined): O {
  if (options !== undefined && (options === null || typeof options !== 'object')) return options;
  return { ...(options as O), generator: new Generator(0) };
}

/** The fewest channels that these groups divide. */
export function leastChannels(options: { groups?: number } | undefined): number {
  const groups = options?.groups;
  return typeof groups === 'number' && Number.isSafeInteger(groups) && groups > 0 ? groups : 1;
}

/** The dimension of channels in front of `n` others, of one image or of a batch. */
export const channels = (n: number) => (ndim: number) => (ndim === n + 1 || ndim === n + 2 ? ndim - n - 1 : -1);

/** Makes a module of the smallest size lazy: takes its values away, and keeps what it takes to begin. */
export function postpone(module: object, plan: Plan): void {
  const own = attributes(module);
  own[plan.size] = 0;
  for (const [name, value] of Object.entries(own)) {
    if (!(value instanceof Tensor)) continue;
    const { dtype, requiresGrad } = value;
    if (dtype !== 'float32' && dtype !== 'float64') continue;
    const isParameter = value instanceof Parameter;
    own[name] = isParameter ? new UninitializedParameter({ dtype, requiresGrad }) : new UninitializedBuffer({ dtype });
    value.dispose();
  }
  Object.defineProperty(own, PLAN, { value: plan, configurable: true });
}

/** At the first input, makes an ordinary module of a lazy one; afterwards nothing. */
export function settle(module: object, x: unknown): void {
  const own = attributes(module);
  const plan = own[PLAN];
  if (plan === undefined) return;
  const op = module.constructor.name;
  if (!(x instanceof Tensor)) throw new TensorError('value', op, `expected a tensor, got ${describe(x)}`);
  x.check(op);
  if (recording !== null) {
    const remedy = 'run it once before';
    throw new TensorError('capture', op, `expected no first input of a lazy module in a captured function; ${remedy}`);
  }
  const size = x.shape[plan.axis(x.ndim)];
  if (size === undefined) {
    throw new TensorError('shape', op, `expected an input with features to count, got [${x.shape.join(', ')}]`);
  }
  const made = attributes(plan.make(size));
  const pairs = Object.entries(made).filter((entry): entry is [string, Tensor] => entry[1] instanceof Tensor);
  for (const [name, wanted] of pairs) {
    const loaded = own[name];
    if (isUninitialized(loaded) || !(loaded instanceof Tensor) || loaded.shape.join() === wanted.shape.join()) continue;
    const shapes = `[${wanted.shape.join(', ')}] for the input [${x.shape.join(', ')}], got [${loaded.shape.join(', ')}]`;
    throw new TensorError('shape', op, `expected ${name} of shape ${shapes}`);
  }
  for (const [name, values] of pairs) {
    const waiting = own[name];
    if (isUninitialized(waiting)) materialize(waiting, values);
    else values.dispose();
  }
  own[plan.size] = size;
  Reflect.deleteProperty(own, PLAN);
  // A class of the user's own stays.
  if (Object.getPrototypeOf(module) === plan.kind.prototype) Object.setPrototypeOf(module, plan.becomes.prototype);
}
