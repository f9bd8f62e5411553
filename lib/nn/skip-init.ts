// skipInit: modules whose parameters are loaded anyway, made without drawing their first values.

let depth = 0;

/** Whether random initialisation leaves tensors as they are. */
export const isSkipped = () => depth > 0;

/**
 * Makes a module whose parameters are not initialised by random numbers: what is loaded anyway costs no time, and draws nothing from the
 * generator (PyTorch: `nn.utils.skip_init`). What the parameters hold is undefined; constants, those of normalisations for example, are
 * where they belong.
 *
 * @param Class the module's class
 * @param args what its constructor takes
 * @throws whatever the constructor throws
 *
 * @example
 * ```ts
 * import { nn } from 'chainrule';
 * const trained = new nn.Linear(784, 10);
 * const model = nn.utils.skipInit(nn.Linear, 784, 10);
 * model.loadStateDict(trained.stateDict());
 * console.log(model.weight.equal(trained.weight)); // true
 * ```
 */
export function skipInit<A extends unknown[], M>(Class: new (...args: A) => M, ...args: A): M {
  depth++;
  try {
    return new Class(...args);
  } finally {
    depth--;
  }
}
