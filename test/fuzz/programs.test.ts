// Random sequences of the bindings of programs, with right and wrong numbers: they refuse or do it, and nothing is read or written
// outside a buffer; the sanitizer run watches.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { native } from '../../lib/native.js';
import { bindings } from './recorder.js';

const SEQUENCES = Math.ceil(Number(process.env.CHAINRULE_FUZZ ?? 20_000) / 100);
const SEED = Number(process.env.CHAINRULE_FUZZ_SEED ?? 1);
const N = 64;
const G = native.geometry;
const buffers = Array.from({ length: 4 }, () => new Uint8Array(4 * N));
/** The kernels of these tests: y = f(x) on N floats, y = value, y[index]. */
const CALLS: readonly ((a: Uint8Array, b: Uint8Array) => unknown)[] = [
  (a, b) => {
    G.fill(0);
    G.set([0, 0, 0, 0, 0, 1], 0);
    G.set([N, 1, 1], 13);
    return bindings.unary(a, b);
  },
  (a) => {
    G.fill(0);
    G.set([0, N, 0, 0.5]);
    return bindings.fill(a);
  },
  // Indices that are mostly wrong: the run stops there.
  (a, b) => {
    G.fill(0);
    G.set([0, 1, N, N, 1, 0, 0, 0, 0]);
    return bindings.gather(a, b, buffers[3]);
  },
];

const place = fc.oneof(
  fc.integer({ min: 0, max: 2 }),
  fc.integer({ min: 0, max: 6 }),
  fc.constantFrom(-1, -2, 0.5, NaN, 2 ** 31, 2 ** 53, Infinity, 1e9),
);
const step = fc.tuple(
  fc.constantFrom('Make', 'Free', 'Record', 'call', 'call', 'Stop', 'Size', 'Port', 'Run', 'Submit', 'Cancel' as const),
  place,
  place,
  place,
  fc.integer({ min: 0, max: 3 }),
  fc.integer({ min: 0, max: 2 }),
);

/** Two programs with calls in the first, so that what follows has something to break. */
const BEGIN: readonly (readonly [string, number, number, number, number, number])[] = [
  ['Make', 0, 0, 0, 0, 0],
  ['Make', 0, 0, 0, 0, 0],
  ['Record', 0, -1, 0, 0, 0],
  ['call', 0, 0, 0, 0, 0],
  ['call', 0, 0, 0, 1, 1],
  ['call', 0, 0, 0, 0, 2],
  ['Stop', 0, 0, 0, 0, 0],
  ['Port', 0, 0, 16, 0, 0],
  ['Port', 0, 16, 32, 1, 0],
];

describe('bindings of programs', () => {
  it(`refuse or survive ${SEQUENCES} broken sequences`, { timeout: 1_800_000 }, async () => {
    const ended = new Map<number, number>();
    let [submitted, told, refused, done] = [0, 0, 0, 0];
    native.programListen((program, next) => {
      told++;
      ended.set(program, next);
    });
    expect(() => native.programListen(() => {})).toThrow(RangeError);
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 30 }), async (steps) => {
        for (const [what, a, b, c, buffer, which] of [...BEGIN, ...steps]) {
          try {
            if (what === 'call') CALLS[which](buffers[buffer], buffers[(buffer + 1) % 3]);
            else {
              const copies = what === 'Run' ? [buffer, 3 - buffer] : [c];
              G.set([a, b, c, ...copies, 0, 0, 1, 0, 2, 4]);
              const given = Array.from({ length: which + 1 }, (_, i) => buffers[(buffer + i) % 4]);
              bindings[`program${what}`](
                ...(what === 'Run' ? [which === 2 ? new Float64Array(8) : null, ...given] : given),
              );
              if (what === 'Submit') submitted++;
            }
            done++;
          } catch (error) {
            refused++;
            expect(error).toBeInstanceOf(RangeError);
          }
        }
        native.programStop();
        while (told < submitted) await new Promise((resolve) => setImmediate(resolve));
        for (let id = 0; id < 12; id++) {
          G[0] = id;
          try {
            native.programFree();
          } catch (error) {
            expect(error).toBeInstanceOf(RangeError);
          }
        }
      }),
      { numRuns: SEQUENCES, seed: SEED, endOnFailure: true },
    );
    expect(submitted).toBeGreaterThan(0);
    expect(told).toBe(submitted);
    expect(Math.min(refused, done)).toBeGreaterThan(SEQUENCES);
  });
});
