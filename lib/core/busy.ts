// Memory that steps in the background work on at this moment: what they write must not be looked at, what they read must not be changed.
import { TensorError } from '../errors.js';
import type { Tensor } from '../tensor.js';
import { formatShape } from './shape.js';

/** Something that runs share: the memory of tensors, the state of a generator. */
export type Shared = object;

/** What a run works on. */
export interface Claim {
  readonly reads: readonly Shared[];
  readonly writes: readonly Shared[];
}

interface Use {
  readers: number;
  written: boolean;
}

const uses = new Map<Shared, Use>();
/** Null while nothing runs: one comparison is all that others pay. */
export let busy: ReadonlyMap<Shared, Use> | null = null;

/** Whether a run may begin now: nobody writes what it touches, nobody reads what it writes. */
export function isFree({ reads, writes }: Claim): boolean {
  if (busy === null) return true;
  return !reads.some((x) => uses.get(x)?.written) && !writes.some((x) => uses.has(x));
}

/** Marks what a run works on until {@link unclaim}. */
export function claim({ reads, writes }: Claim): void {
  for (const x of reads) {
    const use = uses.get(x);
    if (use === undefined) uses.set(x, { readers: 1, written: false });
    else use.readers++;
  }
  for (const x of writes) uses.set(x, { readers: 0, written: true });
  busy = uses.size > 0 ? uses : null;
}

export function unclaim({ reads, writes }: Claim): void {
  for (const x of reads) {
    const use = uses.get(x);
    if (use !== undefined && --use.readers <= 0 && !use.written) uses.delete(x);
  }
  for (const x of writes) uses.delete(x);
  busy = uses.size > 0 ? uses : null;
}

/** Runs what belongs to the run itself, on the main thread between two of its stretches. */
export function inside<T>(own: Claim, fn: () => T): T {
  unclaim(own);
  try {
    return fn();
  } finally {
    claim(own);
  }
}

function refusal(x: Tensor, what: string): TensorError {
  return new TensorError(
    'busy',
    x.op === '' ? 'async' : x.op,
    `expected a tensor that no step in the background ${what}, got ${x.dtype} ${formatShape(x.shape)}; await the step first`,
  );
}

/** Refuses memory that a run is writing. */
export function checkIdle(x: Tensor): void {
  if (uses.get(x.storage)?.written) throw refusal(x, 'is changing');
}

/** Refuses a generator whose state a run advances. */
export function checkDrawable(op: string, state: Shared): void {
  if (!uses.get(state)?.written) return;
  throw new TensorError(
    'busy',
    op,
    'expected a generator that no step in the background draws from; await the step first, or pass a generator of its own',
  );
}

/** Refuses to change memory that a run is reading. */
export function checkUnread(x: Tensor): void {
  if (uses.has(x.storage)) throw refusal(x, 'is using');
}
