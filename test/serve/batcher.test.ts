// The queue in front of a served model: order, batches, limits, cancelling, draining.
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { TensorError } from '../../lib/errors.js';
import { Batcher, type BatcherOptions } from '../../lib/serve/batcher.js';

const OPTIONS: BatcherOptions = { concurrency: 1, maxBatch: 4, maxDelayMs: 0, maxQueue: 100 };

/** A batcher that doubles numbers, with the batches it ran; `work` may wait or throw. */
function doubling(options: Partial<BatcherOptions> = {}, work: (batch: readonly number[]) => unknown = () => {}) {
  const batches: number[][] = [];
  const run = async (batch: readonly number[]) => {
    batches.push([...batch]);
    await work(batch);
    return batch.map((x) => 2 * x);
  };
  return { batches, batcher: new Batcher('serve', run, { ...OPTIONS, ...options }) };
}

/** A promise and what resolves it. */
function gate() {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, opened };
}

describe('Batcher', () => {
  it('answers each request with its own result and puts those of one turn together', async () => {
    const { batches, batcher } = doubling();
    const answers = await Promise.all([1, 2, 3, 4, 5, 6].map((x) => batcher.push(x, 1)));
    expect(answers).toEqual([2, 4, 6, 8, 10, 12]);
    expect(batches).toEqual([
      [1, 2, 3, 4],
      [5, 6],
    ]);
    expect(batcher.stats()).toEqual({ queued: 0, running: 0, answered: 6, failed: 0, batches: 2, rows: 6 });
  });

  it('counts rows, and keeps the order where a large request does not fit', async () => {
    const { batches, batcher } = doubling();
    const answers = await Promise.all([batcher.push(1, 2), batcher.push(2, 3), batcher.push(3, 1)]);
    expect(answers).toEqual([2, 4, 6]);
    expect(batches).toEqual([[1], [2, 3]]);
  });

  it('waits for company up to maxDelayMs, and not once the batch is full', async () => {
    const { batches, batcher } = doubling({ maxDelayMs: 60_000 });
    const early = batcher.push(1, 1);
    await sleep(20);
    expect(batches).toEqual([]);
    const rest = [2, 3, 4].map((x) => batcher.push(x, 1));
    expect(await Promise.all([early, ...rest])).toEqual([2, 4, 6, 8]);
    expect(batches).toEqual([[1, 2, 3, 4]]);

    const patient = doubling({ maxDelayMs: 30 });
    const start = performance.now();
    expect(await patient.batcher.push(1, 1)).toBe(2);
    expect(performance.now() - start).toBeGreaterThan(25);
  });

  it('runs no more batches at once than asked', async () => {
    const doors = [gate(), gate(), gate()];
    let [under, most] = [0, 0];
    const { batches, batcher } = doubling({ concurrency: 2, maxBatch: 1 }, async ([x]) => {
      most = Math.max(most, ++under);
      await doors[x].opened;
      under--;
    });
    const answers = [0, 1, 2].map((x) => batcher.push(x, 1));
    await sleep(10);
    expect(batches).toEqual([[0], [1]]);
    doors[1].open();
    expect(await answers[1]).toBe(2);
    await sleep(10);
    expect(batches).toEqual([[0], [1], [2]]);
    doors[2].open();
    doors[0].open();
    expect(await Promise.all(answers)).toEqual([0, 2, 4]);
    expect(most).toBe(2);
  });

  it('refuses what exceeds the queue, and takes more once there is room', async () => {
    const { open, opened } = gate();
    const { batcher } = doubling({ maxBatch: 1, maxQueue: 2 }, () => opened);
    const first = batcher.push(1, 1);
    await sleep(5);
    const waiting = [2, 3].map((x) => batcher.push(x, 1));
    await expect(batcher.push(4, 1)).rejects.toMatchObject({ code: 'queue-full', op: 'serve' });
    open();
    expect(await Promise.all([first, ...waiting])).toEqual([2, 4, 6]);
    expect(await batcher.push(5, 1)).toBe(10);
    expect(batcher.stats().failed).toBe(1);
  });

  it('fails only the requests that are wrong themselves', async () => {
    const { batches, batcher } = doubling({}, (batch) => {
      if (batch.includes(13)) throw new TensorError('index', 'gather', 'expected 0 to 9, got 13');
    });
    const results = await Promise.allSettled([1, 13, 3].map((x) => batcher.push(x, 1)));
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(results[1]).toMatchObject({ reason: { code: 'index' } });
    expect(results[2]).toMatchObject({ value: 6 });
    expect(batches).toEqual([[1, 13, 3], [1], [13], [3]]);
  });

  it('lets a caller cancel while it waits and while it runs', async () => {
    const { open, opened } = gate();
    const { batches, batcher } = doubling({ maxBatch: 1, maxQueue: 2 }, () => opened);
    const [a, b] = [new AbortController(), new AbortController()];
    const running = batcher.push(1, 1, a.signal);
    await sleep(5);
    const queued = batcher.push(2, 1, b.signal);
    const last = batcher.push(3, 1);
    a.abort(new Error('gone'));
    b.abort();
    expect(batcher.stats()).toMatchObject({ queued: 1, running: 1, failed: 2 });
    const more = batcher.push(4, 1); // in the place of the cancelled one
    await expect(running).rejects.toMatchObject({ code: 'aborted', cause: { message: 'gone' } });
    await expect(queued).rejects.toMatchObject({ code: 'aborted' });
    await expect(batcher.push(9, 1, AbortSignal.abort())).rejects.toMatchObject({ code: 'aborted' });
    open();
    expect(await Promise.all([last, more])).toEqual([6, 8]);
    expect(batches).toEqual([[1], [3], [4]]);
  });

  it('runs a function between two batches while requests wait', async () => {
    const events: string[] = [];
    const { batcher } = doubling({ concurrency: 2, maxBatch: 1 }, async ([x]) => {
      events.push(`begin ${x}`);
      await sleep(5);
      events.push(`end ${x}`);
    });
    const before = [1, 2].map((x) => batcher.push(x, 1));
    await sleep(1);
    const swapped = batcher.between(async () => {
      events.push('swap');
      await sleep(5);
      events.push('swapped');
      return 'done';
    });
    await Promise.resolve();
    const after = batcher.push(3, 1);
    expect(await swapped).toBe('done');
    expect(await Promise.all([...before, after])).toEqual([2, 4, 6]);
    expect(events).toEqual(['begin 1', 'begin 2', 'end 1', 'end 2', 'swap', 'swapped', 'begin 3', 'end 3']);
    await expect(batcher.between(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await batcher.push(4, 1)).toBe(8);
  });

  it('answers what waits before it closes, and takes nothing after', async () => {
    const { batcher } = doubling({ maxBatch: 2, maxDelayMs: 60_000 }, () => sleep(2));
    const answers = [1, 2, 3].map((x) => batcher.push(x, 1));
    const closed = batcher.close();
    await expect(batcher.push(4, 1)).rejects.toMatchObject({ code: 'closed' });
    await closed;
    expect(batcher.stats()).toMatchObject({ queued: 0, running: 0, answered: 3, failed: 1 });
    expect(await Promise.all(answers)).toEqual([2, 4, 6]);
    await batcher.close();
  });

  it('gives 20,000 requests of 64 callers their own answers', async () => {
    const { batcher, batches } = doubling({ concurrency: 3, maxBatch: 16 }, () => sleep(0));
    const wrong: number[] = [];
    const caller = async (k: number) => {
      for (let i = 0; i < 313; i++) {
        const x = k * 1000 + i;
        if ((await batcher.push(x, 1)) !== 2 * x) wrong.push(x);
      }
    };
    await Promise.all(Array.from({ length: 64 }, (_, k) => caller(k)));
    expect(wrong).toEqual([]);
    expect(batcher.stats()).toMatchObject({ answered: 64 * 313, rows: 64 * 313, failed: 0 });
    expect(batches.length).toBeLessThan(64 * 313);
  });
});
