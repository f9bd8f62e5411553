// L-BFGS: PyTorch's iterates, resuming, mistakes.
import { nn, optim, scope, type Tensor, tensor } from 'chainrule';
import { describe, expect, it } from 'vitest';
import { codeOf } from '../thrown.js';

/** Rosenbrock's valley, and a second parameter that follows the first. */
function valley(options: optim.LBFGSOptions, factor = 1, from?: Tensor[]) {
  const [a, b] = (from ?? [tensor([-1.2, 1], { dtype: 'float64' }), tensor([[0.5]], { dtype: 'float64' })]).map(
    (x) => new nn.Parameter(x.detach().clone()),
  );
  const optimizer = new optim.LBFGS([a, b], options);
  const closure = () => {
    optimizer.zeroGrad();
    const [x, y] = [a.select(0, 0), a.select(0, 1)];
    const loss = y
      .sub(x.square())
      .square()
      .mul(100)
      .add(x.neg().add(1).square())
      .add(b.sub(x).pow(4).sum())
      .add(b.square().sum())
      .mul(factor);
    loss.backward();
    return loss;
  };
  return { a, b, optimizer, closure, values: () => [...(a.toArray() as number[]), b.item()] };
}

describe('LBFGS', () => {
  // Printed by torch 1.13 in float64 for the same function, options and six steps.
  it.each<[string, optim.LBFGSOptions, number, number[], number, number]>([
    ['fixed steps', { lr: 0.3 }, 0.02, [0.39462349308650857, 0.15289858493602737, 0.14528139848338467], 36, 36],
    [
      'fixed steps, a short history',
      { lr: 0.3, historySize: 3 },
      0.02,
      [-0.1136626758601169, -0.04968843459035528, -0.4339359843939558],
      36,
      36,
    ],
    [
      'line search',
      { lineSearchFn: 'strongWolfe' },
      1,
      [0.74994208642701, 0.5624093296983852, 0.24996374374526162],
      43,
      32,
    ],
    [
      'line search, a short history',
      { lineSearchFn: 'strongWolfe', historySize: 3 },
      1,
      [0.7354070211677379, 0.5412205359558465, 0.23743745200688027],
      42,
      30,
    ],
  ])('goes where PyTorch goes: %s', (_, options, factor, want, evals, iterations) => {
    const { optimizer, closure, values } = valley({ maxIter: 6, ...options }, factor);
    for (let k = 0; k < 6; k++) scope(() => void optimizer.step(closure));
    for (const [i, value] of values().entries()) expect(value).toBeCloseTo(want[i], 8);
    const state = optimizer.stateDict().state[0];
    expect([state.funcEvals, state.nIter]).toEqual([evals, iterations]);
  });

  it.each([null, 'strongWolfe'] as const)('goes on bit for bit after its state went out and in: %s', (lineSearchFn) => {
    const options = { maxIter: 3, lineSearchFn, lr: lineSearchFn === null ? 0.3 : 1 };
    const first = valley(options, 0.02);
    for (let k = 0; k < 3; k++) first.optimizer.step(first.closure);
    const second = valley({}, 0.02, [first.a, first.b]);
    second.optimizer.loadStateDict(first.optimizer.stateDict());
    for (let k = 0; k < 3; k++) {
      expect(second.optimizer.step(second.closure).item()).toBe(first.optimizer.step(first.closure).item());
    }
    expect(second.values()).toEqual(first.values());
  });

  it('returns the loss at the start, as a number too, and stops where the gradient is 0', () => {
    const p = new nn.Parameter(tensor([2]));
    const optimizer = new optim.LBFGS([p], { lineSearchFn: 'strongWolfe' });
    let count = 0;
    const closure = () => {
      count++;
      optimizer.zeroGrad();
      const loss = p.square().sum();
      loss.backward();
      return loss.item();
    };
    expect(optimizer.step(closure)).toBe(4);
    expect(p.item()).toBeCloseTo(0, 5);
    count = 0;
    optimizer.step(closure);
    expect(count).toBe(1);
  });

  it('takes a parameter without a gradient as one with zeros', () => {
    const [p, still] = [new nn.Parameter(tensor([2])), new nn.Parameter(tensor([7]))];
    const optimizer = new optim.LBFGS([p, still], { lr: 0.1 });
    optimizer.step(() => {
      optimizer.zeroGrad();
      const loss = p.square().sum();
      loss.backward();
      return loss;
    });
    expect(still.item()).toBe(7);
    expect(Math.abs(p.item())).toBeLessThan(2);
  });

  it('refuses bad options, several groups, and steps without a loss', () => {
    const p = new nn.Parameter(tensor([1]));
    const make = (options: object) => codeOf(() => new optim.LBFGS([p], options));
    expect(make({ lr: -1 })).toBe('value');
    expect(make({ maxIter: 0 })).toBe('value');
    expect(make({ maxEval: 1.5 })).toBe('value');
    expect(make({ historySize: 0 })).toBe('value');
    expect(make({ toleranceGrad: Number.NaN })).toBe('value');
    expect(make({ lineSearchFn: 'armijo' })).toBe('value');
    expect(make({ momentum: 1 })).toBe('option');
    const q = new nn.Parameter(tensor([1]));
    expect(codeOf(() => new optim.LBFGS([{ params: [p] }, { params: [q] }]))).toBe('value');
    const optimizer = new optim.LBFGS([p]);
    expect(codeOf(() => optimizer.step())).toBe('value');
    expect(codeOf(() => optimizer.step(() => 'low'))).toBe('value');
    expect(p.item()).toBe(1);
  });

  it('refuses states of others and changes nothing', () => {
    const { optimizer, closure } = valley({ maxIter: 3 }, 0.02);
    optimizer.step(closure);
    const good = optimizer.stateDict();
    const load = (fields: object) =>
      codeOf(() => optimizer.loadStateDict({ ...good, state: { 0: fields } } as unknown as optim.OptimizerState));
    expect(load({ ...good.state[0], extra: 1 })).toBe('option');
    expect(load({ ...good.state[0], t: 'far' })).toBe('value');
    expect(load({ ...good.state[0], d: tensor([1]) })).toBe('shape');
    expect(load({ ...good.state[0], oldSteps: tensor([[1, 2]]) })).toBe('shape');
    expect(optimizer.stateDict().state[0].nIter).toBe(good.state[0].nIter);
  });
});
