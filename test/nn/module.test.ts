// Module: what is found among attributes, under which names, and how state is loaded.
import { inspect } from 'node:util';
import { keep, nn, ones, scope, type Tensor, TensorError, tensor, zeros } from 'chainrule';
import { describe, expect, expectTypeOf, it } from 'vitest';

const errorOf = (fn: () => unknown): TensorError => {
  try {
    fn();
  } catch (error) {
    if (error instanceof TensorError) return error;
    throw error;
  }
  throw new Error('expected a TensorError');
};

class Block extends nn.Module {
  fc = new nn.Linear(3, 3);
  scale = new nn.Parameter(ones([3]));
  forward(x: Tensor) {
    return this.fc.forward(x).mul(this.scale);
  }
}

class Net extends nn.Module {
  name = 'a text';
  first = new nn.Linear(2, 3, { bias: false });
  blocks = [new Block(), new Block()];
  extra = [new nn.Parameter(zeros([1])), new nn.Parameter(zeros([2]))];
  list = new nn.ModuleList([new nn.Linear(3, 1)]);
  nothing = null;
  mean: Tensor;
  cache: Tensor;

  constructor() {
    super();
    this.mean = this.registerBuffer('mean', zeros([3]));
    this.cache = this.registerBuffer('cache', zeros([4]), { persistent: false });
  }

  forward(x: Tensor) {
    let y = this.first.forward(x).sub(this.mean);
    for (const block of this.blocks) y = block.forward(y).relu();
    return this.list[0].forward(y);
  }
}

const NAMES = [
  'extra.0',
  'extra.1',
  'first.weight',
  'blocks.0.scale',
  'blocks.0.fc.weight',
  'blocks.0.fc.bias',
  'blocks.1.scale',
  'blocks.1.fc.weight',
  'blocks.1.fc.bias',
  'list.0.weight',
  'list.0.bias',
];

describe('the walk over attributes', () => {
  it('finds parameters in arrays and modules, own ones first, as PyTorch does', () => {
    const net = new Net();
    expect(net.namedParameters().map(([name]) => name)).toEqual(NAMES);
    expect(net.parameters()).toHaveLength(NAMES.length);
    expect(net.namedBuffers().map(([name]) => name)).toEqual(['mean', 'cache']);
    expect(Object.keys(net.stateDict())).toEqual(['extra.0', 'extra.1', 'mean', ...NAMES.slice(2)]);
    expect(net.forward(ones([5, 2])).shape).toEqual([5, 1]);
  });

  it('names modules by path, outer before inner', () => {
    const names = new Net().namedModules().map(([name]) => name);
    expect(names).toEqual(['', 'first', 'blocks.0', 'blocks.0.fc', 'blocks.1', 'blocks.1.fc', 'list', 'list.0']);
    expect(new Net().namedChildren().map(([name]) => name)).toEqual(['first', 'blocks.0', 'blocks.1', 'list']);
  });

  it('gives what is shared once, but keeps both names in the state', () => {
    class Tied extends nn.Module {
      a = new nn.Linear(2, 2, { bias: false });
      b = new nn.Linear(2, 2, { bias: false });
      again = this.a;
      constructor() {
        super();
        this.b.weight = this.a.weight;
      }
      forward(x: Tensor) {
        return this.b.forward(this.a.forward(x));
      }
    }
    const tied = new Tied();
    expect(tied.namedParameters().map(([name]) => name)).toEqual(['a.weight']);
    expect(tied.children()).toHaveLength(2);
    expect(Object.keys(tied.stateDict())).toEqual(['a.weight', 'b.weight', 'again.weight']);
    tied
      .forward(ones([1, 2]))
      .sum()
      .backward();
    expect(tied.a.weight.grad).not.toBeNull();
  });

  it('ends where a module knows the one around it', () => {
    class Child extends nn.Module {
      weight = new nn.Parameter(zeros([1]));
      parent: Parent | null = null;
      forward(x: Tensor) {
        return x.add(this.weight);
      }
    }
    class Parent extends nn.Module {
      child = new Child();
      constructor() {
        super();
        this.child.parent = this;
      }
      forward(x: Tensor) {
        return this.child.forward(x);
      }
    }
    const parent = new Parent();
    expect(parent.modules()).toHaveLength(2);
    expect(Object.keys(parent.stateDict())).toEqual(['child.weight']);
    expect(
      parent
        .train()
        .apply(() => {})
        .toString(),
    ).toContain('...');
  });

  it('follows a buffer that was assigned anew', () => {
    const net = new Net();
    net.mean = ones([3]);
    expect(net.stateDict().mean.toArray()).toEqual([1, 1, 1]);
  });
});

