// What streams read: any source, closed by whoever leaves it, and given up where a signal fires.
import { describe, TensorError } from '../errors.js';

/** What a stream reads: a list, a generator, a Node stream, a dataset's loader. */
export type Source<T> = Iterable<T | Promise<T>> | AsyncIterable<T>;

function isSource(value: unknown): value is Source<unknown> {
  if (value === null || (typeof value !== 'object' && typeof value !== 'string')) return false;
  return Symbol.asyncIterator in Object(value) || Symbol.iterator in Object(value);
}

/** Whoever leaves the loop over it closes the source, whatever the source is. */
export async function* read<T>(source: Source<T>): AsyncGenerator<T, void, undefined> {
  if (Symbol.asyncIterator in Object(source)) yield* source as AsyncIterable<T>;
  // Not `yield*`: a promise in a plain list that fails would leave the list's iterator open.
  else for (const item of source as Iterable<T | Promise<T>>) yield await item;
}

/** How many milliseconds a source may take for an answer that nobody wants any more. */
const PATIENCE = 1000;

/** Closes what a step reads; where it still owes an answer, a generator closes behind that, and is not waited for if it keeps silent. */
export async function close(source: AsyncGenerator<unknown>, owes: boolean): Promise<void> {
  const closed = source.return(undefined);
  if (!owes) {
    await closed;
    return;
  }
  // Whatever becomes of a source that was left behind is nobody's.
  closed.catch(() => {});
  let timer: NodeJS.Timeout | undefined;
  const enough = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, PATIENCE);
  });
  await Promise.race([closed, enough]).finally(() => clearTimeout(timer));
}

/** The stream until the signal fires; what it waits for then is left behind, and closed once it answers. */
export async function* abortable<T>(
  source: AsyncGenerator<T, void, undefined>,
  signal: AbortSignal,
): AsyncGenerator<T, void, undefined> {
  const error = () =>
    new TensorError('aborted', 'stream', 'expected to read the stream to its end, got an abort signal', {
      cause: signal.reason,
    });
  let abort = () => {};
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(error());
  });
  aborted.catch(() => {});
  signal.addEventListener('abort', abort, { once: true });
  let waiting = false;
  try {
    for (;;) {
      if (signal.aborted) throw error();
      waiting = true;
      const step = await Promise.race([source.next(), aborted]);
      waiting = false;
      if (step.done) return;
      yield step.value;
    }
  } finally {
    signal.removeEventListener('abort', abort);
    const closed = source.return();
    if (waiting) closed.catch(() => {});
    else await closed;
  }
}

export function checkSource<T>(op: string, source: Source<T>): Source<T> {
  if (isSource(source)) return source;
  throw new TensorError('value', op, `expected something to iterate, got ${describe(source)}`);
}
