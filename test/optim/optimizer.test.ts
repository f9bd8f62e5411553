// What all optimizers share: groups, state, skipped parameters, many parameters, errors.
import { nn, ones, optim, scope, type Tensor, TensorError, tensor, zeros } from 'chainrule';
import { describe, expect, it } from 'vitest';

const parameter = (values: number[], dtype: 'float32' | 'float64' = 'float32') =>
  new nn.Parameter(tensor(values, { dtype }));
const setGrad = (p: Tensor, values: number[]) => {
  p.grad = tensor(values, { dtype: p.dtype });
};
const codeOf = (fn: () => unknown): [string, string] => {
  try {
    fn();
  } catch (error) {
    if (error instanceof TensorError) return [error.code, error.op];
    throw error;
  }
  return ['none', ''];
};

describe('step', () => {
  it('skips parameters without a gradient and does not start their state', () => {
    const [a, b] = [parameter([1]), parameter([1])];
    const optimizer = new optim.Adam([a, b], { lr: 0.1 });
    setGrad(a, [1]);
    optimizer.step();
    expect(b.item()).toBe(1);
    expect(Object.keys(optimizer.stateDict().state)).toEqual(['0']);
    // b starts later, with a step count of its own.
    setGrad(b, [1]);
    optimizer.step();
    expect(b.item()).toBeCloseTo(0.9, 6);
    expect(optimizer.stateDict().state[0].step).toBe(2);
    expect(optimizer.stateDict().state[1].step).toBe(1);
  });

  it('updates hundreds of parameters of both precisions, each by its own gradient', () => {
    const params = Array.from({ length: 300 }, (_, i) => parameter([i, 2 * i], i % 7 === 0 ? 'float64' : 'float32'));
    const sgd = new optim.SGD(params, { lr: 0.5, momentum: 0.9, dampening: 0.5 });
    for (const [i, p] of params.entries()) if (i % 3 !== 0) setGrad(p, [i, 1]);
    sgd.step();
    for (const [i, p] of params.entries()) {
      const moved = i % 3 !== 0;
      expect(p.toArray()).toEqual(moved ? [i - 0.5 * i, 2 * i - 0.5] : [i, 2 * i]);
    }
    // Those that start now take the whole gradient, the others half of it: g = 1, b = 0.9 b + 0.5.
    for (const p of params) setGrad(p, [1, 1]);
    sgd.step();
    expect(params[6].toArray()).toEqual([6 - 0.5, 12 - 0.5]);
    expect((params[1].toArray() as number[])[1]).toBeCloseTo(1.5 - 0.5 * 1.4, 6);
  });

  it('takes gradients that are not contiguous and 0-size parameters', () => {
    const p = new nn.Parameter(zeros([2, 2]));
    const none = new nn.Parameter(zeros([0, 3]));
    const sgd = new optim.SGD([none, p], { lr: 1 });
    p.grad = tensor([
      [1, 2],
      [3, 4],
    ]).t();
    none.grad = zeros([0, 3]);
    sgd.step();
    expect(p.toArray()).toEqual([
      [-1, -3],
      [-2, -4],
    ]);
  });

  it('makes a saved value stale, so that backward notices', () => {
    const p = parameter([2]);
    const y = p.square().sum();
    setGrad(p, [1]);
    new optim.SGD([p], { lr: 1 }).step();
    expect(codeOf(() => y.backward())[0]).toBe('version');
  });

  it('runs a closure first and returns its loss', () => {
    const p = parameter([3]);
    const sgd = new optim.SGD([p], { lr: 0.1 });
    const loss = sgd.step(() => {
      const y = p.square().sum();
      y.backward();
      return y.item();
    });
    expect(loss).toBe(9);
    expect(p.item()).toBeCloseTo(2.4, 6);
  });

  it('keeps its state when a scope around the step ends', () => {
    const p = parameter([1]);
    const adam = new optim.Adam([p], { lr: 0.1, amsgrad: true });
    for (let i = 0; i < 3; i++) {
      scope(() => {
        adam.zeroGrad();
        p.square().sum().backward();
        adam.step();
      });
    }
    expect(adam.stateDict().state[0].step).toBe(3);
    expect(p.item()).toBeLessThan(0.8);
  });

  it('refuses a learning rate that a schedule broke', () => {
    const p = parameter([1]);
    const sgd = new optim.SGD([p], { lr: 1 });
    setGrad(p, [1]);
    sgd.paramGroups[0].lr = Number.NaN;
    expect(codeOf(() => sgd.step())).toEqual(['value', 'SGD']);
    expect(p.item()).toBe(1);
  });
});

describe('zeroGrad', () => {
  it('forgets gradients, and leaves those that somebody holds', () => {
    const p = parameter([1, 2]);
    p.square().sum().backward();
    const held = p.grad as Tensor;
    new optim.SGD([p], { lr: 1 }).zeroGrad();
    expect(p.grad).toBeNull();
    expect(held.toArray()).toEqual([2, 4]);
  });
});

describe('groups', () => {
  it('have options of their own, that may change between steps', () => {
    const [a, b] = [parameter([1]), parameter([1])];
    const sgd = new optim.SGD([{ params: [a], lr: 0.5 }, { params: [b] }], { lr: 0.1 });
    for (const p of [a, b]) setGrad(p, [1]);
    sgd.step();
    expect([a.item(), b.item()].map((v) => v.toFixed(3))).toEqual(['0.500', '0.900']);
    sgd.paramGroups[1].lr = 0.2;
    sgd.step();
    expect([a.item(), b.item()].map((v) => v.toFixed(3))).toEqual(['0.000', '0.700']);
  });

  it('may be added later', () => {
    const [a, b] = [parameter([1]), parameter([1])];
    const sgd = new optim.SGD([a], { lr: 1 });
    sgd.addParamGroup({ params: [b], lr: 0.25 });
    for (const p of [a, b]) setGrad(p, [1]);
    sgd.step();
    expect([a.item(), b.item()]).toEqual([0, 0.75]);
  });
});

