// Proves of both builds that code for one CPU capability never serves another, that the addon shows no symbol but
// Node-API's two, and that it runs on the oldest system promised. Usage: check-symbols.js [folder of a build ...]
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const GLIBC = '2.34';
const EXPORTS = ['napi_register_module_v1', 'node_api_module_get_api_version_v1'];
const LIBRARIES = /^(libc|libm|libpthread|libdl|libgcc_s|ld-linux-[\w-]+)\.so\.\d+$/;

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const problems = [];

function run(command, ...args) {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    env: { ...process.env, LC_ALL: 'C' },
  });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${error?.message ?? stderr}`);
  return stdout.split('\n').filter((line) => line.trim() !== '');
}

// Linkers keep one of several weak definitions, whichever comes first: a kernel object may define a symbol that others see
// only if the capability is part of its name.
function checkKernels(archive, capability) {
  const tag = new RegExp(`9chainrule${capability.length}${capability}|${6 + capability.length}xsimd_${capability}`);
  let defined = 0;
  for (const line of run('nm', '--defined-only', '--format=posix', archive)) {
    const [symbol, type] = line.split(' ');
    if (type === undefined) continue; // the name of a member
    // Lower case is local, but for u, v, w: unique and weak. DW.ref.* is a pointer to the C++ runtime, alike everywhere.
    if (!/^[A-Zuvw]$/.test(type) || symbol.startsWith('DW.ref.')) continue;
    defined += 1;
    if (!tag.test(symbol)) problems.push(`${archive}: ${type} ${demangle(symbol)} lacks the capability in its name`);
  }
  if (defined === 0) problems.push(`${archive}: expected kernels, got no symbol`);
  return defined;
}

function demangle(symbol) {
  return run('c++filt', symbol)[0];
}

function checkAddon(addon) {
  const exported = run('nm', '-D', '--defined-only', '--format=posix', addon).map((line) => line.split(' ')[0]);
  for (const name of exported)
    if (!EXPORTS.includes(name)) problems.push(`${addon}: exports ${demangle(name)}, see native/exports.map`);
  for (const name of EXPORTS) if (!exported.includes(name)) problems.push(`${addon}: does not export ${name}`);

  let newest = '0';
  for (const line of run('nm', '-D', '--undefined-only', '--format=posix', addon)) {
    const [symbol, type] = line.trim().split(' ');
    const [name, version] = symbol.split(/@+/);
    const glibc = version?.match(/^GLIBC_([\d.]+)$/)?.[1];
    if (glibc && newest.localeCompare(glibc, 'en', { numeric: true }) < 0) newest = glibc;
    // The rest comes from Node.js; weak ones may stay undefined.
    if (!version && type === 'U' && !/^(napi|node_api)_/.test(name))
      problems.push(`${addon}: ${demangle(name)} is undefined; is its source in native/sources.txt?`);
  }
  if (newest.localeCompare(GLIBC, 'en', { numeric: true }) > 0)
    problems.push(`${addon}: needs glibc ${newest}, expected at most ${GLIBC}`);

  for (const line of run('readelf', '-d', '-W', addon)) {
    const library = line.match(/\(NEEDED\).*\[(.*)\]/)?.[1];
    if (library && !LIBRARIES.test(library)) problems.push(`${addon}: needs ${library}, expected a static link`);
  }
  return newest;
}

function findFiles(dir, pattern) {
  return existsSync(dir)
    ? readdirSync(dir)
        .filter((name) => pattern.test(name))
        .map((name) => join(dir, name))
    : [];
}

// Where cmake-js and node-gyp leave archives and addon, and the prebuilt binaries, stripped of everything but the latter.
const given = process.argv.slice(2);
const builds = given.length > 0 ? given : [join(root, 'build'), join(root, 'build-gyp/build')];
const archives = [];
const addons = given.length > 0 ? [] : findFiles(join(root, `prebuilds/linux-${process.arch}`), /\.node$/);
for (const build of builds) {
  for (const dir of [build, join(build, 'Release')]) {
    archives.push(...findFiles(dir, /^(lib)?kernels-\w+\.a$/));
    addons.push(...findFiles(dir, /^chainrule\.node$/));
  }
}
if (archives.length === 0 || addons.length === 0) problems.push(`expected builds in ${builds.join(', ')}, found none`);

let symbols = 0;
for (const archive of archives) symbols += checkKernels(archive, archive.match(/kernels-(\w+)\.a$/)[1]);
const needs = addons.map(checkAddon);
if (problems.length > 0) {
  for (const problem of problems) console.error(`[symbols] ${problem}`);
  process.exit(1);
}
console.log(
  `${symbols} kernel symbols in ${archives.length} archives all carry their capability; ` +
    `${addons.length} addons export Node-API's entry only and need glibc ${needs.join(', ')}`,
);
