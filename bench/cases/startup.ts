// From starting to import the built package to the first result, each time in a new process.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { type Benchmark, median } from '../harness.js';

const entry = new URL('../../dist/lib/index.js', import.meta.url);
const program = `
const start = process.hrtime.bigint();
const { tensor } = await import(${JSON.stringify(entry.href)});
const y = tensor([1, 2]).add(1).sum().item();
if (y !== 5) throw new Error('wrong: ' + y);
console.log(Number(process.hrtime.bigint() - start) / 1e6);
`;

export const benchmarks: Benchmark[] = [
  {
    name: 'import to first result',
    run: async () => {
      if (!existsSync(entry)) throw new Error("dist/ is missing: run 'npm run build:ts' first");
      const times = Array.from({ length: 15 }, () => {
        const { stdout, stderr, status } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
          encoding: 'utf8',
        });
        if (status !== 0) throw new Error(stderr);
        return Number(stdout);
      });
      const value = median(times);
      return [{ name: 'import to first result', value, unit: 'ms', goal: 'under 60 ms', met: value < 60 }];
    },
  },
];
