// What every benchmark shares: medians, the spread around them, alternating sides, lines in the terminal.

/** One line of the report. */
export interface Result {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** What the hardware needs at least, measured in the same run, in the same unit. */
  readonly floor?: number;
  /** Distance between the quartiles of the repetitions, over their median. */
  readonly noise?: number;
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
  return quantile(values, 0.5);
}

/** Distance between the quartiles over the median. */
export function spread(values: readonly number[]): number {
  return (quantile(values, 0.75) - quantile(values, 0.25)) / median(values);
}

/** The value that a share of the others lies below, between neighbours along a line. */
function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const place = share * (sorted.length - 1);
  const below = Math.floor(place);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
}

/** Milliseconds of one call. */
export function elapsed(fn: () => void): number {
  const start = performance.now();
  fn();
  return performance.now() - start;
}

/** A repetition lasts at least this many milliseconds, so that the clock and a collection do not count. */
const SHORTEST = 0.2;

/**
 * Calls functions in turn, each for some milliseconds a round, and gives the milliseconds of a call in each repetition.
 */
export function alternate(fns: readonly (() => void)[], slice: number, rounds: number): number[][] {
  const repeats = fns.map((fn) => {
    fn();
    return Math.max(1, Math.ceil(SHORTEST / Math.max(1e-4, Math.min(elapsed(fn), elapsed(fn)))));
  });
  const times = fns.map(() => [] as number[]);
  for (let round = -1; round < rounds; round++) {
    for (const [i, fn] of fns.entries()) {
      const end = performance.now() + slice;
      do {
        const ms = elapsed(() => {
          for (let k = 0; k < repeats[i]; k++) fn();
        });
        if (round >= 0) times[i].push(ms / repeats[i]);
      } while (performance.now() < end);
    }
  }
  return times;
}

export function print(results: readonly Result[]): void {
  for (const { name, value, unit, floor, goal, met, note } of results) {
    const verdict = goal === undefined ? '' : `${met ? 'met' : 'MISSED'} (${goal})`;
    const above = floor === undefined ? '' : `floor ${format(floor)} ${unit}, ${format(value / floor)} x`;
    console.log(
      `${name.padEnd(66)} ${format(value).padStart(8)} ${unit.padEnd(5)} ${above.padEnd(32)} ${verdict}${note ? `  ${note}` : ''}`.trimEnd(),
    );
  }
}

function format(value: number): string {
  return value >= 100 ? value.toFixed(0) : value >= 1 ? value.toFixed(2) : value.toPrecision(3);
}
