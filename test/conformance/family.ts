// One test for each case of a family of test/reference, through the conformance runner.
import { describe, expect, it } from 'vitest';
import { type Precision, readReference } from './cases.js';
import { LAYOUTS, runCase } from './runner.js';

/** Declares the tests of a family: every case in both precisions, on contiguous and strided inputs. */
export function testFamily(family: string): void {
  const reference = readReference(new URL('../reference', import.meta.url).pathname);
  const cases = reference.families.filter(({ name }) => name === family).flatMap((found) => found.cases);
  it('has cases', () => expect(cases.length).toBeGreaterThan(0));
  describe.each<Precision>(['float32', 'float64'])('in %s', (precision) => {
    it.each(cases.map((c) => [c.id, c] as const))('%s', (_, c) => {
      for (const layout of LAYOUTS) expect(runCase(c, reference, precision, layout), layout).toBeNull();
    });
  });
}
