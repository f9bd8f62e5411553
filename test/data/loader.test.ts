// DataLoader: order, shuffling by seed, the last batch, promises, errors, early ends, collation.
import { arange, data, Generator, memory, ones, type Tensor, tensor, zeros } from 'chainrule';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { codeOf } from '../thrown.js';

const numbers = (n: number) => new data.TensorDataset(arange(n, { dtype: 'int32' }));
const flat = (loader: Iterable<readonly Tensor[]>) => [...loader].map(([x]) => x.toArray() as number[]);
const later = () => new Promise<void>((resolve) => setImmediate(resolve));
/** Samples as promises; counts what was asked for. */
class Slow implements data.Dataset<number> {
  readonly asked: number[] = [];
  constructor(
    readonly length: number,
    private readonly bad = -1,
  ) {}
  async get(i: number): Promise<number> {
    this.asked.push(i);
    // Later samples are ready first.
    for (let k = i; k < this.length; k++) await later();
    if (i === this.bad) throw new RangeError(`sample ${i} is broken`);
    return i;
  }
}

describe('batches', () => {
  it('come in order, the last one short', () => {
    const loader = new data.DataLoader(numbers(10), { batchSize: 4 });
    expect(flat(loader)).toEqual([
      [0, 1, 2, 3],
      [4, 5, 6, 7],
      [8, 9],
    ]);
    expect(loader.length).toBe(3);
  });

  it('leave the short one out with dropLast', () => {
    const loader = new data.DataLoader(numbers(10), { batchSize: 4, dropLast: true });
    expect(flat(loader)).toEqual([
      [0, 1, 2, 3],
      [4, 5, 6, 7],
    ]);
    expect(loader.length).toBe(2);
    const exact = new data.DataLoader(numbers(8), { batchSize: 4, dropLast: true });
    expect([exact.length, flat(exact).length]).toEqual([2, 2]);
    expect(flat(new data.DataLoader(numbers(3), { batchSize: 4, dropLast: true }))).toEqual([]);
  });

  it('are the same by for await', async () => {
    const loader = new data.DataLoader(numbers(10), { batchSize: 3, shuffle: true, generator: new Generator(5) });
    const again = new data.DataLoader(numbers(10), {
      batchSize: 3,
      shuffle: true,
      generator: new Generator(5),
      prefetch: 4,
    });
    const found: number[][] = [];
    for await (const [x] of again) found.push(x.toArray() as number[]);
    expect(found).toEqual(flat(loader));
  });

  it('of nothing are none', () => {
    expect(flat(new data.DataLoader(numbers(0), { batchSize: 4, shuffle: true }))).toEqual([]);
  });
});

describe('shuffling', () => {
  const order = (seed: number, epochs: number) => {
    const loader = new data.DataLoader(numbers(50), { batchSize: 8, shuffle: true, seed });
    return Array.from({ length: epochs }, () => flat(loader).flat());
  };
  it('repeats by seed, epoch by epoch', () => {
    expect(order(1, 3)).toEqual(order(1, 3));
    expect(order(1, 1)).not.toEqual(order(2, 1));
  });

  it('is another order of the same samples in every epoch', () => {
    const [first, second] = order(1, 2);
    expect(first).not.toEqual(second);
    expect([...second].sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, i) => i));
  });

  it('goes on from the state of its generator', () => {
    const loader = new data.DataLoader(numbers(20), { shuffle: true, seed: 3 });
    flat(loader);
    const state = loader.generator.getState();
    const want = flat(loader);
    loader.generator.setState(state);
    expect(flat(loader)).toEqual(want);
  });
});

