// fit(): events, results against a loop by hand, stopping, resuming, errors.
import { existsSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crossEntropy, data, manualSeed, mseLoss, nn, optim, randn, type Tensor, tensor, train } from 'chainrule';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run as runProcess } from '../core/fixtures/run.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'chainrule-fit-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A regression with 20 samples in batches of 4 (5 an epoch), from a seed. */
function task(options: Partial<train.FitOptions> = {}) {
  manualSeed(1);
  const x = randn([20, 3]);
  const set = new data.TensorDataset(x, x.sum(1, { keepdim: true }));
  const model = new nn.Linear(3, 1);
  const optimizer = new optim.SGD(model.parameters(), { lr: 0.1, momentum: 0.9 });
  const loader = new data.DataLoader(set, { batchSize: 4 });
  const base = { model, optimizer, loss: mseLoss, data: loader as train.Batches, epochs: 3 };
  return { model, optimizer, set, loader, x, options: { ...base, ...options } };
}
const bits = (model: nn.Module) => Object.values(model.stateDict()).map((t) => t.toArray());

describe('fit', () => {
  it('does what a loop by hand does', async () => {
    const byHand = task();
    const losses: number[] = [];
    for (let epoch = 0; epoch < 3; epoch++) {
      for (const [x, y] of byHand.loader) {
        byHand.optimizer.zeroGrad();
        const loss = mseLoss(byHand.model.forward(x), y);
        loss.backward();
        byHand.optimizer.step();
        losses.push(loss.item());
      }
    }
    const { model, options } = task();
    const history = await train.fit(options);
    expect(history.losses).toEqual(losses);
    expect(bits(model)).toEqual(bits(byHand.model));
    expect(history.reason).toBe('complete');
    expect(history.epochs.map(({ epoch }) => epoch)).toEqual([0, 1, 2]);
    const first = losses.slice(0, 5).reduce((a, b) => a + b) / 5;
    expect(history.epochs[0].loss).toBeCloseTo(first, 12);
  });

  it('gives events in order, to callbacks and to for await, and a history afterwards', async () => {
    const seen: string[] = [];
    const { options } = task({ epochs: 2, callbacks: [(event) => seen.push(event.type)] });
    const run = train.fit(options);
    const events: train.FitEvent[] = [];
    for await (const event of run) events.push(event);
    const steps = Array<string>(5).fill('step');
    const epoch = ['epochStart', ...steps, 'epochEnd'];
    expect(events.map(({ type }) => type)).toEqual(['start', ...epoch, ...epoch, 'end']);
    expect(seen).toEqual(events.map(({ type }) => type));
    const numbers = events.filter((event) => event.type === 'step').map(({ step, batch }) => [step, batch]);
    expect(numbers).toEqual(Array.from({ length: 10 }, (_, i) => [i, (i % 5) + 1]));
    expect((await run).losses).toHaveLength(10);
    await expect(async () => {
      for await (const _ of run);
    }).rejects.toThrow('expected to be iterated once');
  });

  it('ends where the loop over its events is left', async () => {
    const run = train.fit(task().options);
    for await (const event of run) if (event.type === 'step' && event.step === 1) break;
    expect((await run).losses).toHaveLength(2);
  });

  it('validates in evaluation mode, with metrics over all samples, and leaves the modes as they were', async () => {
    const { options, set } = task();
    const modes: boolean[] = [];
    class Watched extends nn.Linear {
      override forward(x: Tensor) {
        modes.push(this.training);
        return super.forward(x);
      }
    }
    const model = new Watched(3, 1);
    const { epochs } = await train.fit({
      ...options,
      model,
      optimizer: new optim.SGD(model.parameters(), { lr: 0.1 }),
      epochs: 1,
      validation: new data.DataLoader(set, { batchSize: 8 }),
      metrics: { mse: new train.metrics.MSE() },
    });
    expect(modes).toEqual([true, true, true, true, true, false, false, false]);
    expect(model.training).toBe(true);
    // 8, 8 and 4 samples: the mean over samples, not over batches.
    const [{ validationLoss, metrics }] = epochs;
    expect(metrics.mse).toBeCloseTo(validationLoss as number, 6);
    const [x, y] = set.tensors as unknown as [Tensor, Tensor];
    expect(validationLoss).toBeCloseTo(mseLoss(model.forward(x), y).item(), 6);
  });

  it('accumulates: batches of 4 in pairs take the steps of batches of 8', async () => {
    const pairs = task({ accumulate: 2, epochs: 2 });
    const whole = task({ epochs: 2 });
    whole.options.data = new data.DataLoader(whole.set, { batchSize: 8 });
    const [a, b] = [await train.fit(pairs.options), await train.fit(whole.options)];
    expect(a.losses).toHaveLength(6); // the fifth batch of an epoch is a step of its own
    for (const [i, loss] of a.losses.entries()) expect(loss).toBeCloseTo(b.losses[i], 5);
    const [p, q] = [pairs, whole].map(({ model }) => model.weight.toArray().toString().split(',').map(Number));
    for (const [i, w] of p.entries()) expect(w).toBeCloseTo(q[i], 5);
  });

  it('clips the norm of all gradients, or each element', async () => {
    const run = async (clip: object) => {
      const { model, options } = task({ epochs: 1, ...clip });
      const before = model.weight.clone();
      options.optimizer = new optim.SGD(model.parameters(), { lr: 1 });
      const norms: (number | null)[] = [];
      for await (const event of train.fit(options)) {
        if (event.type !== 'step') continue;
        norms.push(event.gradNorm);
        break;
      }
      return { norm: norms[0], moved: (model.weight.sub(before).toArray() as number[][])[0] };
    };
    const free = await run({});
    expect(free.norm).toBeNull();
    const norm = await run({ clipNorm: 0.01 });
    expect(norm.norm).toBeGreaterThan(0.01);
    for (const [i, m] of norm.moved.entries()) expect(m).toBeCloseTo((free.moved[i] * 0.01) / (norm.norm as number), 5);
    const value = await run({ clipValue: 0.001 });
    for (const [i, m] of value.moved.entries()) expect(m).toBeCloseTo(Math.sign(free.moved[i]) * 0.001, 5);
  });

  it('moves the schedule by epoch or by step, and gives plateaus the loss', async () => {
    const rates = async (by: 'epoch' | 'step') => {
      const { options, optimizer } = task({ epochs: 2, scheduleBy: by });
      options.schedule = new optim.lrScheduler.ExponentialLR(optimizer, 0.5);
      const found: number[] = [];
      for await (const event of train.fit(options)) if (event.type === 'step') found.push(event.lr);
      return found;
    };
    expect(await rates('epoch')).toEqual([...Array(5).fill(0.1), ...Array(5).fill(0.05)]);
    expect(await rates('step')).toEqual(Array.from({ length: 10 }, (_, i) => expect.closeTo(0.1 * 0.5 ** i, 12)));
    const { options, optimizer } = task({ epochs: 3 });
    for (const group of optimizer.paramGroups) group.lr = 1e-12; // nothing improves by more than the threshold
    options.schedule = new optim.lrScheduler.ReduceLROnPlateau(optimizer, { patience: 0, eps: 0 });
    await train.fit(options);
    expect(optimizer.paramGroups[0].lr).toBeCloseTo(1e-14, 20);
  });

  it('stops early: no improvement for more epochs than the patience', async () => {
    const { options, optimizer } = task({ epochs: 50, earlyStop: { patience: 2, minDelta: 0.5, monitor: 'loss' } });
    for (const group of optimizer.paramGroups) group.lr = 0;
    const { reason, epochs } = await train.fit(options);
    expect([reason, epochs.length]).toEqual(['earlyStop', 4]); // the best, two that are borne, one too many
  });

  it('takes a full-batch method that asks for the loss again', async () => {
    const { options, model, set } = task({ epochs: 5 });
    options.data = new data.DataLoader(set, { batchSize: 20 });
    options.optimizer = new optim.LBFGS(model.parameters(), { lineSearchFn: 'strongWolfe' });
    const { losses } = await train.fit(options);
    expect(losses).toHaveLength(5);
    expect(losses[4]).toBeLessThan(1e-8);
  });

  it('takes several inputs and any iterable of batches', async () => {
    class Sum extends nn.Module<[a: Tensor, b: Tensor]> {
      scale = new nn.Parameter(tensor([0.5]));
      forward(a: Tensor, b: Tensor) {
        return a.add(b).mul(this.scale);
      }
    }
    const model = new Sum();
    const batch = [tensor([1, 2]), tensor([3, 4]), tensor([8, 12])];
    async function* stream() {
      yield batch;
    }
    const again = { [Symbol.asyncIterator]: stream };
    const optimizer = new optim.SGD(model.parameters(), { lr: 0.01 });
    await train.fit({ model: model as nn.Module<Tensor[]>, optimizer, loss: mseLoss, data: again, epochs: 100 });
    expect(model.scale.item()).toBeCloseTo(2, 4);
    await train.fit({ model: model as nn.Module<Tensor[]>, optimizer, loss: mseLoss, data: [batch], epochs: 1 });
  });

  it('lets the event loop turn', async () => {
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    await train.fit(task({ epochs: 200 }).options);
    clearInterval(timer);
    expect(turns).toBeGreaterThan(1);
  });
});

