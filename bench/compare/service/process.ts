// The sides in turn, each in a process of its own that stays for all rounds.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Seen } from './callers.js';
import type { SideName } from './sides.js';

const program = fileURLToPath(new URL('./process-child.ts', import.meta.url));
/** Rounds before those that count: V8 compiles on the way. */
const WARM = 3;

/** What the callers of each side saw in each round of so many requests. */
export async function askInProcess(
  names: readonly SideName[],
  expected: readonly Float32Array[],
  rounds: number,
  count: number,
): Promise<Map<SideName, Seen[]>> {
  const children = names.map((name) => fork(program, [name], { serialization: 'advanced' }));
  const seen = new Map<SideName, Seen[]>(names.map((name) => [name, []]));
  try {
    for (const child of children) {
      child.send(expected as Float32Array[]);
      await once(child, 'message');
    }
    for (let round = -WARM; round < rounds; round++) {
      for (const [i, child] of children.entries()) {
        child.send(count);
        const [result] = (await once(child, 'message')) as [Seen];
        if (round >= 0) seen.get(names[i])?.push(result);
      }
    }
    for (const child of children) {
      child.send(0);
      await once(child, 'exit');
    }
    return seen;
  } finally {
    for (const child of children) child.kill();
  }
}
