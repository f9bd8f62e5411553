// js-pytorch: nested arrays, and Adam as its only optimizer.
import { createRequire } from 'node:module';
import { torch } from 'js-pytorch';
import { linearShapes, numbers, parameters, wholeNumbers } from '../../work/numbers.ts';
import { serve } from '../serve.ts';

const { version } = createRequire(import.meta.resolve('js-pytorch'))('../package.json');

const nested = (flat, rows, columns) =>
  Array.from({ length: rows }, (_, i) => [...flat.subarray(i * columns, (i + 1) * columns)]);
const transposed = (rows) => rows[0].map((_, j) => rows.map((row) => row[j]));
const read = (y) => y.data.flat(Infinity);

class Network extends torch.nn.Module {
  constructor(sizes) {
    super();
    const flat = parameters(linearShapes(sizes));
    this.count = sizes.length - 1;
    this.relu = new torch.nn.ReLU();
    for (let i = 0; i < this.count; i++) {
      const layer = new torch.nn.Linear(sizes[i], sizes[i + 1]);
      layer.W._data = transposed(nested(flat[2 * i], sizes[i + 1], sizes[i]));
      layer.b._data = [...flat[2 * i + 1]];
      this[`layer${i}`] = layer;
    }
  }

  forward(x) {
    let h = x;
    for (let i = 0; i < this.count; i++) h = this[`layer${i}`].forward(i > 0 ? this.relu.forward(h) : h);
    return h;
  }
}

function mlp({ sizes, batch, optimizer }) {
  if (sizes.at(-1) === 1) throw new Error('it has no tanh');
  const model = new Network(sizes);
  const x = torch.tensor(nested(numbers(batch * sizes[0], 100), batch, sizes[0]));
  if (optimizer === 'none') return { run: () => model.forward(x), read };
  if (optimizer !== 'Adam') throw new Error('it has no optimizer but Adam');
  const y = torch.tensor([...wholeNumbers(batch, 101, sizes.at(-1))]);
  const criterion = new torch.nn.CrossEntropyLoss();
  const rule = new torch.optim.Adam(model.parameters(), 0.001);
  const run = () => {
    const loss = criterion.forward(model.forward(x), y);
    loss.backward();
    rule.step();
    rule.zero_grad();
    return loss;
  };
  // Its Adam corrects no bias: the losses are others.
  return { run };
}

const FAMILIES = {
  mlp,
  add: ({ n, grad }) => {
    const [a, b] = [1, 2].map((seed) => torch.tensor([...numbers(n, seed)], grad && seed === 1));
    return { run: () => torch.add(a, b), read };
  },
  matmul: ({ m, k, n }) => {
    if (m * k * n > 512 ** 3) throw new Error('it takes seconds');
    const [a, b] = [torch.tensor(nested(numbers(m * k, 1), m, k)), torch.tensor(nested(numbers(k * n, 2), k, n))];
    return { run: () => torch.matmul(a, b), read };
  },
};

await serve('js-pytorch', version, (family, options) => FAMILIES[family](options));
