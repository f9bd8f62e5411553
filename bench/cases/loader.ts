// LeNet training fed by a DataLoader with two worker threads, against the same batches ready in memory.
import { data, nn, numThreads, optim, setNumThreads, type Tensor } from 'chainrule';
import { type Benchmark, median, type Result, spread } from '../harness.js';
import { lenet } from '../work/lenet.js';
import { fill } from '../work/work.js';

type Batch = readonly [images: Tensor, labels: Tensor];
type Source = () => AsyncIterable<Batch> | Iterable<Batch>;

const [BATCH, COUNT, ROUNDS] = [64, 4096, 5];
const NORMAL = { mean: 0.1307, std: 0.3081 };

/** One pass of training; milliseconds of a step, and the last loss. */
async function pass(source: Source): Promise<{ ms: number; loss: number }> {
  const model = fill(lenet('float32'), 'float32');
  const optimizer = new optim.SGD(model.parameters(), { lr: 0.01, momentum: 0.9 });
  let [loss, steps, start] = [Number.NaN, 0, 0];
  for await (const [x, y] of source()) {
    // The first batch is waited for: a pass begins when training does.
    if (steps === 0) start = performance.now();
    optimizer.zeroGrad();
    const value = nn.functional.crossEntropy(model.forward(x), y);
    value.backward();
    optimizer.step();
    loss = value.item();
    steps++;
  }
  return { ms: (performance.now() - start) / steps, loss };
}

async function compare(threads: number): Promise<Result> {
  setNumThreads(threads);
  const set = data.digits({ split: 'train', count: COUNT, ...NORMAL });
  const memory = [...new data.DataLoader(set, { batchSize: BATCH })];
  const loader = new data.DataLoader(set, { batchSize: BATCH, workers: { count: 2, persistent: true }, reuse: true });
  const times: [memory: number[], workers: number[]] = [[], []];
  // There and back: the garbage of two passes, mostly their models, is collected once, and not always in the second.
  const order = [0, 1, 1, 0];
  try {
    for (let round = -1; round < ROUNDS; round++) {
      const sums = [0, 0];
      const losses = new Set<number>();
      for (const which of order) {
        const { ms, loss } = await pass(() => [memory, loader][which]);
        sums[which] += ms / 2;
        losses.add(loss);
      }
      if (losses.size > 1) throw new Error(`wrong: by workers and from memory, losses of ${[...losses].join(' and ')}`);
      if (round >= 0) for (const which of [0, 1]) times[which].push(sums[which]);
    }
  } finally {
    await loader.close();
  }
  const ratios = times[1].map((ms, i) => ms / times[0][i]);
  const value = median(ratios);
  return {
    name: `LeNet fed by 2 workers / from memory, ${threads} thread${threads > 1 ? 's' : ''}`,
    value,
    unit: 'times',
    noise: spread(ratios),
    goal: 'at most 1.05',
    met: value <= 1.05,
    note: `${median(times[1]).toFixed(2)} and ${median(times[0]).toFixed(2)} ms a step`,
  };
}

export const benchmarks: Benchmark[] = [
  {
    name: 'LeNet fed by worker threads',
    run: async () => {
      const before = numThreads();
      try {
        return [await compare(1), await compare(2)];
      } finally {
        setNumThreads(before);
      }
    },
  },
];
