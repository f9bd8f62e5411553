// npm run bench:diff -- FILE [BASELINE]: a run (npm run bench -- --json FILE) against bench/baseline.json; exit code 1 if anything became
// slower than noise.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { changes } from './changes.js';
import type { Result } from './harness.js';

const [file, baseline = fileURLToPath(new URL('./baseline.json', import.meta.url))] = process.argv.slice(2);
if (file === undefined) {
  console.error('npm run bench -- --json FILE, then npm run bench:diff -- FILE');
  process.exit(2);
}
const read = (path: string) => JSON.parse(readFileSync(path, 'utf8')) as Result[];
const { slower, faster, missing } = changes(read(baseline), read(file));
for (const [word, list] of [
  ['slower', slower],
  ['faster', faster],
] as const) {
  for (const { name, change, noise } of list) {
    console.log(`${word}: ${name}, ${change.toFixed(2)} times the baseline (noise up to ${noise.toFixed(2)})`);
  }
}
if (missing.length > 0) console.log(`not in the run: ${missing.length} of the baseline`);
if (slower.length === 0) console.log('nothing became slower than noise');
process.exit(slower.length > 0 ? 1 : 0);
