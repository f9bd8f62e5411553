// Schedules: several groups, momentum, going on from a state, mistakes. Their rates are in schedule-reference.test.ts.
import { nn, optim, tensor, zeros } from 'chainrule';
import { describe, expect, it } from 'vitest';
import { codeOf } from '../thrown.js';

const { lrScheduler } = optim;
type Any = optim.lrScheduler.Schedule & { step(value?: number): void };

const parameter = () => new nn.Parameter(zeros([1]));
const sgd = (...rates: number[]) =>
  new optim.SGD(
    rates.map((lr) => ({ params: [parameter()], lr })),
    { momentum: 0.5 },
  );
const ratesOf = (optimizer: optim.Optimizer) => optimizer.paramGroups.map((group) => group.lr);
/** One step; what is watched goes to those that watch. */
const advance = (schedule: Any, metric: number) =>
  schedule instanceof lrScheduler.ReduceLROnPlateau ? schedule.step(metric) : schedule.step();

const KINDS: readonly [name: string, make: (optimizer: optim.Optimizer) => Any][] = [
  ['LambdaLR', (o) => new lrScheduler.LambdaLR(o, (k) => 0.9 ** k)],
  ['MultiplicativeLR', (o) => new lrScheduler.MultiplicativeLR(o, (k) => (k % 2 === 0 ? 0.5 : 1.5))],
  ['StepLR', (o) => new lrScheduler.StepLR(o, 3)],
  ['MultiStepLR', (o) => new lrScheduler.MultiStepLR(o, [2, 7, 7])],
  ['ConstantLR', (o) => new lrScheduler.ConstantLR(o)],
  ['LinearLR', (o) => new lrScheduler.LinearLR(o, { totalIters: 7 })],
  ['ExponentialLR', (o) => new lrScheduler.ExponentialLR(o, 0.9)],
  ['PolynomialLR', (o) => new lrScheduler.PolynomialLR(o, { totalIters: 9, power: 2 })],
  ['CosineAnnealingLR', (o) => new lrScheduler.CosineAnnealingLR(o, 4)],
  ['CosineAnnealingWarmRestarts', (o) => new lrScheduler.CosineAnnealingWarmRestarts(o, 2, { tMult: 2 })],
  ['CyclicLR', (o) => new lrScheduler.CyclicLR(o, 0.1, [1, 2], { stepSizeUp: 3, mode: 'triangular2' })],
  ['OneCycleLR', (o) => new lrScheduler.OneCycleLR(o, [1, 2], { totalSteps: 12 })],
  ['ReduceLROnPlateau', (o) => new lrScheduler.ReduceLROnPlateau(o, { patience: 1, cooldown: 1 }) as unknown as Any],
  [
    'SequentialLR',
    (o) => new lrScheduler.SequentialLR(o, [new lrScheduler.LinearLR(o), new lrScheduler.StepLR(o, 2)], [4]),
  ],
  [
    'ChainedScheduler',
    (o) => new lrScheduler.ChainedScheduler([new lrScheduler.LinearLR(o), new lrScheduler.ExponentialLR(o, 0.5)]),
  ],
];

describe.each(KINDS)('%s', (_, make) => {
  const metrics = [3, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1];
  it('goes on from its state and that of the optimizer as if nothing had been', () => {
    const first = sgd(0.4, 0.2);
    const schedule = make(first);
    for (const metric of metrics.slice(0, 5)) advance(schedule, metric);
    // Through JSON, as checkpoints keep it.
    const saved = JSON.parse(JSON.stringify([first.stateDict(), schedule.stateDict()])) as [
      optim.OptimizerState,
      optim.lrScheduler.ScheduleState,
    ];
    const second = sgd(7, 8);
    const resumed = make(second);
    second.loadStateDict(saved[0]);
    resumed.loadStateDict(saved[1]);
    expect(resumed.getLastLr()).toEqual(schedule.getLastLr());
    for (const metric of metrics.slice(5)) {
      advance(schedule, metric);
      advance(resumed, metric);
      expect(second.stateDict().paramGroups).toEqual(first.stateDict().paramGroups);
      expect(resumed.stateDict()).toEqual(schedule.stateDict());
    }
  });

  it('sets the rates of all groups, and gives the last ones', () => {
    const optimizer = sgd(0.4, 0.2);
    const schedule = make(optimizer);
    const before = ratesOf(optimizer);
    for (const metric of metrics.slice(0, 8)) advance(schedule, metric);
    const after = ratesOf(optimizer);
    expect(after.map((lr, i) => lr !== before[i])).toEqual([true, true]);
    expect(schedule.getLastLr()).toEqual(after);
  });

  it('refuses a state that is none of its own and changes nothing', () => {
    const schedule = make(sgd(0.4, 0.2));
    advance(schedule, 1);
    const state = schedule.stateDict();
    const load = (saved: unknown) => codeOf(() => schedule.loadStateDict(saved as optim.lrScheduler.ScheduleState));
    expect(load(null)).toBe('value');
    expect(load({})).toBe('value');
    expect(load({ ...state, extra: 1 })).toBe('option');
    expect(load({ ...state, lastLr: [1] })).toBe('value');
    expect(load({ ...state, lastLr: 'fast' })).toBe('value');
    expect(schedule.stateDict()).toEqual(state);
  });

  it('refuses what is no optimizer', () => {
    expect(codeOf(() => make({} as optim.Optimizer))).toBe('value');
  });
});

