// Linear regression: finds y = 2 x + 3 again from a hundred noisy points, with a layer and an optimizer.
//
// Run:      npm run example 02-linear-regression
// Expected: the loss falls to about 0.01, the square of the noise, and the last line is close to  y = 2 x + 3
import { linspace, manualSeed, mseLoss, nn, optim, randn } from 'chainrule';

const STEPS = Number(process.env.STEPS ?? 200);

manualSeed(1);
const x = linspace(-1, 1, 100).reshape([100, 1]);
const y = x
  .mul(2)
  .add(3)
  .add(randn([100, 1]).mul(0.1));

const model = new nn.Linear(1, 1);
const optimizer = new optim.SGD(model.parameters(), { lr: 0.1 });

for (let step = 1; step <= STEPS; step++) {
  const loss = mseLoss(model.forward(x), y);
  optimizer.zeroGrad();
  loss.backward();
  optimizer.step();
  if (step % 20 === 0) console.log(`step ${step}  loss ${loss.item().toFixed(4)}`);
}
const [slope, offset] = [model.weight.item(), model.bias!.item()];
console.log(`y = ${slope.toFixed(2)} x + ${offset.toFixed(2)}`);
