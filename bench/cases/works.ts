// Every piece of work of the comparison, on one thread and on two, beside its floor.
import { numThreads, setNumThreads, type Tensor } from 'chainrule';
import { digest } from '../compare/serve.js';
import { copyOf, otherCalls, type Part, productsAtFullSpeed, readingOf } from '../floor.js';
import { alternate, type Benchmark, median, type Result, spread } from '../harness.js';
import { works } from '../work/index.js';
import type { Floor, Work } from '../work/work.js';

/** Milliseconds each side gets in a round, and rounds. */
const [SLICE, ROUNDS] = [60, 7];
/** Share of the mean size by which float32 may differ from float64. */
const TOLERANCE = 1e-3;

/** The third step in float32 is the third in float64 but for rounding. */
function check({ name, prepare, keeps }: Work): void {
  const [single, double] = (['float32', 'float64'] as const).map((dtype) => {
    const step = prepare(dtype);
    let y = step();
    for (let i = 0; i < 2; i++) {
      if (!keeps) y.dispose();
      y = step();
    }
    return digest(y.data);
  });
  const room = TOLERANCE * double[1] + 1e-7;
  if (!single.every((value, i) => Math.abs(value - double[i]) <= room)) {
    throw new Error(`${name} is wrong: ${single} in float32, ${double} in float64 (mean, mean size)`);
  }
}

/** What the floor is made of. */
function partsOf({ flops, copied, read, product }: Floor, threads: number): Part[] {
  const parts: Part[] = [];
  if (product !== undefined) parts.push(otherCalls(...product));
  else if (flops !== undefined) parts.push(productsAtFullSpeed(flops));
  if (copied !== undefined) parts.push(copyOf(copied));
  if (read !== undefined) parts.push(readingOf(read, threads));
  return parts;
}

function measure(work: Work, threads: number): Result {
  check(work);
  const step = work.prepare('float32');
  const ours = work.keeps ? () => void step() : () => (step() as Tensor).dispose();
  const parts = work.floor === undefined ? [] : partsOf(work.floor, threads);
  const [times, ...others] = alternate([ours, ...parts.flatMap(({ ways }) => ways)], SLICE, ROUNDS);
  const name = `${work.name}, ${threads} thread${threads > 1 ? 's' : ''}`;
  const value = median(times);
  const result = { name, value, unit: 'ms', noise: spread(times) };
  if (parts.length === 0) return result;
  const medians = others.map((spent) => median(spent));
  const floor = parts
    .map(({ ways, scale }) => scale * Math.min(...medians.splice(0, ways.length)))
    .reduce((a, b) => a + b);
  const goal = work.floor?.goal;
  if (goal === undefined) return { ...result, floor };
  return { ...result, floor, goal: `at most ${goal.toFixed(2)} x its floor`, met: value <= goal * floor };
}

export const benchmarks: Benchmark[] = works.map((work) => ({
  name: work.name,
  run: async () => {
    const before = numThreads();
    try {
      return [1, 2].map((threads) => {
        setNumThreads(threads);
        return measure(work, threads);
      });
    } finally {
      setNumThreads(before);
    }
  },
}));