describe('momentum', () => {
  it('goes against the rate in CyclicLR, as momentum or as the first of betas', () => {
    const momenta = (optimizer: optim.Optimizer, read: () => number) => {
      const schedule = new lrScheduler.CyclicLR(optimizer, 0, 1, {
        stepSizeUp: 2,
        baseMomentum: 0.5,
        maxMomentum: 0.9,
      });
      return [0, 1, 2, 3, 4].map(() => {
        const value = read();
        schedule.step();
        return value.toFixed(3);
      });
    };
    const want = ['0.900', '0.700', '0.500', '0.700', '0.900'];
    const plain = new optim.SGD([parameter()]);
    expect(momenta(plain, () => plain.paramGroups[0].momentum)).toEqual(want);
    const adam = new optim.Adam([parameter()]);
    expect(momenta(adam, () => adam.paramGroups[0].betas[0])).toEqual(want);
    expect(adam.paramGroups[0].betas[1]).toBe(0.999);
  });

  it('goes down and up again in OneCycleLR, and stays up in the third phase', () => {
    const optimizer = new optim.SGD([parameter()]);
    const schedule = new lrScheduler.OneCycleLR(optimizer, 1, { totalSteps: 11, pctStart: 3 / 11, threePhase: true });
    const momenta = Array.from({ length: 10 }, () => {
      const { momentum } = optimizer.paramGroups[0];
      schedule.step();
      return momentum.toFixed(2);
    });
    expect(momenta).toEqual(['0.95', '0.90', '0.85', '0.90', '0.95', '0.95', '0.95', '0.95', '0.95', '0.95']);
  });

  it('is what the next step uses', () => {
    const p = parameter();
    const optimizer = new optim.SGD([p], { lr: 1 });
    new lrScheduler.CyclicLR(optimizer, 1, 2, { stepSizeUp: 1, baseMomentum: 0, maxMomentum: 0.5 });
    for (let i = 0; i < 2; i++) {
      p.grad = tensor([1]);
      optimizer.step();
    }
    expect(p.item()).toBe(-1 - 1.5);
  });

  it('is asked for where there is none', () => {
    const adagrad = new optim.Adagrad([parameter()]);
    expect(codeOf(() => new lrScheduler.CyclicLR(adagrad, 0, 1))).toBe('value');
    expect(codeOf(() => new lrScheduler.OneCycleLR(adagrad, 1, { totalSteps: 3 }))).toBe('value');
    expect(codeOf(() => new lrScheduler.CyclicLR(adagrad, 0, 1, { cycleMomentum: false }))).toBe('none');
  });
});

describe('step', () => {
  it('takes an epoch, and the closed form there', () => {
    const optimizer = sgd(1);
    const schedule = new lrScheduler.ExponentialLR(optimizer, 0.5);
    schedule.step(3);
    expect(ratesOf(optimizer)).toEqual([0.125]);
    schedule.step();
    expect(ratesOf(optimizer)).toEqual([0.0625]);
    expect(codeOf(() => schedule.step(-1))).toBe('value');
  });

  it('moves within an epoch between warm restarts', () => {
    const optimizer = sgd(1);
    const schedule = new lrScheduler.CosineAnnealingWarmRestarts(optimizer, 2, { tMult: 2 });
    schedule.step(4.5);
    // Restarts at 0, 2 and 6: 2.5 of 4.
    expect(ratesOf(optimizer)[0]).toBeCloseTo((1 + Math.cos((Math.PI * 2.5) / 4)) / 2, 12);
  });

  it('leaves room for changes of the rate by others', () => {
    const optimizer = sgd(1);
    const schedule = new lrScheduler.ExponentialLR(optimizer, 0.5);
    optimizer.paramGroups[0].lr = 10;
    schedule.step();
    expect(ratesOf(optimizer)).toEqual([5]);
  });

  it('takes a group that was added since', () => {
    const optimizer = sgd(1);
    const schedule = new lrScheduler.StepLR(optimizer, 1, { gamma: 0.5 });
    optimizer.addParamGroup({ params: [parameter()], lr: 0.8 });
    schedule.step();
    expect(ratesOf(optimizer)).toEqual([0.5, 0.4]);
  });

  it('refuses a rate that is none, and leaves the old ones', () => {
    const optimizer = sgd(1, 2);
    const schedule = new lrScheduler.LambdaLR(optimizer, [() => 1, (k) => (k === 1 ? Number.NaN : 1)]);
    expect(codeOf(() => schedule.step())).toBe('value');
    expect(ratesOf(optimizer)).toEqual([1, 2]);
  });

  it('ends with the steps of OneCycleLR', () => {
    const schedule = new lrScheduler.OneCycleLR(sgd(1), 1, { totalSteps: 3 });
    for (let i = 0; i < 3; i++) schedule.step();
    expect(codeOf(() => schedule.step())).toBe('value');
  });

  it('reads the number to watch from a tensor', () => {
    const optimizer = sgd(1);
    const schedule = new lrScheduler.ReduceLROnPlateau(optimizer, { patience: 0, factor: 0.5 });
    schedule.step(tensor(2));
    schedule.step(Number.NaN);
    expect(ratesOf(optimizer)).toEqual([0.5]);
    expect(codeOf(() => schedule.step('2' as unknown as number))).toBe('value');
  });
});

