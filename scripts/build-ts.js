// `npm run build:ts`: lib/ to dist/lib. tsc checks and writes the declarations, one a source; esbuild joins the sources into
// entries (worker threads begin with one of their own) and what they share: importing a hundred small files takes three times as
// long as running them.
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const built = join(root, 'dist/lib');
const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');

const { status } = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], { cwd: root, stdio: 'inherit' });
if (status !== 0) process.exit(status ?? 1);

const { metafile } = await build({
  absWorkingDir: root,
  entryPoints: { index: 'lib/index.ts', 'cli/main': 'lib/cli/main.ts', 'data/crew-worker': 'lib/data/crew-worker.ts' },
  outdir: 'dist/lib',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  packages: 'external',
  // Class names stand in error messages and in printed models.
  keepNames: true,
  metafile: true,
  logLevel: 'warning',
});

// What has no source any more goes.
const outputs = new Set(Object.keys(metafile.outputs).map((file) => join(root, file)));
for (const entry of readdirSync(built, { recursive: true, withFileTypes: true })) {
  if (!entry.isFile()) continue;
  const file = join(entry.parentPath ?? entry.path, entry.name);
  const source = join(root, 'lib', relative(built, file).replace(/\.d\.ts$/, '.ts'));
  if (!outputs.has(file) && !(file.endsWith('.d.ts') && existsSync(source))) rmSync(file);
}
chmodSync(join(built, 'cli/main.js'), 0o755);
