// npm run bench:profile -- WORD...: the work whose name contains one of the words taken apart, kernel by kernel beside what the hardware
// needs; --missed FILE takes the work that the tables of a file say missed its goal, --threads N (1 unless given), --json FILE writes what was
// found, --markdown FILE the tables.
import '../any-core.js';

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { markdown, withSection } from '../compare/table.js';
import { machine } from '../machine.js';
import { works } from '../work/index.js';
import { type Anatomy, anatomy } from './measure.js';
import { functionTable, kernelTable, missedIn, summary, summaryTable } from './table.js';

const { values: flags, positionals: words } = parseArgs({
  allowPositionals: true,
  options: {
    missed: { type: 'string' },
    threads: { type: 'string' },
    json: { type: 'string' },
    markdown: { type: 'string' },
  },
});
const missed = flags.missed === undefined ? null : missedIn(readFileSync(flags.missed, 'utf8'));
const given = Number(flags.threads ?? 1);

/** What is captured already is the captured side of the same work eager. */
const eager = (name: string) => name.replace(/, captured$/, '');
const chosen = works
  .filter(({ name }) => eager(name) === name)
  .flatMap((work) => {
    const named = words.length === 0 || words.some((word) => work.name.toLowerCase().includes(word.toLowerCase()));
    if (!named || (words.length === 0 && missed === null)) return [];
    if (missed === null) return [{ work, threads: given }];
    const counts = missed.filter(({ name }) => eager(name) === work.name).map(({ threads }) => threads);
    // One thread shows what two do, but for what only two miss.
    return counts.length === 0 ? [] : [{ work, threads: Math.min(...counts) }];
  });
if (chosen.length === 0) {
  console.error(
    'npm run bench:profile -- WORD... [--missed docs/performance.md] [--threads N] [--json FILE] [--markdown FILE]',
  );
  console.error(`nothing is named so; work: ${works.map(({ name }) => name).join('; ')}`);
  process.exit(2);
}

console.log(machine());
const found: Anatomy[] = [];
for (const { work, threads } of chosen) {
  const result = await anatomy(work, threads);
  found.push(result);
  console.log(`\n${summary(result)}`);
  if (result.table !== '') console.log(result.table);
  for (const { name, place, share } of result.functions.slice(0, 12)) {
    console.log(`${(share * 100).toFixed(0).padStart(4)}%  ${name}  ${place}`.trimEnd());
  }
}
if (flags.json !== undefined) {
  const rows = found.map(({ table: _, functions, ...rest }) => ({ ...rest, functions: functions.slice(0, 40) }));
  writeFileSync(flags.json, `${JSON.stringify(rows, null, 2)}\n`);
}
if (flags.markdown !== undefined) {
  const section = [
    '## What it consists of\n',
    `\`npm run bench:profile\` on ${machine()}. A step eager, captured, and its kernels alone, by \`explain()\`: what eager takes beyond captured is`,
    "JavaScript's, what captured takes beyond its kernels the call and the copies. The floor of a kernel is a copy of the bytes of its operands or its",
    'operations at the speed of a product of 768 x 768, whichever is longer; kernels that move or compute nothing twice can come near it.\n',
    markdown(summaryTable(found)),
    '\nThe kernels that make up nine tenths of the time:\n',
    markdown(kernelTable(found)),
    "\nThe functions of the eager steps that spend less than four fifths in native code, by the time spent in themselves (V8's sampling profiler):\n",
    markdown(functionTable(found)),
  ].join('\n');
  const text = existsSync(flags.markdown) ? readFileSync(flags.markdown, 'utf8') : '# Performance\n';
  writeFileSync(flags.markdown, withSection(text, 'profile', section));
}
