// The programs in README.md and docs/programs.md run as they stand there.
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** What the programs of each page print, in order. */
const PAGES: Record<string, RegExp[]> = {
  'README.md': [/\[\[(1\.9|2\.0).*\[(2\.9|3\.0)/s, /shape \[1, 1\].*shape \[2, 1\]/s],
  'docs/programs.md': [/^\d\.\d+\n$/, /^\[ 2, 3 \] 3 \{.*answered: 2,/s],
};

describe.each(Object.entries(PAGES))('%s', (page, prints) => {
  const programs = [...readFileSync(`${root}${page}`, 'utf8').matchAll(/```ts\n(.*?)```/gs)].map(([, text]) => text);

  it('has a program for every expectation', () => expect(programs.length).toBe(prints.length));

  it.each(prints.map((expected, i) => [i + 1, expected] as const))(
    'program %i runs',
    { timeout: 60_000 },
    async (i, expected) => {
      const program = programs[i - 1].replaceAll(': Tensor', '').replace(', type Tensor', '');
      const args = ['--import', import.meta.resolve('tsx'), '--input-type=module', '-e', program];
      const env = { ...process.env, TSX_TSCONFIG_PATH: `${root}tsconfig.json` };
      const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root, env });
      expect(stdout).toMatch(expected);
    },
  );
});
