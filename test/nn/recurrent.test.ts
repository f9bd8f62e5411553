// RNN, LSTM, GRU and their cells: PyTorch's numbers for packed batches, states carried over, derivatives, threads, memory.
import { readFileSync } from 'node:fs';
import {
  cat,
  Generator,
  gradcheck,
  gradgradcheck,
  gruCell,
  lstmCell,
  manualSeed,
  memory,
  nn,
  noGrad,
  numThreads,
  ones,
  optim,
  rand,
  randn,
  rnnReluCell,
  rnnTanhCell,
  setNumThreads,
  stack,
  type Tensor,
  tensor,
  zeros,
} from 'chainrule';
import { describe, expect, it } from 'vitest';
import { codeOf } from '../thrown.js';

type Sequence = nn.RNN | nn.LSTM | nn.GRU;
const MAKE = { RNN: nn.RNN, LSTM: nn.LSTM, GRU: nn.GRU } as const;
const NAMES = ['RNN', 'LSTM', 'GRU'] as const;
const float64 = { dtype: 'float64' } as const;

const numbers = (x: Tensor) => Array.from(x.detach().contiguous().data);
const largestDifference = (a: Tensor, b: Tensor) => a.detach().sub(b.detach()).abs().amax().item();
const leaf = (x: Tensor) => tensor(x, { requiresGrad: true });
const gradOf = (x: Tensor) => x.grad as Tensor;

/** Outputs and all last states, whatever the module. */
function run(
  module: Sequence,
  x: Tensor,
  states: readonly Tensor[] = [],
  options?: nn.RecurrentCall,
): [y: Tensor, ...states: Tensor[]] {
  if (module instanceof nn.LSTM) {
    const [y, state] = module.forward(x, states.length > 0 ? [states[0], states[1]] : null, options);
    return [y, ...state];
  }
  return module.forward(x, states[0] ?? null, options);
}

/** f(0), f(1) ... in a shape. */
function wave(shape: readonly number[], f = (i: number) => Math.cos(i * 0.7)): Tensor {
  const n = shape.reduce((product, size) => product * size, 1);
  return tensor(Float64Array.from({ length: n }, (_, i) => f(i))).reshape(shape);
}

/** sin(1) / 2, sin(2) / 2 ... over all parameters in order. */
function fill<M extends nn.AnyModule>(module: M): M {
  let first = 0;
  for (const p of module.parameters()) {
    const start = first;
    p.assign(wave(p.shape, (i) => Math.sin(start + i + 1) / 2));
    first += p.size;
  }
  return module;
}

interface TorchCase {
  module: (typeof NAMES)[number];
  options: nn.LSTMOptions;
  names: string[];
  y: number[];
  states: number[][];
  dx: number[];
  dstates: number[][];
  dweights: number[];
}
const torch = JSON.parse(readFileSync(new URL('./fixtures/recurrent.json', import.meta.url), 'utf8')) as {
  cases: TorchCase[];
};

function expectClose(got: Tensor, want: readonly number[]): void {
  const values = numbers(got);
  expect(values.length).toBe(want.length);
  for (const [i, value] of values.entries()) expect(value).toBeCloseTo(want[i], 7);
}

// Three sequences of lengths 2, 4, 1 with two inputs, three hidden units, weights of fill(), inputs wave(), first states wave() and
// wave() / 2; the loss is the sum of padded outputs and last states, each times wave() of its shape.
describe.each(torch.cases.map((c) => [`${c.module} ${JSON.stringify(c.options)}`, c] as const))('%s', (_, c) => {
  it('gives the outputs, states and gradients of PyTorch for a packed batch', () => {
    const module = fill(new MAKE[c.module](2, 3, { ...c.options, ...float64 }));
    expect(Object.keys(module.stateDict())).toEqual(c.names);
    const directions = 2 * module.numLayers;
    const x = leaf(wave([4, 3, 2]));
    const h = leaf(wave([directions, 3, c.options.projSize ?? 3]));
    const cells = leaf(wave([directions, 3, 3]).div(2));
    const packed = nn.utils.rnn.packPaddedSequence(x, [2, 4, 1], { enforceSorted: false });
    const [output, state] = module instanceof nn.LSTM ? module.forward(packed, [h, cells]) : module.forward(packed, h);
    const [y, lengths] = nn.utils.rnn.padPackedSequence(output);
    const states = Array.isArray(state) ? state : [state];
    expect(lengths.toArray()).toEqual([2, 4, 1]);
    expectClose(y, c.y);
    for (const [i, s] of states.entries()) expectClose(s, c.states[i]);
    [y, ...states]
      .map((v) => v.mul(wave(v.shape)).sum())
      .reduce((a, b) => a.add(b))
      .backward();
    expectClose(gradOf(x), c.dx);
    expectClose(gradOf(h), c.dstates[0]);
    if (c.dstates.length > 1) expectClose(gradOf(cells), c.dstates[1]);
    expectClose(stack(module.parameters().map((p) => gradOf(p).mul(wave(p.shape)).sum())), c.dweights);
  });
});

