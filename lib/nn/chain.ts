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
 * The modules in the order they are best run in: `relu(maxPool(x))` for `maxPool(relu(x))`, which are the same to the last bit,
 * gradients included, but the pooled values are fewer. Where somebody watches a module, the order stays.
 */
export function* inBestOrder(modules: Iterable<AnyModule>): Generator<AnyModule> {
  let waiting: AnyModule | null = null;
  for (const module of modules) {
    if (waiting !== null && !pools(module)) {
      yield waiting;
      waiting = null;
    }
    if (waiting === null && runs(module, ReLU)) waiting = module;
    else yield module;
  }
  if (waiting !== null) yield waiting;
}
