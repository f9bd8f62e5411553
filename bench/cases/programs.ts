// Captured steps against the same steps run eagerly, in turn, and what a program holds in memory.
import { capture, numThreads, setNumThreads, type Tensor } from 'chainrule';
import { alternate, type Benchmark, median, type Result } from '../harness.js';
import { lenetParts } from '../work/lenet.js';

function lenet(batch: number, threads: number): Result {
  const { step, x, y } = lenetParts(batch);
  const other = lenetParts(batch);
  const program = capture((a: Tensor, b: Tensor) => other.step(a, b));
  for (let i = 0; i < 4; i++) {
    const [eager, captured] = [step(x, y).item(), program(x, y).item()];
    if (eager !== captured) throw new Error(`the losses of step ${i} differ: ${eager} and ${captured}`);
  }
  const [eager, captured] = alternate([() => void step(x, y), () => program(x, y).dispose()], 100, 9).map(median);
  const value = eager / captured;
  const name = `LeNet training step, batch ${batch}, ${threads} thread${threads > 1 ? 's' : ''}, eager / captured`;
  return { name, value, unit: 'times', goal: 'at least 1.1', met: value >= 1.1 };
}

export const benchmarks: Benchmark[] = [
  {
    name: 'captured LeNet against eager',
    run: async () => {
      const before = numThreads();
      try {
        return [1, 2].flatMap((threads) => {
          setNumThreads(threads);
          return [64, 256].map((batch) => lenet(batch, threads));
        });
      } finally {
        setNumThreads(before);
      }
    },
  },
];
