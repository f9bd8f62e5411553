// `npm run example NAME`: runs the example whose name contains NAME, a file or a folder with a main.ts; without one, lists them.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = join(dirname(dirname(fileURLToPath(import.meta.url))), 'examples');
const [name, ...args] = process.argv.slice(2);
const examples = existsSync(folder)
  ? readdirSync(folder)
      .map((name) => (existsSync(join(folder, name, 'main.ts')) ? join(name, 'main.ts') : name))
      .filter((file) => file.endsWith('.ts'))
      .sort()
  : [];
const nameOf = (file) => file.replace(/([\\/]main)?\.ts$/, '');
if (name === undefined) {
  // The first line of each says what it is.
  for (const file of examples) {
    const [first] = readFileSync(join(folder, file), 'utf8').split('\n');
    console.log(`${nameOf(file).padEnd(28)} ${first.replace(/^\/\/ /, '')}`);
  }
  console.log('\nnpm run example NAME');
  process.exit(0);
}
const exact = examples.filter((file) => file === name || nameOf(file) === name);
const found = exact.length > 0 ? exact : examples.filter((file) => nameOf(file).includes(name));
if (found.length !== 1) {
  console.error(`[example] expected the name of one example, got ${name}; there are:`);
  for (const file of examples) console.error(`  ${nameOf(file)}`);
  process.exit(1);
}
const tsx = createRequire(import.meta.url).resolve('tsx/cli');
process.exit(spawnSync(process.execPath, [tsx, join(folder, found[0]), ...args], { stdio: 'inherit' }).status ?? 1);
