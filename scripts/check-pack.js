// `npm run pack:check`: what users get. Packs the package with its prebuilt binary, installs it into an empty folder
// without install scripts, and trains there, without the system's OpenBLAS.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
const MOST_MB = 40;

const USE = `
import { nn, optim, tensor } from 'chainrule';

const x = tensor([[0, 0], [0, 1], [1, 0], [1, 1]]);
const y = tensor([[1], [3], [0], [2]]);
const model = new nn.Linear(2, 1);
const optimizer = new optim.SGD(model.parameters(), { lr: 0.3 });
let last = Infinity;
for (let step = 0; step < 200; step++) {
  const error = model.forward(x).sub(y);
  const loss = error.mul(error).mean();
  optimizer.zeroGrad();
  loss.backward();
  optimizer.step();
  last = Number(loss.item());
}
if (!(last < 1e-3)) throw new Error('expected the loss to fall below 0.001, got ' + last);
console.log('loss ' + last);
`;
const MAPPED = `
import { readFileSync } from 'node:fs';
import 'chainrule';
const mapped = readFileSync('/proc/self/maps', 'utf8');
for (const name of ['openblas', 'libblas']) if (mapped.includes(name)) throw new Error(name + ' is loaded');
if (!mapped.includes('/prebuilds/')) throw new Error('the prebuilt binary is not loaded');
`;

const place = mkdtempSync(join(tmpdir(), 'chainrule-pack-'));
process.on('exit', () => rmSync(place, { recursive: true, force: true }));

function fail(text) {
  console.error(`[pack] ${text}`);
  process.exit(1);
}

function run(command, args, options = {}) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8', cwd: root, ...options });
  if (status !== 0) fail(`${command} ${args.join(' ')}: ${error?.message ?? `${stdout ?? ''}${stderr ?? ''}`}`);
  return stdout;
}

function newest(path) {
  const times = readdirSync(path, { recursive: true }).map((name) => statSync(join(path, name)).mtimeMs);
  return Math.max(0, ...times);
}

// A user's machine: nothing of ours in the environment, no library path, no module path.
function bare() {
  const env = { ...process.env };
  for (const name of Object.keys(env))
    if (
      /^(chainrule_|ld_|node_path$|node_options$|prebuilds_only$|npm_(?!config_)|npm_config_local_prefix$)/i.test(name)
    )
      delete env[name];
  return env;
}

const prebuilds = join(root, `prebuilds/${process.platform}-${process.arch}`);
if (!existsSync(prebuilds) || newest(prebuilds) < newest(join(root, 'native')))
  run(npm, ['run', '--silent', 'prebuilds'], { stdio: ['ignore', 'ignore', 'inherit'] });
run(npm, ['run', '--silent', 'build:ts'], { stdio: 'inherit' });

const [packed] = Object.values(
  JSON.parse(run(npm, ['pack', '--json', '--ignore-scripts', '--pack-destination', place])),
);
const files = packed.files.map(({ path }) => path);
const needed = [
  'package.json',
  'LICENSE',
  'dist/lib/index.js',
  'dist/lib/index.d.ts',
  'dist/lib/cli/main.js',
  'dist/lib/data/crew-worker.js',
];
for (const file of needed) if (!files.includes(file)) fail(`expected ${file} in the package`);
if (!files.some((file) => /^prebuilds\/.*\.node$/.test(file))) fail('expected a prebuilt binary in the package');
for (const file of files)
  if (/^(native|test|bench|node_modules|binding\.gyp)/.test(file)) fail(`${file} has no place in the package`);
if (packed.size > MOST_MB * 1e6) fail(`expected at most ${MOST_MB} MB, got ${(packed.size / 1e6).toFixed(1)}`);

const app = join(place, 'app');
mkdirSync(app);
writeFileSync(join(app, 'package.json'), JSON.stringify({ name: 'app', private: true, type: 'module' }));
writeFileSync(join(app, 'use.mjs'), USE);
writeFileSync(join(app, 'mapped.mjs'), MAPPED);
writeFileSync(join(app, 'use.ts'), USE);
const options = { cwd: app, env: bare() };
run(npm, ['install', '--ignore-scripts', '--no-audit', '--no-fund', join(place, packed.filename)], options);

const binary = join(
  app,
  'node_modules/chainrule',
  files.find((file) => file.endsWith('.node') && file.includes(`${process.platform}-${process.arch}`)),
);
if (process.platform === 'linux') {
  const linked = run('ldd', [binary], options);
  if (/blas|stdc\+\+|not found/.test(linked)) fail(`expected a binary that needs the C library only, got\n${linked}`);
  run(process.execPath, ['mapped.mjs'], options);
}
const said = run(process.execPath, ['use.mjs'], options).trim();

const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
const strict = ['--noEmit', '--strict', '--target', 'es2023', '--module', 'nodenext', '--skipLibCheck'];
run(process.execPath, [tsc, ...strict, 'use.ts'], options);
console.log(
  `${packed.filename}: ${files.length} files, ${(packed.size / 1e6).toFixed(1)} MB; installed and trained: ${said}`,
);
