// npm run conformance -- DIR: every case of a folder, in float32 and float64, on contiguous and strided inputs.
import { resolve } from 'node:path';
import { type Precision, readReference } from './cases.js';
import { LAYOUTS, runCase } from './runner.js';

const folder = resolve(process.argv[2] ?? 'test/reference');
const reference = readReference(folder);
const failures: string[] = [];
let passed = 0;
console.log(`${'family'.padEnd(12)} ${'cases'.padStart(6)} ${'passed'.padStart(8)} ${'failed'.padStart(8)}`);
for (const { name, cases } of reference.families) {
  let [good, bad] = [0, 0];
  for (const c of cases) {
    for (const precision of ['float32', 'float64'] satisfies Precision[]) {
      for (const layout of LAYOUTS) {
        let message: string | null = null;
        try {
          const wrong = runCase(c, reference, precision, layout);
          if (wrong !== null) message = `${wrong.message} (largest error ${wrong.error})`;
        } catch (error) {
          message = error instanceof Error ? error.message : String(error);
        }
        if (message === null) good++;
        else {
          bad++;
          failures.push(`${c.id} ${precision} ${layout}: ${message}`);
        }
      }
    }
  }
  passed += good;
  console.log(
    `${name.padEnd(12)} ${String(cases.length).padStart(6)} ${String(good).padStart(8)} ${String(bad).padStart(8)}`,
  );
}
for (const failure of failures) console.log(failure);
console.log(`${passed} passed, ${failures.length} failed`);
process.exitCode = failures.length === 0 ? 0 : 1;