describe.each(NAMES)('%s', (name) => {
  const make = (options: nn.LSTMOptions = {}) =>
    new MAKE[name](3, 5, { generator: new Generator(5), ...float64, ...options });

  it('is its cell step by step', () => {
    const module = make();
    const x = randn([4, 2, 3], float64);
    const parts = module.parameters() as unknown as [Tensor, Tensor, Tensor, Tensor];
    let [h, c] = [zeros([2, 5], float64), zeros([2, 5], float64)];
    const outputs: Tensor[] = [];
    for (let t = 0; t < 4; t++) {
      if (name === 'LSTM') [h, c] = lstmCell(x.select(0, t), [h, c], ...parts);
      else h = (name === 'GRU' ? gruCell : rnnTanhCell)(x.select(0, t), h, ...parts);
      outputs.push(h);
    }
    const [y, last] = run(module, x);
    expect(largestDifference(y, stack(outputs))).toBeLessThan(1e-14);
    expect(largestDifference(last, h.unsqueeze(0))).toBeLessThan(1e-14);
  });

  it('carries its state from call to call as in one long call', () => {
    const module = make({ numLayers: 2 });
    const x = randn([7, 4, 3], float64);
    const whole = run(module, x);
    const first = run(module, x.narrow(0, 0, 3));
    const second = run(module, x.narrow(0, 3, 4), first.slice(1));
    expect(largestDifference(cat([first[0], second[0]]), whole[0])).toBeLessThan(1e-14);
    for (const [i, state] of whole.slice(1).entries())
      expect(largestDifference(second[i + 1], state)).toBeLessThan(1e-14);
  });

  it('gives each sequence of a batch what it gives alone', () => {
    const module = make({ bidirectional: true });
    const x = randn([6, 17, 3], float64);
    const [y] = run(module, x);
    for (const n of [0, 11, 16]) {
      expect(largestDifference(run(module, x.narrow(1, n, 1))[0], y.narrow(1, n, 1))).toBeLessThan(1e-14);
      const [alone, last] = run(module, x.select(1, n));
      expect(alone.shape).toEqual([6, 10]);
      expect(last.shape).toEqual([2, 5]);
      expect(largestDifference(alone, y.select(1, n))).toBeLessThan(1e-14);
    }
  });

  it('takes lengths as the packed batch, in any order', () => {
    const module = make({ numLayers: 2, bidirectional: true, batchFirst: true });
    const x = randn([3, 6, 3], float64);
    const lengths = [2, 5, 3];
    const [y, ...states] = run(module, x, [], { lengths });
    const alone = lengths.map((length, n) => run(module, x.narrow(0, n, 1).narrow(1, 0, length)));
    for (const [n, length] of lengths.entries()) {
      expect(largestDifference(y.narrow(0, n, 1).narrow(1, 0, length), alone[n][0])).toBeLessThan(1e-14);
      expect(
        y
          .narrow(0, n, 1)
          .narrow(1, length, 6 - length)
          .abs()
          .sum()
          .item(),
      ).toBe(0);
    }
    for (const [i, state] of states.entries())
      expect(
        largestDifference(
          state,
          cat(
            alone.map((parts) => parts[i + 1]),
            1,
          ),
        ),
      ).toBeLessThan(1e-14);
  });

  it('has the first and second derivatives that differences give', () => {
    const inputs = [rand([3, 2, 2], float64), rand([2, 2, 3], float64), rand([2, 2, 3], float64)];
    const module = fill(new MAKE[name](2, 3, { bidirectional: true, ...float64 }));
    const xs = [...inputs.slice(0, name === 'LSTM' ? 3 : 2).map(leaf), ...module.parameters()];
    const f = (x: Tensor, h: Tensor, c: Tensor) =>
      cat(run(module, x, [h, c], { lengths: [2, 3] }).map((v) => v.flatten()));
    expect(gradcheck(f as (...all: Tensor[]) => Tensor, xs)).toBe(true);
    expect(gradgradcheck(f as (...all: Tensor[]) => Tensor, xs)).toBe(true);
  });

  it('gives the same bits on any number of threads', () => {
    const before = numThreads();
    const wide = new MAKE[name](40, 200, { generator: new Generator(2) });
    const x = randn([5, 30, 40], { generator: new Generator(3) });
    const all = () => {
      wide.zeroGrad();
      const [y] = run(wide, x);
      y.square().sum().backward();
      return [numbers(y), ...wide.parameters().map((p) => numbers(gradOf(p)))];
    };
    try {
      setNumThreads(1);
      const one = all();
      setNumThreads(3);
      expect(all()).toEqual(one);
    } finally {
      setNumThreads(before);
    }
  });

  it('leaves nothing behind but its results where nothing is recorded', () => {
    const module = make({ numLayers: 2, bidirectional: true, dtype: 'float32' });
    const x = randn([6, 4, 3]);
    const predict = () => {
      for (const t of noGrad(() => run(module, x))) t.dispose();
    };
    predict();
    const before = memory().tensors;
    predict();
    expect(memory().tensors).toBe(before);
  });

  it('starts uniform within 1 / sqrt(H) and repeats by seed', () => {
    const seeded = () => new MAKE[name](10, 64, { generator: new Generator(1) });
    for (const p of seeded().parameters()) {
      expect(p.abs().amax().item()).toBeLessThanOrEqual(1 / 8);
      expect(p.abs().amax().item()).toBeGreaterThan(0.95 / 8);
    }
    expect(numbers(seeded().parameters()[1])).toEqual(numbers(seeded().parameters()[1]));
  });

  it('drops outputs between layers while training only', () => {
    const module = make({ numLayers: 2, dropout: 0.5 });
    const x = ones([3, 2, 3], float64);
    manualSeed(1);
    const [dropped] = run(module, x);
    module.eval();
    const [plain] = run(module, x);
    expect(largestDifference(dropped, plain)).toBeGreaterThan(1e-3);
    expect(numbers(run(module, x)[0])).toEqual(numbers(plain));
    const single = make({ dropout: 1 });
    expect(numbers(run(single, x)[0])).toEqual(numbers(run(single.eval(), x)[0]));
  });

  it('takes views and a batch without sequences', () => {
    const module = make();
    const x = randn([4, 2, 3], float64);
    const turned = x.permute([2, 1, 0]).contiguous().permute([2, 1, 0]);
    expect(numbers(run(module, turned)[0])).toEqual(numbers(run(module, x)[0]));
    const [y, h] = run(module, leaf(zeros([4, 0, 3], float64)));
    expect([y.shape, h.shape]).toEqual([
      [4, 0, 5],
      [1, 0, 5],
    ]);
    y.sum().backward();
    expect(module.parameters().every((p) => gradOf(p).abs().sum().item() === 0)).toBe(true);
  });

  it('learns', () => {
    const module = make({ dtype: 'float32' });
    const x = randn([6, 8, 3], { generator: new Generator(8) });
    const target = x.sum(2).tanh().unsqueeze(2).expand([6, 8, 5]);
    const adam = new optim.Adam(module.parameters(), { lr: 0.05 });
    const step = () => {
      adam.zeroGrad();
      const loss = nn.functional.mseLoss(run(module, x)[0], target);
      loss.backward();
      adam.step();
      return loss.item();
    };
    const first = step();
    for (let i = 0; i < 60; i++) step();
    expect(step()).toBeLessThan(first / 5);
  });
});

