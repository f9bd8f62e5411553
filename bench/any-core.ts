// Imported first: starts the program again without OPENBLAS_CORETYPE and OPENBLAS_L2_SIZE where they are set. OpenBLAS reads them as the
// addon loads, and a forced core halves every product.
import { spawnSync } from 'node:child_process';

if (process.env.OPENBLAS_CORETYPE !== undefined || process.env.OPENBLAS_L2_SIZE !== undefined) {
  const env = { ...process.env };
  delete env.OPENBLAS_CORETYPE;
  delete env.OPENBLAS_L2_SIZE;
  const { status } = spawnSync(process.execPath, [...process.execArgv, ...process.argv.slice(1)], {
    env,
    stdio: 'inherit',
  });
  process.exit(status ?? 1);
}
