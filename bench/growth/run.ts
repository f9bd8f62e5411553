// npm run bench:growth: how cost grows with the size of the work, as charts (docs/growth/*.svg) and tables in docs/performance.md.
import '../any-core.js';

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { viz } from 'chainrule';
import { markdown, type Table, terminal, withSection } from '../compare/table.js';
import { machine } from '../machine.js';
import { type Growth, imagesByBatch, memoryByBatch, overheadByDepth, productsBySize, unaryBySize } from './measures.js';

const docs = new URL('../../docs/', import.meta.url);

function short(value: number): string {
  return value >= 1000 ? value.toFixed(0) : value >= 1 ? String(Number(value.toPrecision(3))) : value.toPrecision(2);
}

function tableOf({ size, series }: Growth): Table {
  const sizes = series[0].points.map(([x]) => x);
  return [
    [size, ...series.map(({ name }) => name)],
    ...sizes.map((x, i) => [String(x), ...series.map(({ points }) => short(points[i][1]))]),
  ];
}

/** The first and last value of each line, and the power of the size that the last half of it follows. */
function statement({ size, measured, series }: Growth): string {
  const parts = series.map(({ name, points }) => {
    const [first, middle, last] = [points[0], points[points.length >> 1], points[points.length - 1]];
    const power = Math.log(last[1] / middle[1]) / Math.log(last[0] / middle[0]);
    return `${name}: ${short(first[1])} at ${first[0]}, ${short(last[1])} at ${last[0]}; over the upper half it grows with the power ${power.toFixed(2)} of the size`;
  });
  return `Measured: ${measured}, by ${size}. ${parts.join('. ')}.`;
}

const sections = [`\`npm run bench:growth\` on ${machine()}.`];
console.log(machine());
mkdirSync(new URL('growth/', docs), { recursive: true });
for (const measure of [unaryBySize, productsBySize, imagesByBatch, memoryByBatch, overheadByDepth]) {
  const growth = measure();
  const { name, title, size, measured, series } = growth;
  const svg = await viz.linePlot(
    series.map((line) => ({ ...line, dots: true })),
    { title, xLabel: size, leftLabel: measured, leftLog: true, xLog: true, width: 640, height: 400 },
  );
  writeFileSync(new URL(`growth/${name}.svg`, docs), `${svg}\n`);
  const table = tableOf(growth);
  console.log(`\n${title} (${measured})\n${terminal(table)}`);
  sections.push(`\n### ${title}\n\n![${title}](growth/${name}.svg)\n`, `${statement(growth)}\n`, markdown(table));
}
const file = new URL('performance.md', docs);
const text = existsSync(file) ? readFileSync(file, 'utf8') : '# Performance\n';
writeFileSync(file, withSection(text, 'bench:growth', `## As work grows\n\n${sections.join('\n')}`));
