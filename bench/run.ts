// npm run bench [-- NAME...]: the benchmarks whose name contains one of the words, or all; --json FILE writes the results.
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import type { Benchmark, Result } from './harness.js';
import { print } from './harness.js';

// A forced OpenBLAS core halves every product, on every side of a comparison.
if (process.env.OPENBLAS_CORETYPE !== undefined || process.env.OPENBLAS_L2_SIZE !== undefined) {
  const env = { ...process.env };
  delete env.OPENBLAS_CORETYPE;
  delete env.OPENBLAS_L2_SIZE;
  const { status } = spawnSync(process.execPath, [...process.execArgv, ...process.argv.slice(1)], {
    env,
    stdio: 'inherit',
  });
  process.exit(status ?? 1);
}

const { values, positionals } = parseArgs({ allowPositionals: true, options: { json: { type: 'string' } } });
const { capability, openblasCore } = await import('chainrule');
const benchmarks: Benchmark[] = (
  await Promise.all([
    import('./cases/add.js'),
    import('./cases/startup.js'),
    import('./cases/memory.js'),
    import('./cases/lenet.js'),
    import('./cases/gelu.js'),
    import('./cases/lstm.js'),
    import('./cases/linalg.js'),
  ])
).flatMap((module) => module.benchmarks);
const chosen = benchmarks.filter(
  ({ name }) => positionals.length === 0 || positionals.some((word) => name.includes(word)),
);
if (chosen.length === 0) {
  console.error(
    `no benchmark named ${positionals.join(', ')}; there are: ${benchmarks.map(({ name }) => name).join(', ')}`,
  );
  process.exit(2);
}
console.log(
  `${cpus()[0]?.model ?? 'unknown CPU'}, ${cpus().length} CPUs, kernels ${capability()}, OpenBLAS core ${openblasCore()}, Node ${process.version}`,
);
const all: Result[] = [];
for (const { run } of chosen) {
  const results = await run();
  print(results);
  all.push(...results);
}
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(all, null, 2)}\n`);
