// DataLoader with workers when something goes wrong, or ends early: what is reported, and that no thread stays behind.
import { setTimeout as pause } from 'node:timers/promises';
import { data, type Tensor, TensorError } from 'chainrule';
import { describe, expect, it, vi } from 'vitest';
import { run } from '../core/fixtures/run.js';
import type { Faulty, Odd, Watched } from './fixtures/sets.js';

// A worker loads the sources through tsx, two seconds where the machine is busy.
vi.setConfig({ testTimeout: 90_000 });

const sets = new URL('./fixtures/sets.ts', import.meta.url);
const from = <T extends object>(name: string, ...args: unknown[]) => data.fromModule<T>(sets, name, ...args);

async function errorOf<E extends Error>(work: Promise<unknown>): Promise<E> {
  try {
    await work;
  } catch (error) {
    return error as E;
  }
  throw new Error('expected an error');
}

/** The batches before the error, and the error. */
async function faulty<E extends Error>(what: string, options?: Partial<data.WorkerOptions>) {
  const set = await from<Faulty>('Faulty', 11, what);
  const loader = new data.DataLoader(set, { batchSize: 4, workers: { count: 2, ...options } });
  const batches: Tensor[] = [];
  const error = await errorOf<E>(
    (async () => {
      for await (const batch of loader) batches.push(batch);
    })(),
  );
  return { batches: batches.map((x) => x.toArray()), error };
}

const BEFORE = [
  [0, 1, 2, 3],
  [4, 5, 6, 7],
];

/** Counts of {@link Watched}, and a loader of it; `alive` tells whether any of its threads still runs. */
async function watched(options: data.LoaderOptions<Tensor>, bad = -1, length = 400, size = 1) {
  const shared = new SharedArrayBuffer(12);
  const counts = new Int32Array(shared);
  const set = await from<Watched>('Watched', length, shared, bad, size);
  const loader = new data.DataLoader(set, { batchSize: 4, workers: 2, ...options });
  const alive = async () => {
    const before = Atomics.load(counts, 1);
    await pause(200);
    return Atomics.load(counts, 1) !== before;
  };
  return { counts, loader, alive };
}

async function until(what: () => boolean | Promise<boolean>): Promise<void> {
  for (let i = 0; i < 3000; i++) {
    if (await what()) return;
    await pause(10);
  }
  throw new Error('waited in vain');
}

describe('errors', () => {
  it('of a dataset come in their place, with code, op, cause and stack', async () => {
    const { batches, error } = await faulty<TensorError>('tensor');
    expect(batches).toEqual(BEFORE);
    expect(error).toBeInstanceOf(TensorError);
    expect([error.code, error.op, error.message]).toEqual(['format', 'photo', '[photo] expected a picture 11']);
    expect(error.cause).toBeInstanceOf(RangeError);
    expect((error.cause as Error).message).toBe('no pixels');
    expect(error.stack).toContain('sets.ts');
  });

  it('of other classes keep class, name and fields', async () => {
    const system = (await faulty<NodeJS.ErrnoException>('system')).error;
    expect(system).toBeInstanceOf(TypeError);
    expect({ ...system }).toMatchObject({ code: 'ENOENT', errno: -2, path: '/nowhere' });
    expect((await faulty('reject')).error).toBeInstanceOf(SyntaxError);
    const text = (await faulty('text')).error;
    expect([text.constructor, text.message]).toEqual([Error, 'only a text']);
  });

  it('say what no message carries', async () => {
    const ready = await from<data.Dataset<number, unknown>>('ready');
    const read = async (what: string) => {
      const collate = await from<() => unknown>('strange', what);
      for await (const _ of new data.DataLoader(ready, { workers: 1, collate })) break;
    };
    const got = {
      class: 'a value of type Generator',
      function: 'a function',
      symbol: 'Symbol(s)',
      cycle: 'a value that holds itself',
    };
    for (const [what, text] of Object.entries(got)) {
      const { code, message } = await errorOf<TensorError>(read(what));
      expect(code).toBe('value');
      expect(message).toContain(`from a worker, got ${text}`);
    }
  });

  it('of a worker that ends are clear, and come once', async () => {
    const exit = await faulty<TensorError>('exit');
    expect(exit.batches).toEqual(BEFORE);
    expect([exit.error.code, exit.error.op]).toEqual(['worker', 'DataLoader']);
    expect(exit.error.message).toContain(
      'ended with exit code 7 while it was making a batch of samples [8, 9, 10, 11]',
    );
    const aside = await faulty<TensorError>('aside');
    expect([aside.error.code, (aside.error.cause as Error).name]).toEqual(['worker', 'EvalError']);
    const memory = await faulty<TensorError>('memory', { heapMegabytes: 64 });
    expect([memory.error.code, (memory.error.cause as NodeJS.ErrnoException).code]).toEqual([
      'worker',
      'ERR_WORKER_OUT_OF_MEMORY',
    ]);
  });

  it('of making the dataset come out as they are; another length is one', async () => {
    const read = async (what: string) => {
      for await (const _ of new data.DataLoader(await from<Odd>('Odd', what), { workers: 2 })) break;
    };
    const thrown = await errorOf<TensorError>(read('throws'));
    expect([thrown.code, thrown.message]).toEqual(['io', '[Odd] expected a file, got none']);
    expect((await errorOf(read('shorter'))).message).toContain('8 samples as here, got 4');
  });
});

