// Creation functions: shapes, dtypes, data of every form, bad values, seeds.
import {
  arange,
  type DType,
  eye,
  fromTypedArray,
  full,
  Generator,
  linspace,
  manualSeed,
  ones,
  onesLike,
  rand,
  randint,
  randn,
  randperm,
  type Tensor,
  tensor,
  zeros,
  zerosLike,
} from 'chainrule';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { codeOf } from '../thrown.js';

const DTYPES: DType[] = ['float32', 'float64', 'int32', 'uint8', 'bool'];
const any = <T>(value: unknown) => value as T;

describe('tensor()', () => {
  it('takes numbers, booleans, nested arrays, typed arrays and tensors', () => {
    const cases: [Tensor, number[], DType, unknown][] = [
      [tensor(3), [], 'float32', 3],
      [tensor(true), [], 'bool', true],
      [tensor([]), [0], 'float32', []],
      [tensor([[], []]), [2, 0], 'float32', [[], []]],
      [
        tensor([
          [1, 2, 3],
          [4, 5, 6],
        ]),
        [2, 3],
        'float32',
        [
          [1, 2, 3],
          [4, 5, 6],
        ],
      ],
      [tensor([true, false]), [2], 'bool', [true, false]],
      [tensor([true, 2]), [2], 'float32', [1, 2]],
      [tensor([[[[[[[[1]]]]]]]]), [1, 1, 1, 1, 1, 1, 1, 1], 'float32', [[[[[[[[1]]]]]]]]],
      [tensor(new Float64Array([1.5])), [1], 'float64', [1.5]],
      [tensor(new Int32Array([-1])), [1], 'int32', [-1]],
      [tensor(any<Uint8Array>(new Uint8ClampedArray([300]))), [1], 'uint8', [255]],
      [tensor(Buffer.from([1, 2])), [2], 'uint8', [1, 2]],
      [tensor(new Float32Array([1, 2, 3, 4]).subarray(1, 3)), [2], 'float32', [2, 3]],
      [tensor(tensor([1, 2]).reshape([2, 1]).t()), [1, 2], 'float32', [[1, 2]]],
    ];
    for (const [x, shape, dtype, data] of cases) {
      expect(x.shape).toEqual(shape);
      expect(x.dtype).toBe(dtype);
      expect(x.toArray()).toEqual(data);
    }
  });

  it('copies: changing the source later changes nothing', () => {
    const source = new Float32Array([1, 2]);
    const [a, b] = [tensor(source), ones([2])];
    const c = tensor(b);
    source[0] = 9;
    b.data[0] = 9;
    expect([a.toArray(), c.toArray()]).toEqual([
      [1, 2],
      [1, 1],
    ]);
    const shape = [2, 3];
    const all = [
      zeros(shape),
      randn(shape),
      fromTypedArray(new Float32Array(6), shape),
      zeros([6]).reshape(shape),
      zeros([1, 3]).expand(shape),
    ];
    shape[0] = 100;
    for (const x of all) expect(x.shape).toEqual([2, 3]);
  });

  it('returns any nested array of any shape unchanged', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 5 }), (shape) => {
        let next = 0;
        const build = (axis: number): unknown =>
          axis === shape.length ? next++ : Array.from({ length: shape[axis] }, () => build(axis + 1));
        const data = build(0);
        const x = tensor(any<number[]>(data));
        // What comes after a size of 0 cannot be seen in the data.
        const visible = shape.includes(0) ? shape.slice(0, shape.indexOf(0) + 1) : shape;
        expect(x.shape).toEqual(visible);
        expect(x.toArray()).toEqual(data);
      }),
    );
  });

  it('refuses ragged arrays, and says where', () => {
    for (const data of [
      [[1], [2, 3]],
      [[1, 2], [3]],
      [1, [2]],
      [[1], 2],
      [[], [1]],
      [[1], []],
      [[[1]], [[1, 2]]],
    ]) {
      expect(codeOf(() => tensor(any(data)))).toBe('shape');
    }
    expect(() => tensor(any([[[1]], [[1, 2]]]))).toThrow('data[1][0]');
    expect(codeOf(() => tensor([[[[[[[[[1]]]]]]]]]))).toBe('shape');
    const circular: unknown[] = [];
    circular.push(circular);
    expect(codeOf(() => tensor(any(circular)))).toBe('shape');
  });

  it('refuses what is no number, and says where', () => {
    for (const data of [
      undefined,
      null,
      '3',
      {},
      3n,
      () => 1,
      [1, undefined],
      [1, null],
      ['1'],
      [1n],
      new Array(2),
      [new Float32Array(2)],
      new Date(),
    ]) {
      expect(codeOf(() => tensor(any(data)))).toBe('value');
    }
    expect(() =>
      tensor(
        any([
          [1, 2],
          [3, 'x'],
        ]),
      ),
    ).toThrow("data[1][1], got 'x'");
    for (const data of [new BigInt64Array(1), new Int16Array(1), new DataView(new ArrayBuffer(8))]) {
      expect(codeOf(() => tensor(any(data)))).toBe('dtype');
      expect(codeOf(() => fromTypedArray(any(data)))).toBe('dtype');
    }
  });

  it('refuses numbers an integer dtype cannot hold, and cuts fractions as PyTorch does', () => {
    const ints = (v: number, dtype: DType) => tensor([v], { dtype });
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 2 ** 31, -(2 ** 31) - 1]) {
      expect(codeOf(() => ints(bad, 'int32'))).toBe('value');
      expect(codeOf(() => full([1], bad, { dtype: 'int32' }))).toBe('value');
    }
    for (const bad of [Number.NaN, -1, 256]) expect(codeOf(() => ints(bad, 'uint8'))).toBe('value');
    expect(() => tensor([1, Number.NaN], { dtype: 'int32' })).toThrow('got NaN at element 1');
    expect(() => full([1], 300, { dtype: 'uint8' })).toThrow('[full]');
    expect([ints(1.9, 'int32').item(), ints(-1.9, 'int32').item(), ints(2 ** 31 - 1, 'int32').item()]).toEqual([
      1,
      -1,
      2 ** 31 - 1,
    ]);
    expect(tensor([0, 0.5, Number.NaN], { dtype: 'bool' }).toArray()).toEqual([false, true, true]);
  });

  it('takes requiresGrad for floating dtypes only', () => {
    expect(tensor([1], { requiresGrad: true }).requiresGrad).toBe(true);
    expect(tensor([1], { requiresGrad: false }).requiresGrad).toBe(false);
    expect(codeOf(() => tensor([1], { requiresGrad: true, dtype: 'int32' }))).toBe('dtype');
    expect(codeOf(() => tensor([true], { requiresGrad: true }))).toBe('dtype');
    expect(codeOf(() => randint(0, 2, [1], { requiresGrad: true }))).toBe('dtype');
    expect(codeOf(() => tensor([1], any({ requiresGrad: 'yes' })))).toBe('value');
  });

  it('refuses unknown options and dtypes', () => {
    expect(codeOf(() => tensor([1], any({ requires_grad: true })))).toBe('option');
    expect(codeOf(() => zeros([1], any(null)))).toBe('option');
    expect(codeOf(() => zeros([1], any('float32')))).toBe('option');
    expect(codeOf(() => zeros([1], any({ generator: new Generator() })))).toBe('option');
    for (const dtype of ['float16', 'int64', 'constructor', 3, null])
      expect(codeOf(() => zeros([1], any({ dtype })))).toBe('dtype');
  });
});

