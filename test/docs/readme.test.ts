// The programs in README.md run as they stand there.
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const programs = [...readFileSync(`${root}README.md`, 'utf8').matchAll(/```ts\n(.*?)```/gs)].map(([, text]) => text);

/** What each program prints, in order. */
const PRINTS = [/\[\[(1\.9|2\.0).*\[(2\.9|3\.0)/s, /shape \[1, 1\].*shape \[2, 1\]/s];

it('README has a program for every expectation', () => expect(programs.length).toBe(PRINTS.length));

it.each(PRINTS.map((prints, i) => [i + 1, prints] as const))(
  'program %i of README runs',
  { timeout: 60_000 },
  async (i, prints) => {
    const args = [
      '--import',
      import.meta.resolve('tsx'),
      '--input-type=module',
      '-e',
      programs[i - 1].replaceAll(': Tensor', '').replace(', type Tensor', ''),
    ];
    const env = { ...process.env, TSX_TSCONFIG_PATH: `${root}tsconfig.json` };
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root, env });
    expect(stdout).toMatch(prints);
  },
);
