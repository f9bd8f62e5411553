// XOR and its traps: two units and one learn the four points, but from many starts gradient descent ends in a local minimum.
//
// Run:      npm run example 10-xor-local-minima
// Expected: 51 of 100 starts learn XOR; 21 end with one point wrong, 28 with two, in minima of error 1/8 or 1/6.
//           A line that turns has three minima, with 5, 3 and 2 of 12 points wrong; where it ends depends on where it starts
// Draws:    out/10-xor-cost.svg, the cost along one weight, and out/10-three-minima.svg, the cost of the line
import { parseArgs } from 'node:util';
import { manualSeed, mseLoss, nn, noGrad, optim, type Tensor, tensor, viz } from 'chainrule';
import { saveFigure } from './shared/figure.js';

const { values: args } = parseArgs({ options: { starts: { type: 'string', default: '100' } } });
const STARTS = Number(args.starts);
const points = tensor([
  [0, 0],
  [0, 1],
  [1, 0],
  [1, 1],
]);
const xor = tensor([[0], [1], [1], [0]]);
const network = () => new nn.Sequential(new nn.Linear(2, 2), new nn.Sigmoid(), new nn.Linear(2, 1), new nn.Sigmoid());

/** Trains one network from one random start; how many of the four points it has wrong at the end, and the network. */
function learn(seed: number): { errors: number; loss: number; model: ReturnType<typeof network> } {
  manualSeed(seed);
  const model = network();
  for (const p of model.parameters()) nn.init.uniform(p, { a: -2, b: 2 });
  const optimizer = new optim.Adam(model.parameters(), { lr: 0.1 });
  for (let step = 0; step < 500; step++) {
    optimizer.zeroGrad();
    mseLoss(model.forward(points), xor).backward();
    optimizer.step();
  }
  const answers = noGrad(() => model.forward(points));
  return { errors: answers.gt(0.5).ne(xor.gt(0.5)).sum().item(), loss: mseLoss(answers, xor).item(), model };
}

const ends = Array.from({ length: STARTS }, (_, seed) => learn(seed));
for (const errors of [0, 1, 2]) {
  const these = ends.filter((end) => end.errors === errors);
  const losses = [...new Set(these.map((end) => end.loss.toFixed(3)))].sort();
  console.log(
    `${errors} of 4 wrong: ${these.length} of ${STARTS} starts, mean square errors ${losses.slice(0, 4).join(' ') || 'none'}`,
  );
}

// The cost along the first weight, all others as they ended: a valley where the network works, a plain where it is stuck.
const series = [0, 1, 2].flatMap((errors) => {
  const model = ends.find((end) => end.errors === errors)?.model;
  if (!model) return [];
  const weight = model.parameters()[0];
  const values = Array.from({ length: 121 }, (_, i) => i / 5 - 12);
  const end = weight.data[0];
  const along = values.map((w) => {
    weight.data[0] = w;
    return [w, noGrad(() => mseLoss(model.forward(points), xor).item())] as const;
  });
  weight.data[0] = end;
  return [{ name: `${errors} of 4 wrong, at w = ${end.toFixed(1)}`, points: along }];
});
const labels = { title: 'XOR: the cost C(w) along one weight', xLabel: 'w', leftLabel: 'mean square error' };
saveFigure('10-xor-cost', await viz.linePlot(series, labels));

// One weight alone: the line y = w1 x through twelve points of XOR, of class 1 where x and y have the same sign. Those above the
// line are taken for class 1, by a sigmoid. Each point is given by its x, 1 or -1, and the slope at which the line meets it.
const twelve = [
  ...[-2.6, -2.4, -1.4, -1.2, -1].map((slope) => [1, slope]), // class 0, lower right
  ...[-1.9].map((slope) => [-1, slope]), // class 0, upper left
  ...[0.2, 1.8, 2.1, 2.4].map((slope) => [1, slope]), // class 1, upper right
  ...[0.8, 1].map((slope) => [-1, slope]), // class 1, lower left
];
const [xs, slopes] = [0, 1].map((i) => tensor(twelve.map((point) => point[i])));
const ys = xs.mul(slopes);
const inside = slopes.gt(0);
const above = (w1: Tensor) => ys.sub(xs.mul(w1)).mul(10).sigmoid();
const cost = (w1: Tensor) => mseLoss(above(w1), inside.to('float32'));

const descents = [-3, -1.5, 2.5].map((start) => {
  const w1 = tensor(start, { requiresGrad: true });
  const optimizer = new optim.SGD([w1], { lr: 0.05 });
  const points: [number, number][] = [];
  for (let step = 0; step < 200; step++) {
    const loss = cost(w1);
    points.push([w1.item(), loss.item()]);
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
  }
  const errors = above(w1).gt(0.5).ne(inside).sum().item();
  console.log(
    `from w1 = ${start} to ${w1.item().toFixed(1)}: ${errors} of 12 wrong, cost ${cost(w1).item().toFixed(3)}`,
  );
  return { name: `from ${start}: ${errors} wrong`, points, dots: true };
});
const curve = Array.from({ length: 301 }, (_, i) => i / 50 - 3).map((w1) => [w1, cost(tensor(w1)).item()] as const);
const title = 'The cost C(w1) of a line through XOR, and three descents';
const surface = [{ name: 'C(w1)', points: curve }, ...descents];
saveFigure('10-three-minima', await viz.linePlot(surface, { title, xLabel: 'w1', leftLabel: 'C' }));
