// fit(): a run that is stopped anywhere goes on to the same bits, and nothing else goes on from its file.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { data, dropout, Generator, manualSeed, mseLoss, nn, optim, rand, randn, type Tensor, train } from 'chainrule';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'chainrule-resume-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

class Net extends nn.Module {
  hidden = new nn.Linear(3, 4);
  out = new nn.Linear(4, 1);
  forward(x: Tensor) {
    return this.out.forward(dropout(this.hidden.forward(x).relu(), { p: 0.3, training: this.training }));
  }
}

interface Parts {
  model: Net;
  optimizer: optim.Optimizer;
  set: data.TensorDataset;
}
type More = (parts: Parts) => Partial<train.FitOptions>;

/** 20 samples in batches of 4, 5 an epoch; orders and dropout masks come from the default generator. */
function task(more: More = () => ({})) {
  manualSeed(1);
  const x = randn([20, 3]);
  const set = new data.TensorDataset(x, x.sum(1, { keepdim: true }));
  const model = new Net();
  const optimizer = new optim.Adam(model.parameters(), { lr: 0.01 });
  const base: train.FitOptions = {
    model,
    optimizer,
    loss: mseLoss,
    data: new data.DataLoader(set, { batchSize: 4, shuffle: true }) as train.Batches,
    epochs: 3,
  };
  return { model, options: { ...base, ...more({ model, optimizer, set }) } };
}
const bits = (model: nn.Module) => Object.values(model.stateDict()).map((t) => t.toArray());

/** Batches that draw random numbers as they are made. */
const drawing: More = () => ({
  data: {
    async *[Symbol.asyncIterator]() {
      for (let i = 0; i < 5; i++) {
        const x = randn([4, 3]);
        yield [x, x.sum(1, { keepdim: true })];
      }
    },
  },
});
const draws =
  (type: train.FitEvent['type']): More =>
  () => ({ callbacks: [(event) => event.type === type && rand([3])] });
const everything: More = ({ model, optimizer, set }) => ({
  epochs: 12,
  accumulate: 2,
  clipNorm: 1,
  validation: new data.DataLoader(set, { batchSize: 7, shuffle: true }) as train.Batches,
  metrics: { mae: new train.metrics.MAE() },
  earlyStop: { patience: 1, restoreBest: true, monitor: 'mae' },
  schedule: new optim.lrScheduler.ReduceLROnPlateau(optimizer, { patience: 0 }),
  average: { model: new optim.swaUtils.AveragedModel(model, { avgFn: optim.swaUtils.getEmaAvgFn(0.9) }) },
});
/** Dropout masks from generators of the modules' own. */
const ownMasks: More = () => {
  const generator = new Generator(4);
  const model = new nn.Sequential(
    new nn.Linear(3, 4, { generator }),
    new nn.Dropout({ p: 0.3, generator: new Generator(5) }),
    new nn.TransformerEncoderLayer(4, 2, { dimFeedforward: 8, generator }),
    new nn.Linear(4, 1, { generator }),
  );
  return { model, optimizer: new optim.Adam(model.parameters(), { lr: 0.01 }) };
};
/** A dataset that draws numbers for every sample. */
const noisy =
  (options: data.LoaderOptions): More =>
  ({ set }) => {
    const get = (i: number) => {
      const [x, y] = set.get(i) as [Tensor, Tensor];
      return [x.add(randn([3])), y];
    };
    const dataset = { length: 20, get };
    return {
      data: new data.DataLoader(dataset, { batchSize: 4, shuffle: true, ...options } as object) as train.Batches,
    };
  };
const inWorkers =
  (workers: number): More =>
  ({ set }) => ({ data: new data.DataLoader(set, { batchSize: 4, shuffle: true, workers }) as train.Batches });

type When = (event: train.FitEvent) => boolean;
const at =
  (type: train.FitEvent['type'], number = 0): When =>
  (event) =>
    event.type === type && (event.type === 'step' ? event.step : 'epoch' in event ? event.epoch : 0) === number;