describe('stateDict', () => {
  const run = (optimizer: optim.Optimizer, p: Tensor, steps: number) => {
    for (let i = 0; i < steps; i++) {
      optimizer.zeroGrad();
      p.sub(tensor([3, -1]))
        .square()
        .sum()
        .backward();
      optimizer.step();
    }
  };
  it.each([
    ['SGD', (p: Tensor) => new optim.SGD([p], { lr: 0.05, momentum: 0.9, dampening: 0.1 })],
    ['Adam', (p: Tensor) => new optim.Adam([p], { lr: 0.05, amsgrad: true })],
    ['AdamW', (p: Tensor) => new optim.AdamW([p], { lr: 0.05, weightDecay: 0.1 })],
  ] as const)('%s goes on bit for bit after loading', (_, make) => {
    const p = parameter([0, 0]);
    const first = make(p);
    run(first, p, 3);
    const [values, saved] = [p.detach().clone(), first.stateDict()];
    // Another optimizer with other options takes all over.
    const q = new nn.Parameter(values);
    const second = make(q);
    second.paramGroups[0].lr = 7;
    second.loadStateDict(saved);
    run(first, p, 3);
    run(second, q, 3);
    expect(q.toArray()).toEqual(p.toArray());
  });

  it('copies: the source may train on', () => {
    const p = parameter([1]);
    const sgd = new optim.SGD([p], { lr: 1, momentum: 0.5 });
    setGrad(p, [1]);
    sgd.step();
    const other = new optim.SGD([parameter([1])], { lr: 1, momentum: 0.5 });
    other.loadStateDict(sgd.stateDict());
    sgd.step();
    expect((other.stateDict().state[0].momentumBuffer as Tensor).item()).toBe(1);
    expect((sgd.stateDict().state[0].momentumBuffer as Tensor).item()).toBe(1.5);
  });

  it('refuses what does not fit and changes nothing', () => {
    const make = (values: number[]) => {
      const p = parameter(values);
      const adam = new optim.Adam([p], { lr: 0.1 });
      setGrad(p, values);
      adam.step();
      return adam;
    };
    const adam = make([1, 2]);
    const good = adam.stateDict();
    const op = 'Adam.loadStateDict';
    const load = (saved: unknown) => codeOf(() => adam.loadStateDict(saved as optim.OptimizerState));
    expect(load(null)).toEqual(['value', op]);
    expect(load({ ...good, paramGroups: [] })).toEqual(['value', op]);
    expect(load(make([1]).stateDict())).toEqual(['shape', op]);
    expect(load({ ...good, state: { 5: good.state[0] } })).toEqual(['value', op]);
    expect(load({ ...good, state: { 0: { step: 1 } } })).toEqual(['value', op]);
    expect(load({ ...good, state: { 0: { ...good.state[0], step: 'one' } } })).toEqual(['value', op]);
    expect(load({ ...good, state: { 0: { ...good.state[0], other: 1 } } })).toEqual(['option', op]);
    expect(load({ ...good, paramGroups: [{ ...good.paramGroups[0], lr: -1 }] })[0]).toBe('value');
    expect(load({ ...good, paramGroups: [{ ...good.paramGroups[0], rate: 1 }] })[0]).toBe('option');
    expect(adam.paramGroups[0].lr).toBe(0.1);
    expect(adam.stateDict().state[0].step).toBe(1);
  });
});

describe('bad input', () => {
  const p = parameter([1]);
  it.each<[string, () => unknown, string]>([
    ['an unknown option', () => new optim.SGD([p], { rate: 1 } as object), 'option'],
    ['options that are no object', () => new optim.AdamW([p], 0.1 as unknown as object), 'option'],
    ['an unknown option of a group', () => new optim.SGD([{ params: [p], rate: 1 } as { params: Tensor[] }]), 'option'],
    ['a negative learning rate', () => new optim.SGD([p], { lr: -1 }), 'value'],
    ['a learning rate as text', () => new optim.Adam([p], { lr: '1' as unknown as number }), 'value'],
    ['betas of 1', () => new optim.Adam([p], { betas: [1, 0.9] }), 'value'],
    ['nesterov without momentum', () => new optim.SGD([p], { nesterov: true }), 'value'],
    ['no parameters', () => new optim.SGD([]), 'value'],
    ['a model in place of its parameters', () => new optim.SGD(new nn.ReLU() as unknown as Tensor[]), 'value'],
    ['a group without params', () => new optim.SGD([{ lr: 1 } as unknown as Tensor]), 'value'],
    ['a parameter twice', () => new optim.SGD([p, p]), 'value'],
    ['a parameter in two groups', () => new optim.SGD([{ params: [p] }, { params: [p] }]), 'value'],
    ['a number as a parameter', () => new optim.SGD([{ params: [1 as unknown as Tensor] }]), 'value'],
    ['a value in the middle of a graph', () => new optim.SGD([p.mul(2)]), 'grad'],
    ['integers', () => new optim.SGD([tensor([1], { dtype: 'int32' })]), 'dtype'],
    ['a view with gaps', () => new optim.SGD([ones([2, 3]).t()]), 'value'],
  ])('%s', (_, make, code) => {
    expect(codeOf(make)[0]).toBe(code);
  });
});
