// What a captured function must not do, what goes wrong in it, and what it leaves behind.
import {
  capture,
  linalg,
  memory,
  nn,
  noGrad,
  ones,
  optim,
  randn,
  type Tensor,
  TensorError,
  tensor,
  zeros,
} from 'chainrule';
import { describe, expect, it } from 'vitest';
import { thrown } from '../thrown.js';
import { bits } from './twins.js';

const F = nn.functional;

const halves = tensor([0.5, 0.5]);
const twice = tensor([1, 2, 3]).reshape([3, 1, 1]);
const int = (values: number[]) => tensor(values, { dtype: 'int32' });
const refused = (fn: (x: Tensor) => unknown) => thrown(() => capture(fn)(tensor([1, 2, 3])));

describe('refused inside, with the line and the remedy', () => {
  it.each<[string, (x: Tensor) => unknown, string]>([
    ['item()', (x) => x.sum().item(), 'item'],
    ['data', (x) => x.mul(2).data, 'data'],
    ['toArray()', (x) => x.toArray(), 'toArray'],
    ['printing', (x) => `${x.add(1)}`, 'toString'],
    ['nonzero', (x) => x.nonzero(), 'nonzero'],
    ['maskedSelect', (x) => x.maskedSelect(x.gt(1)), 'maskedSelect'],
    ['unique', (x) => x.unique(), 'unique'],
    ['a boolean index', (x) => x.at(x.gt(1)), 'at'],
    ['tensor()', () => tensor([1]), 'tensor'],
  ])('%s', (_, fn, op) => {
    const error = refused(fn);
    expect(error).toMatchObject({ code: 'capture', op });
    expect(error.message).toContain('refusals.test.ts:');
  });

  it('a captured step', () => {
    const inner = capture((x: Tensor) => x.add(1));
    expect(refused((x) => inner(x))).toMatchObject({ code: 'capture' });
    expect(inner(ones([2])).toArray()).toEqual([2, 2]);
  });

  it('a schedule that watches a number', () => {
    const optimizer = new optim.SGD([new nn.Linear(3, 1).weight], { lr: 1 });
    const plateau = new optim.lrScheduler.ReduceLROnPlateau(optimizer);
    const error = refused((x) => {
      plateau.step(1);
      return x.add(1);
    });
    expect(error).toMatchObject({ code: 'capture', op: 'ReduceLROnPlateau' });
    plateau.step(1);
    expect(plateau.lastEpoch).toBe(1);
  });

  it('a step in another thread: it cannot be sent there', () => {
    const step = capture((x: Tensor) => x.add(1));
    step(ones([2]));
    expect(() => structuredClone(step)).toThrow('could not be cloned');
  });

  it('an asynchronous function', () => {
    expect(refused(async (x) => x.add(1))).toMatchObject({ code: 'capture' });
  });

  it('an input changed in place', () => {
    expect(refused((x) => x.assign(x.mul(2)))).toMatchObject({ code: 'capture' });
  });

  it('an input with a graph', () => {
    const w = tensor([1, 2, 3], { requiresGrad: true });
    const step = capture((x: Tensor) => x.mul(2));
    expect(thrown(() => step(w.mul(2)))).toMatchObject({ code: 'capture' });
    step(w.detach());
    expect(thrown(() => step(w.mul(2)))).toMatchObject({ code: 'capture' });
  });

  it('a module that is given another tensor, which a replay could not do', () => {
    class Counter extends nn.Module {
      count = this.registerBuffer('count', zeros([]));
      forward(x: Tensor) {
        this.count = this.count.add(1);
        return x.add(this.count);
      }
    }
    expect(refused((x) => new Counter().forward(x))).toBeUndefined();
    const counter = new Counter();
    expect(refused((x) => counter.forward(x))).toMatchObject({ code: 'capture' });
  });

  it('wrong arguments', () => {
    expect(thrown(() => capture(3 as never))).toMatchObject({ code: 'value', op: 'capture' });
    expect(thrown(() => capture((x: Tensor) => x, { maxSignature: 2 } as never))).toMatchObject({ code: 'option' });
    expect(thrown(() => capture((x: Tensor) => x, { maxSignatures: 0 }))).toMatchObject({ code: 'value' });
  });
});

