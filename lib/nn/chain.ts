// The order in which a chain runs its modules, where another one gives the same sooner.
import { ReLU } from './activation.js';
import type { AnyModule } from './module.js';
import { MaxPool1d, MaxPool2d, MaxPool3d } from './pool.js';

const POOLS = [MaxPool1d, MaxPool2d, MaxPool3d];

/** Whether a module goes by its class alone: hooks, and a `forward` of its own, shadow that of the class. */
const runs = (module: AnyModule, kind: { readonly prototype: AnyModule }) => module.forward === kind.prototype.forward;

const pools = (module: AnyModule) =>
  POOLS.some((kind) => runs(module, kind)) && !(module as MaxPool1d | MaxPool2d | MaxPool3d).options?.returnIndices;

/**
 * Gives the inputs to the first module of a list, what it gives to the second, and so on, in the order they are best run in: `relu(maxPool(x))` for `maxPool(relu(x))`, which are the same to the last bit,
 * gradients included, but the pooled values are fewer. Where somebody watches a module, the order stays.
 */
export function runChain(modules: ArrayLike<AnyModule>, inputs: unknown[]): unknown {
  let waiting: AnyModule | null = null;
  let value = inputs[0];
  // The first module may take several inputs; indices, for an iterator costs as much as a small module.
  let first = inputs.length !== 1;
  const pass = (module: AnyModule): void => {
    value = first ? module.forward(...inputs) : module.forward(value);
    first = false;
  };
  for (let i = 0; i < modules.length; i++) {
    const module = modules[i];
    if (waiting !== null && !pools(module)) {
      pass(waiting);
      waiting = null;
    }
    if (waiting === null && runs(module, ReLU)) waiting = module;
    else pass(module);
  }
  if (waiting !== null) pass(waiting);
  return value;
}
