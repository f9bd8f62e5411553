// The machine a run took place on, in one line.
import { cpus, totalmem } from 'node:os';
import { capability, openblasCore } from 'chainrule';

export function machine(): string {
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`;
  const cpu = `${cpus()[0]?.model.trim() ?? 'unknown CPU'}, ${cpus().length} CPUs, ${memory}`;
  return `${cpu}, kernels ${capability()}, OpenBLAS core ${openblasCore()}, Node ${process.version}`;
}
