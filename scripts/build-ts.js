// `npm run build:ts`: lib/ to dist/lib. tsc checks and writes the declarations, one a source; esbuild joins the sources into
// entries (worker threads begin with one of their own) and what they share: importing a hundred small files takes three times as
// long as running them.
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import ts from 'typescript';

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
  // Class names stand in error messages and in printed models, function names in explanations of captured steps.
  keepNames: true,
  metafile: true,
  logLevel: 'warning',
});

/**
 * A file without the calls by which esbuild sets names that are right anyway. They take a fifth of the import, and a closure that is made
 * at every call of its function would be named at every call.
 */
function withoutNeedlessNames(text) {
  const cuts = [];
  const cut = (from, to) => cuts.push([from, to]);
  const file = ts.createSourceFile('.js', text, ts.ScriptTarget.Latest, true);
  const nameOf = (node) => (ts.isVariableDeclaration(node.parent) ? node.parent.name : node.name)?.text;
  const visit = (node) => {
    ts.forEachChild(node, visit);
    if (!ts.isCallExpression(node) || node.expression.text !== '__name') return;
    const [target, name] = node.arguments;
    const statement = node.parent;
    if (ts.isArrowFunction(target) || ts.isFunctionExpression(target)) {
      // The variable or property that it becomes names it.
      if (statement.name === undefined) return;
      cut(node.getStart(file), target.getStart(file));
      cut(target.end, node.end);
    } else if (ts.isExpressionStatement(statement)) {
      const block = statement.parent?.parent;
      if (target.text === name.text) cut(statement.pos, statement.end);
      else if (block && ts.isClassStaticBlockDeclaration(block) && nameOf(block.parent) === name.text)
        cut(block.pos, block.end);
    }
  };
  visit(file);
  cuts.sort(([a], [b]) => b - a);
  for (const [from, to] of cuts) text = text.slice(0, from) + text.slice(to);
  return text;
}

// What has no source any more goes.
const outputs = new Set(Object.keys(metafile.outputs).map((file) => join(root, file)));
for (const file of outputs) writeFileSync(file, withoutNeedlessNames(readFileSync(file, 'utf8')));
for (const entry of readdirSync(built, { recursive: true, withFileTypes: true })) {
  if (!entry.isFile()) continue;
  const file = join(entry.parentPath ?? entry.path, entry.name);
  const source = join(root, 'lib', relative(built, file).replace(/\.d\.ts$/, '.ts'));
  if (!outputs.has(file) && !(file.endsWith('.d.ts') && existsSync(source))) rmSync(file);
}
chmodSync(join(built, 'cli/main.js'), 0o755);
