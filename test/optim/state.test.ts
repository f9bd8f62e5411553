// Every optimizer: state dicts, groups, maximize, options, gradients that are missing or empty.
import { nn, optim, scope, Tensor, tensor, zeros } from 'chainrule';
import { describe, expect, it } from 'vitest';
import { codeOf } from '../thrown.js';

type Make = (params: ConstructorParameters<typeof optim.SGD>[0], options?: object) => optim.Optimizer;
const make =
  (Made: new (params: never, options: never) => unknown, own: object = {}): Make =>
  (params, options) =>
    new Made(params as never, { lr: 0.05, ...own, ...options } as never) as optim.Optimizer;

const KINDS: readonly (readonly [name: string, make: Make])[] = [
  ['SGD', make(optim.SGD, { momentum: 0.9, dampening: 0.1, weightDecay: 0.01 })],
  ['Adam', make(optim.Adam, { amsgrad: true })],
  ['AdamW', make(optim.AdamW)],
  ['Adagrad', make(optim.Adagrad, { lrDecay: 0.1, initialAccumulatorValue: 0.5 })],
  ['Adadelta', make(optim.Adadelta, { weightDecay: 0.1 })],
  ['RMSprop', make(optim.RMSprop)],
  ['RMSprop centered, with momentum', make(optim.RMSprop, { centered: true, momentum: 0.9 })],
  ['Adamax', make(optim.Adamax)],
  ['NAdam', make(optim.NAdam, { momentumDecay: 0.1 })],
  ['RAdam', make(optim.RAdam, { betas: [0.8, 0.9] })],
  ['ASGD', make(optim.ASGD, { t0: 2 })],
  ['Rprop', make(optim.Rprop)],
  ['Lion', make(optim.Lion, { weightDecay: 0.1 })],
];

const parameter = (values: number[], dtype: 'float32' | 'float64' = 'float32') =>
  new nn.Parameter(tensor(values, { dtype }));

/** Steps on sum (p - 3)^2 (k + 1), so that gradients change in size. */
function run(optimizer: optim.Optimizer, params: readonly Tensor[], steps: number, sign = 1): void {
  for (let k = 0; k < steps; k++) {
    scope(() => {
      optimizer.zeroGrad();
      for (const p of params) {
        p.sub(3)
          .square()
          .sum()
          .mul(sign * (k + 1))
          .backward();
      }
      optimizer.step();
    });
  }
}

describe.each(KINDS)('%s', (_, build) => {
  it('goes on bit for bit after its state went out and in', () => {
    const p = [parameter([0, 1, 5]), parameter([2], 'float64')];
    const first = build(p);
    run(first, p, 4);
    const saved = first.stateDict();
    expect(Object.keys(saved.state)).toEqual(['0', '1']);
    const q = p.map((x) => new nn.Parameter(x.detach().clone()));
    const second = build(q, { lr: 7 });
    second.loadStateDict(saved);
    run(first, p, 8);
    run(second, q, 8);
    expect(q.map((x) => x.toArray())).toEqual(p.map((x) => x.toArray()));
    expect(second.paramGroups[0].lr).toBe(0.05);
  });

  it('moves towards the smallest value, and away from it with maximize', () => {
    const [down, up] = [parameter([0, 5]), parameter([0, 5])];
    run(build([down]), [down], 5);
    run(build([up], { maximize: true }), [up], 5, -1);
    const [left, right] = down.toArray() as number[];
    expect(left).toBeGreaterThan(0);
    expect(right).toBeLessThan(5);
    expect(up.toArray()).toEqual(down.toArray());
  });

  it('has groups with options of their own, some added later', () => {
    const [a, b] = [parameter([0]), parameter([0])];
    const optimizer = build([{ params: [a] }]);
    optimizer.addParamGroup({ params: [b], lr: 0 });
    run(optimizer, [a, b], 2);
    // The first step of Rprop is the rate itself, held at its smallest; with decay the value 0 stays.
    expect(Math.abs(b.item())).toBeLessThan(1e-5);
    expect(a.item()).toBeGreaterThan(1e-4);
    expect(optimizer.stateDict().paramGroups.map((group) => group.params)).toEqual([[0], [1]]);
  });

  it('leaves alone what has no gradient, and takes empty and strided ones', () => {
    const [still, none] = [parameter([1]), new nn.Parameter(zeros([0, 2]))];
    const [square, same] = [new nn.Parameter(zeros([2, 2])), new nn.Parameter(zeros([2, 2]))];
    const optimizer = build([still, none, square, same]);
    none.grad = zeros([0, 2]);
    square.grad = tensor([1, 2, 3, 4]).reshape([2, 2]).t();
    same.grad = tensor([1, 3, 2, 4]).reshape([2, 2]);
    optimizer.step();
    expect(still.item()).toBe(1);
    expect(Object.keys(optimizer.stateDict().state)).not.toContain('0');
    expect(square.toArray()).toEqual(same.toArray());
  });

  it('refuses bad options, names it does not know, and states of others', () => {
    const p = parameter([1, 2]);
    expect(codeOf(() => build([p], { lr: -1 }))).toBe('value');
    expect(codeOf(() => build([p], { lr: Number.NaN }))).toBe('value');
    expect(codeOf(() => build([p], { rate: 1 }))).toBe('option');
    expect(codeOf(() => build([p], { maximize: 1 }))).toBe('value');
    expect(codeOf(() => build([]))).toBe('value');
    const optimizer = build([p]);
    run(optimizer, [p], 1);
    const good = optimizer.stateDict();
    const fields = good.state[0];
    const load = (state: object) =>
      codeOf(() => optimizer.loadStateDict({ ...good, state } as unknown as optim.OptimizerState));
    expect(load({ 0: { ...fields, extra: 1 } })).toBe('option');
    const [tensorName] = Object.entries(fields).find(([, value]) => value instanceof Tensor) as [string, Tensor];
    expect(load({ 0: { ...fields, [tensorName]: 1 } })).toBe('value');
    expect(load({ 0: { ...fields, [tensorName]: zeros([3]) } })).toBe('shape');
    expect(load({ 3: fields })).toBe('value');
    optimizer.paramGroups[0].lr = Number.NaN;
    expect(codeOf(() => optimizer.step())).toBe('value');
  });
});