describe('cells', () => {
  it('have PyTorch names, start with zeros, and are their functions', () => {
    const x = randn([2, 3]);
    const h = zeros([2, 4]);
    const lstm = new nn.LSTMCell(3, 4);
    expect(Object.keys(lstm.stateDict())).toEqual(['weight_ih', 'weight_hh', 'bias_ih', 'bias_hh']);
    expect(lstm.forward(x).map(numbers)).toEqual(
      lstmCell(x, [h, h], lstm.weightIh, lstm.weightHh, lstm.biasIh, lstm.biasHh).map(numbers),
    );
    const gru = new nn.GRUCell(3, 4, { bias: false });
    expect(Object.keys(gru.stateDict())).toEqual(['weight_ih', 'weight_hh']);
    expect(numbers(gru.forward(x))).toEqual(numbers(gruCell(x, h, gru.weightIh, gru.weightHh)));
    const relu = new nn.RNNCell(3, 4, { nonlinearity: 'relu' });
    const want = rnnReluCell(x, h, relu.weightIh, relu.weightHh, relu.biasIh, relu.biasHh);
    expect(numbers(relu.forward(x))).toEqual(numbers(want));
    expect(relu.forward(x.select(0, 0)).shape).toEqual([4]);
  });

  it('relu networks are their cell, NaN included', () => {
    const rnn = new nn.RNN(2, 3, { nonlinearity: 'relu', bias: false });
    const x = tensor([[[1, 2]], [[Number.NaN, 0]]]);
    const [y] = rnn.forward(x);
    const first = rnnReluCell(x.select(0, 0), zeros([1, 3]), rnn.weightIhL0, rnn.weightHhL0);
    expect(largestDifference(y.select(0, 0), first)).toBeLessThan(1e-6);
    expect(numbers(y.select(0, 1)).every(Number.isNaN)).toBe(true);
  });
});

