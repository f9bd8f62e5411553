// Random calls of every public function: each returns, or throws a TensorError; none crashes, hangs or throws anything else.
import * as cr from 'chainrule';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

/** `npm run fuzz` asks for more. */
const CALLS = Number(process.env.CHAINRULE_FUZZ ?? 20_000);
const SEED = Number(process.env.CHAINRULE_FUZZ_SEED ?? 1);

/** They change the whole process, or need a network. */
const LEFT_OUT = ['setNumThreads', 'setMemoryBudget', 'setDetectAnomaly', 'manualSeed'];

type Function = (...args: unknown[]) => unknown;
const isPlain = (value: unknown): value is Function =>
  typeof value === 'function' && !/^class\b/.test(Function.prototype.toString.call(value));

/** Public functions by name, those of nn.functional and other namespaces of operations included. */
function functionsOf(): [name: string, call: Function][] {
  const spaces = {
    '': cr,
    'nn.functional.': cr.nn.functional,
    'linalg.': (cr as Record<string, unknown>).linalg ?? {},
  };
  return Object.entries(spaces).flatMap(([space, members]) =>
    Object.entries(members)
      .filter(([name, value]) => isPlain(value) && !LEFT_OUT.includes(name))
      .map(([name, value]): [string, Function] => [space + name, value as Function]),
  );
}

const functions = functionsOf();
/** Names that options have anywhere. */
const OPTIONS = [
  ...[
    'dim',
    'axis',
    'keepdim',
    'correction',
    'dtype',
    'requiresGrad',
    'generator',
    'eps',
    'p',
    'training',
    'reduction',
  ],
  ...[
    'stride',
    'padding',
    'dilation',
    'groups',
    'kernelSize',
    'ceilMode',
    'weight',
    'bias',
    'descending',
    'largest',
    'sorted',
  ],
  ...[
    'side',
    'right',
    'mode',
    'value',
    'size',
    'scaleFactor',
    'alignCorners',
    'accumulate',
    'reduce',
    'alpha',
    'beta',
    'upper',
  ],
  ...[
    'attnMask',
    'isCausal',
    'margin',
    'delta',
    'blank',
    'bins',
    'min',
    'max',
    'minlength',
    'returnIndices',
    'outputSize',
  ],
];

const sizes = fc.array(fc.constantFrom(0, 1, 2, 3, 4, 5), { maxLength: 4 });
const number = fc.oneof(
  fc.integer({ min: -4, max: 6 }),
  fc.constantFrom(0.5, -0.25, 1e-3, 3.7, 100, -1e9, 2 ** 31, 2 ** 40, 2 ** 53, NaN, Infinity, -Infinity, -0),
);
const tensor = fc
  .tuple(
    sizes,
    fc.constantFrom('float32', 'float64', 'int32', 'uint8', 'bool' as const),
    fc.constantFrom('plain', 'transposed', 'grad', 'expanded', 'special' as const),
    fc.nat({ max: 1000 }),
  )
  .map(([shape, dtype, kind, seed]) => (): cr.Tensor => {
    const random = cr.randint(-3, 5, shape, { generator: new cr.Generator(seed) });
    const x = dtype === 'float32' || dtype === 'float64' ? random.to(dtype).mul(0.7) : random.to(dtype);
    if (kind === 'transposed' && x.ndim > 1) return x.transpose(0, -1);
    if (kind === 'expanded') return x.unsqueeze(0).expand([3, ...x.shape]);
    if (kind === 'special' && x.dtype.startsWith('float')) return x.div(0);
    if (kind === 'grad' && x.dtype.startsWith('float')) return cr.tensor(x, { requiresGrad: true });
    return x;
  });
const simple = fc.oneof(
  { weight: 6, arbitrary: number },
  { weight: 3, arbitrary: fc.array(number, { maxLength: 4 }) },
  { weight: 1, arbitrary: fc.array(fc.array(number, { maxLength: 3 }), { maxLength: 3 }) },
  { weight: 2, arbitrary: fc.constantFrom(true, false, null, undefined) },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      'mean',
      'sum',
      'none',
      'same',
      'reflect',
      'nearest',
      'bilinear',
      'float64',
      'ij->ji',
      'x',
      '',
    ),
  },
  { weight: 1, arbitrary: fc.constantFrom({}, new Map(), Symbol('s'), 7n, () => 1, new Float32Array(3)) },
);
type Made = () => unknown;
const value: fc.Arbitrary<Made> = fc.oneof(
  { weight: 5, arbitrary: tensor },
  { weight: 6, arbitrary: simple.map((v) => () => v) },
  { weight: 1, arbitrary: fc.array(tensor, { maxLength: 3 }).map((made) => () => made.map((make) => make())) },
);
const options: fc.Arbitrary<Made> = fc
  .array(fc.tuple(fc.constantFrom(...OPTIONS), value), { maxLength: 3 })
  .map((pairs) => () => Object.fromEntries(pairs.map(([name, make]) => [name, make()])));
const args = fc
  .tuple(
    fc.array(value, { minLength: 0, maxLength: 5 }),
    fc.option(options, { freq: 2, nil: null }),
    tensor,
    fc.boolean(),
  )
  // Most functions want a tensor first.
  .map(([list, last, first, plain]) => [...(plain ? [] : [first]), ...list, ...(last === null ? [] : [last])]);

describe('public functions', () => {
  let before = 0;
  beforeAll(() => {
    before = cr.memory().bytes;
    cr.setMemoryBudget(before + 2 ** 28);
  });
  afterAll(() => cr.setMemoryBudget(Infinity));

  it(`return or throw a TensorError in ${CALLS} calls`, async () => {
    let thrown = 0;
    let slowest: [ms: number, name: string] = [0, ''];
    // One line for each kind of wrong error, so that a run shows all of them.
    const wrong = new Map<string, string>();
    const check = (name: string, error: unknown) => {
      thrown++;
      if (error instanceof cr.TensorError && error.message.includes('expected')) return;
      const { stack = '' } = error as Error;
      const text = `${name}: ${String(error).slice(0, 200)}`;
      if (!wrong.has(text))
        wrong.set(
          text,
          stack
            .split('\n')
            .find((line) => line.includes('/lib/'))
            ?.trim() ?? '',
        );
    };
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: functions.length - 1 }), args, async (which, given) => {
        const [name, call] = functions[which];
        const values = cr.noGrad(() => given.map((make) => make()));
        const start = performance.now();
        try {
          cr.scope(() => {
            const y = call(...values);
            // What comes out must be sound: read it, and differentiate it where that is possible.
            if (y instanceof cr.Tensor && y.size > 0) {
              y.toArray();
              if (y.requiresGrad) y.sum().backward();
            }
            if (y instanceof Promise) y.catch(() => {});
          });
        } catch (error) {
          check(name, error);
        }
        const ms = performance.now() - start;
        if (ms > slowest[0]) slowest = [ms, name];
      }),
      { numRuns: CALLS, seed: SEED, endOnFailure: true },
    );
    expect([...wrong].map((parts) => parts.join(' '))).toEqual([]);
    expect(thrown).toBeGreaterThan(CALLS / 10);
    expect(thrown).toBeLessThan(CALLS);
    expect(slowest[0], slowest[1]).toBeLessThan(20_000);
  }, 1_800_000);
});
