// DataLoader with workers: the same batches whatever their number, of every kind of dataset, with transforms.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  arange,
  data,
  Generator,
  manualSeed,
  nn,
  numThreads,
  ones,
  optim,
  setNumThreads,
  Tensor,
  TensorError,
  tensor,
  train,
} from 'chainrule';
import { describe, expect, it, vi } from 'vitest';
import type { Noisy, NoisyBatches, NoisyLater } from './fixtures/sets.js';

// A worker loads the sources through tsx, two seconds where the machine is busy.
vi.setConfig({ testTimeout: 90_000 });

const sets = new URL('./fixtures/sets.ts', import.meta.url);
const from = <T extends object>(name: string, ...args: unknown[]) => data.fromModule<T>(sets, name, ...args);

/** Workers that make several passes: to start one takes longer than all else here. */
const several = (count: number) => ({ count, persistent: true });

/** Tensors as arrays, wherever they are. */
function plain(value: unknown): unknown {
  if (value instanceof Tensor) return { dtype: value.dtype, values: value.toArray() };
  if (value instanceof Map) return new Map(Array.from(value, ([key, one]) => [key, plain(one)]));
  if (Array.isArray(value)) return value.map(plain);
  if (value !== null && typeof value === 'object') {
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, plain(one)]));
  }
  return value;
}

async function all(loader: AsyncIterable<unknown>): Promise<unknown[]> {
  const batches: unknown[] = [];
  for await (const batch of loader) batches.push(plain(batch));
  return batches;
}

async function errorOf(work: Promise<unknown> | (() => unknown)): Promise<Error> {
  try {
    await (typeof work === 'function' ? work() : work);
  } catch (error) {
    return error as Error;
  }
  throw new Error('expected an error');
}