describe('a run stopped', () => {
  it.each<[string, When, More?]>([
    ['at its start', at('start')],
    ['as the first epoch begins', at('epochStart')],
    ['as another epoch begins', at('epochStart', 1)],
    ['amid an epoch', at('step', 2)],
    ['after the last step of an epoch', at('step', 4)],
    ['as an epoch ends', at('epochEnd')],
    ['after the checkpoint of an epoch', at('checkpoint', 1)],
    ['amid an epoch of steps of two batches', at('step', 1), () => ({ accumulate: 2 })],
    ['behind an epoch of steps of two batches', at('epochEnd'), () => ({ accumulate: 2 })],
    ['amid batches that draw numbers', at('step', 2), drawing],
    ['behind batches that draw numbers', at('epochEnd'), drawing],
    ['amid an epoch whose beginning draws numbers', at('step', 2), draws('epochStart')],
    ['as an epoch begins and draws numbers', at('epochStart', 1), draws('epochStart')],
    ['after a step that draws numbers', at('step', 2), draws('step')],
    ['with everything that fit keeps', at('step', 6), everything],
    ['with everything that fit keeps, later', at('epochEnd', 4), everything],
    ['with generators of modules', at('step', 2), ownMasks],
    ['with samples that draw numbers', at('step', 2), noisy({ prefetch: 0 })],
    ['with random numbers by place', at('step', 6), inWorkers(0)],
    ['with two workers', at('step', 6), inWorkers(2)],
  ])('%s goes on to the same bits', async (name, when, more) => {
    const [whole, path] = [join(folder, `${name} whole.safetensors`), join(folder, `${name}.safetensors`)];
    const straight = task(more);
    const expected = await train.fit({ ...straight.options, checkpoint: { path: whole } });
    const controller = new AbortController();
    const { options } = task(more);
    let stops = 0;
    const stop = (event: train.FitEvent) => {
      if (stops === 0 && when(event)) {
        stops++;
        controller.abort();
      }
    };
    const callbacks = [...(options.callbacks ?? []), stop];
    const first = await train.fit({ ...options, callbacks, signal: controller.signal, checkpoint: { path } });
    expect([first.reason, stops]).toEqual(['aborted', 1]);
    const resumed = task(more);
    manualSeed(999);
    const history = await train.fit({ ...resumed.options, checkpoint: { path, resume: true } });
    expect(history).toEqual(expected);
    expect(bits(resumed.options.model)).toEqual(bits(straight.options.model));
    // Optimizer, schedule, generators, counters of early stopping, averages and best weights stand there too.
    expect(readFileSync(path).equals(readFileSync(whole))).toBe(true);
  });

  it('with a counter of early stopping stops where it would have', async () => {
    const more: More = ({ optimizer }) => {
      for (const group of optimizer.paramGroups) group.lr = 0;
      return { epochs: 50, earlyStop: { patience: 4, minDelta: 100 } };
    };
    const path = join(folder, 'patience.safetensors');
    const expected = await train.fit(task(more).options);
    expect([expected.reason, expected.epochs.length]).toEqual(['earlyStop', 6]);
    for (const epochs of [2, 4, 50]) {
      const history = await train.fit({ ...task(more).options, epochs, checkpoint: { path, resume: true } });
      if (epochs === 50) expect(history).toEqual(expected);
    }
  });
});

