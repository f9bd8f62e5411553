// How late a timer of 1 ms comes on the main thread while something else goes on.
import { performance } from 'node:perf_hooks';

/** Lateness of each timer in milliseconds, until `over()` says that it is enough. */
export async function lateness(over: () => boolean): Promise<number[]> {
  const late: number[] = [];
  return new Promise((resolve) => {
    const next = () => {
      const due = performance.now() + 1;
      setTimeout(() => {
        late.push(Math.max(0, performance.now() - due));
        if (over()) resolve(late);
        else next();
      }, 1);
    };
    next();
  });
}

export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
}