describe('modes and gradients', () => {
  it('train and eval reach every module', () => {
    const net = new Net().eval();
    expect(net.modules().every((m) => !m.training)).toBe(true);
    expect(
      net
        .train()
        .modules()
        .every((m) => m.training),
    ).toBe(true);
  });

  it('setRequiresGrad freezes, zeroGrad forgets', () => {
    const net = new Net();
    net.blocks[0].setRequiresGrad(false);
    net
      .forward(ones([1, 2]))
      .sum()
      .backward();
    expect(net.blocks[0].scale.grad).toBeNull();
    expect(net.blocks[1].scale.grad).not.toBeNull();
    net.zeroGrad();
    expect(net.parameters().every((p) => p.grad === null)).toBe(true);
  });

  it('apply visits inner modules first', () => {
    const order: string[] = [];
    new nn.Sequential(new nn.ReLU(), new nn.Sequential(new nn.Tanh())).apply((m) => order.push(m.constructor.name));
    expect(order).toEqual(['ReLU', 'Tanh', 'Sequential', 'Sequential']);
  });

  it('parameters and buffers outlive the scope they were made in', () => {
    let net: Net | undefined;
    scope(() => {
      net = new Net();
    });
    expect(net?.forward(ones([1, 2])).shape).toEqual([1, 1]);
  });
});

describe('state', () => {
  it('goes from one model to another', () => {
    const [a, b] = [new Net(), new Net()];
    const x = tensor([[1, -2]]);
    expect(b.loadStateDict(a.stateDict())).toEqual({ missing: [], unexpected: [] });
    expect(b.forward(x).toArray()).toEqual(a.forward(x).toArray());
    a.first.weight.assign(zeros([3, 2]));
    expect(b.first.weight.toArray()).not.toEqual(a.first.weight.toArray());
  });

  it('is a view on the live memory', () => {
    const fc = new nn.Linear(1, 1);
    const state = fc.stateDict();
    fc.weight.assign(tensor([[5]]));
    expect(state.weight.item()).toBe(5);
    expect(state.weight.requiresGrad).toBe(false);
  });

  it('that does not fit is refused with every reason, and nothing is changed', () => {
    const fc = new nn.Linear(2, 2);
    const before = fc.weight.toArray();
    const error = errorOf(() => fc.loadStateDict({ weight: zeros([2, 3]), other: zeros([1]) }));
    expect(error.code).toBe('value');
    expect(error.message).toBe(
      '[loadStateDict] expected the state of Linear, got missing bias; unexpected other; ' +
        'weight of shape [2, 3] instead of [2, 2]. Pass { strict: false } to load what is there',
    );
    expect(errorOf(() => fc.loadStateDict({ weight: zeros([2, 2]) })).message).toContain('missing bias');
    expect(fc.weight.toArray()).toEqual(before);
  });

  it('may be partial without strict, but not of another shape', () => {
    const fc = new nn.Linear(1, 2);
    const found = fc.loadStateDict(
      new Map([
        ['bias', tensor([1, 2])],
        ['b', zeros([1])],
      ]),
      { strict: false },
    );
    expect(found).toEqual({ missing: ['weight'], unexpected: ['b'] });
    expect(fc.bias?.toArray()).toEqual([1, 2]);
    expect(errorOf(() => fc.loadStateDict({ bias: zeros([3]) }, { strict: false })).message).toContain('[3]');
  });

  it('converts float64 values', () => {
    const fc = new nn.Linear(1, 1, { bias: false });
    fc.loadStateDict({ weight: tensor([[0.5]], { dtype: 'float64' }) });
    expect(fc.weight.dtype).toBe('float32');
    expect(fc.weight.item()).toBe(0.5);
  });

  it('of the wrong kind is refused', () => {
    const fc = new nn.Linear(1, 1);
    for (const bad of [null, 1, zeros([1])]) expect(errorOf(() => fc.loadStateDict(bad as never)).code).toBe('value');
    expect(errorOf(() => fc.loadStateDict({ weight: 1, bias: zeros([1]) } as never)).message).toContain('weight is 1');
    expect(errorOf(() => fc.loadStateDict({}, { strickt: true } as never)).code).toBe('option');
    const gone = zeros([1]);
    gone.dispose();
    expect(errorOf(() => fc.loadStateDict({ weight: zeros([1, 1]), bias: gone })).code).toBe('released');
  });
});

