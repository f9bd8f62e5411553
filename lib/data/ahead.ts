// Asking for batches ahead of the one in use: how many, how many at a time, and in their order.
import type { Job } from './load.js';

/** Batches ahead for each worker, and how many of small ones, which take so many bytes all together. */
const [AHEAD, MOST_AHEAD, AHEAD_BYTES] = [2, 16, 2 ** 23];

/** How far a loader asks ahead of the batch in use. */
interface Reach {
  /** Number of batches. */
  ahead: number;
  /**
   * How many are asked for at a time, and made by one worker: one that wakes finds the caches full of what others compute, and takes
   * several times as long for its first batch as for the next.
   */
  run: number;
}

/** A batch on its way, given up where a signal fires. */
export type Until = <T>(made: Promise<T>) => Promise<T>;

/** How far to ask workers ahead: `prefetch` batches, or what they and batches of so many bytes suggest; large ones until one has come. */
export function reachFor(workers: number, prefetch: number | undefined, bytes = AHEAD_BYTES): Reach {
  const fit = Math.min(MOST_AHEAD * workers, Math.floor(AHEAD_BYTES / bytes));
  const ahead = prefetch ?? Math.max(AHEAD * workers, fit);
  return { ahead, run: Math.max(1, Math.floor(ahead / workers)) };
}

/** What is made of every job, some asked for ahead of the one in use: the first one by one, later ones by the run. */
export async function* askAhead<T>(
  source: Iterator<Job>,
  start: (jobs: Job[], run: number) => Promise<T>[],
  until: Until,
  reach: Reach,
): AsyncGenerator<T, void, undefined> {
  const asked: Promise<T>[] = [];
  const ask = (run: number) => {
    const jobs: Job[] = [];
    while (asked.length + jobs.length <= reach.ahead) {
      const next = source.next();
      if (next.done) break;
      jobs.push(next.value);
    }
    for (const made of start(jobs, run)) {
      // Whoever stops early never looks at the rest: their errors are nobody's.
      made.catch(() => {});
      asked.push(made);
    }
  };
  ask(1);
  for (let made = asked.shift(); made !== undefined; made = asked.shift()) {
    yield await until(made);
    if (asked.length + reach.run <= reach.ahead + 1) ask(reach.run);
  }
}
