// A LeNet training step against PyTorch's, at the same thread count, in turn.
import { numThreads, setNumThreads } from 'chainrule';
import { Torch } from '../compare/torch.js';
import { alternate, type Benchmark, elapsed, type Result } from '../harness.js';
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
      const torch = await Torch.start();
      if (torch === null) {
        const ms = elapsedStep();
        return [
          {
            name: 'LeNet step, batch 64',
            value: ms,
            unit: 'ms',
            note: 'PyTorch is absent (Debian: apt-get install python3-torch)',
          },
        ];
      }
      const threads = numThreads();
      try {
        return [
          ...(await compare(torch, 64, 1)),
          ...(await compare(torch, 64, 2)),
          ...(await compare(torch, 256, 1)),
          ...(await compare(torch, 256, 2)),
        ];
      } finally {
        setNumThreads(threads);
        torch.stop();
      }
    },
  },
];

function elapsedStep(): number {
  const step = trainingStep(lenet(), 64);
  for (let i = 0; i < 20; i++) step();
  return (
    elapsed(() => {
      for (let i = 0; i < 20; i++) step();
    }) / 20
  );
}
