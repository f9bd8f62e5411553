// What became slower or faster than noise between two runs of the benchmarks.
import type { Result } from './harness.js';

/** One result that moved; `change` is its cost over that of the baseline. */
export interface Change {
  readonly name: string;
  readonly change: number;
  /** What noise allows: 1.2 is 20 %. */
  readonly noise: number;
}
export interface Changes {
  readonly slower: readonly Change[];
  readonly faster: readonly Change[];
  /** In the baseline only. */
  readonly missing: readonly string[];
}

/** Differences below this are never counted. */
const LEAST = 0.1;
/** Units of which more is better. */
const GAINS = ['x', 'times'];

/** What a result costs: times its floor where it has one, which cancels the machine's mood. */
function cost({ value, unit, floor }: Result): number {
  return GAINS.includes(unit) ? 1 / value : value / (floor ?? 1);
}

/** Compares a run with the baseline: noise is the sum of both spreads, and never less than a tenth. */
export function changes(baseline: readonly Result[], run: readonly Result[]): Changes {
  const now = new Map(run.map((result) => [result.name, result]));
  const moved = baseline.flatMap((before): Change[] => {
    const after = now.get(before.name);
    if (after === undefined) return [];
    const noise = 1 + Math.max(LEAST, (before.noise ?? 0) + (after.noise ?? 0));
    return [{ name: before.name, change: cost(after) / cost(before), noise }];
  });
  return {
    slower: moved.filter(({ change, noise }) => change > noise).sort((a, b) => b.change - a.change),
    faster: moved.filter(({ change, noise }) => change < 1 / noise).sort((a, b) => a.change - b.change),
    missing: baseline.filter(({ name }) => !now.has(name)).map(({ name }) => name),
  };
}