describe('Parameter', () => {
  it('shares memory with contiguous data and copies the rest', () => {
    const data = keep(
      tensor([
        [1, 2],
        [3, 4],
      ]),
    );
    const p = new nn.Parameter(data);
    p.assign(zeros([2, 2]));
    expect(data.toArray()).toEqual([
      [0, 0],
      [0, 0],
    ]);
    expect(
      new nn.Parameter(
        tensor([
          [1, 2],
          [3, 4],
        ]).t(),
      ).isContiguous,
    ).toBe(true);
    expect([p.requiresGrad, p.isLeaf]).toEqual([true, true]);
  });

  it('stays alive when its data is disposed', () => {
    const data = ones([3]);
    const p = new nn.Parameter(data);
    data.dispose();
    expect(p.toArray()).toEqual([1, 1, 1]);
  });

  it('refuses integers that would need gradients, and what is no tensor', () => {
    expect(errorOf(() => new nn.Parameter(tensor([1], { dtype: 'int32' }))).code).toBe('dtype');
    expect(new nn.Parameter(tensor([1], { dtype: 'int32' }), { requiresGrad: false }).dtype).toBe('int32');
    expect(errorOf(() => new nn.Parameter([1] as never)).code).toBe('value');
    expect(errorOf(() => new nn.Parameter(ones([1]), { grad: true } as never)).code).toBe('option');
  });
});

describe('registerBuffer', () => {
  it('refuses names that would not work', () => {
    const relu = new nn.ReLU();
    for (const name of ['', 'a.b', 'forward'])
      expect(errorOf(() => relu.registerBuffer(name, zeros([1]))).code).toBe('value');
    expect(errorOf(() => relu.registerBuffer('x', 1 as never)).code).toBe('value');
  });
});

describe('Sequential and ModuleList', () => {
  it('know their elements', () => {
    const model = new nn.Sequential(new nn.Linear(2, 3), new nn.ReLU(), new nn.Linear(3, 1));
    expect(model.length).toBe(3);
    expect(Object.keys(model.stateDict())).toEqual(['0.weight', '0.bias', '2.weight', '2.bias']);
    expect([...model].map((m) => m.constructor.name)).toEqual(['Linear', 'ReLU', 'Linear']);
    expect(model[1]).toBeInstanceOf(nn.ReLU);
    const list = new nn.ModuleList<nn.Linear>().append(new nn.Linear(1, 1)).append(new nn.Linear(1, 2));
    expect(list[1].outFeatures).toBe(2);
    expect(list.length).toBe(2);
    expect(errorOf(() => list.forward()).op).toBe('ModuleList');
  });

  it('pass an empty chain on, and several inputs to the first', () => {
    class Add extends nn.Module<[Tensor, Tensor]> {
      forward(a: Tensor, b: Tensor) {
        return a.add(b);
      }
    }
    expect(new nn.Sequential().forward(ones([1])).item()).toBe(1);
    expect(new nn.Sequential(new Add(), new nn.ReLU()).forward(ones([1]), ones([1])).item()).toBe(2);
  });

  it('refuse what is no module', () => {
    const error = errorOf(() => new nn.Sequential(new nn.ReLU(), ((x: Tensor) => x) as never));
    expect(error.message).toBe('[Sequential] expected modules, got a function at place 1');
  });

  it('are typed', () => {
    class Two extends nn.Module<[x: Tensor], [Tensor, Tensor]> {
      forward(x: Tensor): [Tensor, Tensor] {
        return [x, x];
      }
    }
    const chain = new nn.Sequential(new nn.ReLU(), new Two());
    expectTypeOf(chain.forward).returns.toEqualTypeOf<[Tensor, Tensor]>();
    expectTypeOf(new nn.Sequential(new nn.ReLU(), new nn.Tanh())).toExtend<nn.Module>();
    expectTypeOf(new nn.CrossEntropyLoss().forward).parameters.toEqualTypeOf<[Tensor, Tensor]>();
    expectTypeOf(new nn.Sequential(...[new nn.ReLU()]).forward).returns.toEqualTypeOf<Tensor>();
  });
});

