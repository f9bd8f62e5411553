// Streams: order, back-pressure, errors carried over, early ends that close the source, abort.
import { data, type Tensor, TensorError } from 'chainrule';
import { describe, expect, it } from 'vitest';

const tick = () => new Promise<void>((resolve) => setImmediate(resolve));
const upTo = (n: number) => [...Array(n).keys()];

/** 0, 1, 2, ...; tells how many were asked for and whether it was closed. */
function counter(n = Number.POSITIVE_INFINITY, bad = -1) {
  const state = { asked: 0, closed: 0, source: undefined as unknown as AsyncGenerator<number> };
  async function* count() {
    try {
      for (let i = 0; i < n; i++) {
        state.asked++;
        await tick();
        if (i === bad) throw new RangeError(`sample ${i} is broken`);
        yield i;
      }
    } finally {
      state.closed++;
    }
  }
  state.source = count();
  return state;
}

const STEPS: Record<string, (s: data.Stream<number>) => data.Stream<unknown>> = {
  nothing: (s) => s,
  map: (s) => s.map((x) => x + 1),
  'map of three': (s) => s.map(async (x) => x, { concurrency: 3 }),
  filter: (s) => s.filter(() => true),
  batch: (s) => s.batch(2),
  shuffle: (s) => s.shuffle(3, { seed: 1 }),
  interleave: (s) => s.interleave((x) => [x]),
  prefetch: (s) => s.prefetch(3),
  take: (s) => s.take(1000),
};

describe('steps', () => {
  it('map, filter and batch', async () => {
    const batches = data
      .stream(upTo(10))
      .map((x, i) => x * 10 + i)
      .filter((x) => x % 2 === 0)
      .batch(2, { dropLast: true });
    const read: unknown[] = [];
    for await (const batch of batches) read.push((batch as Tensor).toArray());
    expect(read).toEqual([
      [0, 22],
      [44, 66],
    ]);
    const lists = data.stream(upTo(3)).batch(2, { collate: (samples) => samples });
    expect(await lists.toArray()).toEqual([[0, 1], [2]]);
  });

  it('keep the order of a map with several calls under way, and hold to their number', async () => {
    let under = 0;
    let most = 0;
    const slow = async (x: number) => {
      most = Math.max(most, ++under);
      for (let i = 0; i < 5 - (x % 5); i++) await tick();
      under--;
      return x;
    };
    expect(await data.stream(upTo(20)).map(slow, { concurrency: 4 }).toArray()).toEqual(upTo(20));
    expect(most).toBe(4);
  });

  it('call no function any more when the reader has left', async () => {
    let [calls, before] = [0, -1];
    for await (const x of data.stream(counter().source).map(() => ++calls, { concurrency: 3 })) {
      before = calls;
      if (x === 2) break;
    }
    expect(calls).toBe(before);
  });

  it('give results that came before a broken sample first', async () => {
    const read: number[] = [];
    const reading = async () => {
      for await (const x of data.stream(counter(9, 5).source).map((x) => x, { concurrency: 4 })) read.push(x);
    };
    await expect(reading()).rejects.toThrow('sample 5 is broken');
    expect(read).toEqual([0, 1, 2, 3, 4]);
  });

  it('shuffle as far as the buffer reaches, by the seed, losing nothing', async () => {
    const shuffled = (size: number, seed: number) => data.stream(upTo(50)).shuffle(size, { seed }).toArray();
    const mixed = await shuffled(10, 1);
    expect(mixed.toSorted((a, b) => a - b)).toEqual(upTo(50));
    expect(mixed).not.toEqual(upTo(50));
    // What comes out at place i was drawn from the first i + 10.
    expect(mixed.every((x, i) => x < i + 10)).toBe(true);
    expect(await shuffled(10, 1)).toEqual(mixed);
    expect(await shuffled(10, 2)).not.toEqual(mixed);
    expect(await shuffled(1, 1)).toEqual(upTo(50));
  });

  it('interleave as many as asked for, opening the next where one ends', async () => {
    const lists = [['a1', 'a2', 'a3'], ['b1'], ['c1', 'c2'], []];
    const by = (cycle: number) =>
      data
        .stream(lists)
        .interleave((list) => list, { cycle })
        .toArray();
    expect(await by(1)).toEqual(lists.flat());
    expect(await by(2)).toEqual(['a1', 'b1', 'a2', 'a3', 'c1', 'c2']);
    expect((await by(9)).toSorted()).toEqual(lists.flat());
  });

  it('open the source anew for every pass', async () => {
    const again = data.stream(() => upTo(3)).map((x) => x);
    expect([await again.toArray(), await again.toArray()]).toEqual([upTo(3), upTo(3)]);
  });
});

