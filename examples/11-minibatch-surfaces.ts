// Every minibatch has a cost surface of its own: L(w | x, y) overlaid, and the paths that SGD, momentum and Adam take.
//
// Run:      npm run example 11-minibatch-surfaces
// Expected: the batches are lowest between w = 1.3 and 2.9, all points at 2.4; after 100 steps Adam is 0.01 from the goal, SGD 1.66
// Draws:    out/11-minibatch-surfaces.svg and out/11-optimizer-paths.svg
import { arange, linalg, manualSeed, optim, randn, stack, type Tensor, tensor, viz } from 'chainrule';
import { saveFigure } from './shared/figure.js';

// y = w x, with w = 2 and noise: the cost of a batch of 8 is a parabola, but each batch has another.
manualSeed(0);
const x = randn([64]);
const y = x.mul(2).add(randn([64]));
const cost = (w: number, xs: Tensor, ys: Tensor) => xs.mul(w).sub(ys).square().mean().item();
const ws = Array.from({ length: 61 }, (_, i) => -1 + i / 10);
const curve = (xs: Tensor, ys: Tensor) => ws.map((w) => [w, cost(w, xs, ys)] as const);
const xBatches = x.split(8);
const batches = y.split(8).map((ys, i) => ({ name: `batch ${i + 1}`, points: curve(xBatches[i], ys) }));
const whole = { name: 'all 64', points: curve(x, y) };
const lowest = ({ points }: typeof whole) => points.reduce((best, point) => (point[1] < best[1] ? point : best))[0];
console.log(`lowest cost of the batches at w = ${batches.map((b) => lowest(b).toFixed(1)).join(' ')}`);
console.log(`lowest cost of all at w = ${lowest(whole).toFixed(1)}`);

const GAP: [number, number] = [Number.NaN, Number.NaN];
// Two weights, one of them with inputs ten times smaller: a long narrow valley from (-1, -1) to its lowest point at (1, 1).
const inputs = stack([randn([256]), randn([256]).mul(0.1)], 1);
const target = inputs.matmul(tensor([1, 1]));
const optimizers = {
  SGD: (w: Tensor) => new optim.SGD([w], { lr: 0.1 }),
  momentum: (w: Tensor) => new optim.SGD([w], { lr: 0.1, momentum: 0.9 }),
  Adam: (w: Tensor) => new optim.Adam([w], { lr: 0.1 }),
};
const paths = Object.entries(optimizers).map(([name, make]) => {
  const w = tensor([-1, -1], { requiresGrad: true });
  const optimizer = make(w);
  const points: [number, number][] = [];
  for (let step = 0; step < 100; step++) {
    points.push([w.data[0], w.data[1]]);
    const from = (step % 16) * 16; // the next minibatch of 16
    const error = inputs
      .narrow(0, from, 16)
      .matmul(w)
      .sub(target.narrow(0, from, 16));
    optimizer.zeroGrad();
    error.square().mean().backward();
    optimizer.step();
  }
  const distance = Math.hypot(w.data[0] - 1, w.data[1] - 1);
  console.log(`${name.padEnd(8)} ends ${distance.toFixed(2)} from the lowest point`);
  return { name, points, dots: true };
});

// Curves on which all points together cost the same: (w - 1)' H (w - 1), an ellipse, where H = X' X / n = C C'.
const C = linalg.cholesky(inputs.t().matmul(inputs).div(256));
const turn = arange(2401).mul(Math.PI / 1200);
const ring = stack([turn.cos(), turn.sin()], 1).matmul(linalg.inv(C));
const inPicture = ([a, b]: [number, number]) => Math.abs(a - 0.75) < 1.75 && Math.abs(b) < 1.5;
const level = [0.01, 0.04, 0.2, 1, 4].flatMap((cost) => {
  const points = ring.mul(Math.sqrt(cost)).add(1).toArray() as [number, number][];
  return [...points.map((point) => (inPicture(point) ? point : GAP)), GAP];
});

const surfaces = { title: 'L(w | x, y) of four minibatches and of all', xLabel: 'w', leftLabel: 'L' };
saveFigure('11-minibatch-surfaces', await viz.linePlot([...batches.slice(0, 4), whole], surfaces));
const valley = {
  title: 'Paths through a narrow valley',
  xLabel: 'first weight',
  leftLabel: 'second weight',
  height: 560,
};
const behind = { name: 'equal cost: 0.01, 0.04, 0.2, 1, 4', points: level, faint: true };
saveFigure('11-optimizer-paths', await viz.linePlot([behind, ...paths], valley));
