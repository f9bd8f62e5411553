// `chainrule info`: what this installation is and what it found on the machine.
import { availableParallelism, cpus, freemem, totalmem } from 'node:os';
import { Command } from 'commander';
import { packageVersion } from './version.js';

/** The command, for the program. */
export function infoCommand(): Command {
  return new Command('info')
    .description('Print version, platform, instruction set, threads and memory: what a bug report needs.')
    .option('--json', 'print one JSON object')
    .action(async (options: { json?: boolean }) => {
      const facts = await collect();
      if (options.json) return void process.stdout.write(`${JSON.stringify(facts)}\n`);
      for (const [name, value] of Object.entries(facts))
        process.stdout.write(`${`${label(name)}:`.padEnd(18)}${value}\n`);
    });
}

/** `openblasCore` to `openblas core`. */
function label(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

async function collect() {
  // Loaded here and not above: without a binary for the platform the other lines still help.
  const { capability, numThreads, openblasCore } = await import('../runtime.js');
  const gib = (bytes: number) => `${(bytes / 2 ** 30).toFixed(1)} GiB`;
  return {
    chainrule: packageVersion(),
    node: process.versions.node,
    platform: `${process.platform}-${process.arch}`,
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    capability: capability(),
    openblasCore: openblasCore(),
    threads: numThreads(),
    processors: availableParallelism(),
    memory: `${gib(totalmem())}, ${gib(freemem())} free`,
  };
}