describe('fromTypedArray()', () => {
  it('shares memory both ways, also with a part of a buffer and with SharedArrayBuffer', () => {
    for (const buffer of [new ArrayBuffer(64), new SharedArrayBuffer(64)]) {
      const array = new Float32Array(buffer, 8, 6);
      const x = fromTypedArray(array, [2, 3]);
      array[4] = 5;
      expect(x.at(1, 1).item()).toBe(5);
      x.data[0] = 7;
      expect(array[0]).toBe(7);
      x.assign(ones([2, 3]));
      expect([...array]).toEqual([1, 1, 1, 1, 1, 1]);
      expect(x.add(1).sum().item()).toBe(12);
    }
  });

  it('checks shape and dtype', () => {
    expect(codeOf(() => fromTypedArray(new Float32Array(6), [4]))).toBe('shape');
    expect(codeOf(() => fromTypedArray(any([1, 2])))).toBe('value');
    expect(codeOf(() => fromTypedArray(new Float32Array(6), [6], { dtype: 'float64' }))).toBe('dtype');
    expect(fromTypedArray(new Uint8Array([0, 1]), [2], { dtype: 'bool' }).toArray()).toEqual([false, true]);
  });
});

describe('constants and ranges', () => {
  it('fill every dtype and any shape, 0-d and empty ones too', () => {
    for (const dtype of DTYPES) {
      for (const shape of [[], [0], [3], [2, 0, 4], [2, 3]]) {
        const size = shape.reduce((a, b) => a * b, 1);
        for (const [x, value] of [
          [zeros(shape, { dtype }), 0],
          [ones(shape, { dtype }), 1],
          [full(shape, 1, { dtype }), 1],
          [onesLike(zeros(shape, { dtype })), 1],
          [zerosLike(ones(shape, { dtype })), 0],
        ] as const) {
          expect([x.shape, x.dtype, x.size]).toEqual([shape, dtype, size]);
          expect([...x.data]).toEqual(new Array(size).fill(value));
        }
      }
    }
    expect(full([1], true).dtype).toBe('bool');
    expect(onesLike(zeros([2], { dtype: 'int32' }), { dtype: 'float64' }).dtype).toBe('float64');
  });

  it('refuse shapes that are none', () => {
    for (const shape of [
      undefined,
      null,
      3,
      '3',
      [-1],
      [1.5],
      [Number.NaN],
      ['2'],
      [Number.POSITIVE_INFINITY],
      [1, 1, 1, 1, 1, 1, 1, 1, 1],
      [2 ** 30, 2 ** 30],
      [0, 1e300],
      new Int32Array(2),
    ]) {
      expect(codeOf(() => zeros(any(shape)))).toBe('shape');
      expect(codeOf(() => rand(any(shape)))).toBe('shape');
    }
    expect(codeOf(() => full([1], any('7')))).toBe('value');
    expect(codeOf(() => zerosLike(any([1])))).toBe('value');
  });

  it('arange takes one to three bounds and options after any of them', () => {
    expect(arange(3).toArray()).toEqual([0, 1, 2]);
    expect(arange(1, 3).toArray()).toEqual([1, 2]);
    expect(arange(5, 0, -2).toArray()).toEqual([5, 3, 1]);
    expect(arange(0).toArray()).toEqual([]);
    expect(arange(0, 1, 0.25, { dtype: 'float64' }).toArray()).toEqual([0, 0.25, 0.5, 0.75]);
    expect(arange(0, 1, 0.1).size).toBe(10);
    expect([arange(2, { dtype: 'int32' }).dtype, arange(0, 2, { dtype: 'int32' }).dtype]).toEqual(['int32', 'int32']);
    const far = arange(2 ** 31 - 2, 2 ** 31, { dtype: 'int32' });
    expect(far.toArray()).toEqual([2 ** 31 - 2, 2 ** 31 - 1]);
    for (const bad of [
      () => arange(0, 3, 0),
      () => arange(0, 3, -1),
      () => arange(3, 0),
      () => arange(Number.NaN),
      () => arange(0, Number.POSITIVE_INFINITY),
      () => arange(any('3')),
      () => arange(any(undefined)),
      () => arange(0, 300, { dtype: 'uint8' }),
      () => arange(2 ** 31 - 1, 2 ** 31 + 1, { dtype: 'int32' }),
    ]) {
      expect(codeOf(bad), String(bad)).toBe('value');
    }
    expect(codeOf(() => arange(1, any('5')))).toBe('option');
  });

  it('linspace includes both ends exactly', () => {
    expect(linspace(0, 1, 5).toArray()).toEqual([0, 0.25, 0.5, 0.75, 1]);
    expect(linspace(3, 7, 1).toArray()).toEqual([3]);
    expect(linspace(0, 1, 0).toArray()).toEqual([]);
    fc.assert(
      fc.property(
        fc.double({ min: -1e6, max: 1e6, noNaN: true }),
        fc.double({ min: -1e6, max: 1e6, noNaN: true }),
        fc.integer({ min: 2, max: 50 }),
        (a, b, n) => {
          const x = linspace(a, b, n, { dtype: 'float64' });
          expect([x.at(0).item() + 0, x.at(-1).item() + 0]).toEqual([a + 0, b + 0]);
        },
      ),
    );
    expect(codeOf(() => linspace(0, 1, 2.5))).toBe('value');
    expect(codeOf(() => linspace(0, 1, -1))).toBe('value');
    expect(codeOf(() => linspace(Number.NaN, 1, 2))).toBe('value');
  });

  it('eye is square unless told otherwise', () => {
    expect(eye(2, 3).toArray()).toEqual([
      [1, 0, 0],
      [0, 1, 0],
    ]);
    expect(eye(3, 2).toArray()).toEqual([
      [1, 0],
      [0, 1],
      [0, 0],
    ]);
    expect(eye(2, { dtype: 'int32' }).dtype).toBe('int32');
    expect(eye(0).shape).toEqual([0, 0]);
    expect(codeOf(() => eye(-1))).toBe('shape');
  });
});

