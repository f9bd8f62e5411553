// What fit() keeps besides the last weights: those of the best epoch, and averages; both through checkpoints.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { data, manualSeed, mseLoss, nn, optim, randn, type Tensor, train } from 'chainrule';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'chainrule-keep-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A regression whose rate is so large from some epoch on that it gets worse. */
function task(options: Partial<train.FitOptions> = {}, worseFrom = 3) {
  manualSeed(2);
  const x = randn([16, 3]);
  const y = x.sum(1, { keepdim: true });
  const model = new nn.Sequential(new nn.BatchNorm1d(3), new nn.Linear(3, 1));
  const optimizer = new optim.SGD(model.getSubmodule('1').parameters(), { lr: 0.05 });
  const schedule = new optim.lrScheduler.LambdaLR(optimizer, (epoch) => (epoch < worseFrom ? 1 : 10));
  const loader = new data.DataLoader(new data.TensorDataset(x, y), { batchSize: 4 });
  const base = { model, optimizer, schedule, loss: mseLoss, data: loader as train.Batches, epochs: 9 };
  return { model, options: { ...base, ...options } };
}
const copy = (model: nn.Module) => Object.values(model.stateDict()).map((x) => x.toArray());

describe('restoreBest', () => {
  /** The state after every epoch, and at the end. */
  const run = async (restoreBest: boolean, more: Partial<train.FitOptions> = {}) => {
    const { model, options } = task({ earlyStop: { patience: 1, monitor: 'loss', restoreBest }, ...more });
    const states: unknown[] = [];
    options.callbacks = [(event) => event.type === 'epochEnd' && states.push(copy(model))];
    const history = await train.fit(options);
    const best = history.epochs.reduce((a, b) => (b.loss < a.loss ? b : a)).epoch;
    return { history, states, best, end: copy(model) };
  };

  it('ends with parameters and buffers of the best epoch, and without it with the last', async () => {
    const kept = await run(true);
    expect(kept.history.reason).toBe('earlyStop');
    expect(kept.best).toBeLessThan(kept.states.length - 1);
    expect(kept.end).toEqual(kept.states[kept.best]);
    const plain = await run(false);
    expect(plain.end).toEqual(plain.states.at(-1));
    expect(plain.end).not.toEqual(kept.end);
  });

  it('also where all epochs are done', async () => {
    const kept = await run(true, { epochs: 4 });
    expect(kept.history.reason).toBe('complete');
    expect(kept.end).toEqual(kept.states[kept.best]);
  });

  it('survives in checkpoints: a resumed run ends as one that never stopped', async () => {
    const expected = await run(true);
    const path = join(folder, 'best.safetensors');
    const controller = new AbortController();
    const { model, options } = task({
      earlyStop: { patience: 1, monitor: 'loss', restoreBest: true },
      checkpoint: { path },
      signal: controller.signal,
      callbacks: [(event) => event.type === 'step' && event.step === 17 && controller.abort()],
    });
    expect((await train.fit(options)).reason).toBe('aborted');
    expect(copy(model)).not.toEqual(expected.end);
    const resumed = await run(true, { checkpoint: { path, resume: true } });
    expect(resumed.history).toEqual(expected.history);
    expect(resumed.end).toEqual(expected.end);
    const other = task({ earlyStop: { patience: 1, monitor: 'loss' }, checkpoint: { path, resume: true } });
    await expect(train.fit(other.options)).rejects.toMatchObject({ code: 'format' });
  });
});

