// Random calls of the raw bindings: whatever they are handed, they refuse it or stay inside their buffers; the sanitizer run watches.
import * as cr from 'chainrule';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { native } from '../../lib/native.js';
import { draw } from '../ops/table/row.js';
import { table } from '../ops/table.js';
import { type Argument, bindings, type Call, names, recorded } from './recorder.js';

/** `npm run fuzz` asks for more. */
const CALLS = Number(process.env.CHAINRULE_FUZZ ?? 20_000);
const SEED = Number(process.env.CHAINRULE_FUZZ_SEED ?? 1);

/** Every row of the op table, forward and backward, and what trains networks. */
function everything(): void {
  for (const row of table) {
    for (const set of row.inputs) {
      for (const dtype of ['float32', 'float64'] as const) {
        const xs = draw(set, dtype);
        if (row.derivatives !== 0) for (const x of xs) x.requiresGrad = x.dtype === dtype;
        const y = row.call(...xs);
        if (y.requiresGrad) y.sum().backward();
      }
    }
  }
  const w = new cr.Parameter(cr.randn([3, 4]));
  const optimizers = Object.values(cr.optim).filter(
    (made): made is typeof cr.optim.SGD => typeof made === 'function' && made.prototype instanceof cr.optim.Optimizer,
  );
  for (const Optimizer of optimizers) {
    if (Optimizer.name === 'LBFGS') continue;
    w.zeroGrad();
    w.square().sum().backward();
    new Optimizer([w], { lr: 0.1 }).step();
  }
  const options = { numLayers: 2, bidirectional: true };
  const x = cr.randn([5, 2, 3]);
  for (const layer of [new cr.nn.RNN(3, 4, options), new cr.nn.GRU(3, 4, options)])
    layer.forward(x)[0].sum().backward();
  new cr.nn.LSTM(3, 4, options).forward(x)[0].sum().backward();
  cr.unique(cr.randint(0, 3, [6, 2]), { dim: 0 });
  cr.rand([5]);
  cr.randn([5]);
  cr.randint(0, 5, [5]);
  cr.randperm(7);
  cr.dropout(new cr.Parameter(cr.ones([8])))
    .sum()
    .backward();
}

const calls: Call[] = [];
const recordedByName = recorded(everything);
for (const name of names) calls.push(...(recordedByName.get(name) ?? []));

/** Numbers that checks tend to forget. */
const number = fc.oneof(
  fc.integer({ min: -3, max: 9 }),
  fc.constantFrom(
    16,
    63,
    64,
    65,
    255,
    256,
    4096,
    2 ** 31 - 1,
    2 ** 31,
    2 ** 32,
    2 ** 40,
    2 ** 52,
    2 ** 53,
    2 ** 62,
    2 ** 63,
  ),
  fc.constantFrom(-1, -8, -(2 ** 31), -(2 ** 53), 0.5, -0.5, 1e300, NaN, Infinity, -Infinity, -0),
);
const slots = fc.array(fc.tuple(fc.integer({ min: 0, max: 40 }), number), { maxLength: 4 });
/** What happens to an argument: it is cut, moved off its alignment, filled with noise, or replaced. */
const damage = fc.array(
  fc.tuple(
    fc.integer({ min: 0, max: 9 }),
    fc.constantFrom('cut', 'grow', 'misalign', 'noise', 'empty', 'absent', 'junk', 'other' as const),
    fc.integer({ min: 0, max: 2 ** 31 - 1 }),
  ),
  { maxLength: 2 },
);

const KINDS = { Uint8Array, Uint32Array, Int32Array, Float64Array, Float32Array };

/** A typed array of its own with the bytes of an argument, as far as they fill whole elements. */
function build({ kind, bytes }: Argument, misaligned = false): unknown {
  const Kind = misaligned ? Uint8Array : KINDS[kind];
  const offset = misaligned ? 1 : 0;
  const length = Math.floor(bytes.length / Kind.BYTES_PER_ELEMENT);
  const buffer = new ArrayBuffer(bytes.length + offset);
  new Uint8Array(buffer).set(bytes, offset);
  return new Kind(buffer, offset, length);
}

function damaged(arg: Argument | null, how: string, n: number): unknown {
  if (how === 'absent') return [undefined, null][n % 2];
  if (how === 'junk') return [3, 'text', {}, [], true, new ArrayBuffer(8), new DataView(new ArrayBuffer(8))][n % 7];
  if (arg === null) return undefined;
  const { kind, bytes } = arg;
  if (how === 'cut') return build({ kind, bytes: bytes.slice(0, n % (bytes.length + 1)) });
  if (how === 'grow') return build({ kind, bytes: new Uint8Array(bytes.length + (n % 4096)) });
  if (how === 'misalign') return build(arg, true);
  if (how === 'empty') return build({ kind, bytes: new Uint8Array(0) });
  if (how === 'other') return build({ kind: (Object.keys(KINDS) as Argument['kind'][])[n % 5], bytes });
  const noise = bytes.map((_, i) => (n >>> (i % 24)) ^ (i * 37));
  return build({ kind, bytes: noise });
}

describe('raw bindings', () => {
  it('are all among the calls', () => {
    const silent = names.filter((name) => (recordedByName.get(name) ?? []).length === 0);
    expect(silent).toEqual(['misalignment']);
  });

  it(`refuse or survive ${CALLS} broken calls`, () => {
    let refused = 0;
    let slowest = 0;
    fc.assert(
      fc.property(fc.nat({ max: calls.length - 1 }), slots, damage, (which, changes, damages) => {
        const call = calls[which];
        const args: unknown[] = call.args.map((arg) => arg && build(arg));
        for (const [at, how, n] of damages) if (at < args.length) args[at] = damaged(call.args[at], how, n);
        native.geometry.set(call.geometry);
        for (const [slot, value] of changes) native.geometry[slot] = value;
        const start = performance.now();
        try {
          bindings[call.name](...args);
        } catch (error) {
          refused++;
          expect(error).toBeInstanceOf(RangeError);
        }
        slowest = Math.max(slowest, performance.now() - start);
      }),
      { numRuns: CALLS, seed: SEED, endOnFailure: true },
    );
    expect(refused).toBeGreaterThan(CALLS / 4);
    // Sizes without elements must not be counted through one by one.
    expect(slowest).toBeLessThan(20_000);
  }, 1_800_000);
});