describe('random tensors', () => {
  const draws: [string, (options?: { generator?: Generator }) => Tensor][] = [
    ['rand', (o) => rand([1000], o)],
    ['randn', (o) => randn([1000], o)],
    ['randint', (o) => randint(-5, 5, [1000], o)],
    ['randperm', (o) => randperm(1000, o)],
  ];
  it.each(draws)('%s repeats from a seed, and goes on differently', (_, draw) => {
    manualSeed(5);
    const [a, b] = [draw().toArray(), draw().toArray()];
    manualSeed(5);
    expect(draw().toArray()).toEqual(a);
    expect(b).not.toEqual(a);
    const generator = new Generator(5);
    expect(draw({ generator }).toArray()).toEqual(a);
    expect(draw({ generator }).toArray()).toEqual(b);
    expect(draw({ generator: new Generator(6) }).toArray()).not.toEqual(a);
  });

  it.each(draws)('%s continues from a saved state', (_, draw) => {
    const generator = new Generator(2 ** 40 + 3);
    draw({ generator });
    const state = JSON.parse(JSON.stringify(generator.getState()));
    const next = draw({ generator }).toArray();
    expect(draw({ generator: new Generator().setState(state) }).toArray()).toEqual(next);
  });

  it('have the ranges they promise', () => {
    const u = rand([100_000], { generator: new Generator(1) });
    expect(u.amin().item()).toBeGreaterThanOrEqual(0);
    expect(u.amax().item()).toBeLessThan(1);
    expect(u.mean().item()).toBeCloseTo(0.5, 2);
    const n = randn([100_000], { generator: new Generator(1) });
    expect(n.mean().item()).toBeCloseTo(0, 1);
    expect(n.square().mean().item()).toBeCloseTo(1, 1);
    expect(new Set(randint(-2, 3, [1000], { generator: new Generator(1) }).data)).toEqual(new Set([-2, -1, 0, 1, 2]));
    expect([...randperm(100).data].sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, i) => i));
    expect([rand([0]).size, randperm(0).size, randn([]).shape.length]).toEqual([0, 0, 0]);
    for (const dtype of ['int32', 'uint8', 'bool', 'float32', 'float64'] as const)
      expect(randint(0, 2, [50], { dtype }).amax().item()).toBe(1);
  });

  it('check their arguments', () => {
    for (const bad of [
      () => randint(3, 3, [1]),
      () => randint(0, 1.5, [1]),
      () => randint(Number.NaN, 3, [1]),
      () => randint(0, 2 ** 32, [1]),
      () => randint(0, 257, [1], { dtype: 'uint8' }),
      () => randint(-1, 2, [1], { dtype: 'uint8' }),
      () => randperm(-1),
      () => randperm(1.5),
      () => rand([1], { generator: any({}) }),
      () => manualSeed(-1),
      () => manualSeed(1.5),
      () => manualSeed(any('1')),
      () => new Generator(Number.NaN),
      () => new Generator().setState([1, 2, 3]),
      () => new Generator().setState([1, 2, 3, -1]),
      () => new Generator().setState(any(null)),
    ]) {
      expect(codeOf(bad), String(bad)).toBe('value');
    }
    expect(codeOf(() => rand([1], { dtype: 'int32' }))).toBe('dtype');
    expect(codeOf(() => randperm(3, any({ dtype: 'int32' })))).toBe('option');
  });
});
