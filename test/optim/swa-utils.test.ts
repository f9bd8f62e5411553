// optim.swaUtils: averages, statistics and rates as PyTorch 1.13 has them (fixtures/swa-utils.py), mistakes told.
import { readFileSync } from 'node:fs';
import { arange, nn, noGrad, ones, optim, type Tensor, tensor, zeros } from 'chainrule';
import { describe, expect, it } from 'vitest';
import { codeOf, codeOfAsync } from '../thrown.js';

const { AveragedModel, getEmaAvgFn, SWALR, updateBN } = optim.swaUtils;
const want = JSON.parse(readFileSync(new URL('fixtures/swa-utils.json', import.meta.url), 'utf8'));
const dtype = 'float64';

function model() {
  const net = new nn.Sequential(new nn.Linear(2, 2, { dtype }), new nn.BatchNorm1d(2, { dtype }));
  noGrad(() => {
    for (const [i, p] of net.parameters().entries()) {
      p.assign(
        arange(p.size, { dtype })
          .reshape(p.shape)
          .add(i + 1)
          .div(3)
          .sin(),
      );
    }
  });
  return net;
}
const batches = () => [0, 1, 2].map((k) => arange(8, { dtype }).reshape([4, 2]).mul(0.7).add(k).cos());

function run(options?: optim.swaUtils.AveragedModelOptions) {
  const net = model();
  const averaged = new AveragedModel(net, options);
  const optimizer = new optim.SGD(net.parameters(), { lr: 0.01 });
  for (const x of batches()) {
    optimizer.zeroGrad();
    net.forward(x).pow(3).sum().backward();
    optimizer.step();
    averaged.updateParameters(net);
  }
  return averaged;
}

function expectState(module: { stateDict(): Record<string, Tensor> }, state: Record<string, number[]>): void {
  const got = module.stateDict();
  expect(Object.keys(got)).toEqual(Object.keys(state));
  for (const [name, values] of Object.entries(state)) {
    for (const [i, value] of (got[name].flatten().toArray() as number[]).entries()) {
      expect(value, `${name}[${i}]`).toBeCloseTo(values[i], 12);
    }
  }
}

describe('AveragedModel', () => {
  it.each([
    ['mean', {}],
    ['buffers', { useBuffers: true }],
    ['ema', { avgFn: getEmaAvgFn(0.9), useBuffers: true }],
  ] as const)('%s as in PyTorch, state dict included', (name, options) => {
    expectState(run(options), want[name]);
  });

  it('is a copy: its forward uses the averages, the model keeps its own, states go from one to another', () => {
    const net = new nn.Linear(1, 1, { bias: false });
    const averaged = new AveragedModel(net);
    for (const value of [1, 2, 6]) {
      nn.init.constant(net.weight, value);
      averaged.updateParameters(net);
    }
    expect(averaged.forward(ones([1])).item()).toBe(3);
    expect(net.weight.item()).toBe(6);
    const other = new AveragedModel(net);
    other.loadStateDict(averaged.stateDict());
    expect([other.nAveraged.item(), other.module.weight.item()]).toEqual([3, 3]);
  });

  it('tells mistakes, and changes nothing then', () => {
    const averaged = new AveragedModel(new nn.Linear(2, 1));
    const before = averaged.module.weight.toArray();
    expect(codeOf(() => averaged.updateParameters(new nn.Linear(2, 3)))).toBe('value');
    expect(codeOf(() => averaged.updateParameters(new nn.Linear(2, 1, { bias: false })))).toBe('value');
    expect(codeOf(() => averaged.updateParameters(zeros([2]) as never))).toBe('value');
    expect([averaged.nAveraged.item(), averaged.module.weight.toArray()]).toEqual([0, before]);
    expect(codeOf(() => new AveragedModel(3 as never))).toBe('value');
    expect(codeOf(() => new AveragedModel(new nn.Linear(1, 1), { avgFn: 1 as never }))).toBe('value');
    expect(codeOf(() => new AveragedModel(new nn.Linear(1, 1), { useBuffers: 1 as never }))).toBe('value');
    expect(codeOf(() => new AveragedModel(new nn.Linear(1, 1), { decay: 1 } as never))).toBe('option');
    const silent = new AveragedModel(new nn.Linear(1, 1), { avgFn: () => undefined as never });
    silent.updateParameters(new nn.Linear(1, 1));
    expect(codeOf(() => silent.updateParameters(new nn.Linear(1, 1)))).toBe('value');
    expect(codeOf(() => getEmaAvgFn(1.5))).toBe('value');
  });
});