describe('back-pressure', () => {
  it('asks for nothing that is not read', async () => {
    const live = counter();
    const reader = data
      .stream(live.source)
      .map((x) => x)
      .filter(() => true)
      [Symbol.asyncIterator]();
    await reader.next();
    await reader.next();
    for (let i = 0; i < 20; i++) await tick();
    expect(live.asked).toBe(2);
    await reader.return();
  });

  it('of prefetch is the number asked for ahead', async () => {
    const live = counter();
    const reader = data.stream(live.source).prefetch(3)[Symbol.asyncIterator]();
    await reader.next();
    for (let i = 0; i < 20; i++) await tick();
    expect(live.asked).toBe(4);
    await reader.return();
    expect(live.closed).toBe(1);
  });
});

describe.each(Object.entries(STEPS))('%s', (_name, step) => {
  it('closes the source when the reader leaves', async () => {
    const live = counter();
    for await (const _ of step(data.stream(live.source))) break;
    expect(live.closed).toBe(1);
  });

  it('carries an error of the source over and closes it', async () => {
    const live = counter(10, 4);
    await expect(step(data.stream(live.source)).toArray()).rejects.toThrow('sample 4 is broken');
    expect(live.closed).toBe(1);
  });

  it('ends by a signal, even while the source keeps silent', async () => {
    const controller = new AbortController();
    let closed = false;
    const silent = {
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise<IteratorResult<number>>(() => {}),
        return: async (): Promise<IteratorResult<number>> => {
          closed = true;
          return { done: true, value: undefined };
        },
      }),
    };
    const reading = step(data.stream(silent, { signal: controller.signal })).toArray();
    await tick();
    controller.abort(new Error('enough'));
    await expect(reading).rejects.toMatchObject({ code: 'aborted', cause: new Error('enough') });
    // It never answers, so it cannot be closed in order; but nobody waits for it.
    expect(closed).toBe(false);
    const live = counter();
    const late = new AbortController();
    const all = (async () => {
      let n = 0;
      for await (const _ of step(data.stream(live.source, { signal: late.signal }))) if (++n === 2) late.abort();
    })();
    await expect(all).rejects.toBeInstanceOf(TensorError);
    for (let i = 0; i < 10; i++) await tick();
    expect(live.closed).toBe(1);
  });
});

describe('a source that keeps silent', () => {
  /** 0 to n - 1, and nothing more. */
  async function* silentAfter(n: number): AsyncGenerator<number> {
    for (let i = 0; i < n; i++) yield i;
    await new Promise(() => {});
  }

  it('holds no result back', async () => {
    const reader = data
      .stream(silentAfter(3))
      .map(async (x) => 10 * x, { concurrency: 4 })
      [Symbol.asyncIterator]();
    for (const value of [0, 10, 20]) expect(await reader.next()).toEqual({ done: false, value });
  });

  it.each(['prefetch', 'map of three'])('does not hold who leaves a %s', async (name) => {
    const read: unknown[] = [];
    for await (const x of STEPS[name](data.stream(silentAfter(2)))) {
      read.push(x);
      if (read.length === 2) break;
    }
    expect(read).toHaveLength(2);
    const failing = STEPS[name](data.stream(silentAfter(2))).map(() => Promise.reject(new Error('no')));
    await expect(failing.toArray()).rejects.toThrow('no');
  });
});

describe('errors', () => {
  it('of a function come out and close the source', async () => {
    for (const step of [
      (s: data.Stream<number>) => s.map(() => Promise.reject(new Error('no'))),
      (s: data.Stream<number>) => s.filter(() => Promise.reject(new Error('no'))),
      (s: data.Stream<number>) => s.batch(2, { collate: () => Promise.reject(new Error('no')) }),
      (s: data.Stream<number>) =>
        s.interleave(() => {
          throw new Error('no');
        }),
    ]) {
      const live = counter();
      await expect(step(data.stream(live.source)).toArray()).rejects.toThrow('no');
      expect(live.closed).toBe(1);
    }
  });

  it('of the caller are TensorErrors at once', () => {
    const s = data.stream([1]);
    for (const wrong of [
      () => data.stream(3 as never),
      () => s.map(3 as never),
      () => s.batch(0),
      () => s.shuffle(0),
      () => s.prefetch(0),
      () => s.take(-1),
      () => s.map((x) => x, { concurrency: 0 }),
      () => s.batch(2, { size: 3 } as object),
      () => data.stream([1], { signal: 1 as never }),
    ]) {
      expect(wrong).toThrow(TensorError);
    }
  });
});
