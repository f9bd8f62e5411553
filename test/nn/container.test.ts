// Containers: what they hold under which names, and how it changes.
import { inspect } from 'node:util';
import { arange, nn, ones, type Tensor, tensor, zeros } from 'chainrule';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { codeOf } from '../thrown.js';

const kinds = (list: Iterable<nn.AnyModule>) => Array.from(list, (m) => m.constructor.name).join(' ');

describe('Sequential runs a ReLU after the maximum pooling behind it', () => {
  // Ties, among them of what is negative, NaN, and windows that overlap.
  const values = [3, -1, 3, 0, -2, -2, Number.NaN, -5, 1, 1, -4, 2, 5, -3, 0, 7];
  const pool = () => new nn.MaxPool1d(3, { stride: 2, padding: 1 });
  const run = (forward: (x: Tensor) => Tensor) => {
    const x = tensor([[values]], { requiresGrad: true });
    const y = forward(x);
    y.mul(arange(1, y.size + 1))
      .sum()
      .backward();
    return { y: y.toArray(), dx: x.grad?.toArray(), op: y.op };
  };

  it('with the values and gradients of the order in which they stand', () => {
    const model = new nn.Sequential(new nn.ReLU(), pool());
    const plain = run((x) => pool().forward(x.relu()));
    const swapped = run((x) => model.forward(x));
    expect([plain.op, swapped.op]).toEqual(['maxPool1d', 'relu']);
    expect([swapped.y, swapped.dx]).toEqual([plain.y, plain.dx]);
  });

  it('but not where a hook watches one of them, nor where indices are asked for', () => {
    for (const place of [0, 1]) {
      const model = new nn.Sequential(new nn.ReLU(), pool());
      const seen: unknown[] = [];
      const hook = model[place].registerForwardHook((_, [x]) => void seen.push((x as Tensor).op));
      expect(run((x) => model.forward(x)).op).toBe('maxPool1d');
      expect(seen).toEqual([place === 0 ? 'tensor' : 'relu']);
      hook.remove();
      expect(run((x) => model.forward(x)).op).toBe('relu');
    }
    const indices = new nn.Sequential(new nn.ReLU(), new nn.MaxPool1d(2, { returnIndices: true }));
    expect(indices.forward(tensor([[[-1, -2]]])).indices.toArray()).toEqual([[[0]]]);
  });

  it('whatever else is in the chain', () => {
    const model = new nn.Sequential(new nn.ReLU(), new nn.ReLU(), pool(), new nn.MaxPool1d(2), new nn.ReLU());
    expect(run((x) => model.forward(x))).toEqual(
      run((x) => new nn.MaxPool1d(2).forward(pool().forward(x.relu())).relu()),
    );
  });
});

describe('Sequential and ModuleList change like arrays', () => {
  it('append, insert, extend, set, pop, slice', () => {
    const model = new nn.Sequential(new nn.Linear(2, 3));
    model
      .append(new nn.ReLU())
      .extend([new nn.Linear(3, 3), new nn.Tanh()])
      .insert(0, new nn.Identity())
      .insert(-1, new nn.Mish());
    expect(kinds(model)).toBe('Identity Linear ReLU Linear Mish Tanh');
    expect(Object.keys(model.stateDict())).toEqual(['1.weight', '1.bias', '3.weight', '3.bias']);
    expect(model.forward(ones([4, 2])).shape).toEqual([4, 3]);
    expect(kinds(model.slice(1, -1))).toBe('Linear ReLU Linear Mish');
    expect(model.slice(0, 2)[1]).toBe(model[1]);
    expect(model.pop()).toBeInstanceOf(nn.Tanh);
    expect(model.pop(0)).toBeInstanceOf(nn.Identity);
    expect([model.length, model[4], Object.keys(model.stateDict())[0]]).toEqual([4, undefined, '0.weight']);
    model.set(-1, new nn.Sigmoid());
    expect(kinds(model)).toBe('Linear ReLU Linear Sigmoid');
    expect(model.at(-1)).toBe(model[3]);
    expect(model.children()).toHaveLength(4);
    const list = new nn.ModuleList([new nn.ReLU(), new nn.ReLU()]).insert(2, new nn.ReLU());
    expect([list.length, list.slice(1).length, kinds(list)]).toEqual([3, 2, 'ReLU ReLU ReLU']);
  });

  it('keeps places and names in order beyond ten', () => {
    const list = new nn.ModuleList(Array.from({ length: 12 }, () => new nn.Linear(1, 1, { bias: false })));
    list.pop(3);
    expect(Object.keys(list.stateDict())).toEqual(Array.from({ length: 11 }, (_, i) => `${i}.weight`));
  });

  it('refuses places that are not there and what is no module, without a change', () => {
    const model = new nn.Sequential(new nn.ReLU());
    for (const place of [1, -2, 0.5, '0' as never]) {
      expect(codeOf(() => model.at(place))).toBe('index');
      expect(codeOf(() => model.pop(place))).toBe('index');
      expect(codeOf(() => model.set(place, new nn.ReLU()))).toBe('index');
    }
    expect(codeOf(() => model.insert(2, new nn.ReLU()))).toBe('index');
    expect(codeOf(() => model.append(1 as never))).toBe('value');
    expect(codeOf(() => model.extend([new nn.ReLU(), null as never]))).toBe('value');
    expect(codeOf(() => new nn.Sequential().pop())).toBe('index');
    expect(kinds(model)).toBe('ReLU');
  });
});

