// LeNet learns to read digits: the whole of training a convolutional network, 431,080 numbers.
//
// Run:      npm run example 09-lenet        (real MNIST: -- --dataset mnist --data DIR --epochs 10)
// Expected: after three epochs about 99 % of the drawn digits are read; some ten seconds on two cores.
//           Of real MNIST, after ten epochs, 99.34 %
import { parseArgs } from 'node:util';
import { crossEntropy, data, manualSeed, nn, noGrad, optim, type Tensor } from 'chainrule';

const { values: args } = parseArgs({
  options: {
    dataset: { type: 'string', default: 'digits' },
    data: { type: 'string' },
    epochs: { type: 'string', default: '3' },
  },
});
const EPOCHS = Number(args.epochs);
const PIXELS = { mean: 0.1307, std: 0.3081 };

class LeNet extends nn.Module {
  conv1 = new nn.Conv2d(1, 20, 5);
  conv2 = new nn.Conv2d(20, 50, 5);
  fc1 = new nn.Linear(800, 500);
  fc2 = new nn.Linear(500, 10);
  pool = new nn.MaxPool2d(2);

  forward(x: Tensor): Tensor {
    // x [N, 1, 28, 28] -> [N, 20, 12, 12] -> [N, 50, 4, 4] -> [N, 800] -> [N, 10]
    x = this.pool.forward(this.conv1.forward(x).relu());
    x = this.pool.forward(this.conv2.forward(x).relu());
    x = this.fc1.forward(x.flatten(1)).relu();
    return this.fc2.forward(x);
  }
}

const load = (split: 'train' | 'test') =>
  args.dataset === 'mnist' ? data.mnist({ split, root: args.data, ...PIXELS }) : data.digits({ split, ...PIXELS });

manualSeed(0);
const train = new data.DataLoader(await load('train'), { batchSize: 64, shuffle: true, seed: 0 });
const test = new data.DataLoader(await load('test'), { batchSize: 500 });
const model = new LeNet();
const optimizer = new optim.SGD(model.parameters(), { lr: 0.02, momentum: 0.9, weightDecay: 5e-4 });
// The steps get shorter along half a cosine, down to nothing at the end.
const schedule = new optim.lrScheduler.CosineAnnealingLR(optimizer, EPOCHS);
console.log(`${model.parameters().reduce((sum, p) => sum + p.size, 0)} parameters`);

let best = 0;
for (let epoch = 1; epoch <= EPOCHS; epoch++) {
  let total = 0;
  for await (const [x, y] of train) {
    const loss = crossEntropy(model.forward(x), y);
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
    total += loss.item() * y.size;
  }
  schedule.step();
  const right = accuracy();
  best = Math.max(best, right);
  console.log(
    `epoch ${epoch}  loss ${(total / train.dataset.length).toFixed(4)}  test accuracy ${(100 * right).toFixed(2)} %`,
  );
}
console.log(`best ${(100 * best).toFixed(2)} %`);

function accuracy(): number {
  let right = 0;
  for (const [x, y] of test) right += noGrad(() => model.forward(x).argmax(1).eq(y).sum().item());
  return right / test.dataset.length;
}
