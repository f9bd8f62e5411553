// Memory of captured steps: budgets that they do not fit into, flat over replays, fewer bytes than without a plan.
import { capture, emptyCache, memory, nn, noGrad, ones, optim, randn, setMemoryBudget, type Tensor } from 'chainrule';
import { afterEach, describe, expect, it } from 'vitest';
import { settle } from '../settle.js';
import { thrown } from '../thrown.js';

describe('a memory budget', () => {
  afterEach(() => setMemoryBudget(Number.POSITIVE_INFINITY));

  it('that the step does not fit into', () => {
    emptyCache();
    const w = ones([64, 1024]);
    const step = capture((x: Tensor) => x.matmul(w).relu().exp().sum());
    const x = ones([64, 64]);
    setMemoryBudget(memory().bytes + 300_000);
    expect(thrown(() => step(x))).toMatchObject({ code: 'memory' });
    expect(step.signatures).toBe(0);
    setMemoryBudget(Number.POSITIVE_INFINITY);
    expect(step(x).item()).toBe(x.matmul(w).relu().exp().sum().item());
  });

  // The buffers of the first call fit; the arena, one buffer for all of them, is rounded up and does not.
  const tight = (change: (p: nn.Parameter) => void) => {
    const p = new nn.Parameter(ones([512, 1]));
    const step = capture((x: Tensor) => {
      p.zeroGrad();
      const loss = x.matmul(p).mean();
      loss.backward();
      change(p);
      return loss;
    });
    const x = ones([512, 512]);
    settle();
    setMemoryBudget(memory().bytes + x.size * 4 + 2 ** 17);
    const error = thrown(() => step(x));
    setMemoryBudget(Number.POSITIVE_INFINITY);
    expect(error).toMatchObject({ code: 'memory', op: 'capture' });
    expect(step.signatures).toBe(0);
    return { p, step, x, error };
  };

  it('that its replays would not fit into, before the optimizer has changed anything', () => {
    let optimizer: optim.Adam | null = null;
    const { p, step, x } = tight((parameter) => {
      optimizer ??= new optim.Adam([parameter], { lr: 0.5 });
      optimizer.step();
    });
    expect(p.toArray()).toEqual(ones([512, 1]).toArray());
    expect((optimizer as unknown as optim.Adam).stateDict().state).toEqual({});
    step(x);
    expect(step.signatures).toBe(1);
    expect(p.at(0, 0).item()).toBeCloseTo(0.5);
  });

  it('that only shows when the function has run: the message says so', () => {
    const { p, error } = tight((parameter) => noGrad(() => parameter.assign(parameter.mul(2))));
    expect(error.message).toContain('the function has run, and what it changed stays changed');
    expect(p.at(0, 0).item()).toBe(2);
  });
});

describe('a step takes', () => {
  it('nothing that stays behind: memory is flat', () => {
    const model = new nn.Linear(20, 20);
    const optimizer = new optim.SGD(model.parameters(), { lr: 0.01 });
    const step = capture((x: Tensor) => {
      optimizer.zeroGrad();
      model.forward(x).square().mean().backward();
      optimizer.step();
    });
    const x = randn([8, 20]);
    step(x);
    step(x);
    const before = memory();
    for (let i = 0; i < 50; i++) step(x);
    expect(memory().tensors).toBe(before.tensors);
  });

  it('fewer bytes than without a plan', () => {
    const step = capture((x: Tensor) => {
      let y = x;
      for (let i = 0; i < 10; i++) y = y.matmul(x);
      return y.sum();
    });
    step(ones([64, 64]).mul(0.01));
    const { arena, unshared, inputs, outputs, persistent } = step.memory;
    expect(inputs).toBe(64 * 64 * 4);
    expect(outputs).toBe(4);
    expect(persistent).toBe(0);
    expect(arena).toBeLessThanOrEqual(4 * 64 * 64 * 4);
    expect(unshared).toBeGreaterThan(10 * 64 * 64 * 4);
  });
});
