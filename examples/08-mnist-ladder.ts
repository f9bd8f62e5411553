// Deeper is not better by itself: five networks with LogSigmoid after every layer, the widest of which learn nothing at all.
//
// Run:      npm run example 08-mnist-ladder        (real MNIST: -- --dataset mnist --data DIR --images 60000 --epochs 1)
// Expected: 87, 95, 17, 10 and 10 % with LogSigmoid, where 10 % is guessing; 70, 87, 93, 95 and 96 % cured; half a minute.
//           Of real MNIST, after one epoch: 88, 94, 96, 10 and 10 %; cured 90, 94, 96, 97 and 96 %
//
// Why they collapse: LogSigmoid is negative everywhere, so a wide layer of it gives the next one inputs that are all alike, about
// -0.7, and one step moves a score by rate x width / 2. In the last layer LogSigmoid ends at 0: a score that was thrown there has
// the slope e^-x, as good as none, and stays. Its class is the answer to every image (the column "one answer"), and with all
// scores at 0 the loss is ln 10 for ever.
import { parseArgs } from 'node:util';
import { crossEntropy, data, manualSeed, nn, noGrad, optim, slice } from 'chainrule';

const { values: args } = parseArgs({
  options: {
    dataset: { type: 'string', default: 'digits' },
    data: { type: 'string' },
    images: { type: 'string', default: '3000' },
    epochs: { type: 'string', default: '3' },
  },
});
const load = (split: 'train' | 'test') =>
  args.dataset === 'mnist' ? data.mnist({ split, root: args.data }) : data.digits({ split });
const [train, test] = [await load('train'), await load('test')];
const batches = (set: data.ImageDataset, count: number, batchSize: number) => {
  const first = new data.ImageDataset(set.images.at(slice(0, count)), set.labels.at(slice(0, count)), {
    mean: 0.13,
    std: 0.31,
  });
  return new data.DataLoader(first, { batchSize, shuffle: true, seed: 0 });
};

/** Layers of these sizes. The homework's: LogSigmoid after every layer, the last too. The cure: ReLU between, room to start. */
function network(sizes: number[], cured: boolean): nn.Sequential {
  const layers: nn.Module[] = [new nn.Flatten()];
  for (let i = 1; i < sizes.length; i++) {
    const linear = new nn.Linear(sizes[i - 1], sizes[i]);
    if (cured) nn.init.kaimingNormal(linear.weight, { nonlinearity: 'relu' });
    layers.push(linear);
    if (!cured) layers.push(new nn.LogSigmoid());
    else if (i < sizes.length - 1) layers.push(new nn.ReLU());
  }
  return new nn.Sequential(...layers);
}

/** What share of the test images a network gets right, and to what share it gives its commonest answer. */
function examine(model: nn.Sequential): { right: number; same: number } {
  let right = 0;
  const answers = new Array<number>(10).fill(0);
  for (const [x, y] of batches(test, test.length, 500)) {
    const said = noGrad(() => model.forward(x).argmax(1));
    right += said.eq(y).sum().item();
    for (const digit of said.data) answers[digit]++;
  }
  return { right: right / test.length, same: Math.max(...answers) / test.length };
}

function learn(sizes: number[], cured: boolean): void {
  manualSeed(0);
  const model = network(sizes, cured);
  const optimizer = cured
    ? new optim.Adam(model.parameters(), { lr: 3e-4 })
    : new optim.SGD(model.parameters(), { lr: 0.1, momentum: 0.9 });
  const loader = batches(train, Number(args.images), 64);
  let last = 0;
  for (let epoch = 0; epoch < Number(args.epochs); epoch++) {
    for (const [x, y] of loader) {
      const loss = crossEntropy(model.forward(x), y);
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
      last = loss.item();
    }
  }
  const numbers = model.parameters().reduce((sum, p) => sum + p.size, 0);
  const { right, same } = examine(model);
  const share = (value: number, width: number) => `${(100 * value).toFixed(1)} %`.padStart(width);
  const columns = [sizes.join('-').padEnd(23), String(numbers).padStart(8), last.toFixed(3).padStart(9)];
  console.log([...columns, share(same, 10), share(right, 8)].join('  '));
}

const ladder = [[], [128], [512, 256], [1024, 2048], [2048, 4096]].map((hidden) => [784, ...hidden, 10]);
console.log('LogSigmoid after every layer     numbers  last loss  one answer  accuracy');
for (const sizes of ladder) learn(sizes, false);
console.log('ReLU, better start, Adam');
for (const sizes of ladder) learn(sizes, true);