describe('what goes wrong', () => {
  it('an exception leaves nothing half recorded, and no memory', () => {
    const p = new nn.Parameter(ones([3]));
    let fail = true;
    const step = capture((x: Tensor) => {
      const y = x.mul(p).exp();
      if (fail) throw new Error('mine');
      return y;
    });
    const before = memory().tensors;
    expect(() => step(ones([3]))).toThrow('mine');
    expect(step.signatures).toBe(0);
    expect(memory().tensors - before).toBeLessThanOrEqual(1);
    fail = false;
    expect(step(ones([3])).toArray()).toEqual(ones([3]).exp().toArray());
    expect(step(ones([3])).toArray()).toEqual(ones([3]).exp().toArray());
    expect(ones([2]).add(1).toArray()).toEqual([2, 2]);
  });

  it('a bad index in a replay gives the error of the operation, before anything has changed', () => {
    const make = () => {
      const model = new nn.Linear(3, 4);
      const optimizer = new optim.Adam(model.parameters(), { lr: 0.1 });
      const step = (x: Tensor, y: Tensor) => {
        optimizer.zeroGrad();
        const loss = F.crossEntropy(model.forward(x), y);
        loss.backward();
        optimizer.step();
        return loss;
      };
      return { model, optimizer, step };
    };
    const { model, optimizer, step } = make();
    const captured = capture(step);
    const x = randn([2, 3]);
    captured(x, tensor([1, 2], { dtype: 'int32' }));
    const weight = model.weight.toArray();
    const wrong = tensor([1, 4], { dtype: 'int32' });
    const error = thrown(() => captured(x, wrong));
    expect(error).toMatchObject({ code: 'index', op: 'crossEntropy' });
    expect(error.message).toBe(thrown(() => make().step(x, wrong)).message);
    expect(model.weight.toArray()).toEqual(weight);
    expect(optimizer.stateDict().state[0].step).toBe(1);
    captured(x, tensor([1, 2], { dtype: 'int32' }));
    expect(optimizer.stateDict().state[0].step).toBe(2);
    expect(captured.signatures).toBe(1);
  });

  it.each<[string, (x: Tensor) => Tensor, Tensor, Tensor, string]>([
    [
      'a matrix that is not definite',
      (x) => linalg.cholesky(x),
      tensor([
        [4, 2],
        [2, 2],
      ]),
      tensor([
        [1, 2],
        [2, 1],
      ]),
      'singular',
    ],
    [
      'a singular matrix in a batch',
      (x) => linalg.inv(x.expand([3, 2, 2]).mul(twice)),
      tensor([
        [2, 1],
        [1, 1],
      ]),
      tensor([
        [1, 1],
        [1, 1],
      ]),
      'singular',
    ],
    [
      'a probability outside 0 and 1',
      (x) => F.binaryCrossEntropy(x, halves),
      tensor([0.1, 0.9]),
      tensor([0.1, 1.5]),
      'value',
    ],
    ['a negative variance', (x) => F.gaussianNllLoss(halves, halves, x), tensor([1, 2]), tensor([1, -1]), 'value'],
    ['a label outside', (x) => F.oneHot(x, 3), int([0, 2]), int([0, 3]), 'index'],
    ['an index outside', (x) => halves.at(x), int([0, -1]), int([0, 2]), 'index'],
  ])(
    '%s in a replay gives the error of the operation, and so it does in the background',
    async (_, fn, good, bad, code) => {
      const step = capture(fn);
      expect(bits(step(good))).toBe(bits(fn(good)));
      const { message } = thrown(() => fn(bad));
      for (let i = 0; i < 2; i++) {
        expect(thrown(() => step(bad))).toMatchObject({ code, message });
        await expect(step.async(bad)).rejects.toMatchObject({ code, message });
        expect(bits(step(good))).toBe(bits(fn(good)));
      }
      expect(thrown(() => capture(fn)(bad))).toMatchObject({ code, message });
      expect(step.signatures).toBe(1);
    },
  );

  it('a bad value stops a training step before its optimizer has counted it', () => {
    const p = new nn.Parameter(tensor([0.5, 0.5]));
    const optimizer = new optim.Adam([p], { lr: 0.1 });
    const step = capture((x: Tensor) => {
      optimizer.zeroGrad();
      const loss = F.binaryCrossEntropy(p.mul(x), halves);
      loss.backward();
      optimizer.step();
      return loss;
    });
    step(ones([2]));
    const before = p.toArray();
    expect(thrown(() => step(tensor([1, 9])))).toMatchObject({ code: 'value', op: 'binaryCrossEntropy' });
    expect([p.toArray(), optimizer.stateDict().state[0].step]).toEqual([before, 1]);
    step(ones([2]));
    expect(optimizer.stateDict().state[0].step).toBe(2);
  });

  it('a bad index in the first call is the error of eager', () => {
    const step = capture((x: Tensor, i: Tensor) => x.gather(0, i));
    const error = thrown(() => step(ones([3]), tensor([5], { dtype: 'int32' })));
    expect(error).toMatchObject({ code: 'index', op: 'gather' });
    expect(step.signatures).toBe(0);
  });

  it('inputs that were released', () => {
    const step = capture((x: Tensor) => x.add(1));
    const x = ones([2]);
    step(x);
    x.dispose();
    expect(thrown(() => step(x))).toMatchObject({ code: 'released' });
    expect(step(ones([2])).toArray()).toEqual([2, 2]);
  });

  it('a tensor it reads that was released', () => {
    const scale = ones([2]);
    const step = capture((x: Tensor) => x.mul(scale));
    step(ones([2]));
    scale.dispose();
    expect(thrown(() => step(ones([2])))).toMatchObject({ code: 'released' });
  });

  it('tensors that it kept for itself', () => {
    const mine: Tensor[] = [];
    const step = capture((x: Tensor) => {
      const y = x.add(1);
      mine.push(y);
      return y.mul(2);
    });
    expect(step(ones([2])).toArray()).toEqual([4, 4]);
    const error = thrown(() => mine[0].add(1));
    expect(error).toMatchObject({ code: 'released' });
    expect(error.message).toContain('return it from the function');
  });
});

