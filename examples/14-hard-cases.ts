// The hard cases for a linear classifier: quadrants, rings and islands. No line divides them; two layers do.
//
// Run:      npm run example 14-hard-cases
// Expected: a line learns the first case alone; two layers get more than 95 % of every one right
// Draws:    out/14-hard-cases.svg, what both say at every place of the square
import { cat, linspace, manualSeed, meshgrid, nn, noGrad, optim, rand, stack, type Tensor, viz } from 'chainrule';
import { saveFigure } from './shared/figure.js';

manualSeed(0);
const points = rand([1000, 2]).mul(4).sub(2); // a square from -2 to 2
/** The cases: which of some places [count, 2] are inside. */
const cases: Record<string, (x: Tensor, y: Tensor) => Tensor> = {
  'a line (easy)': (x, y) => x.add(y).gt(0),
  'first and third quadrant': (x, y) => x.mul(y).gt(0),
  'a ring': (x, y) => {
    const radius = x.square().add(y.square()).sqrt();
    return radius.gt(1).logicalAnd(radius.lt(2));
  },
  'three islands': (x, y) =>
    [-1.2, 0, 1.2]
      .map((middle) => x.sub(middle).square().add(y.sub(middle).square()).lt(0.25))
      .reduce((a, b) => a.logicalOr(b)),
};
const at = (places: Tensor, inside: (x: Tensor, y: Tensor) => Tensor) =>
  inside(places.select(1, 0), places.select(1, 1));

/** Trains a network to say which of the points are inside. */
function trained(model: nn.Sequential, inside: Tensor): nn.Sequential {
  const target = inside.to('int32');
  const loss = new nn.CrossEntropyLoss();
  const optimizer = new optim.Adam(model.parameters(), { lr: 0.02 });
  for (let step = 0; step < 500; step++) {
    optimizer.zeroGrad();
    loss.forward(model.forward(points), target).backward();
    optimizer.step();
  }
  return model;
}

const says = (model: nn.Sequential, places: Tensor) => noGrad(() => model.forward(places).argmax(1).ne(0));
const percent = (right: Tensor) => `${(right.sum().item() / 10).toFixed(1)} %`;

const SIDE = 32;
const [down, across] = meshgrid([linspace(2, -2, SIDE), linspace(-2, 2, SIDE)], { indexing: 'ij' });
const grid = stack([across.flatten(), down.flatten()], 1);
/** What is said of the places of the grid, as a picture in a frame. */
const picture = (answers: Tensor) =>
  nn.functional.pad(answers.to('float32').reshape([SIDE, SIDE]), [1, 1, 1, 1], { value: 0.5 });

const pictures: Tensor[] = [];
console.log('case                      always no    linear  two layers');
for (const [name, inside] of Object.entries(cases)) {
  const truth = at(points, inside);
  const linear = trained(new nn.Sequential(new nn.Linear(2, 2)), truth);
  const deep = trained(new nn.Sequential(new nn.Linear(2, 32), new nn.ReLU(), new nn.Linear(32, 2)), truth);
  const [no, one, two] = [truth.logicalNot(), says(linear, points).eq(truth), says(deep, points).eq(truth)].map(
    percent,
  );
  console.log(`${name.padEnd(24)} ${no.padStart(10)}  ${one.padStart(8)}  ${two.padStart(10)}`);
  pictures.push(cat([at(grid, inside), says(linear, grid), says(deep, grid)].map(picture)));
}
const title = 'What is inside: the truth, what a line says, what two layers say';
saveFigure('14-hard-cases', await viz.heatmap(cat(pictures, 1), { title, axes: false }));