describe('bad input', () => {
  const lstm = new nn.LSTM(3, 4);
  const gru = new nn.GRU(3, 4, { batchFirst: true });
  const x = zeros([5, 2, 3]);
  const state = zeros([1, 2, 4]);
  it.each<[string, () => unknown, string]>([
    ['an input size of 0', () => new nn.LSTM(0, 2), 'value'],
    ['a hidden size of 0', () => new nn.GRU(2, 0), 'value'],
    ['no layers', () => new nn.RNN(2, 2, { numLayers: 0 }), 'value'],
    ['dropout of 2', () => new nn.GRU(2, 2, { dropout: 2 }), 'value'],
    ['a projection as large as the state', () => new nn.LSTM(2, 2, { projSize: 2 }), 'value'],
    ['a projection of a GRU', () => new nn.GRU(2, 2, { projSize: 1 } as never), 'option'],
    ['an unknown nonlinearity', () => new nn.RNN(2, 2, { nonlinearity: 'gelu' as never }), 'value'],
    ['another number of inputs', () => lstm.forward(zeros([5, 2, 4])), 'shape'],
    ['four dimensions', () => lstm.forward(zeros([5, 2, 1, 3])), 'shape'],
    ['no steps', () => lstm.forward(zeros([0, 2, 3])), 'shape'],
    ['no steps, batch first', () => gru.forward(zeros([2, 0, 3])), 'shape'],
    ['no tensor', () => lstm.forward([1] as never), 'value'],
    ['integers', () => lstm.forward(zeros([5, 2, 3], { dtype: 'int32' })), 'dtype'],
    ['another dtype', () => lstm.forward(zeros([5, 2, 3], float64)), 'dtype'],
    ['a state of another batch', () => gru.forward(zeros([2, 5, 3]), zeros([1, 3, 4])), 'shape'],
    ['a state without a batch', () => lstm.forward(x, [zeros([1, 4]), zeros([1, 4])]), 'shape'],
    ['a cell state of another size', () => lstm.forward(x, [state, zeros([1, 2, 3])]), 'shape'],
    ['a hidden state alone', () => lstm.forward(x, state as never), 'value'],
    ['an unknown option', () => lstm.forward(x, null, { length: [1] } as never), 'option'],
    ['lengths without a batch', () => lstm.forward(zeros([5, 3]), null, { lengths: [5] }), 'shape'],
    ['too few lengths', () => lstm.forward(x, null, { lengths: [5] }), 'shape'],
    ['a length above T', () => lstm.forward(x, null, { lengths: [6, 1] }), 'shape'],
    ['a length of 0', () => lstm.forward(x, null, { lengths: [5, 0] }), 'value'],
    ['a cell with a state of another size', () => new nn.GRUCell(3, 4).forward(zeros([2, 3]), zeros([2, 3])), 'shape'],
    ['a cell on a sequence', () => new nn.GRUCell(3, 4).forward(x), 'shape'],
  ])('%s', (_, make, code) => {
    expect(codeOf(make)).toBe(code);
  });
});
