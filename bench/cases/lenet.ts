// A LeNet training step against PyTorch's, at the same thread count, in turn.
import { numThreads, setNumThreads } from 'chainrule';
import { Torch } from '../compare/torch.js';
import { alternate, type Benchmark, elapsed, median, type Result } from '../harness.js';
import { lenet, trainingStep } from '../lenet.js';

async function compare(torch: Torch, batch: number, threads: number): Promise<Result[]> {
  setNumThreads(threads);
  const step = trainingStep(lenet(), batch);
  const first = step().item();
  for (let i = 0; i < 30; i++) step();
  if (!(step().item() < first)) throw new Error('the loss on one batch does not fall');
  const ours = (repetitions: number) => Array.from({ length: repetitions }, () => elapsed(() => step()));
  const theirs = (repetitions: number) => torch.time('lenet', { batch, threads }, repetitions);
  const times = await alternate(ours, theirs);
  const ratio = times.theirs / times.ours;
  const name = `LeNet step, batch ${batch}, ${threads} thread(s)`;
  return [
    { name, value: times.ours, unit: 'ms', note: `PyTorch ${torch.version}: ${times.theirs.toFixed(2)} ms` },
    { name: `${name}: PyTorch / ours`, value: ratio, unit: 'x', goal: 'at least 1.5', met: ratio >= 1.5 },
  ];
}

export const benchmarks: Benchmark[] = [
  {
    name: 'LeNet',
    run: async () => {
      const before = numThreads();
      const results: Result[] = [];
      try {
        for (const threads of [1, 2]) {
          const torch = await Torch.start(threads);
          if (torch === null) return [alone()];
          for (const batch of [64, 256]) results.push(...(await compare(torch, batch, threads)));
          torch.stop();
        }
      } finally {
        setNumThreads(before);
      }
      return results;
    },
  },
];

/** Our time where there is nothing to compare it with. */
function alone(): Result {
  const step = trainingStep(lenet(), 64);
  const times = Array.from({ length: 60 }, () => elapsed(() => step()));
  const note = 'PyTorch is absent (Debian: apt-get install python3-torch)';
  return { name: 'LeNet step, batch 64', value: median(times.slice(20)), unit: 'ms', note };
}
