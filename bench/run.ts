// npm run bench [-- WORD...]: the benchmarks whose name contains one of the words, or all; --json FILE writes the results,
// --markdown FILE the table.
import './any-core.js';

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { formatMs, markdown, withSection } from './compare/table.js';
import type { Benchmark, Result } from './harness.js';
import { print } from './harness.js';
import { machine } from './machine.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: 'string' }, markdown: { type: 'string' } },
});
const benchmarks: Benchmark[] = (
  await Promise.all([
    import('./cases/startup.js'),
    import('./cases/memory.js'),
    import('./cases/gelu.js'),
    import('./cases/loader.js'),
    import('./cases/programs.js'),
    import('./cases/works.js'),
  ])
).flatMap((module) => module.benchmarks);
const chosen = benchmarks.filter(
  ({ name }) => positionals.length === 0 || positionals.some((word) => name.toLowerCase().includes(word.toLowerCase())),
);
if (chosen.length === 0) {
  console.error(
    `no benchmark named ${positionals.join(', ')}; there are: ${benchmarks.map(({ name }) => name).join(', ')}`,
  );
  process.exit(2);
}
console.log(machine());
const all: Result[] = [];
for (const { run } of chosen) {
  const results = await run();
  print(results);
  all.push(...results);
}
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(all, null, 2)}\n`);
if (values.markdown !== undefined) {
  const lines = all
    .filter(({ floor }) => floor !== undefined)
    .map(({ name, value, floor = 0, goal = '', met }) => {
      const verdict = goal === '' ? '' : met ? 'met' : 'MISSED';
      return [name, formatMs(value), formatMs(floor), (value / floor).toFixed(2), goal, verdict];
    });
  const section = [
    '## Against the floor\n',
    `\`npm run bench\` on ${machine()}. The floor is measured in the same run: products at the speed of one of 768 x 768, or`,
    'the fastest of several calls where the work is one product; a copy of as many bytes; a search through as many.\n',
    markdown([['work', 'chainrule', 'floor', 'ratio', 'goal', ''], ...lines]),
  ].join('\n');
  const text = existsSync(values.markdown) ? readFileSync(values.markdown, 'utf8') : '# Performance\n';
  writeFileSync(values.markdown, withSection(text, 'bench', section));
}
