// Functions that the reference cases leave out: what PyTorch 1.13 gives for them, cases in the form of test/reference.
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import type { Case, Reference } from '../conformance/cases.js';
import { LAYOUTS, runCase } from '../conformance/runner.js';

const file = new URL('./fixtures/functions.json.gz', import.meta.url);
const { cases } = JSON.parse(gunzipSync(readFileSync(file)).toString()) as { cases: Case[] };
const reference: Reference = { families: [], tolerances: {} };

it.each([...new Set(cases.map((c) => c.op))])(
  '%s gives what PyTorch gives, on any strides, in both precisions',
  (op) => {
    const wrong: string[] = [];
    for (const c of cases.filter((other) => other.op === op)) {
      for (const precision of ['float32', 'float64'] as const) {
        for (const layout of LAYOUTS) {
          const difference = runCase(c, reference, precision, layout);
          if (difference !== null) wrong.push(`${c.id} ${precision} ${layout}: ${difference.message}`);
        }
      }
    }
    expect(wrong).toEqual([]);
  },
);