describe('a checkpoint', () => {
  const attempt = async (path: string, more: More) => {
    const { model, options } = task(more);
    const before = bits(model);
    const given = { ...options, checkpoint: { path, resume: true } };
    const error: unknown = await train.fit(given).then(
      () => 'no error',
      (thrown) => thrown,
    );
    expect(bits(model)).toEqual(before);
    return error;
  };
  const loader = (options: data.LoaderOptions): More => {
    return ({ set }) => ({ data: new data.DataLoader(set, options as object) as train.Batches });
  };

  it.each<[string, More, More, string]>([
    [
      'batches',
      () => ({}),
      loader({ batchSize: 5, shuffle: true }),
      'batchSize 4 instead of 5, batches 5 instead of 4',
    ],
    ['order', () => ({}), loader({ batchSize: 4 }), 'shuffle true instead of false'],
    [
      'seed',
      loader({ batchSize: 4, shuffle: true, seed: 5 }),
      loader({ batchSize: 4, shuffle: true, seed: 6 }),
      'seed 5 instead of 6',
    ],
    ['accumulation', () => ({}), () => ({ accumulate: 2 }), 'accumulate 1 instead of 2'],
    [
      'schedule',
      () => ({}),
      ({ optimizer }) => ({ schedule: new optim.lrScheduler.ExponentialLR(optimizer, 0.5) }),
      'schedule none instead of epoch',
    ],
    [
      'length of an array',
      ({ set }) => ({ data: [...new data.DataLoader(set, { batchSize: 4 })] as never }),
      ({ set }) => ({ data: [...new data.DataLoader(set, { batchSize: 8 })] as never }),
      'batches 5 instead of 3',
    ],
    [
      'model',
      () => ({}),
      () => {
        const model = new nn.Sequential(new nn.Linear(3, 2), new nn.Linear(2, 1));
        return { model, optimizer: new optim.Adam(model.parameters()) };
      },
      'missing 0.weight, 0.bias, 1.weight, 1.bias; unexpected hidden.weight, hidden.bias, out.weight, out.bias',
    ],
  ])('of another %s is refused, and says what differs', async (name, saved, other, message) => {
    const path = join(folder, `other ${name}.safetensors`);
    await train.fit({ ...task(saved).options, epochs: 1, checkpoint: { path } });
    const error = await attempt(path, other);
    expect(error).toMatchObject({ code: 'format', op: 'fit', message: expect.stringContaining(message) });
    expect(error).toMatchObject({ message: expect.stringContaining(path) });
  });

  it('is refused where the data end before the place it stands at', async () => {
    const path = join(folder, 'short.safetensors');
    const controller = new AbortController();
    const callbacks = [(event: train.FitEvent) => at('step', 2)(event) && controller.abort()];
    await train.fit({ ...task(drawing).options, callbacks, signal: controller.signal, checkpoint: { path } });
    const short: More = () => ({ data: new Set([[randn([4, 3]), randn([4, 1])]]) });
    const { options } = task(short);
    await expect(train.fit({ ...options, checkpoint: { path, resume: true } })).rejects.toThrow(
      'expected data to give the 3 batches that the checkpoint has behind it, got 1',
    );
  });

  it('cut off anywhere is refused', async () => {
    const path = join(folder, 'half.safetensors');
    await train.fit({ ...task().options, epochs: 1, checkpoint: { path } });
    const whole = readFileSync(path);
    for (const length of [0, 7, 100, Math.floor(whole.length / 2), whole.length - 1]) {
      writeFileSync(path, whole.subarray(0, length));
      expect(await attempt(path, () => ({}))).toMatchObject({ code: 'format' });
    }
  });

  it.each(['shape', 'progress', 'random', 'losses', 'epochs', 'model', 'optimizer', 'best'])(
    'without its %s is refused',
    async (part) => {
      const path = join(folder, `without ${part}.safetensors`);
      await train.fit({ ...task().options, epochs: 1, checkpoint: { path } });
      const tree = await train.loadCheckpoint<Record<string, unknown>>(path);
      for (const instead of [undefined, 5, 'x', {}]) {
        await train.saveCheckpoint(path, { ...tree, [part]: instead });
        expect(await attempt(path, () => ({}))).toMatchObject({ code: 'format', op: 'fit' });
      }
    },
  );

  it('is not begun where samples draw numbers ahead of their step', async () => {
    const { options } = task(noisy({}));
    await expect(train.fit({ ...options, checkpoint: { path: join(folder, 'ahead.safetensors') } })).rejects.toThrow(
      'got one that does; give the loader prefetch: 0, or workers',
    );
    expect((await train.fit(options)).losses).toHaveLength(15);
  });

  it('holds what the caller adds, as it is when it is saved', async () => {
    const path = join(folder, 'extra.safetensors');
    const extra = { name: 'first', steps: 0, limit: null };
    const callbacks = [(event: train.FitEvent) => event.type === 'step' && extra.steps++];
    await train.fit({ ...task().options, callbacks, checkpoint: { path, extra } });
    expect(await train.loadCheckpoint(path)).toMatchObject({ extra: { name: 'first', steps: 15, limit: null } });
  });

  it('is not replaced by one with weights that are NaN', async () => {
    const path = join(folder, 'nan.safetensors');
    const { model, options } = task();
    // The loss is 0, but the gradient of a root at 0 is infinite.
    const root = (y: Tensor, t: Tensor) => (count++ < 3 ? mseLoss(y, t) : y.sub(y.detach()).abs().sqrt().sum());
    let count = 0;
    await expect(train.fit({ ...options, loss: root, checkpoint: { path, every: 1 } })).rejects.toMatchObject({
      code: 'nan',
      message: expect.stringContaining("got NaN or infinity in 'hidden.weight'"),
    });
    expect(await train.loadCheckpoint(path)).toMatchObject({ progress: { step: 3 } });
    expect(model.hidden.weight.isNan().any().item()).toBe(1);
    const clipped = task();
    count = 0;
    await expect(train.fit({ ...clipped.options, loss: root, clipNorm: 1 })).rejects.toThrow(
      "expected finite gradients, got NaN or infinity in step 3, in that of 'hidden.weight'",
    );
    expect(clipped.model.hidden.weight.isNan().any().item()).toBe(0);
  });
});