describe('a run that is stopped', () => {
  it.each(['a shuffled loader', 'an array'])('goes on to the same bits: %s', async (kind) => {
    const path = join(folder, `${kind}.safetensors`);
    const make = (more: Partial<train.FitOptions>) => {
      const made = task({ epochs: 4, ...more });
      const shuffled = new data.DataLoader(made.set, { batchSize: 4, shuffle: true });
      made.options.data = kind === 'an array' ? [...made.loader] : shuffled;
      return made;
    };
    const whole = make({});
    const expected = await train.fit(whole.options);
    const steps: number[] = [];
    for (const stopAt of [2, 4, 5, 11, Infinity]) {
      const controller = new AbortController();
      const callbacks = [
        (event: train.FitEvent) => {
          if (event.type === 'step') steps.push(event.step);
          if (event.type === 'step' && event.step === stopAt) controller.abort();
        },
      ];
      const { options, model } = make({ callbacks, signal: controller.signal, checkpoint: { path, resume: true } });
      const history = await train.fit(options);
      expect(history.reason).toBe(stopAt === Infinity ? 'complete' : 'aborted');
      if (stopAt !== Infinity) continue;
      expect(history).toEqual(expected);
      expect(bits(model)).toEqual(bits(whole.model));
    }
    expect(steps).toEqual(Array.from({ length: 20 }, (_, i) => i)); // no step twice, none left out
  });

  it('by its signal before the first step does nothing', async () => {
    const { model, options } = task({ signal: AbortSignal.abort() });
    const before = bits(model);
    expect(await train.fit(options)).toEqual({ losses: [], epochs: [], reason: 'aborted' });
    expect(bits(model)).toEqual(before);
  });

  it('in its validation measures anew', async () => {
    const path = join(folder, 'validation.safetensors');
    const make = (more: Partial<train.FitOptions>) => {
      const made = task({ epochs: 2, ...more });
      made.options.validation = new data.DataLoader(made.set, { batchSize: 4, shuffle: true });
      return made.options;
    };
    const expected = await train.fit(make({}));
    const controller = new AbortController();
    let forwards = 0;
    const options = make({ checkpoint: { path, resume: true }, signal: controller.signal });
    const { loss } = options;
    options.loss = (y: Tensor, t: Tensor) => {
      if (++forwards === 7) controller.abort();
      return loss(y, t);
    };
    expect(await train.fit(options)).toMatchObject({ reason: 'aborted', epochs: [] });
    expect(await train.fit(make({ checkpoint: { path, resume: true } }))).toEqual(expected);
  });

  it('after early stopping stays stopped', async () => {
    const path = join(folder, 'early.safetensors');
    const make = () => {
      const made = task({ epochs: 9, earlyStop: { patience: 0 }, checkpoint: { path, resume: true } });
      for (const group of made.optimizer.paramGroups) group.lr = 0;
      return made.options;
    };
    const first = await train.fit(make());
    expect(first).toMatchObject({ reason: 'earlyStop' });
    expect(await train.fit(make())).toEqual(first);
  });
});

