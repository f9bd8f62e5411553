// What fit() reads: iterators are closed, given up on request, and their batches are there as long as they are needed.
import { data, manualSeed, mseLoss, nn, optim, randn, type Tensor, train, zeros } from 'chainrule';
import { describe, expect, it } from 'vitest';

/** A linear regression with 20 samples. */
function task(more: Partial<train.FitOptions> = {}) {
  manualSeed(1);
  const x = randn([20, 3]);
  const set = new data.TensorDataset(x, x.sum(1, { keepdim: true }));
  const model = new nn.Linear(3, 1);
  const optimizer = new optim.SGD(model.parameters(), { lr: 0.1 });
  const batches = [...new data.DataLoader(set, { batchSize: 4 })] as unknown as Tensor[][];
  const options: train.FitOptions = { model, optimizer, loss: mseLoss, data: batches, epochs: 1, ...more };
  return { model, set, batches, options };
}

/** Batches that count how often they were given up. */
function counted(batches: readonly unknown[], failing: { next?: number; return?: boolean } = {}) {
  const source = {
    closed: 0,
    [Symbol.asyncIterator]() {
      let i = 0;
      return {
        async next() {
          if (i === failing.next) throw new RangeError('no disk');
          return i < batches.length ? { done: false, value: batches[i++] } : { done: true, value: undefined };
        },
        async return() {
          source.closed++;
          if (failing.return) throw new RangeError('not closed');
          return { done: true, value: undefined };
        },
      };
    },
  };
  return source as typeof source & train.Batches;
}

describe('an iterator of batches', () => {
  const failAt = (step: number) => (event: train.FitEvent) => {
    if (event.type === 'step' && event.step === step) throw new RangeError('enough');
  };

  it('is closed once where a callback, the loss or the model throws, or a batch is none', async () => {
    for (const [more, message] of [
      [{ callbacks: [failAt(1)] }, 'enough'],
      [{ loss: () => Promise.reject(new RangeError('late')).catch(() => {}) as never }, 'a tensor with one element'],
    ] as const) {
      const { batches, options } = task(more as object);
      const source = counted(batches);
      await expect(train.fit({ ...options, data: source })).rejects.toThrow(message);
      expect(source.closed).toBe(1);
    }
    const { batches, model, options } = task();
    const odd = counted([batches[0], 5]);
    await expect(train.fit({ ...options, data: odd })).rejects.toThrow('expected batches [...inputs, target]');
    model.forward = () => {
      throw new RangeError('broken model');
    };
    const source = counted(batches);
    await expect(train.fit({ ...options, data: source })).rejects.toThrow('broken model');
    expect([odd.closed, source.closed]).toEqual([1, 1]);
  });

  it('is closed where the loop over the events is left, and not once it has ended or failed itself', async () => {
    const left = counted(task().batches);
    for await (const event of train.fit({ ...task().options, data: left })) if (event.type === 'step') break;
    expect(left.closed).toBe(1);
    const ended = counted(task().batches);
    await train.fit({ ...task().options, data: ended, epochs: 2 });
    expect(ended.closed).toBe(0);
    const failed = counted(task().batches, { next: 2 });
    await expect(train.fit({ ...task().options, data: failed })).rejects.toThrow('no disk');
    expect(failed.closed).toBe(0);
  });

  it('that fails as it is closed does not hide the first error', async () => {
    const { batches, options } = task({ callbacks: [failAt(0)] });
    const source = counted(batches, { return: true });
    await expect(train.fit({ ...options, data: source })).rejects.toThrow('enough');
    expect(source.closed).toBe(1);
  });

  it.each(['data', 'validation'])(
    'of %s that gives nothing any more is given up when the signal fires',
    async (name) => {
      const { batches, options } = task();
      let waiting = () => {};
      const stuck = new Promise<void>((resolve) => {
        waiting = resolve;
      });
      const source: train.Batches = {
        async *[Symbol.asyncIterator]() {
          yield batches[0];
          waiting();
          await new Promise(() => {});
        },
      };
      const controller = new AbortController();
      const run = train.fit({ ...options, [name]: source, signal: controller.signal }).then(({ reason }) => reason);
      await stuck;
      controller.abort();
      expect(await run).toBe('aborted');
    },
  );

  it('may be one of promises; one that is used up says so', async () => {
    const { batches, options } = task();
    const promised = batches.map((batch) => Promise.resolve(batch));
    expect((await train.fit({ ...options, data: promised as never })).losses).toHaveLength(5);
    const once = batches.values();
    await expect(train.fit({ ...options, data: once, epochs: 2 })).rejects.toThrow(
      'expected data to give at least one batch an epoch, got none: an iterator gives them once',
    );
  });
});

describe('batches', () => {
  it('whose memory a loader takes back are there for all of a step', async () => {
    const [kept, reused] = [task(), task()];
    kept.options.data = new data.DataLoader(kept.set, { batchSize: 4 }) as train.Batches;
    reused.options.data = new data.DataLoader(reused.set, { batchSize: 4, reuse: true }) as train.Batches;
    const losses = async ({ options }: typeof kept) =>
      (await train.fit({ ...options, accumulate: 3, epochs: 2 })).losses;
    expect(await losses(reused)).toEqual(await losses(kept));
  });

  it('of unequal size count by their samples in the loss of an epoch, those of one step too', async () => {
    for (const accumulate of [1, 2, 3]) {
      const { model, set, options } = task({ accumulate });
      options.optimizer = new optim.SGD(model.parameters(), { lr: 0 });
      options.data = new data.DataLoader(set, { batchSize: 8 }) as train.Batches;
      const { epochs } = await train.fit(options);
      const [x, y] = set.tensors as unknown as [Tensor, Tensor];
      expect(epochs[0].loss).toBeCloseTo(mseLoss(model.forward(x), y).item(), 5);
    }
  });

  it('without a sample are an error, in training and validation', async () => {
    const empty = [[zeros([0, 3]), zeros([0, 1])]];
    for (const name of ['data', 'validation']) {
      await expect(train.fit({ ...task().options, [name]: empty })).rejects.toThrow(
        'expected batches of at least one sample, got a target Tensor [0, 1]',
      );
    }
  });
});
