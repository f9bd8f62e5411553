// LeNet learns to read digits: the whole of training a convolutional network, 431,080 numbers.
//
// Run:      npm run example 09-lenet        (real MNIST: -- --dataset mnist --data DIR --epochs 10)
// Expected: after three epochs about 99 % of the drawn digits are read; some ten seconds on two cores.
//           Of real MNIST, after ten epochs, 99.34 %
// Draws:    out/09-lenet.svg, losses and accuracy, again after every epoch: leave it open and load it anew
import { parseArgs } from 'node:util';
import { crossEntropy, data, manualSeed, nn, optim, type Tensor, viz } from 'chainrule';
import { DIGIT_OPTIONS, examine, readDigits } from './shared/digits.js';
import { saveFigure } from './shared/figure.js';

const { values: args } = parseArgs({
  options: { ...DIGIT_OPTIONS, epochs: { type: 'string', default: '3' } },
});
const EPOCHS = Number(args.epochs);
const percent = (share: number) => `${(100 * share).toFixed(2)} %`;
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

manualSeed(0);
const train = new data.DataLoader(await readDigits('train', args, PIXELS), { batchSize: 64, shuffle: true, seed: 0 });
const test = await readDigits('test', args, PIXELS);
const model = new LeNet();
const optimizer = new optim.SGD(model.parameters(), { lr: 0.02, momentum: 0.9, weightDecay: 5e-4 });
// The steps get shorter along half a cosine, down to nothing at the end.
const schedule = new optim.lrScheduler.CosineAnnealingLR(optimizer, EPOCHS);
console.log(`${model.parameters().reduce((sum, p) => sum + p.size, 0)} parameters`);

// Every step by hand; train.fit, as in lesson 8, does the same and can stop, save and go on.
const losses: number[] = [];
const tests: { epoch: number; accuracy: number }[] = [];
for (let epoch = 1; epoch <= EPOCHS; epoch++) {
  let total = 0;
  for await (const [x, y] of train) {
    const loss = crossEntropy(model.forward(x), y);
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
    losses.push(loss.item());
    total += loss.item() * y.size;
  }
  schedule.step();
  tests.push({ epoch, accuracy: examine(model, test).right });
  const mean = (total / train.dataset.length).toFixed(4);
  console.log(`epoch ${epoch}  loss ${mean}  test accuracy ${percent(tests[epoch - 1].accuracy)}`);
  saveFigure('09-lenet', await viz.lossPlot({ losses, stepsPerEpoch: train.length, tests }, { title: 'LeNet' }));
}
console.log(`best ${percent(Math.max(...tests.map((test) => test.accuracy)))}`);
