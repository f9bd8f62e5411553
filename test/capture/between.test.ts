// What happens between steps and in JavaScript's part of one: groups, hooks, leaves made inside, functions that throw, memory sent away.
import { capture, Generator, grad, nn, noGrad, optim, randint, randn, type Tensor, tensor } from 'chainrule';
import { describe, expect, it } from 'vitest';
import { bits, compare, stateOf, type Twin, twins } from './twins.js';

const F = nn.functional;
const generator = new Generator(5);
const inputs = () => [randn([5, 4], { generator }), randint(0, 3, [5], { generator })] as [Tensor, Tensor];

/** Two layers, each with a part of the parameters. */
function layers() {
  const [first, second] = [new nn.Linear(4, 8), new nn.Linear(8, 3)];
  const model = new nn.ModuleList([first, second] as never) as unknown as Twin['model'];
  const lossOf = (x: Tensor, y: Tensor) => F.crossEntropy(second.forward(first.forward(x).relu()), y);
  return { model, first, second, lossOf };
}

/** A training step, with something after it. */
function trainer(optimizer: optim.Optimizer, lossOf: (x: Tensor, y: Tensor) => Tensor, after = () => {}) {
  return (x: Tensor, y: Tensor) => {
    optimizer.zeroGrad();
    const loss = lossOf(x, y);
    loss.backward();
    optimizer.step();
    after();
    return loss;
  };
}

describe('noticed between steps', () => {
  it('a group that is added: its gradients are cleared from then on', () => {
    compare({
      make() {
        const { model, first, lossOf } = layers();
        const optimizer = new optim.Adam(first.parameters(), { lr: 0.01 });
        return { model, optimizer, step: trainer(optimizer, lossOf) };
      },
      inputs,
      between(i, { model, optimizer }) {
        const params = model.parameters().slice(2);
        if (i === 5) (optimizer as optim.Adam).addParamGroup({ params, lr: 0.1 });
      },
      steps: 12,
      signatures: 3,
    });
  });

  it('a hook on a parameter, and its end', () => {
    let remove: (() => void)[] = [];
    compare({
      make() {
        const { model, lossOf } = layers();
        const optimizer = new optim.SGD(model.parameters(), { lr: 0.1 });
        return { model, optimizer, step: trainer(optimizer, lossOf) };
      },
      inputs,
      between(i, { model }) {
        if (i === 4) remove.push(model.parameters()[0].registerHook((g) => g.mul(0.5)));
        if (i === 8) {
          for (const end of remove) end();
          remove = [];
        }
      },
      steps: 12,
      signatures: 3,
    });
  });
});

describe('replayed, not recorded anew', () => {
  it('a step that makes leaves of its own: a gradient penalty', () => {
    compare({
      make() {
        const model = new nn.Sequential(new nn.Linear(4, 8), new nn.Tanh(), new nn.Linear(8, 1));
        const optimizer = new optim.Adam(model.parameters());
        const step = (x: Tensor) => {
          optimizer.zeroGrad();
          const at = x.detach();
          at.requiresGrad = true;
          const y = (model.forward(at) as Tensor).sum();
          const [slope] = grad(y, [at], { createGraph: true });
          const loss = slope.square().sum().sub(1).square().add(y);
          loss.backward();
          optimizer.step();
          return loss;
        };
        return { model: model as unknown as Twin['model'], optimizer, step };
      },
      inputs: () => [inputs()[0]],
      steps: 10,
    });
  });

  it('a step whose inputs need gradients', () => {
    const step = capture((x: Tensor) => x.square().sum().backward());
    for (const k of [1, 2, 3]) {
      const x = tensor([k, 2 * k], { requiresGrad: true });
      step(x);
      expect(x.grad?.toArray()).toEqual([2 * k, 4 * k]);
    }
    expect(step.signatures).toBe(1);
  });
});

describe('a function of the user that throws in the middle of a step', () => {
  const course = () => {
    const fails = { at: -1 };
    const make = () => {
      const { model, lossOf } = layers();
      const optimizer = new optim.Adam(model.parameters(), { lr: 0.1 });
      const schedule = new optim.lrScheduler.LambdaLR(optimizer, (epoch) => {
        if (epoch === fails.at) throw new Error('mine');
        return 1 / (1 + epoch);
      });
      return { model, optimizer, step: trainer(optimizer, lossOf, () => schedule.step()) };
    };
    return { fails, pair: twins(make) };
  };
  const outcome = async (fn: () => unknown) => {
    try {
      return bits((await fn()) as Tensor);
    } catch (error) {
      return (error as Error).message;
    }
  };

  it.each(['here', 'in the background'])('leaves what eager code leaves, and the step usable: %s', async (where) => {
    const { fails, pair } = course();
    const [eager, twin] = pair;
    const step = capture(twin.step);
    for (let i = 0; i < 8; i++) {
      // The first step of schedules happens where they are made.
      fails.at = i === 4 ? 5 : -1;
      const [x, y] = inputs();
      const expected = await outcome(() => eager.step(x, y));
      expect(expected === 'mine').toBe(i === 4);
      expect(await outcome(() => (where === 'here' ? step(x, y) : step.async(x, y)))).toBe(expected);
      expect(stateOf(twin), `state after step ${i}`).toEqual(stateOf(eager));
    }
    expect(step.signatures).toBe(1);
  });
});

describe('memory that is sent away', () => {
  const make = () => {
    const weight = randn([400, 400], { generator: new Generator(3) }).mul(0.05);
    const step = capture((x: Tensor) =>
      noGrad(() => {
        let y = x;
        for (let i = 0; i < 8; i++) y = y.matmul(weight).tanh();
        return y;
      }),
    );
    const x = randn([400, 400], { generator: new Generator(4) });
    return { weight, step, x, expected: bits(step(x)) };
  };

  it('between steps: the step says that it is gone', () => {
    const { weight, step, x } = make();
    const { buffer } = weight.data;
    structuredClone(buffer, { transfer: [buffer as ArrayBuffer] });
    expect(() => step(x)).toThrow('inside its buffer');
  });

  it('while a run works on it: it stays', async () => {
    const { weight, step, x, expected } = make();
    const values = weight.data;
    const run = step.async(x);
    try {
      structuredClone(values.buffer, { transfer: [values.buffer as ArrayBuffer] });
    } catch (error) {
      // From Node 21 on; Node 20 makes a copy.
      expect(error).toMatchObject({ name: 'DataCloneError' });
    }
    expect(values.byteLength).toBe(4 * 400 * 400);
    expect(bits(await run)).toBe(expected);
  });
});
