// Deeper is not better by itself: five networks with LogSigmoid after every layer, the deepest of which learn nothing at first.
//
// Run:      npm run example 08-mnist-ladder        (real MNIST: -- --dataset mnist --data DIR --images 60000 --epochs 10)
// Expected: 89, 87, 83, 10 and 10 % with LogSigmoid, where 10 % is guessing; 70, 87, 93, 95 and 96 % cured; half a minute
//
// Why they collapse: LogSigmoid is negative everywhere, its slope is at most 1 and about 1/2 around 0, and PyTorch's usual start
// makes values smaller by another factor of 1/sqrt(3) a layer. What differs from image to image (the column "spread") and the
// gradient on its way back shrink by both with every layer, until all images look alike to the last one.
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

/** How much the scores of one class differ from image to image, on average. */
function spread(model: nn.Sequential): number {
  const [[x]] = batches(test, 500, 500);
  return noGrad(() => model.forward(x).std(0).mean().item());
}

function accuracy(model: nn.Sequential): number {
  let right = 0;
  for (const [x, y] of batches(test, test.length, 500)) {
    right += noGrad(() => model.forward(x).argmax(1).eq(y).sum().item());
  }
  return right / test.length;
}

function learn(sizes: number[], cured: boolean): void {
  manualSeed(0);
  const model = network(sizes, cured);
  const before = spread(model);
  const optimizer = cured
    ? new optim.Adam(model.parameters(), { lr: 3e-4 })
    : new optim.SGD(model.parameters(), { lr: 0.01, momentum: 0.9 });
  const loader = batches(train, Number(args.images), 64);
  for (let epoch = 0; epoch < Number(args.epochs); epoch++) {
    for (const [x, y] of loader) {
      optimizer.zeroGrad();
      crossEntropy(model.forward(x), y).backward();
      optimizer.step();
    }
  }
  const numbers = model.parameters().reduce((sum, p) => sum + p.size, 0);
  const columns = [sizes.join('-').padEnd(23), String(numbers).padStart(8), before.toExponential(0)];
  console.log(`${columns.join('  ')}  ${(100 * accuracy(model)).toFixed(1).padStart(5)} %`);
}

const ladder = [[], [128], [512, 256], [1024, 2048], [2048, 4096]].map((hidden) => [784, ...hidden, 10]);
console.log('LogSigmoid after every layer     numbers  spread  accuracy');
for (const sizes of ladder) learn(sizes, false);
console.log('ReLU, better start, Adam');
for (const sizes of ladder) learn(sizes, true);