describe('ModuleDict', () => {
  it('is a map whose modules belong to the state', () => {
    const dict = new nn.ModuleDict({ b: new nn.Linear(2, 1), a: new nn.ReLU() });
    expect([...dict.keys()]).toEqual(['b', 'a']);
    expect(Object.keys(dict.stateDict())).toEqual(['b.weight', 'b.bias']);
    expect(dict.namedChildren().map(([name]) => name)).toEqual(['b', 'a']);
    expect([dict.size, dict.has('a'), dict.has('c')]).toEqual([2, true, false]);
    expectTypeOf(dict.get('b')).toEqualTypeOf<nn.Linear>();
    dict.update([['get', new nn.Linear(1, 1, { bias: false })]]).set('b', new nn.Tanh());
    expect(Array.from(dict, ([name, m]) => `${name} ${m.constructor.name}`)).toEqual([
      'b Tanh',
      'a ReLU',
      'get Linear',
    ]);
    expect(Object.keys(dict.stateDict())).toEqual(['get.weight']);
    expect(dict.pop('a')).toBeInstanceOf(nn.ReLU);
    expect([dict.delete('a'), dict.delete('b'), kinds(dict.values())]).toEqual([false, true, 'Linear']);
    dict.eval();
    expect([...dict.values()][0].training).toBe(false);
    expect(`${dict}`).toBe('ModuleDict(\n  (get): Linear(1, 1, { bias: false })\n)');
    dict.clear();
    expect(dict.parameters()).toEqual([]);
  });

  it('is found inside modules, with attributes of subclasses', () => {
    class Heads extends nn.ModuleDict {
      scale = new nn.Parameter(ones([1]));
    }
    class Net extends nn.Module {
      heads = new Heads({ left: new nn.Linear(1, 1, { bias: false }) });
      forward(x: Tensor) {
        return this.heads.get('left').forward(x);
      }
    }
    const net = new Net();
    expect(Object.keys(net.stateDict())).toEqual(['heads.scale', 'heads.left.weight']);
    expect(net.getParameter('heads.left.weight').shape).toEqual([1, 1]);
  });

  it('refuses other names and elements', () => {
    const dict = new nn.ModuleDict({ a: new nn.ReLU() });
    expect(codeOf(() => dict.get('b' as 'a'))).toBe('value');
    expect(codeOf(() => dict.set('x.y', new nn.ReLU()))).toBe('value');
    expect(codeOf(() => dict.set('', new nn.ReLU()))).toBe('value');
    expect(codeOf(() => dict.set('x', 1 as never))).toBe('value');
    expect(codeOf(() => new nn.ModuleDict(1 as never))).toBe('value');
    expect(codeOf(() => dict.forward())).toBe('value');
  });
});

describe('parameters in containers', () => {
  it('ParameterList makes parameters of tensors', () => {
    const shared = new nn.Parameter(zeros([2]));
    const list = new nn.ParameterList([ones([3]), shared]).append(tensor([1]));
    expect(list[1]).toBe(shared);
    expect(Array.from(list, (p) => p.constructor.name)).toEqual(['Parameter', 'Parameter', 'Parameter']);
    expect(Object.keys(list.stateDict())).toEqual(['0', '1', '2']);
    expect(inspect(list)).toBe('ParameterList([3], [2], [1])');
    list[0].mul(2).sum().backward();
    expect(list.parameters()[0].grad?.toArray()).toEqual([2, 2, 2]);
    expect(codeOf(() => list.append(1 as never))).toBe('value');
    expect(codeOf(() => list.forward())).toBe('value');
  });

  it('ParameterDict likewise, by name', () => {
    const dict = new nn.ParameterDict({ b: ones([3]) }).set('a', zeros([1]));
    expect(Object.keys(dict.stateDict())).toEqual(['b', 'a']);
    expect(`${dict}`).toBe('ParameterDict(b: [3], a: [1])');
    expect(dict.get('a').requiresGrad).toBe(true);
    expect(dict.double().get('a').dtype).toBe('float64');
    expect(codeOf(() => dict.set('c', tensor([1], { dtype: 'int32' })))).toBe('dtype');
  });
});
