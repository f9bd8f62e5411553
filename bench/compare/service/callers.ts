// 64 callers at once in one process, each asking again as soon as it is answered.
import { performance } from 'node:perf_hooks';
import { type Answer, CALLERS, isRight } from './model.js';

/** What the callers saw. */
export interface Seen {
  readonly perSecond: number;
  /** Milliseconds from question to answer. */
  readonly p50: number;
  readonly p99: number;
  readonly wrong: number;
}

/** Asks so many questions; every answer is compared with the expected one. */
export async function ask(
  answer: Answer,
  inputs: readonly Float32Array[],
  expected: readonly Float32Array[],
  count: number,
): Promise<Seen> {
  const waits = new Float64Array(count);
  let [next, wrong] = [0, 0];
  const caller = async () => {
    while (next < count) {
      const i = next++;
      const start = performance.now();
      const y = await answer(inputs[i % inputs.length]);
      waits[i] = performance.now() - start;
      if (!isRight(y, expected[i % inputs.length])) wrong++;
    }
  };
  const start = performance.now();
  await Promise.all(Array.from({ length: CALLERS }, caller));
  const seconds = (performance.now() - start) / 1000;
  waits.sort();
  return { perSecond: count / seconds, p50: waits[count >> 1], p99: waits[Math.floor(count * 0.99)], wrong };
}
