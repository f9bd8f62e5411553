// `npm run build:ts`: lib/ to dist/lib: tsc, the files that are not TypeScript copied, what has no source any more removed.
import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const source = join(root, 'lib');
const built = join(root, 'dist/lib');
const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');

const { status } = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], { cwd: root, stdio: 'inherit' });
const files = (dir) =>
  existsSync(dir)
    ? readdirSync(dir, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath ?? entry.path, entry.name).slice(dir.length + 1))
    : [];
const sources = new Set(files(source));
for (const file of sources) {
  if (file.endsWith('.ts')) continue;
  mkdirSync(dirname(join(built, file)), { recursive: true });
  copyFileSync(join(source, file), join(built, file));
}
for (const file of files(built)) {
  if (!sources.has(file) && !sources.has(file.replace(/(\.d\.ts|\.js)$/, '.ts'))) rmSync(join(built, file));
}
const cli = join(built, 'cli/main.js');
if (existsSync(cli)) chmodSync(cli, 0o755);
process.exit(status ?? 1);