describe('batches', () => {
  it('of the datasets of the library are those without workers, pass by pass', async () => {
    const x = arange(46, { dtype: 'float32' }).reshape([23, 2]);
    const base = new data.TensorDataset(x.transpose(0, 1).contiguous().transpose(0, 1), arange(23, { dtype: 'int32' }));
    const both = (make: (workers?: number) => data.DataLoader<never, unknown>) => {
      const passes = async (loader: data.DataLoader<never, unknown>) => {
        const batches = [await all(loader), await all(loader)];
        await loader.close();
        return batches;
      };
      return Promise.all([passes(make()), passes(make(2))]);
    };
    const options = { batchSize: 4, shuffle: true, seed: 3 };
    const kinds: data.Dataset<never, never>[] = [
      base,
      new data.Subset(base, [5, 3, 1, 8, 20, 2]),
      new data.ConcatDataset([base, new data.Subset(base, [1, 2, 3])]),
      data.digits({ split: 'test', count: 30, mean: 0.5 }),
      new data.SequenceDataset(arange(50, { dtype: 'int32' }), 4, { stride: 3 }),
    ] as unknown as data.Dataset<never, never>[];
    for (const set of kinds) {
      const [here, there] = await both(
        (workers) => new data.DataLoader(set, { ...options, workers: workers && several(workers) }),
      );
      expect(there).toEqual(here);
    }
  });

  it('are the same for every number of workers, random numbers included, and other in every pass', async () => {
    const make = async (name: string, workers: number, seed = 1) => {
      const set = await from<Noisy | NoisyLater | NoisyBatches>(name, 20, 9);
      const options = { batchSize: 3, shuffle: true, seed, workers: several(workers) };
      const loader = new data.DataLoader(set as Noisy, options);
      const passes = [await all(loader), await all(loader)];
      await loader.close();
      return passes;
    };
    const kinds: [string, number[]][] = [
      ['Noisy', [1, 3]],
      ['NoisyLater', [2]],
      ['NoisyBatches', [2]],
    ];
    for (const [name, counts] of kinds) {
      const here = await make(name, 0);
      for (const workers of counts) expect(await make(name, workers), `${name} by ${workers}`).toEqual(here);
      expect(here[0]).not.toEqual(here[1]);
      expect(await make(name, 0, 2)).not.toEqual(here);
    }
  });

  it('do not depend on what was drawn before, but on the default generator where no seed is given', async () => {
    const make = async (seed: number) => {
      manualSeed(seed);
      const set = await from<Noisy>('Noisy', 6, 2);
      const loader = new data.DataLoader(set, { batchSize: 2, workers: 0 });
      ones([3]).dispose();
      return all(loader);
    };
    expect(await make(4)).toEqual(await make(4));
    expect(await make(4)).not.toEqual(await make(5));
    const before = new Generator(8).getState();
    const generator = new Generator(8);
    await all(new data.DataLoader(await from<Noisy>('Noisy', 6, 2), { workers: 0, generator }));
    expect(generator.getState()).toEqual(before);
  });

  it('draw from a generator given to the dataset as to its seed, in every thread', async () => {
    const make = async (workers: number, seed: number) => {
      const set = await from<Noisy>('Noisy', 8, 2, new Generator(seed));
      return all(new data.DataLoader(set, { batchSize: 2, seed: 1, workers }));
    };
    const here = await make(0, 6);
    expect(await make(2, 6)).toEqual(here);
    expect(await make(0, 7)).not.toEqual(here);
  });

  it('are made without the threads of those who train', async () => {
    const before = numThreads();
    try {
      setNumThreads(3);
      const loader = new data.DataLoader(await from<data.Dataset<number>>('threads'), { workers: 2 });
      expect(await all(loader)).toEqual([plain(tensor([1])), plain(tensor([1]))]);
      expect(numThreads()).toBe(3);
    } finally {
      setNumThreads(before);
    }
  });

  it('go on in the middle of a pass as if it had not been left', async () => {
    const make = async (workers: number) =>
      new data.DataLoader(await from<Noisy>('Noisy', 20, 9), { batchSize: 3, shuffle: true, seed: 1, workers });
    const whole = await all(await make(0));
    expect(await all((await make(2)).from(4))).toEqual(whole.slice(4));
    const loader = await make(0);
    await all(loader);
    const states = loader.generators.map((generator) => generator.getState());
    const second = await all(loader);
    const other = await make(0);
    for (const [i, generator] of other.generators.entries()) generator.setState(states[i]);
    expect(await all(other)).toEqual(second);
  });

  it('come of what a module exports, by a function, with tensors and options, and with its own collate', async () => {
    expect(
      await all(new data.DataLoader(await from<data.Dataset<number>>('ready'), { batchSize: 4, workers: 1 })),
    ).toEqual([plain(tensor([0, 1, 4, 9])), plain(tensor([16, 25]))]);
    const set = await from<data.Dataset<number>>('promised', tensor(10), { shift: 0.5 });
    const loader = new data.DataLoader(set, { batchSize: 3, workers: 2 });
    expect(await all(loader)).toEqual([plain(tensor([0.5, 10.5, 20.5])), plain(tensor([30.5, 40.5]))]);
    const texts = await from<(samples: number[]) => string>('joining', '-');
    const declared = data.portable((samples: number[]) => samples.join('+'), sets, 'joining', '+');
    const ready = await from<data.Dataset<number, string>>('ready');
    const join = (collate: (samples: number[]) => string) =>
      all(new data.DataLoader(ready, { batchSize: 3, workers: 1, collate }));
    expect(await join(texts)).toEqual(['0-1-4', '9-16-25']);
    expect(await join(declared)).toEqual(['0+1+4', '9+16+25']);
  });

  it('are refused where a worker cannot make them', async () => {
    const closure: data.Dataset<number> = { length: 3, get: (i) => i };
    class Mine extends data.TensorDataset {}
    const ready = await from<data.Dataset<number>>('ready');
    const shown = [
      await errorOf(() => new data.DataLoader(closure, { workers: 1 })),
      await errorOf(() => new data.DataLoader(new Mine(ones([3])), { workers: 1 })),
      await errorOf(() => new data.DataLoader(new data.Subset(closure, [1]), { workers: 1 })),
      await errorOf(() => new data.DataLoader(ready, { workers: 1, collate: (some) => tensor(some) })),
    ];
    for (const error of shown) {
      expect(error).toBeInstanceOf(TensorError);
      expect((error as TensorError).code).toBe('value');
      expect(error.message).toContain('data.fromModule(');
    }
    for (const workers of [
      -1,
      1.5,
      'two',
      { count: 2, number: 3 },
      { count: 1, persistent: 1 },
      { heapMegabytes: 9 },
    ]) {
      expect(await errorOf(() => new data.DataLoader(ready, { workers: workers as never }))).toBeInstanceOf(
        TensorError,
      );
    }
    const sync = await errorOf(() => [...new data.DataLoader(ready, { workers: 1 })]);
    expect(sync.message).toContain("read with 'for await'");
    expect((await errorOf(from('missing'))).message).toContain("an export 'missing'");
    expect((await errorOf(data.fromModule('./sets.ts', 'ready'))).message).toContain('the address of a module');
    expect((await errorOf(from('ready', 1))).message).toContain('a class or a function');
  });

  it('train a network to the same bits as without workers', async () => {
    const go = async (workers: number | undefined) => {
      manualSeed(3);
      const model = new nn.Sequential(new nn.Flatten(), new nn.Linear(784, 10));
      const set = data.digits({ split: 'train', count: 100 });
      const loader = new data.DataLoader(set, { batchSize: 20, shuffle: true, seed: 1, workers });
      const optimizer = new optim.SGD(model.parameters(), { lr: 0.1 });
      const loss = (x: Tensor, y: Tensor) => nn.functional.crossEntropy(x, y);
      const { losses } = await train.fit({ model, data: loader, loss, optimizer, epochs: 2 });
      return losses;
    };
    const here = await go(undefined);
    expect(here).toHaveLength(10);
    expect(await go(2)).toEqual(here);
  });
});

