// Memory of a synchronous training loop that never yields, and what it costs to leave results to the collector.
import { memory, rand } from 'chainrule';
import { alternate, type Benchmark, median, type Result } from '../harness.js';
import { lenetStep } from '../work/lenet.js';

export const benchmarks: Benchmark[] = [
  {
    name: 'memory of 2,000 training steps',
    run: async (): Promise<Result[]> => {
      const step = lenetStep(64);
      for (let i = 0; i < 100; i++) step();
      const before = { rss: process.memoryUsage.rss(), bytes: memory().bytes };
      let peak = before.rss;
      for (let i = 0; i < 1900; i++) {
        step();
        if (i % 50 === 0) peak = Math.max(peak, process.memoryUsage.rss());
      }
      const growth = (peak - before.rss) / 2 ** 20;
      const bytes = (memory().bytes - before.bytes) / 2 ** 20;
      return [
        {
          name: 'resident memory, steps 100 to 2,000',
          value: growth,
          unit: 'MiB',
          goal: 'under 32 MiB',
          met: growth < 32,
          note: `from ${(before.rss / 2 ** 20).toFixed(0)} MiB`,
        },
        {
          name: 'memory().bytes, steps 100 to 2,000',
          value: bytes,
          unit: 'MiB',
          goal: 'under 32 MiB',
          met: bytes < 32,
        },
      ];
    },
  },
  {
    name: 'relu of 1M elements, results left to the collector',
    run: async (): Promise<Result[]> => {
      const x = rand([2 ** 20]);
      let y = x;
      const left = () => {
        y = x.relu();
      };
      const [times, released] = alternate([left, () => x.relu().dispose()], 300, 5);
      // Collections are rare and long: the mean counts them.
      const value = times.reduce((a, b) => a + b) / times.length;
      const floor = median(released);
      y.dispose();
      return [
        {
          name: 'relu of 1M elements, results left to the collector',
          value,
          unit: 'ms',
          floor,
          goal: 'at most 6 x one whose results are released',
          met: value <= 6 * floor,
        },
      ];
    },
  },
];