describe('options out of range', () => {
  const p = parameter([1]);
  it.each<[string, () => unknown]>([
    ['Adagrad lrDecay', () => new optim.Adagrad([p], { lrDecay: -1 })],
    ['Adagrad eps', () => new optim.Adagrad([p], { eps: -1 })],
    ['Adadelta rho', () => new optim.Adadelta([p], { rho: 1.5 })],
    ['RMSprop alpha', () => new optim.RMSprop([p], { alpha: -1 })],
    ['RMSprop centered', () => new optim.RMSprop([p], { centered: 1 as unknown as boolean })],
    ['Adamax betas', () => new optim.Adamax([p], { betas: [0.9, 1] })],
    ['NAdam momentumDecay', () => new optim.NAdam([p], { momentumDecay: -1 })],
    ['RAdam betas', () => new optim.RAdam([p], { betas: [0.9] as unknown as [number, number] })],
    ['ASGD weightDecay', () => new optim.ASGD([p], { weightDecay: -1 })],
    ['Rprop etas', () => new optim.Rprop([p], { etas: [1.1, 1.2] })],
    ['Rprop stepSizes', () => new optim.Rprop([p], { stepSizes: [1] as unknown as [number, number] })],
    ['Lion betas', () => new optim.Lion([p], { betas: [-0.1, 0.9] })],
  ])('%s', (_, build) => {
    expect(codeOf(build)).toBe('value');
  });
});

describe('Lion', () => {
  it('follows its paper', () => {
    const p = parameter([1, -2], 'float64');
    const lion = new optim.Lion([p], { lr: 0.1, betas: [0.5, 0.75], weightDecay: 0.5 });
    const gradients = [
      [1, -1],
      [-3, 0],
      [2, 5],
    ];
    let [values, m] = [
      [1, -2],
      [0, 0],
    ];
    for (const g of gradients) {
      p.grad = tensor(g, { dtype: 'float64' });
      lion.step();
      values = values.map((v, i) => v * (1 - 0.1 * 0.5) - 0.1 * Math.sign(0.5 * m[i] + 0.5 * g[i]));
      m = m.map((v, i) => 0.75 * v + 0.25 * g[i]);
    }
    expect(p.toArray()).toEqual(values);
  });
});

describe('several parameters', () => {
  it('go in crossings by what their numbers have in common', () => {
    const params = Array.from({ length: 150 }, (_, i) => parameter([i], i % 5 === 0 ? 'float64' : 'float32'));
    const alone = params.map((p) => new nn.Parameter(p.detach().clone()));
    const together = new optim.NAdam(params, { lr: 0.1 });
    const single = alone.map((p) => new optim.NAdam([p], { lr: 0.1 }));
    for (let k = 0; k < 3; k++) {
      for (const [i, p] of params.entries()) {
        // Some skip steps, so that their counts differ.
        const skips = (i + k) % 3 === 0;
        for (const x of [p, alone[i]]) x.grad = skips ? null : tensor([i - 70 + k], { dtype: x.dtype });
      }
      together.step();
      for (const optimizer of single) optimizer.step();
    }
    expect(params.map((p) => p.item())).toEqual(alone.map((p) => p.item()));
  });
});
