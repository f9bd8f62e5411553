// Linear regression: finds y = 2 x + 3 again from 1,000 noisy points, by small steps downhill and by one equation.
//
// Run:      npm run example 04-linear-regression
// Expected: the loss falls to 0.8, the mean size of the noise, and both ways say  y = 2.0 x + 3.0
// Draws:    out/04-linear-regression.svg
import { l1Loss, linalg, manualSeed, nn, ones, optim, rand, randn, stack, viz } from 'chainrule';
import { saveFigure } from './shared/figure.js';

const STEPS = 1000;

manualSeed(0);
const x = rand([1000, 1]).mul(10).sub(5); // from -5 to 5
const y = x
  .mul(2)
  .add(3)
  .add(randn([1000, 1]));

// Small steps: the L1 loss is the mean distance to the line, and each step goes against its gradient.
const model = new nn.Linear(1, 1);
const optimizer = new optim.SGD(model.parameters(), { lr: 0.01 });
for (let step = 1; step <= STEPS; step++) {
  const loss = l1Loss(model.forward(x), y);
  optimizer.zeroGrad();
  loss.backward();
  optimizer.step();
  if (step % (STEPS / 5) === 0) console.log(`step ${step}  loss ${loss.item().toFixed(4)}`);
}
console.log(`by steps     y = ${model.weight.item().toFixed(2)} x + ${model.bias!.item().toFixed(2)}`);

// One equation, for the square of the distance: A^T A w = A^T y, where a row of A is (x, 1).
const A = stack([x.squeeze(1), ones([1000])], 1);
const [slope, offset] = linalg.solve(A.t().matmul(A), A.t().matmul(y)).data;
console.log(`by equation  y = ${slope.toFixed(2)} x + ${offset.toFixed(2)}`);

const points = Array.from(x.data, (at, i) => [at, y.data[i]] as const);
const ends = (slope: number, offset: number) => [-5, 5].map((at) => [at, slope * at + offset] as const);
const lines = [
  { name: '1,000 points', points, line: false, faint: true },
  { name: 'by steps', points: ends(model.weight.item(), model.bias!.item()) },
  { name: 'by equation', points: ends(slope, offset) },
];
const title = 'A line through noisy points';
saveFigure('04-linear-regression', await viz.linePlot(lines, { title, xLabel: 'x', leftLabel: 'y' }));
