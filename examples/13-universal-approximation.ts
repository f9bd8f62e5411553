// Universal approximation: one hidden layer draws any curve. First two sigmoids make a step built by hand, then it is learned.
//
// Run:      npm run example 13-universal-approximation
// Expected: 50 towers by hand are 0.014 off on average; 20 units that learned their places do better: 0.012
// Draws:    out/13-universal-approximation.svg
import { arange, manualSeed, mseLoss, nn, optim, type Tensor, viz } from 'chainrule';
import { saveFigure } from './shared/figure.js';

const STEPS = 2000;
const x = arange(200).add(0.5).div(200).reshape([200, 1]);
const curve = (x: Tensor) => x.mul(15).sin().mul(0.3).add(x.mul(0.8)).add(0.1);
const y = curve(x);

/** By hand: a steep sigmoid is a step; the difference of two is a tower; towers side by side are the curve. */
function towers(count: number): Tensor {
  const step = (at: number) => x.sub(at).mul(2000).sigmoid();
  let sum = x.mul(0);
  for (let i = 0; i < count; i++) {
    const height = curve(x.mul(0).add((i + 0.5) / count));
    sum = sum.add(
      step(i / count)
        .sub(step((i + 1) / count))
        .mul(height),
    );
  }
  return sum;
}

/** By learning: as many hidden units, which find their places themselves. */
function learned(units: number): Tensor {
  manualSeed(0);
  const hidden = new nn.Linear(1, units);
  nn.init.uniform(hidden.weight, { a: -20, b: 20 }); // steep enough to begin with
  nn.init.uniform(hidden.bias!, { a: -10, b: 10 });
  const model = new nn.Sequential(hidden, new nn.Tanh(), new nn.Linear(units, 1));
  const optimizer = new optim.Adam(model.parameters(), { lr: 0.01 });
  for (let step = 0; step < STEPS; step++) {
    optimizer.zeroGrad();
    mseLoss(model.forward(x), y).backward();
    optimizer.step();
  }
  return model.forward(x).detach();
}

const far = (found: Tensor) => found.sub(y).abs().mean().item().toFixed(4);
for (const count of [5, 20, 50]) console.log(`${count} towers by hand: off by ${far(towers(count))} on average`);
for (const units of [2, 5, 20]) console.log(`${units} units, learned: off by ${far(learned(units))} on average`);

const line = (name: string, values: Tensor) => ({
  name,
  points: Array.from(values.data, (v, i) => [x.data[i], v] as const),
});
saveFigure(
  '13-universal-approximation',
  await viz.linePlot([line('curve', y), line('20 towers by hand', towers(20)), line('5 units, learned', learned(5))], {
    title: 'One hidden layer draws a curve',
    xLabel: 'x',
    leftLabel: 'y',
  }),
);
