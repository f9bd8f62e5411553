// What both builds (CMakeLists.txt, binding.gyp) need to know: `node native/config.js <question> [capability]`, an answer a line.
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const native = dirname(fileURLToPath(import.meta.url));
const arch = process.env.npm_config_arch || process.arch;

// One table of kernels is compiled for each; native/core/cpu.cc chooses among them at load.
const capabilities = {
  x64: {
    // GCC 12 zeroes half vectors through an MMX register and leaves the x87 state taken: V8's hash tables then ask for all memory.
    baseline: ['-mno-mmx'],
    avx2: ['-mavx2', '-mfma', '-mf16c', '-mbmi2'],
    avx512: [
      ...['-mavx512f', '-mavx512bw', '-mavx512dq', '-mavx512vl', '-mavx512cd'],
      ...['-mavx2', '-mfma', '-mf16c', '-mbmi2', '-mprefer-vector-width=512'],
      // GCC 12 takes its own _mm512_undefined_*() for a mistake (its bug 105593).
      ...['-Wno-uninitialized', '-Wno-maybe-uninitialized'],
    ],
  },
  arm64: { neon: [] },
}[arch] ?? { baseline: [] };

const sources = readFileSync(join(native, 'sources.txt'), 'utf8')
  .split('\n')
  .filter((line) => line && !line.startsWith('#'));
const groups = [
  ['native/kernels/', 'kernels'],
  ['native/test/', 'tests'],
  ['native/precision/', 'precision'],
  ['native/bind/', 'bindings'],
  ['native/addon.cc', 'bindings'],
];
const group = (path) => groups.find(([start]) => path.startsWith(start))?.[1] ?? 'base';
const grouped = (name) => sources.filter((path) => group(path) === name);

// OpenBLAS must be the pthread variant: concurrent callers of the serial one get wrong results.
const triplet = { x64: 'x86_64-linux-gnu', arm64: 'aarch64-linux-gnu' }[arch];
const openblas = {
  include: process.env.CHAINRULE_OPENBLAS_INCLUDE ?? `/usr/include/${triplet}/openblas-pthread`,
  library: process.env.CHAINRULE_OPENBLAS_LIBRARY ?? `/usr/lib/${triplet}/openblas-pthread/libopenblas.a`,
};

// Old cores are served by the nearest core kept (PRESCOTT, SANDYBRIDGE, HASWELL and the AVX-512 ones): 25 MB become 8.
const cores = {
  PRESCOTT: [
    ...['KATMAI', 'COPPERMINE', 'NORTHWOOD', 'BANIAS', 'ATHLON', 'CORE2', 'ATOM', 'NANO', 'DUNNINGTON', 'NEHALEM'],
    ...['OPTERON', 'OPTERON_SSE3', 'BARCELONA', 'BOBCAT', 'PENRYN'],
  ],
  SANDYBRIDGE: ['BULLDOZER', 'PILEDRIVER', 'STEAMROLLER', 'EXCAVATOR'],
  HASWELL: ['ZEN'],
};
const aliases = Object.entries(cores).flatMap(([kept, dropped]) =>
  dropped.map((core) => `-Wl,--defsym=gotoblas_${core}=gotoblas_${kept}`),
);

const answers = {
  // The addon without its kernels.
  sources: () => [...grouped('base'), ...grouped('bindings')],
  base: () => grouped('base'),
  bindings: () => grouped('bindings'),
  kernels: () => grouped('kernels'),
  tests: () => grouped('tests'),
  precision: () => grouped('precision'),
  capabilities: () => Object.keys(capabilities),
  flags: (capability) => capabilities[capability],
  includes: () => [
    native,
    openblas.include,
    dirname(createRequire(import.meta.url).resolve('node-addon-api/package.json')),
  ],
  // -Wno-restrict: GCC 12 sees overlaps in std::string that are not there (its bug 105651).
  cflags: () => [
    ...['-std=c++20', '-O3', '-Wall', '-Wextra', '-Wno-restrict', '-fvisibility=hidden', '-fvisibility-inlines-hidden'],
    ...['-ffunction-sections', '-fdata-sections', '-fno-math-errno', '-ffp-contract=off'],
    ...['-include', join(native, 'core/glibc.h')],
  ],
  defines: () => ['NAPI_VERSION=9', 'NAPI_CPP_EXCEPTIONS'],
  libraries: () => {
    if (!existsSync(openblas.library))
      throw new Error(`${openblas.library} not found; run scripts/setup.sh, or set CHAINRULE_OPENBLAS_LIBRARY`);
    return [openblas.library, '-lpthread', '-lm'];
  },
  // For everything that is linked, and for the addon alone.
  ldflags: () => ['-Wl,--gc-sections', '-Wl,-z,noexecstack', ...(arch === 'x64' ? aliases : [])],
  // No -static-libgcc: it raises the glibc need from 2.34 to 2.35.
  addon_ldflags: () => [
    ...['-Wl,--exclude-libs,ALL', '-Wl,-Bsymbolic', '-Wl,-z,nodelete'],
    `-Wl,--version-script=${join(native, 'exports.map')}`,
  ],
};

const [question, capability] = process.argv.slice(2);
if (!answers[question] || (question === 'flags' && !capabilities[capability])) {
  console.error(`[config] expected one of ${Object.keys(answers).join(', ')}, got ${process.argv.slice(2).join(' ')}`);
  process.exit(1);
}
console.log(answers[question](capability).join('\n'));