describe('promises', () => {
  it('give batches in order, asked for ahead', async () => {
    const slow = new Slow(9);
    const loader = new data.DataLoader(slow, { batchSize: 2, prefetch: 2 });
    const found: number[] = [];
    for await (const x of loader) {
      // Three batches ahead of the first at most: the one in use and two more, and the next asked for when it left.
      if (found.length === 0) expect(Math.max(...slow.asked)).toBeLessThan(8);
      found.push(...(x.toArray() as number[]));
    }
    expect(found).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
  });

  it('are refused by a plain for', () => {
    expect(codeOf(() => [...new data.DataLoader(new Slow(2))])).toBe('value');
  });

  it('that fail end the iteration with their own error, after the batches before', async () => {
    const found: number[] = [];
    const run = async () => {
      for await (const x of new data.DataLoader(new Slow(8, 5), { batchSize: 2, prefetch: 3 })) found.push(x.shape[0]);
    };
    await expect(run()).rejects.toThrow(new RangeError('sample 5 is broken'));
    expect(found).toEqual([2, 2]);
  });

  it('that fail after an early break bother nobody', async () => {
    let unhandled = 0;
    const count = () => unhandled++;
    process.on('unhandledRejection', count);
    const slow = new Slow(20, 3);
    for await (const x of new data.DataLoader(slow, { batchSize: 2, prefetch: 3 })) {
      expect(x.toArray()).toEqual([0, 1]);
      break;
    }
    const asked = slow.asked.length;
    for (let i = 0; i < 60; i++) await later();
    process.off('unhandledRejection', count);
    expect(unhandled).toBe(0);
    // Nothing more is asked for once the loop has ended.
    expect(slow.asked.length).toBe(asked);
  });
});

describe('errors of get', () => {
  it('that is half promises leave no rejection behind', async () => {
    let unhandled = 0;
    const count = () => unhandled++;
    process.on('unhandledRejection', count);
    const dataset: data.Dataset<number> = {
      length: 2,
      get(i) {
        if (i === 1) throw new RangeError('thrown');
        return Promise.reject(new RangeError('rejected'));
      },
    };
    const first = new data.DataLoader(dataset, { batchSize: 2 })[Symbol.asyncIterator]().next();
    await expect(first).rejects.toThrow('thrown');
    expect(() => [...new data.DataLoader(dataset, { batchSize: 2 })]).toThrow('thrown');
    for (let i = 0; i < 5; i++) await later();
    process.off('unhandledRejection', count);
    expect(unhandled).toBe(0);
  });

  const dataset: data.Dataset<number> = {
    length: 4,
    get(i) {
      if (i === 2) throw new RangeError('no sample 2');
      return i;
    },
  };
  it('come out of for and for await alike', async () => {
    expect(() => [...new data.DataLoader(dataset)]).toThrow(new RangeError('no sample 2'));
    const found: number[] = [];
    const run = async () => {
      for await (const x of new data.DataLoader(dataset)) found.push((x.toArray() as number[])[0]);
    };
    await expect(run()).rejects.toThrow(new RangeError('no sample 2'));
    expect(found).toEqual([0, 1]);
  });
});

describe('collation', () => {
  it('goes by the parts of a sample', () => {
    const dataset: data.Dataset<{ x: Tensor; y: number; ok: boolean; name: string; pair: [number, Float32Array] }> = {
      length: 2,
      get: (i) => ({ x: tensor([i, i]), y: i / 2, ok: i > 0, name: `s${i}`, pair: [i, Float32Array.of(i, 1)] }),
    };
    const [batch] = new data.DataLoader(dataset, { batchSize: 2 });
    expect(batch.x.toArray()).toEqual([
      [0, 0],
      [1, 1],
    ]);
    expect(batch.y.toArray()).toEqual([0, 0.5]);
    expect(batch.ok.toArray()).toEqual([false, true]);
    expect(batch.name).toEqual(['s0', 's1']);
    expect(batch.pair[0].toArray()).toEqual([0, 1]);
    expect(batch.pair[1].toArray()).toEqual([
      [0, 1],
      [1, 1],
    ]);
    expectTypeOf(batch.pair).toEqualTypeOf<[Tensor, Tensor]>();
    expectTypeOf(batch.name).toEqualTypeOf<string[]>();
  });

  it('can be one of the user', () => {
    const dataset: data.Dataset<string, number> = { length: 3, get: (i) => 'x'.repeat(i) };
    const loader = new data.DataLoader(dataset, { batchSize: 3, collate: (texts) => texts.join('').length });
    expect([...loader]).toEqual([3]);
  });

  it('refuses samples of different forms', () => {
    const dataset: data.Dataset<Record<string, number>> = {
      length: 2,
      get: (i): Record<string, number> => (i === 0 ? { a: 1 } : { b: 1 }),
    };
    expect(codeOf(() => [...new data.DataLoader(dataset, { batchSize: 2 })])).toBe('value');
  });
});