describe('errors', () => {
  it.each([
    ['an unknown option', { epoch: 1 }, 'option'],
    ['no model', { model: undefined }, 'value'],
    ['no batches', { data: 5 }, 'value'],
    ['half an epoch', { epochs: 0.5 }, 'value'],
    ['metrics without validation', { metrics: { mse: new train.metrics.MSE() } }, 'value'],
    ['no patience', { earlyStop: {} }, 'value'],
    ['an unknown monitor', { earlyStop: { patience: 1, monitor: 'accuracy' } }, 'value'],
    ['an unknown part of checkpoint', { checkpoint: { file: 'x' } }, 'option'],
    ['accumulate 0', { accumulate: 0 }, 'value'],
    ['a callback that is none', { callbacks: [1] }, 'value'],
    ['a metric named as what fit measures', { validation: [], metrics: { loss: new train.metrics.MSE() } }, 'value'],
    [
      'an optimizer of another model',
      { optimizer: new optim.SGD(new nn.Linear(1, 1).parameters(), { lr: 1 }) },
      'value',
    ],
    ['a schedule of another optimizer', { schedule: new optim.lrScheduler.StepLR(task().optimizer, 1) }, 'value'],
    ['a path that is none', { checkpoint: { path: 'a\0b' } }, 'value'],
    ['an extra that no file can hold', { checkpoint: { path: 'x', extra: { f() {} } } }, 'value'],
    ['an extra that is no object', { checkpoint: { path: 'x', extra: 5 } }, 'value'],
  ])('at once: %s', (_, wrong, code) => {
    expect(() => train.fit({ ...task().options, ...wrong } as train.FitOptions)).toThrow(
      expect.objectContaining({ name: 'TensorError', code }),
    );
  });

  it('a NaN loss, before the weights take it in', async () => {
    const { model, options } = task();
    let calls = 0;
    options.loss = (y, t) => (++calls === 3 ? mseLoss(y, t).mul(Number.NaN) : mseLoss(y, t));
    const seen: unknown[] = [];
    options.callbacks = [(event) => event.type === 'step' && seen.push(bits(model))];
    await expect(train.fit(options)).rejects.toMatchObject({ code: 'nan', op: 'fit' });
    expect(bits(model)).toEqual(seen[1]);
  });

  it.each(['await', 'for await'])('of a callback come out, by %s, and leave the checkpoint that was', async (how) => {
    const path = join(folder, 'callback.safetensors');
    const callbacks = [
      (event: train.FitEvent) => {
        if (event.type === 'step' && event.step === 7) throw new RangeError('enough');
      },
    ];
    const run = train.fit(task({ callbacks, checkpoint: { path } }).options);
    await expect(
      how === 'await'
        ? run
        : (async () => {
            for await (const _ of run);
          })(),
    ).rejects.toThrow(new RangeError('enough'));
    const saved = await train.loadCheckpoint<{ progress: { step: number } }>(path);
    expect(saved.progress.step).toBe(5);
    expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  it('of data, and batches that are none', async () => {
    const { options } = task();
    await expect(train.fit({ ...options, data: [[randn([1])]] })).rejects.toThrow(
      'expected batches [...inputs, target]',
    );
    const broken = {
      [Symbol.iterator]: (): Iterator<Tensor[]> => ({
        next() {
          throw new RangeError('no disk');
        },
      }),
    };
    await expect(train.fit({ ...options, data: broken })).rejects.toThrow('no disk');
    await expect(train.fit({ ...options, loss: (y) => y })).rejects.toThrow('a tensor with one element');
  });

  it('a checkpoint of another run changes nothing', async () => {
    const path = join(folder, 'other.safetensors');
    await train.fit(task({ epochs: 1, checkpoint: { path } }).options);
    const attempt = async (change: (made: ReturnType<typeof task>) => void) => {
      const made = task({ checkpoint: { path, resume: true } });
      change(made);
      const before = [bits(made.model), JSON.stringify(made.optimizer.paramGroups[0].lr)];
      await expect(train.fit(made.options)).rejects.toMatchObject({ name: 'TensorError' });
      expect([bits(made.model), JSON.stringify(made.optimizer.paramGroups[0].lr)]).toEqual(before);
    };
    await attempt((made) => {
      made.options.data = new data.DataLoader(made.set, { batchSize: 5 });
    });
    await attempt((made) => {
      made.options.optimizer = new optim.Adam(made.model.parameters(), { lr: 1 });
    });
    await attempt((made) => {
      made.options.schedule = new optim.lrScheduler.ExponentialLR(made.optimizer, 0.5);
    });
    writeFileSync(path, 'nonsense');
    await attempt(() => {});
  });

  it('a folder that is not there', async () => {
    const { options } = task({ checkpoint: { path: join(folder, 'none', 'x.safetensors') } });
    const seen: string[] = [];
    options.callbacks = [({ type }) => seen.push(type)];
    await expect(train.fit(options)).rejects.toMatchObject({ code: 'io', op: 'fit' });
    expect([existsSync(join(folder, 'none')), seen]).toEqual([false, []]); // before the first step, not after the last
  });

  it('a file left by a writer that was killed goes away', async () => {
    const leftover = join(folder, '.chainrule-1-left.tmp');
    writeFileSync(leftover, 'half');
    utimesSync(leftover, new Date(0), new Date(0));
    await train.fit(task({ checkpoint: { path: join(folder, 'again.safetensors') } }).options);
    expect(existsSync(leftover)).toBe(false);
  });
});

it('a loader goes on from a batch, with the order it would have had', () => {
  const numbers = { length: 10, get: (i: number) => i };
  const make = () => new data.DataLoader(numbers, { batchSize: 3, shuffle: true, seed: 6 });
  const all = [...make()].map((x) => x.toArray());
  for (const first of [0, 1, 3, 4, 9]) {
    expect([...make().from(first)].map((x) => x.toArray())).toEqual(all.slice(first));
  }
  expect(() => make().from(-1)).toThrow(expect.objectContaining({ code: 'value' }));
});

describe('checkpoints', () => {
  it('give back every tensor and value, with those that JSON has no word for', async () => {
    const path = join(folder, 'tree.safetensors');
    const tree = {
      'a.b': { c: tensor([1]) },
      a: { 'b.c': tensor([2], { dtype: 'float64' }) },
      list: [1.5, 'x', null, true, Number.NaN, -Infinity, -0, [tensor([[3]], { dtype: 'int32' })]],
    };
    await train.saveCheckpoint(path, tree);
    const back = await train.loadCheckpoint<typeof tree>(path);
    expect([back['a.b'].c.item(), back.a['b.c'].item(), back.a['b.c'].dtype]).toEqual([1, 2, 'float64']);
    expect(back.list.slice(0, 7)).toEqual(tree.list.slice(0, 7));
    expect(Object.is(back.list[6], -0)).toBe(true);
    expect((back.list[7] as Tensor[])[0].toArray()).toEqual([[3]]);
  });

  it('refuse what has no place in a file', async () => {
    const wrong = { f: new Map() };
    await expect(train.saveCheckpoint(join(folder, 'no.safetensors'), wrong)).rejects.toMatchObject({ code: 'value' });
    const circle: Record<string, unknown> = {};
    circle.inner = { circle };
    await expect(train.saveCheckpoint(join(folder, 'no.safetensors'), circle)).rejects.toThrow(
      'an object in a circle?',
    );
  });
});

describe('memory', () => {
  it('stays flat over 3,000 steps', { timeout: 60_000 }, () => {
    const { status, stdout, stderr } = runProcess(['../../train/fixtures/flat-fit.ts', '3000']);
    expect(stderr.replace(/^npm warn.*\n/gm, '')).toBe('');
    expect(status).toBe(0);
    const samples = JSON.parse(stdout) as { step: number; bytes: number; rss: number; loss: number }[];
    expect(samples).toHaveLength(30);
    const warm = samples.filter(({ step }) => step >= 500);
    // What the program itself leaves behind waits for the collector; a leak of the batches would be 600 MB.
    expect(Math.max(...warm.map(({ bytes }) => bytes)) - warm[0].bytes).toBeLessThan(16 * 2 ** 20);
    expect(Math.max(...warm.map(({ rss }) => rss)) - warm[0].rss).toBeLessThan(48 * 2 ** 20);
    expect(warm[warm.length - 1].loss).toBeLessThan(samples[0].loss);
  });
});

it('classifies', async () => {
  manualSeed(2);
  const x = randn([90, 2]);
  const labels = x.argmax(1);
  const model = new nn.Linear(2, 2);
  const set = new data.TensorDataset(x, labels);
  const { epochs } = await train.fit({
    model,
    data: new data.DataLoader(set, { batchSize: 15, shuffle: true, seed: 4 }),
    loss: crossEntropy,
    optimizer: new optim.Adam(model.parameters(), { lr: 0.05 }),
    epochs: 30,
    validation: new data.DataLoader(set, { batchSize: 40 }),
    metrics: { accuracy: new train.metrics.Accuracy() },
  });
  expect(epochs[29].metrics.accuracy).toBeGreaterThan(0.97);
});