describe('average', () => {
  const averaging = (by: 'step' | 'epoch', from: number, more: Partial<train.FitOptions> = {}) => {
    const made = task({ epochs: 3, ...more });
    const averaged = new optim.swaUtils.AveragedModel(made.model, { avgFn: optim.swaUtils.getEmaAvgFn(0.5) });
    return { ...made, averaged, options: { ...made.options, average: { model: averaged, by, from } } };
  };

  it('takes the weights in after steps or epochs, from an epoch on', async () => {
    for (const [by, from, count] of [
      ['step', 0, 12],
      ['step', 2, 4],
      ['epoch', 1, 2],
    ] as const) {
      const { averaged, model, options } = averaging(by, from);
      const byHand = new optim.swaUtils.AveragedModel(model, { avgFn: optim.swaUtils.getEmaAvgFn(0.5) });
      options.callbacks = [
        (event: train.FitEvent) => {
          const now = event.type === (by === 'step' ? 'step' : 'epochEnd') && event.epoch >= from;
          if (now) byHand.updateParameters(model);
        },
      ];
      await train.fit(options);
      expect(averaged.nAveraged.item()).toBe(count);
      expect(copy(averaged)).toEqual(copy(byHand));
    }
  });

  it('is part of checkpoints', async () => {
    const whole = averaging('step', 0);
    await train.fit(whole.options);
    const path = join(folder, 'average.safetensors');
    await train.fit({ ...averaging('step', 0).options, epochs: 1, checkpoint: { path } });
    const resumed = averaging('step', 0, { checkpoint: { path, resume: true } });
    await train.fit(resumed.options);
    expect(copy(resumed.averaged)).toEqual(copy(whole.averaged));
    await expect(train.fit(task({ checkpoint: { path, resume: true } }).options)).rejects.toMatchObject({
      code: 'format',
    });
  });

  it('tells mistakes at once', () => {
    for (const average of [{}, { model: new nn.Linear(1, 1) }, { model: averaging('step', 0).averaged, by: 'batch' }]) {
      expect(() => train.fit(task({ average: average as never }).options)).toThrow('[fit] expected average.');
    }
  });
});

describe('a loss that is no number', () => {
  const inf = (x: Tensor) => x.mul(Infinity);
  class Bad extends nn.Module {
    forward(x: Tensor): Tensor {
      return inf(x.abs().add(1));
    }
  }
  const fail = (model: nn.Module, loss = mseLoss as train.FitOptions['loss'], scale = 1) => {
    manualSeed(1);
    const x = randn([4, 3]).mul(scale);
    const optimizer = new optim.SGD([new nn.Parameter(randn([1])), ...model.parameters()], { lr: 0.1 });
    return train.fit({ model, optimizer, loss, data: [[x, x]] });
  };

  it('names the first layer, innermost, and leaves buffers as they were after the step', async () => {
    const model = new nn.Sequential(new nn.BatchNorm1d(3), new nn.Sequential(new Bad(), new nn.ReLU()));
    await expect(fail(model)).rejects.toThrow("the first layer to give such values is '1.0' (Bad)");
    expect(model.getBuffer('0.num_batches_tracked').item()).toBe(1);
  });

  it('names data, a parameter, or the loss where it began there', async () => {
    const model = new nn.Linear(3, 3);
    await expect(fail(model, mseLoss, Number.NaN)).rejects.toThrow('in the data already, in input 0 of the batch');
    await expect(fail(model, (y) => inf(y.square().sum()))).rejects.toThrow('so they come from the loss function');
    nn.init.constant(model.weight, Infinity);
    await expect(fail(new nn.Sequential(model))).rejects.toThrow("parameter '0.weight' holds such values");
    await expect(fail(new Bad())).rejects.toThrow('is the model itself (Bad)');
  });
});

describe('nothing to train on', () => {
  it('is an error of data without batches, and of validation', async () => {
    const { options } = task({ epochs: 2 });
    await expect(train.fit({ ...options, data: [] })).rejects.toThrow('expected data to give at least one batch');
    const empty = new data.DataLoader(new data.TensorDataset(randn([0, 3]), randn([0, 1])), { batchSize: 4 });
    await expect(train.fit({ ...options, data: empty as train.Batches })).rejects.toThrow('at least one batch');
    await expect(train.fit({ ...options, validation: [] })).rejects.toThrow('expected validation to give at least one');
  });
});

describe('a checkpoint of another model', () => {
  it('lists the keys', async () => {
    const path = join(folder, 'other.safetensors');
    await train.fit(task({ epochs: 1, checkpoint: { path } }).options);
    const { options } = task({ checkpoint: { path, resume: true } });
    const model = new nn.Sequential(new nn.Linear(3, 2), new nn.Linear(2, 1));
    const optimizer = new optim.SGD(model.parameters(), { lr: 0.05 });
    const schedule = new optim.lrScheduler.LambdaLR(optimizer, () => 1);
    const failing = expect(train.fit({ ...options, model, optimizer, schedule })).rejects;
    await failing.toThrow(/unexpected 0\.running_mean, .*0\.weight of shape \[3\] instead of \[2, 3\]/);
  });
});
