// What every benchmark shares: medians, alternating sides, a table in the terminal.
import { setTimeout as pause } from 'node:timers/promises';

/** One line of the report. */
export interface Result {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** What the value should reach, in words, and whether it did. */
  readonly goal?: string;
  readonly met?: boolean;
  readonly note?: string;
}

/** A named benchmark; `run` checks that what it times is correct before it times it. */
export interface Benchmark {
  readonly name: string;
  readonly run: () => Promise<Result[]>;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Milliseconds of one call. */
export function elapsed(fn: () => void): number {
  const start = process.hrtime.bigint();
  fn();
  return Number(process.hrtime.bigint() - start) / 1e6;
}

/** A side of a comparison: runs some repetitions and gives the milliseconds of each. */
export type Side = (repetitions: number) => Promise<number[]> | number[];

/**
 * Times two sides in turn and gives the median of each. A pause between them lets spinning threads of the one before come to
 * rest.
 */
export async function alternate(
  ours: Side,
  theirs: Side,
  rounds = 8,
  repetitions = 10,
): Promise<{ ours: number; theirs: number }> {
  await ours(repetitions);
  await theirs(repetitions);
  const times = { ours: [] as number[], theirs: [] as number[] };
  for (let i = 0; i < rounds; i++) {
    await pause(100);
    times.ours.push(...(await ours(repetitions)));
    await pause(100);
    times.theirs.push(...(await theirs(repetitions)));
  }
  return { ours: median(times.ours), theirs: median(times.theirs) };
}

export function print(results: readonly Result[]): void {
  for (const { name, value, unit, goal, met, note } of results) {
    const verdict = goal === undefined ? '' : `${met ? 'met' : 'MISSED'} (${goal})`;
    console.log(
      `${name.padEnd(44)} ${format(value).padStart(10)} ${unit.padEnd(8)} ${verdict}${note ? `  ${note}` : ''}`,
    );
  }
}

function format(value: number): string {
  return value >= 100 ? value.toFixed(0) : value >= 1 ? value.toFixed(2) : value.toPrecision(3);
}
