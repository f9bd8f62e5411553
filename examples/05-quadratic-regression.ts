// A network of straight pieces learns a curve: 8 x^2 + 7 x + 3 by layers of 1-10-6-1 units with ReLU and the L1 loss.
//
// Run:      npm run example 05-quadratic-regression
// Expected: the loss falls to about 0.1, and at five places the network is within 0.4 of the curve
// Draws:    out/05-quadratic-regression.svg
import { l1Loss, linspace, manualSeed, nn, optim, type Tensor, viz } from 'chainrule';
import { saveFigure } from './shared/figure.js';

const STEPS = 2000;

manualSeed(0);
const x = linspace(-2, 2, 200).reshape([200, 1]);
const y = x.square().mul(8).add(x.mul(7)).add(3);

const model = new nn.Sequential(
  new nn.Linear(1, 10),
  new nn.ReLU(),
  new nn.Linear(10, 6),
  new nn.ReLU(),
  new nn.Linear(6, 1),
);
const optimizer = new optim.Adam(model.parameters(), { lr: 0.01 });
const line = (name: string, values: Tensor) => ({
  name,
  points: Array.from(values.data, (v, i) => [x.data[i], v] as const),
});
const lines = [line('8x² + 7x + 3', y)];
for (let step = 1; step <= STEPS; step++) {
  const loss = l1Loss(model.forward(x), y);
  optimizer.zeroGrad();
  loss.backward();
  optimizer.step();
  if (step % (STEPS / 5) === 0) console.log(`step ${step}  loss ${loss.item().toFixed(4)}`);
  if (step === 50 || step === 200) lines.push(line(`after ${step} steps`, model.forward(x)));
}

const found = model.forward(x);
for (const at of [0, 50, 100, 150, 199])
  console.log(
    `x = ${x.at(at).item().toFixed(2)}  curve ${y.at(at).item().toFixed(2)}  network ${found.at(at).item().toFixed(2)}`,
  );

const title = 'A curve of straight pieces';
lines.push(line(`after ${STEPS} steps`, found));
saveFigure('05-quadratic-regression', await viz.linePlot(lines, { title, xLabel: 'x', leftLabel: 'y' }));