describe('transforms', () => {
  it('of images in folders run in the workers, with sequences of different lengths likewise', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'chainrule-workers-'));
    try {
      for (const name of ['cat', 'dog']) {
        mkdirSync(join(folder, name));
        for (let i = 0; i < 4; i++) writeFileSync(join(folder, name, `${i}.png`), Buffer.from([i, name.length]));
      }
      const { centerCrop, compose, normalize, randomCrop, randomHorizontalFlip } = data.transforms;
      const transform = compose([
        randomCrop(4, { padding: 2 }),
        randomHorizontalFlip(),
        centerCrop(3),
        normalize(0.5, 2),
      ]);
      const decode = await from<NonNullable<data.ImageFolderOptions['decode']>>('decoder');
      const set = await data.imageFolder(folder, { channels: 1, transform, decode });
      const make = (workers: number) =>
        all(new data.DataLoader(set, { batchSize: 3, shuffle: true, seed: 2, workers }));
      const here = await make(0);
      expect(here).toHaveLength(3);
      expect(await make(2)).toEqual(here);
      const closed = await data.imageFolder(folder, { channels: 1, transform: (x) => x, decode });
      expect((await errorOf(() => new data.DataLoader(closed, { workers: 1 }))).message).toContain('got a function');
    } finally {
      rmSync(folder, { recursive: true });
    }
    const words = await from<data.Dataset<Tensor, [Tensor, Tensor]>>('words');
    const read = (workers: number) =>
      all(
        new data.DataLoader(words, { batchSize: 2, workers, collate: data.padCollate<Tensor>({ paddingValue: -1 }) }),
      );
    expect(await read(1)).toEqual(await read(0));
  });
});

describe('reuse', () => {
  it('gives batches that are right while they are in use, and released after', async () => {
    const set = new data.TensorDataset(arange(24 * 2048).reshape([24, 2048]), arange(24, { dtype: 'int32' }));
    const options = { batchSize: 5, shuffle: true, seed: 4 };
    const plainly = new data.DataLoader(set, { ...options, workers: 0 });
    const reusing = new data.DataLoader(set, { ...options, workers: several(2), reuse: true, prefetch: 6 });
    for (let pass = 0; pass < 3; pass++) {
      const wanted = await all(plainly);
      const before: Tensor[] = [];
      let at = 0;
      for await (const batch of reusing) {
        expect(before.every((x) => x.released)).toBe(true);
        expect(plain(batch)).toEqual(wanted[at++]);
        before.push(...batch);
      }
      expect(at).toBe(wanted.length);
    }
    await reusing.close();
  });
});

describe('memory', () => {
  it('stays flat over many batches', async () => {
    const set = new data.TensorDataset(ones([64, 4096]));
    const loader = new data.DataLoader(set, { batchSize: 8, workers: several(1) });
    await all(loader);
    const before = process.memoryUsage().rss;
    let peak = 0;
    for (let i = 0; i < 200; i++) {
      for await (const [x] of loader) expect(x.shape).toEqual([8, 4096]);
      peak = Math.max(peak, process.memoryUsage().rss - before);
    }
    await loader.close();
    // 1,600 batches of 128 KiB, 200 MiB in all.
    expect(peak).toBeLessThan(120 * 2 ** 20);
  });
});
