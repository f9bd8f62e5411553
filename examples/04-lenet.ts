// LeNet learns to read digits: the whole of training a convolutional network.
//
// Run:      npm run example 04-lenet        (EPOCHS=1 for a quick look)
// Expected: after three epochs the test accuracy is above 98.5 %; some ten seconds on two cores
import { crossEntropy, data, manualSeed, nn, noGrad, optim, type Tensor } from 'chainrule';

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

const EPOCHS = Number(process.env.EPOCHS ?? 3);

manualSeed(0);
const train = new data.DataLoader(data.digits({ split: 'train' }), { batchSize: 64, shuffle: true, seed: 0 });
const test = new data.DataLoader(data.digits({ split: 'test' }), { batchSize: 500 });
const model = new LeNet();
const optimizer = new optim.SGD(model.parameters(), { lr: 0.02, momentum: 0.9 });

for (let epoch = 1; epoch <= EPOCHS; epoch++) {
  let total = 0;
  for await (const [x, y] of train) {
    const loss = crossEntropy(model.forward(x), y);
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
    total += loss.item() * y.size;
  }
  console.log(`epoch ${epoch}  loss ${(total / 12_000).toFixed(4)}  test accuracy ${(100 * accuracy()).toFixed(2)} %`);
}

function accuracy(): number {
  let [right, all] = [0, 0];
  for (const [x, y] of test) {
    const predicted = noGrad(() => model.forward(x).argmax(1));
    right += predicted.eq(y).sum().item();
    all += y.size;
  }
  return right / all;
}