describe('lastEpoch', () => {
  it('goes on with an optimizer that knows its initial rates', () => {
    const first = sgd(1);
    const schedule = new lrScheduler.CosineAnnealingLR(first, 8);
    for (let i = 0; i < 3; i++) schedule.step();
    const second = sgd(5);
    expect(codeOf(() => new lrScheduler.CosineAnnealingLR(second, 8, { lastEpoch: 3 }))).toBe('value');
    second.loadStateDict(first.stateDict());
    new lrScheduler.CosineAnnealingLR(second, 8, { lastEpoch: 3 });
    schedule.step();
    expect(ratesOf(second)[0]).toBeCloseTo(ratesOf(first)[0], 12);
  });
});

describe('mistakes', () => {
  const o = sgd(1, 2);
  const other = sgd(1);
  it.each<[string, () => unknown, string]>([
    ['an unknown option', () => new lrScheduler.StepLR(o, 2, { factor: 1 } as object), 'option'],
    ['options that are no object', () => new lrScheduler.ExponentialLR(o, 0.5, 3 as unknown as object), 'option'],
    ['a step size of 0', () => new lrScheduler.StepLR(o, 0), 'value'],
    ['a gamma as text', () => new lrScheduler.ExponentialLR(o, '1' as unknown as number), 'value'],
    ['milestones that are no list', () => new lrScheduler.MultiStepLR(o, 3 as unknown as number[]), 'value'],
    ['half a milestone', () => new lrScheduler.MultiStepLR(o, [1.5]), 'value'],
    ['a factor above 1', () => new lrScheduler.ConstantLR(o, { factor: 2 }), 'value'],
    ['a start from 0', () => new lrScheduler.LinearLR(o, { startFactor: 0 }), 'value'],
    ['no epochs at all', () => new lrScheduler.PolynomialLR(o, { totalIters: 0 }), 'value'],
    ['a tMax of 0', () => new lrScheduler.CosineAnnealingLR(o, 0), 'value'],
    ['a t0 of 0', () => new lrScheduler.CosineAnnealingWarmRestarts(o, 0), 'value'],
    ['an unknown mode', () => new lrScheduler.CyclicLR(o, 0, 1, { mode: 'sine' as 'triangular' }), 'value'],
    ['rates for other groups', () => new lrScheduler.CyclicLR(o, [0, 0, 0], 1), 'value'],
    ['no number of steps', () => new lrScheduler.OneCycleLR(o, 1), 'value'],
    ['a part above 1', () => new lrScheduler.OneCycleLR(o, 1, { totalSteps: 5, pctStart: 1.5 }), 'value'],
    ['a factor of 1', () => new lrScheduler.ReduceLROnPlateau(o, { factor: 1 }), 'value'],
    ['too few functions', () => new lrScheduler.LambdaLR(o, [() => 1]), 'value'],
    ['no function', () => new lrScheduler.MultiplicativeLR(o, 0.5 as unknown as () => number), 'value'],
    ['no schedules', () => new lrScheduler.ChainedScheduler([]), 'value'],
    [
      'schedules of two optimizers',
      () => new lrScheduler.ChainedScheduler([new lrScheduler.StepLR(o, 1), new lrScheduler.StepLR(other, 1)]),
      'value',
    ],
    [
      'too many milestones',
      () => new lrScheduler.SequentialLR(other, [new lrScheduler.StepLR(other, 1)], [1]),
      'value',
    ],
    [
      'milestones that fall',
      () =>
        new lrScheduler.SequentialLR(
          other,
          [1, 2, 3].map(() => new lrScheduler.StepLR(other, 1)),
          [3, 2],
        ),
      'value',
    ],
  ])('%s', (_, make, code) => {
    expect(codeOf(make)).toBe(code);
  });
});
