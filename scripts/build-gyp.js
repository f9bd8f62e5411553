// `npm run build:gyp`: node-gyp's build, in build-gyp/ and not in build/, which is cmake-js's. With --prebuild, the same
// through prebuildify, the stripped result in prebuilds/<platform>-<arch>/.
import { spawnSync } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const out = join(root, 'build-gyp');
const require = createRequire(import.meta.url);

// node-gyp always builds in build/ beside binding.gyp, hence a folder of links.
mkdirSync(out, { recursive: true });
for (const name of ['binding.gyp', 'native', 'package.json']) {
  const link = join(out, name);
  if (!lstatSync(link, { throwIfNoEntry: false })) symlinkSync(join('..', name), link);
}

// Node's own headers, where it was installed with them, save a download.
const prefix = dirname(dirname(process.execPath));
const env = {
  ...process.env,
  JOBS: process.env.JOBS ?? '2',
  npm_config_arch: process.env.PREBUILD_ARCH ?? process.arch,
};
if (!env.npm_config_nodedir && existsSync(join(prefix, 'include/node/node_api.h'))) env.npm_config_nodedir = prefix;

const nodeGyp = require.resolve('node-gyp/bin/node-gyp.js');
const prebuildify = ['--napi', '--strip', '--tag-libc', '-t', '20.0.0', '--cwd', out, '--out', root];
const [script, ...args] = process.argv.includes('--prebuild')
  ? [require.resolve('prebuildify/bin.js'), ...prebuildify]
  : [nodeGyp, 'configure', 'build', '--directory', out, '--loglevel', 'warn'];
process.exit(spawnSync(process.execPath, [script, ...args], { cwd: root, env, stdio: 'inherit' }).status ?? 1);