describe('reuse', () => {
  const wide = () => new data.TensorDataset(ones([12, 4096]), arange(12, { dtype: 'int32' }));

  it('gives a batch back when the next is asked for, by for and by for await', async () => {
    const loader = new data.DataLoader(wide(), { batchSize: 4, reuse: true });
    const used: Tensor[] = [];
    const look = ([x, labels]: readonly Tensor[]) => {
      expect(used.every((one) => one.released)).toBe(true);
      expect(labels.toArray()).toEqual([0, 1, 2, 3].map((i) => 4 * (used.length / 2) + i));
      used.push(x, labels);
    };
    for (const batch of loader) look(batch);
    used.length = 0;
    for await (const batch of loader) look(batch);
  });

  it('takes no more memory than the batches that are there at once', () => {
    const loader = new data.DataLoader(wide(), { batchSize: 4, reuse: true });
    const pass = () => {
      for (const [x] of loader) expect(x.shape).toEqual([4, 4096]);
      return memory().bytes + memory().poolBytes;
    };
    pass();
    const before = pass();
    for (let i = 0; i < 50; i++) expect(pass()).toBe(before);
  });

  it('leaves the batches of a dataset or a collate of ones own', () => {
    const kept = [ones([4, 2]), ones([4, 2])];
    const own: data.Dataset<Tensor, Tensor> = { length: 2, get: (i) => kept[i], batch: ([i]) => kept[i] };
    for (const x of new data.DataLoader(own, { reuse: true })) expect(x.released).toBe(false);
    const joined = new data.DataLoader(wide(), { batchSize: 6, reuse: true, collate: () => [kept[0], kept[1]] });
    for (const _ of joined);
    const single: data.Dataset<Tensor> = { length: 2, get: (i) => kept[i] };
    for (const _ of new data.DataLoader(single, { reuse: true, collate: ([x]) => x }));
    expect(kept.map((x) => x.sum().item())).toEqual([8, 8]);
  });
});

describe('bad input', () => {
  it.each<[string, () => unknown, string]>([
    ['no dataset', () => new data.DataLoader(null as never), 'value'],
    ['an array', () => new data.DataLoader([1, 2] as never), 'value'],
    ['a dataset without a length', () => new data.DataLoader({ get: () => 1 } as never), 'value'],
    ['a batch size of 0', () => new data.DataLoader(numbers(2), { batchSize: 0 }), 'value'],
    ['a negative prefetch', () => new data.DataLoader(numbers(2), { prefetch: -1 }), 'value'],
    ['reuse as a number', () => new data.DataLoader(numbers(2), { reuse: 1 as never }), 'value'],
    ['shuffle as a number', () => new data.DataLoader(numbers(2), { shuffle: 1 as never }), 'value'],
    ['an unknown option', () => new data.DataLoader(numbers(2), { batch: 2 } as never), 'option'],
    ['a bad seed', () => new data.DataLoader(numbers(2), { seed: -1 }), 'value'],
    [
      'a seed and a generator',
      () => new data.DataLoader(numbers(2), { seed: 1, generator: new Generator(1) }),
      'value',
    ],
    ['a number as generator', () => new data.DataLoader(numbers(2), { generator: 1 as never }), 'value'],
    ['collate as text', () => new data.DataLoader(numbers(2), { collate: 'stack' as never }), 'value'],
    ['tensors of different lengths', () => new data.TensorDataset(zeros([2]), zeros([3])), 'shape'],
    ['no tensors', () => new data.TensorDataset(), 'value'],
    ['an array as a tensor', () => new data.TensorDataset([1] as never), 'value'],
    ['a 0-d tensor', () => new data.TensorDataset(tensor(1)), 'shape'],
    ['a sample too far', () => numbers(2).get(2), 'index'],
  ])('%s', (_, make, code) => {
    expect(codeOf(make)).toBe(code);
  });
});
