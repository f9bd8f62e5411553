// Every row of the table of operations, captured with its gradients and replayed on other values: eager's bits, or a refusal.
import { type CapturedStep, capture, grad, manualSeed, type Tensor, TensorError } from 'chainrule';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { Recorder } from '../../lib/capture/record.js';
import { draw, type Row, table } from '../ops/table.js';
import { bitsOf } from './twins.js';

/** The result and the gradients of what needs them. */
function computed({ call }: Row, inputs: readonly Tensor[]): unknown {
  const y = call(...inputs);
  if (!y.requiresGrad) return y;
  const wanted = inputs.filter((x) => x.requiresGrad);
  const gradients = grad(y.sum(), wanted, { allowUnused: true });
  return [y.detach(), gradients];
}

/** Why a row cannot be captured. */
function refusal(step: () => unknown): string | null {
  try {
    step();
    return null;
  } catch (error) {
    if (error instanceof TensorError && error.code === 'capture') return error.message;
    throw error;
  }
}

// Rows make tensors from numbers inside, the same ones in every call; what users are told of it is in refusals.test.ts.
beforeAll(() => void vi.spyOn(Recorder.prototype, 'constant').mockImplementation(() => {}));

/** Rows that read values: they refuse, and all others do not. */
const REFUSED: ReadonlySet<string> = new Set([
  'allclose',
  'bincount',
  'cov',
  'det',
  'embeddingBag',
  'embeddingBag max',
  'embeddingBag mean',
  'embeddingBag weighted',
  'equal',
  'histc',
  'histogram',
  'histogramdd',
  'isin',
  'lstsq',
  'lstsq by every driver',
  'lu',
  'lu of other shapes',
  'luFactor',
  'luSolve',
  'maskedScatter',
  'maskedSelect',
  'matrixExp',
  'multilabelMarginLoss',
  'nonzero',
  'prod',
  'prod with zeros',
  'setAt by a mask',
  'unique',
  'uniqueConsecutive',
]);

describe.each(table.map((row) => [row.name, row] as const))('%s', (name, row) => {
  it('replays with the bits of eager calls', () => {
    for (const set of row.inputs) {
      for (const requiresGrad of row.derivatives === 0 ? [false] : [false, true]) {
        const step = capture((...inputs: Tensor[]) => computed(row, inputs)) as CapturedStep<Tensor[], unknown>;
        for (const seed of [7, 8, 9]) {
          const inputs = draw(set, 'float32', requiresGrad, seed);
          manualSeed(seed);
          const expected = bitsOf(computed(row, inputs));
          manualSeed(seed);
          let got: unknown;
          const why = refusal(() => {
            got = step(...inputs);
          });
          if (why !== null) {
            expect(REFUSED, why).toContain(name);
            return;
          }
          expect(bitsOf(got)).toEqual(expected);
        }
        expect(step.signatures).toBe(1);
      }
    }
    expect(REFUSED).not.toContain(name);
  });
});
