// Memory as it is without the pool and garbage: for tests that count bytes or set a budget.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { emptyCache } from 'chainrule';

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc') as () => void;

/** Nothing but live tensors: the pool and garbage of earlier tests would be part of the numbers. */
export function settle(): void {
  emptyCache();
  // A second collection waits for the buffers that the first one found.
  for (let i = 0; i < 2; i++) gc();
}