describe('printing', () => {
  it('shows the calls that make the model', () => {
    const model = new nn.Sequential(
      new nn.Conv2d(1, 20, 5, { padding: 2 }),
      new nn.Sequential(new nn.Linear(4, 2, { bias: false })),
      new nn.Dropout(0.2),
    );
    expect(inspect(model)).toBe(
      [
        'Sequential(',
        '  (0): Conv2d(1, 20, 5, { padding: 2 })',
        '  (1): Sequential(',
        '    (0): Linear(4, 2, { bias: false })',
        '  )',
        '  (2): Dropout(0.2)',
        ')',
      ].join('\n'),
    );
  });
});

describe('names that are computed', () => {
  it('become parameters and modules, null where there is none', () => {
    const net = new Block();
    net.registerModule('late', new nn.Linear(1, 1, { bias: false }));
    net.registerParameter('shift', new nn.Parameter(zeros([2])));
    net.registerParameter('none', null);
    net.registerModule('nothing', null);
    const names = ['scale', 'shift', 'fc.weight', 'fc.bias', 'late.weight'];
    expect(net.namedParameters().map(([name]) => name)).toEqual(names);
    expect(net.children()).toHaveLength(2);
  });

  it('take the place of a buffer', () => {
    const net = new Net();
    net.registerParameter('mean', new nn.Parameter(zeros([3])));
    expect(net.namedBuffers().map(([name]) => name)).toEqual(['cache']);
    expect(net.namedParameters().map(([name]) => name)).toContain('mean');
  });

  it('are refused where nothing can be found under them', () => {
    const net = new Block();
    for (const name of ['', 'a.b', 'forward', 'train', 3 as never]) {
      expect(errorOf(() => net.registerParameter(name, null)).code).toBe('value');
      expect(errorOf(() => net.registerModule(name, null)).code).toBe('value');
    }
    expect(errorOf(() => net.registerParameter('x', ones([1]) as never)).code).toBe('value');
    expect(errorOf(() => net.registerModule('x', ones([1]) as never)).code).toBe('value');
  });
});

describe('its own, without modules inside', () => {
  it('are parameters and buffers by { recurse: false }', () => {
    const net = new Net();
    expect(net.namedParameters({ recurse: false }).map(([name]) => name)).toEqual(['extra.0', 'extra.1']);
    expect(net.parameters({ recurse: false })).toEqual(net.extra);
    expect(net.buffers()).toEqual([net.mean, net.cache]);
    const around = new nn.Sequential(net);
    expect(around.buffers()).toHaveLength(2);
    expect(around.buffers({ recurse: false })).toEqual([]);
    expect(around.namedBuffers({ recurse: false })).toEqual([]);
    expect(errorOf(() => net.parameters({ recurse: 1 as never })).code).toBe('value');
    expect(errorOf(() => net.buffers({ deep: true } as never)).code).toBe('option');
  });
});