describe('threads', () => {
  it('end with the loop: at its end, by break, by an error of the dataset or of the reader', async () => {
    const ways: [string, number, (loader: AsyncIterable<Tensor>) => Promise<unknown>][] = [
      ['end', -1, (loader) => readAll(loader)],
      [
        'break',
        -1,
        async (loader) => {
          for await (const _ of loader) break;
        },
      ],
      ['bad', 9, (loader) => errorOf(readAll(loader))],
      [
        'reader',
        -1,
        (loader) =>
          errorOf(
            (async () => {
              for await (const _ of loader) throw new Error('the reader');
            })(),
          ),
      ],
    ];
    for (const [name, bad, read] of ways) {
      const { counts, loader, alive } = await watched({}, bad, 40);
      await read(loader);
      expect(Atomics.load(counts, 2), name).toBeGreaterThan(0);
      expect(await alive(), name).toBe(false);
    }
  });

  it('end by the signal, while a batch is waited for, in a loop that never ends, and before any', async () => {
    const first = new AbortController();
    const { counts, loader, alive } = await watched({ signal: first.signal });
    const reason = new Error('enough');
    const error = await errorOf<TensorError>(
      (async () => {
        for await (const _ of loader) first.abort(reason);
      })(),
    );
    expect([error.code, error.cause]).toEqual(['aborted', reason]);
    expect(Atomics.load(counts, 2)).toBeGreaterThan(0);
    expect(await alive()).toBe(false);

    const set = await from<Faulty>('Faulty', 1, 'forever');
    const second = new AbortController();
    const stuck = readAll(new data.DataLoader(set, { workers: 1, signal: second.signal }));
    setTimeout(() => second.abort(), 1500);
    expect((await errorOf<TensorError>(stuck)).code).toBe('aborted');

    const before = await watched({ signal: AbortSignal.abort() });
    expect((await errorOf<TensorError>(readAll(before.loader))).code).toBe('aborted');
    expect(Atomics.load(before.counts, 2)).toBe(0);
    const here = new data.DataLoader(set, { signal: AbortSignal.abort() });
    expect((await errorOf<TensorError>(readAll(here))).code).toBe('aborted');
    expect(() => [...here]).toThrow('abort signal');
  });

  it('make no more batches ahead than asked for', async () => {
    const { counts, loader } = await watched({ prefetch: 3 });
    const batches = loader[Symbol.asyncIterator]();
    await batches.next();
    // Of the batches asked for all are made, and no other.
    await until(() => Atomics.load(counts, 0) === 16);
    await pause(300);
    expect(Atomics.load(counts, 0)).toBe(16);
    await batches.next();
    await until(() => Atomics.load(counts, 0) === 20);
    await pause(300);
    expect(Atomics.load(counts, 0)).toBe(20);
    await batches.return(undefined);
  });

  it('make more of small batches ahead, of large ones two for each worker', async () => {
    // Batches of 16 bytes and of 2 MB.
    for (const [size, first, second] of [
      [1, 20, 4 * (2 + 32)],
      [2 ** 17, 20, 20],
    ]) {
      const { counts, loader } = await watched({}, -1, 400, size);
      const batches = loader[Symbol.asyncIterator]();
      await batches.next();
      await until(() => Atomics.load(counts, 0) === first);
      await batches.next();
      await until(() => Atomics.load(counts, 0) === second);
      await pause(300);
      expect(Atomics.load(counts, 0)).toBe(second);
      await batches.return(undefined);
    }
  });

  it('that persist make the next pass, too, until they are closed', async () => {
    const { counts, loader, alive } = await watched({ workers: { count: 2, persistent: true } }, -1, 40);
    const [first, second] = [await readAll(loader), await readAll(loader)];
    expect(second).toEqual(first);
    expect(first).toHaveLength(10);
    expect(Atomics.load(counts, 2)).toBe(2);
    expect(await alive()).toBe(true);
    await loader.close();
    expect(await alive()).toBe(false);
    expect(await readAll(loader)).toEqual(first);
    expect(Atomics.load(counts, 2)).toBe(4);
    await loader.close();
    await loader.close();
  });

  it.each(['left', 'kept', 'unhandled'])('do not keep the process alive: %s', (how) => {
    const { status, signal, stdout, stderr } = run(['../../data/fixtures/leave.ts', how]);
    expect(signal, stderr).toBeNull();
    expect(status, stderr).toBe(how === 'unhandled' ? 1 : 0);
    expect(stdout).toBe('[0,1]\n');
    if (how === 'unhandled') expect(stderr).toContain('in the reader');
  });
});

async function readAll(loader: AsyncIterable<Tensor>): Promise<unknown[]> {
  const batches: unknown[] = [];
  for await (const x of loader) batches.push(x.toArray());
  return batches;
}
