// Memory of a synchronous training loop that never yields, and the size of the packed package.
import { memory } from 'chainrule';
import type { Benchmark, Result } from '../harness.js';
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
];
