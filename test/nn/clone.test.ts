// Module.clone(): the same values in memory of its own, whatever a module holds.
import { Generator, nn, optim, randn, type Tensor, tensor, zeros } from 'chainrule';
import { describe, expect, it } from 'vitest';
import { codeOf } from '../thrown.js';

const same = (a: Tensor, b: Tensor) => expect(a.toArray()).toEqual(b.toArray());

describe('clone', () => {
  it.each([
    ['Linear', () => new nn.Linear(4, 3), [2, 4]],
    ['Sequential with BatchNorm', () => new nn.Sequential(new nn.Linear(4, 3), new nn.BatchNorm1d(3)), [2, 4]],
    ['padding', () => new nn.ConstantPad1d([1, 2], 3), [2, 4]],
    ['Softplus', () => new nn.Softplus({ beta: 2 }), [2, 4]],
    ['TransformerEncoderLayer', () => new nn.TransformerEncoderLayer(4, 2, { dropout: 0 }), [3, 2, 4]],
  ] as const)('%s computes the same, as text and state dict too', (_, make, shape) => {
    const model = make();
    const [copy, x] = [model.clone(), randn(shape)];
    expect(copy).toBeInstanceOf(model.constructor);
    expect(`${copy}`).toBe(`${model}`);
    same(copy.forward(x), model.forward(x));
    expect(Object.keys(copy.stateDict())).toEqual(Object.keys(model.stateDict()));
    for (const [name, value] of Object.entries(model.stateDict())) same(copy.stateDict()[name], value);
  });

  it('recurrent networks and containers by name', () => {
    const lstm = new nn.LSTM(3, 2, { numLayers: 2, bidirectional: true });
    const x = randn([5, 1, 3]);
    same(lstm.clone().forward(x)[0], lstm.forward(x)[0]);
    const dict = new nn.ModuleDict({ a: new nn.Linear(1, 1), b: new nn.ReLU() });
    const copy = dict.clone();
    expect([...copy.keys()]).toEqual(['a', 'b']);
    expect(copy.get('a')).not.toBe(dict.get('a'));
    same(copy.get('a').weight, dict.get('a').weight);
    const list = new nn.ModuleList([new nn.Linear(1, 1)]).clone();
    list.append(new nn.Linear(1, 1));
    expect(list.length).toBe(2);
  });

  it('shares no memory: training one leaves the other', () => {
    const model = new nn.Sequential(new nn.Linear(2, 2), new nn.BatchNorm1d(2));
    const copy = model.clone();
    const before = Object.entries(model.stateDict()).map(([, x]) => x.toArray());
    const optimizer = new optim.SGD(copy.parameters(), { lr: 1 });
    copy
      .forward(randn([4, 2]))
      .square()
      .sum()
      .backward();
    optimizer.step();
    expect(Object.entries(model.stateDict()).map(([, x]) => x.toArray())).toEqual(before);
    expect(copy.getParameter('0.weight').toArray()).not.toEqual(model.getParameter('0.weight').toArray());
    expect(copy.getBuffer('1.num_batches_tracked').item()).toBe(1);
  });

  it('keeps tied weights, modes, frozen parameters and what is persistent; leaves gradients', () => {
    class Tied extends nn.Module {
      first = new nn.Linear(2, 2);
      second = new nn.Linear(2, 2);
      notes = { sizes: [2, 2], by: new Map([['first', this.first]]) };
      constructor() {
        super();
        this.second.weight = this.first.weight;
        this.registerBuffer('seen', zeros([1]), { persistent: false });
      }
      forward(x: Tensor): Tensor {
        return this.second.forward(this.first.forward(x));
      }
    }
    const model = new Tied().eval();
    model.second.setRequiresGrad(false);
    model.first.bias?.sum().backward();
    const copy = model.clone();
    expect(copy.second.weight).toBe(copy.first.weight);
    expect(copy.first.weight).not.toBe(model.first.weight);
    expect(copy.notes.by.get('first')).toBe(copy.first);
    expect(copy.notes.sizes).not.toBe(model.notes.sizes);
    expect(copy.modules().map(({ training }) => training)).toEqual([false, false, false]);
    expect(copy.parameters().map((p) => p.requiresGrad)).toEqual(model.parameters().map((p) => p.requiresGrad));
    expect(copy.namedBuffers().map(([name]) => name)).toEqual(['seen']);
    expect(Object.keys(copy.stateDict())).not.toContain('seen');
    expect([model.first.bias?.grad?.toArray(), copy.first.bias?.grad]).toEqual([[1, 1], null]);
  });

  it('leaves hooks with the original and shares generators', () => {
    const model = new nn.Sequential(new nn.ReLU(), new nn.Dropout({ generator: new Generator(1) }));
    let calls = 0;
    model.registerForwardHook(() => void calls++);
    const copy = model.clone();
    copy.forward(tensor([1]));
    expect(calls).toBe(0);
    model.forward(tensor([1]));
    expect(calls).toBe(1);
    expect(Reflect.get(copy[1], 'generator')).toBe(Reflect.get(model[1], 'generator'));
  });

  it('refuses a forward of its own, which would go on using the original', () => {
    expect(codeOf(() => nn.utils.weightNorm(new nn.Linear(2, 2)).clone())).toBe('value');
    class Arrow extends nn.Module {
      weight = new nn.Parameter(zeros([1]));
      forward = (x: Tensor) => x.mul(this.weight);
    }
    const arrow = new Arrow();
    expect(codeOf(() => arrow.clone())).toBe('value');
    arrow.registerForwardHook(() => {});
    expect(codeOf(() => arrow.clone())).toBe('value');
  });
});
