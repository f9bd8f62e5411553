// Every example in a doc comment runs, and prints what it says.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as chainrule from 'chainrule';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { examplesOf, runExample } from './examples.js';
import { typeErrors } from './types.js';

const home = process.cwd();
const folder = mkdtempSync(join(tmpdir(), 'chainrule-docs-'));
beforeAll(() => process.chdir(folder));
beforeEach(() => void chainrule.manualSeed(0));
afterAll(() => {
  process.chdir(home);
  rmSync(folder, { recursive: true, force: true });
});

const library = fileURLToPath(new URL('../../lib/', import.meta.url));
const load = (name: string) => {
  if (name === 'chainrule') return Promise.resolve(chainrule);
  return import(name.startsWith('./') ? join(library, name) : name);
};

const examples = examplesOf(library);

describe('examples', () => {
  for (const example of examples.filter(({ runs }) => runs)) {
    it(`${example.file}:${example.line}`, async () => {
      expect(await runExample(example, load)).toEqual([]);
    });
  }

  it('have the types they claim', () => {
    expect(typeErrors(examples)).toEqual([]);
  }, 120_000);
});
