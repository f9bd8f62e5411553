// Include directions of native/: core <- kernels | blas <- bind <- addon; of kernels/ others see the table alone.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const native = join(dirname(dirname(fileURLToPath(import.meta.url))), 'native');
const sees = {
  core: ['core'],
  kernels: ['core', 'kernels'],
  blas: ['core', 'blas'],
  bind: ['core', 'blas', 'bind'],
  addon: ['core', 'blas', 'bind'],
  test: ['core', 'blas', 'kernels', 'test'],
  precision: ['core', 'kernels'],
};
const table = 'kernels/table.h';
// core/cpu.cc chooses the table; blas/gemm.cc hands small products to a kernel of ours.
const seesTable = ['core/cpu.cc', 'blas/gemm.cc', 'bind/', 'addon.cc', 'test/', 'precision/'];

const problems = [];
for (const entry of readdirSync(native, { recursive: true })) {
  const file = entry.replaceAll('\\', '/');
  if (!/\.(h|cc)$/.test(file)) continue;
  const from = file.includes('/') ? file.split('/')[0] : 'addon';
  const text = readFileSync(join(native, file), 'utf8');
  for (const [, included] of text.matchAll(/^\s*#\s*include\s*"([^"]+)"/gm)) {
    if (included === table && seesTable.some((path) => file.startsWith(path))) continue;
    const to = included.split('/')[0];
    if (!included.includes('/')) problems.push(`${file}: write "${included}" with its folder`);
    else if (!sees[from]?.includes(to)) problems.push(`${file}: ${from} may not include "${included}"`);
  }
}
for (const problem of problems) console.error(`[includes] ${problem}`);
process.exit(problems.length > 0 ? 1 : 0);