describe('updateBN', () => {
  it('as in PyTorch, from batches with targets, modes and momenta as before', async () => {
    const averaged = run();
    averaged.eval();
    await updateBN(
      batches().map((x) => [x, x]),
      averaged,
    );
    expectState(averaged, want.updateBN);
    expect(averaged.modules().map(({ training }) => training)).toEqual([false, false, false, false]);
    expect(averaged.module.getSubmodule('1')).toMatchObject({ momentum: 0.1 });
  });

  it('takes async batches, forgets NaN, gives everything back after an error', async () => {
    const norm = new nn.BatchNorm1d(1);
    norm.forward(tensor([[Number.NaN], [1]]));
    await updateBN(
      (async function* () {
        yield tensor([[1], [3]]);
      })(),
      norm,
    );
    expect([norm.runningMean?.toArray(), norm.runningVar?.toArray()]).toEqual([[2], [2]]);
    expect(await codeOfAsync(() => updateBN([3 as never], norm.eval()))).toBe('value');
    expect([norm.training, norm.momentum]).toEqual([false, 0.1]);
    expect(await codeOfAsync(() => updateBN(zeros([1]) as never, norm))).toBe('value');
    expect(await codeOfAsync(() => updateBN([], 3 as never))).toBe('value');
  });
});

describe('SWALR', () => {
  it.each(Object.keys(want.rates))('%s epochs, with another schedule in between, as in PyTorch', (name) => {
    const [annealStrategy, annealEpochs] = [name.split(' ')[0] as 'cos' | 'linear', Number(name.split(' ')[1])];
    const [a, b] = [new nn.Parameter(zeros([1])), new nn.Parameter(zeros([1]))];
    const groups = [
      { params: [a], lr: 1 },
      { params: [b], lr: 0.1 },
    ];
    const optimizer = new optim.SGD(groups, { lr: 1 });
    const other = new optim.lrScheduler.MultiplicativeLR(optimizer, () => 0.9);
    const swa = new SWALR(optimizer, [0.05, 0.2], { annealEpochs, annealStrategy });
    for (const [step, rates] of (want.rates[name] as number[][]).entries()) {
      (step === 2 ? other : swa).step();
      for (const [i, rate] of rates.entries()) expect(optimizer.paramGroups[i].lr).toBeCloseTo(rate, 14);
    }
  });

  it('goes on from a saved state, and tells mistakes', () => {
    const optimizer = new optim.SGD([new nn.Parameter(zeros([1]))], { lr: 1 });
    const schedule = new SWALR(optimizer, 0.5, { annealEpochs: 4 });
    schedule.step();
    const [saved, lr] = [schedule.stateDict(), optimizer.paramGroups[0].lr];
    schedule.step();
    const next = optimizer.paramGroups[0].lr;
    schedule.loadStateDict(JSON.parse(JSON.stringify(saved)));
    optimizer.paramGroups[0].lr = lr;
    schedule.step();
    expect(optimizer.paramGroups[0].lr).toBe(next);
    expect(codeOf(() => new SWALR(optimizer, [0.1, 0.2]))).toBe('value');
    expect(codeOf(() => new SWALR(optimizer, -1))).toBe('value');
    expect(codeOf(() => new SWALR(optimizer, 0.1, { annealEpochs: -1 }))).toBe('value');
    expect(codeOf(() => new SWALR(optimizer, 0.1, { annealStrategy: 'exp' as never }))).toBe('value');
    expect(codeOf(() => new SWALR(optimizer, 0.1, { swaLr: 1 } as never))).toBe('option');
  });
});