describe('what is noticed', () => {
  it('a parameter that is replaced', () => {
    const model = new nn.Linear(2, 1, { bias: false });
    const step = capture((x: Tensor) => noGrad(() => model.forward(x)));
    step(ones([1, 2]));
    model.weight = new nn.Parameter(ones([1, 2]));
    expect(step(ones([1, 2])).item()).toBe(2);
    expect(step.signatures).toBe(2);
    noGrad(() => model.weight.assign(tensor([[2, 3]])));
    expect(step(ones([1, 2])).item()).toBe(5);
    expect(step.signatures).toBe(2);
  });

  it('a layer that is replaced, in a container or in a list', () => {
    const model = new nn.Sequential(new nn.Linear(2, 1), new nn.ReLU());
    const step = capture((x: Tensor) => noGrad(() => model.forward(x) as Tensor));
    step(ones([1, 2]));
    model.set(1, new nn.Sigmoid() as never);
    const got = step(ones([1, 2])).item();
    expect(got).toBe(noGrad(() => model.forward(ones([1, 2])) as Tensor).item());
    expect(step.signatures).toBe(2);
  });

  it('a hook that is added', () => {
    const layer = new nn.ReLU();
    const step = capture((x: Tensor) => layer.forward(x));
    expect(step(ones([1])).item()).toBe(1);
    layer.registerForwardHook((_, __, y) => y.mul(3));
    expect(step(ones([1])).item()).toBe(3);
  });

  it('a model that is converted', () => {
    const model = new nn.Linear(2, 1);
    const step = capture((x: Tensor) => noGrad(() => model.forward(x)));
    step(ones([1, 2]));
    model.to('float64');
    expect(step(ones([1, 2], { dtype: 'float64' })).dtype).toBe('float64');
  });

  it('another mode of gradients', () => {
    const w = new nn.Parameter(ones([2]));
    const step = capture((x: Tensor) => x.mul(w));
    step(ones([2]));
    noGrad(() => step(ones([2])));
    expect(step.signatures).toBe(2);
  });

  it('other shapes, dtypes, numbers and structures, up to a number of recordings', () => {
    const step = capture((inputs: { x: Tensor; times: number; more?: Tensor[] }) => inputs.x.mul(inputs.times), {
      maxSignatures: 3,
    });
    expect(step({ x: ones([2]), times: 2 }).toArray()).toEqual([2, 2]);
    expect(step({ x: ones([2]), times: 3 }).toArray()).toEqual([3, 3]);
    expect(step({ x: ones([2], { dtype: 'float64' }), times: 3 }).dtype).toBe('float64');
    expect(step.signatures).toBe(3);
    expect(step({ x: ones([3]), times: 3 }).shape).toEqual([3]);
    expect(step({ x: ones([3]), times: 3, more: [] }).shape).toEqual([3]);
    expect(step.signatures).toBe(3);
    expect(step({ x: ones([2]), times: 2 }).toArray()).toEqual([2, 2]);
    step.dispose();
    expect(step.signatures).toBe(0);
    expect(step({ x: ones([2]), times: 2 }).toArray()).toEqual([2, 2]);
  });

  it('one tensor in two places', () => {
    const step = capture((a: Tensor, b: Tensor) => (a === b ? a.mul(0) : a.add(b)));
    const x = ones([2]);
    expect(step(x, ones([2])).toArray()).toEqual([2, 2]);
    expect(step(x, x).toArray()).toEqual([0, 0]);
  });
});

