// The queue in front of a served model: order, batches, limits, cancelling, draining.
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { TensorError } from '../../lib/errors.js';
import { type Answers, Batcher, type BatcherOptions, Kind, type Tray } from '../../lib/serve/batcher.js';

const OPTIONS: BatcherOptions = { concurrency: 1, maxBatch: 4, maxDelayMs: 0, maxQueue: 100 };

/** A batcher that doubles numbers, with the batches it ran; `work` may wait or throw. */
function doubling(options: Partial<BatcherOptions> = {}, work: (batch: readonly number[]) => unknown = () => {}) {
  const batches: number[][] = [];
  const trays = { made: 0, freed: 0, ended: 0 };
  const run = async (numbers: readonly (readonly [start: number, x: number])[]): Promise<Answers<number>> => {
    batches.push(numbers.map(([, x]) => x));
    await work(numbers.map(([, x]) => x));
    return {
      take: (start) => 2 * (numbers.find(([place]) => place === start)?.[1] ?? Number.NaN),
      end: () => void trays.ended++,
    };
  };
  class Numbers extends Kind<number, number> {
    tray(): Tray<number, number> {
      trays.made++;
      const numbers: [start: number, x: number][] = [];
      return {
        put: (x, start) => {
          if (x < 0) throw new RangeError('no room');
          numbers.push([start, x]);
        },
        run: () => run(numbers),
        alone: (start) => run(numbers.filter(([place]) => place === start).map(([, x]) => [0, x])),
        free: () => void trays.freed++,
      };
    }
  }
  const batcher = new Batcher<number, number>('serve', { ...OPTIONS, ...options });
  const kinds = [new Numbers(), new Numbers()];
  const push = (x: number, rows: number, signal?: AbortSignal, kind = 0) => batcher.push(kinds[kind], x, rows, signal);
  return { batches, batcher, push, trays };
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
    const { batches, batcher, push } = doubling();
    const answers = await Promise.all([1, 2, 3, 4, 5, 6].map((x) => push(x, 1)));
    expect(answers).toEqual([2, 4, 6, 8, 10, 12]);
    expect(batches).toEqual([
      [1, 2, 3, 4],
      [5, 6],
    ]);
    expect(batcher.stats()).toEqual({ queued: 0, running: 0, answered: 6, failed: 0, batches: 2, rows: 6 });
  });

  it('counts rows, and keeps the order where a large request does not fit', async () => {
    const { batches, push } = doubling();
    const answers = await Promise.all([push(1, 2), push(2, 3), push(3, 1)]);
    expect(answers).toEqual([2, 4, 6]);
    expect(batches).toEqual([[1], [2, 3]]);
  });

  it('waits for company up to maxDelayMs, and not once the batch is full', async () => {
    const { batches, push } = doubling({ maxDelayMs: 60_000 });
    const early = push(1, 1);
    await sleep(20);
    expect(batches).toEqual([]);
    const rest = [2, 3, 4].map((x) => push(x, 1));
    expect(await Promise.all([early, ...rest])).toEqual([2, 4, 6, 8]);
    expect(batches).toEqual([[1, 2, 3, 4]]);

    const patient = doubling({ maxDelayMs: 30 });
    const start = performance.now();
    expect(await patient.push(1, 1)).toBe(2);
    expect(performance.now() - start).toBeGreaterThan(25);
  });

  it('runs no more batches at once than asked', async () => {
    const doors = [gate(), gate(), gate()];
    let [under, most] = [0, 0];
    const { batches, push } = doubling({ concurrency: 2, maxBatch: 1 }, async ([x]) => {
      most = Math.max(most, ++under);
      await doors[x].opened;
      under--;
    });
    const answers = [0, 1, 2].map((x) => push(x, 1));
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
    const { batcher, push } = doubling({ maxBatch: 1, maxQueue: 2 }, () => opened);
    const first = push(1, 1);
    await sleep(5);
    const waiting = [2, 3].map((x) => push(x, 1));
    await expect(push(4, 1)).rejects.toMatchObject({ code: 'queue-full', op: 'serve' });
    open();
    expect(await Promise.all([first, ...waiting])).toEqual([2, 4, 6]);
    expect(await push(5, 1)).toBe(10);
    expect(batcher.stats().failed).toBe(1);
  });

  it('fails only the requests that are wrong themselves', async () => {
    const { batches, push } = doubling({}, (batch) => {
      if (batch.includes(13)) throw new TensorError('index', 'gather', 'expected 0 to 9, got 13');
    });
    const results = await Promise.allSettled([1, 13, 3].map((x) => push(x, 1)));
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(results[1]).toMatchObject({ reason: { code: 'index' } });
    expect(results[2]).toMatchObject({ value: 6 });
    expect(batches).toEqual([[1, 13, 3], [1], [13], [3]]);
  });

  it('lets a caller cancel while it waits and while it runs', async () => {
    const { open, opened } = gate();
    const { batches, batcher, push } = doubling({ maxBatch: 1, maxQueue: 2 }, () => opened);
    const [a, b] = [new AbortController(), new AbortController()];
    const running = push(1, 1, a.signal);
    await sleep(5);
    const queued = push(2, 1, b.signal);
    const last = push(3, 1);
    a.abort(new Error('gone'));
    b.abort();
    expect(batcher.stats()).toMatchObject({ queued: 1, running: 1, failed: 2 });
    const more = push(4, 1); // in the place of the cancelled one
    await expect(running).rejects.toMatchObject({ code: 'aborted', cause: { message: 'gone' } });
    await expect(queued).rejects.toMatchObject({ code: 'aborted' });
    await expect(push(9, 1, AbortSignal.abort())).rejects.toMatchObject({ code: 'aborted' });
    open();
    expect(await Promise.all([last, more])).toEqual([6, 8]);
    expect(batches).toEqual([[1], [3], [4]]);
  });

  it('answers the others of a batch of which some were cancelled, and runs none of which all were', async () => {
    const { open, opened } = gate();
    const { batches, batcher, push, trays } = doubling({}, () => opened);
    const first = push(1, 1);
    await sleep(5);
    const controllers = [2, 3, 4, 5, 6, 7, 8, 9].map((x) => [x, new AbortController()] as const);
    const answers = controllers.map(([x, { signal }]) => push(x, 1, signal));
    for (const [x, controller] of controllers) if (x !== 3) controller.abort();
    expect(batcher.stats()).toMatchObject({ queued: 1, running: 1, failed: 7 });
    open();
    const settled = await Promise.allSettled(answers);
    expect(settled.map(({ status }) => status === 'fulfilled')).toEqual(controllers.map(([x]) => x === 3));
    expect(settled[1]).toMatchObject({ value: 6 });
    expect(await first).toBe(2);
    await batcher.close();
    expect(batches).toEqual([[1], [2, 3, 4, 5]]);
    expect(batcher.stats()).toMatchObject({ queued: 0, answered: 2, failed: 7, batches: 2 });
    expect(trays).toEqual({ made: 3, freed: 3, ended: 2 });
  });

  it('puts requests of a kind together, and lets one that is ready go before one that waits for company', async () => {
    const { batches, batcher, push } = doubling({ maxDelayMs: 60_000 });
    const waits = push(1, 1);
    const full = [11, 12, 13, 14].map((x) => push(x, 1, undefined, 1));
    expect(await Promise.all(full)).toEqual([22, 24, 26, 28]);
    expect(batches).toEqual([[11, 12, 13, 14]]);
    expect(batcher.stats()).toMatchObject({ queued: 1, running: 0 });
    await batcher.close();
    expect(await waits).toBe(2);
  });

  it('refuses alone what finds no memory', async () => {
    const { batcher, push, trays } = doubling();
    const first = push(-1, 1);
    const answers = [push(1, 1), push(-2, 1), push(2, 1)];
    await expect(first).rejects.toThrow('no room');
    await expect(answers[1]).rejects.toThrow('no room');
    expect([await answers[0], await answers[2]]).toEqual([2, 4]);
    await batcher.close();
    expect(batcher.stats()).toMatchObject({ answered: 2, failed: 2, batches: 1, rows: 2 });
    expect(trays).toEqual({ made: 2, freed: 2, ended: 1 });
  });

  it('runs a function between two batches while requests wait', async () => {
    const events: string[] = [];
    const { batcher, push } = doubling({ concurrency: 2, maxBatch: 1 }, async ([x]) => {
      events.push(`begin ${x}`);
      await sleep(5);
      events.push(`end ${x}`);
    });
    const before = [1, 2].map((x) => push(x, 1));
    await sleep(1);
    const swapped = batcher.between(async () => {
      events.push('swap');
      await sleep(5);
      events.push('swapped');
      return 'done';
    });
    await Promise.resolve();
    const after = push(3, 1);
    expect(await swapped).toBe('done');
    expect(await Promise.all([...before, after])).toEqual([2, 4, 6]);
    expect(events).toEqual(['begin 1', 'begin 2', 'end 1', 'end 2', 'swap', 'swapped', 'begin 3', 'end 3']);
    await expect(batcher.between(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await push(4, 1)).toBe(8);
  });

  it('answers what waits before it closes, and takes nothing after', async () => {
    const { batcher, push } = doubling({ maxBatch: 2, maxDelayMs: 60_000 }, () => sleep(2));
    const answers = [1, 2, 3].map((x) => push(x, 1));
    const closed = batcher.close();
    await expect(push(4, 1)).rejects.toMatchObject({ code: 'closed' });
    await closed;
    expect(batcher.stats()).toMatchObject({ queued: 0, running: 0, answered: 3, failed: 1 });
    expect(await Promise.all(answers)).toEqual([2, 4, 6]);
    await batcher.close();
  });

  it('gives 20,000 requests of 64 callers their own answers', async () => {
    const { batcher, batches, push } = doubling({ concurrency: 3, maxBatch: 16 }, () => sleep(0));
    const wrong: number[] = [];
    const caller = async (k: number) => {
      for (let i = 0; i < 313; i++) {
        const x = k * 1000 + i;
        if ((await push(x, 1)) !== 2 * x) wrong.push(x);
      }
    };
    await Promise.all(Array.from({ length: 64 }, (_, k) => caller(k)));
    expect(wrong).toEqual([]);
    expect(batcher.stats()).toMatchObject({ answered: 64 * 313, rows: 64 * 313, failed: 0 });
    expect(batches.length).toBeLessThan(64 * 313);
  });
});