describe('what comes out', () => {
  it('any structure; inputs and tensors from outside as they are', () => {
    const outside = ones([1]);
    const step = capture((x: Tensor) => {
      const y = x.add(1);
      return { y, twice: [y, y], x, outside, view: y.unsqueeze(0).expand([2, 3]), text: 'a', none: null };
    });
    const x = ones([3]);
    for (let i = 0; i < 3; i++) {
      const out = step(x);
      expect(out.twice[0]).toBe(out.y);
      expect(out.x).toBe(x);
      expect(out.outside).toBe(outside);
      expect(out.view.toArray()).toEqual([
        [2, 2, 2],
        [2, 2, 2],
      ]);
      expect([out.text, out.none]).toEqual(['a', null]);
    }
  });

  it('results that later calls do not change', () => {
    const step = capture((x: Tensor) => x.add(1));
    const first = step(ones([2]));
    const second = step(zeros([2]));
    step(ones([2]).mul(5));
    expect([first.toArray(), second.toArray()]).toEqual([
      [2, 2],
      [1, 1],
    ]);
  });

  it('gradients that somebody looked at are theirs', () => {
    const p = new nn.Parameter(ones([2]));
    const step = capture((x: Tensor) => {
      p.zeroGrad();
      p.mul(x).sum().backward();
    });
    step(tensor([1, 2]));
    const first = p.grad as Tensor;
    step(tensor([3, 4]));
    expect(first.toArray()).toEqual([1, 2]);
    expect(p.grad?.toArray()).toEqual([3, 4]);
  });

  it('gradients of inputs, which add up', () => {
    const step = capture((x: Tensor) => x.square().sum().backward());
    const x = tensor([1, 2], { requiresGrad: true });
    step(x);
    expect(x.grad?.toArray()).toEqual([2, 4]);
    step(x);
    expect(x.grad?.toArray()).toEqual([4, 8]);
  });
});

it('is an error of the library', () => {
  expect(refused((x) => x.sum().item())).toBeInstanceOf(TensorError);
});
