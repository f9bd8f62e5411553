// XOR and its traps: two units and one learn the four points, but from many starts gradient descent ends in a local minimum.
//
// Run:      npm run example 10-xor-local-minima
// Expected: 51 of 100 starts learn XOR; 21 end with one point wrong, 28 with two, in minima of error 1/8 or 1/6
// Draws:    out/10-xor-cost.svg, the cost along one weight
import { mkdirSync, writeFileSync } from 'node:fs';
import { manualSeed, mseLoss, nn, noGrad, optim, tensor, viz } from 'chainrule';

const STARTS = Number(process.env.STARTS ?? 100);
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
    `${errors} wrong: ${these.length} of ${STARTS} starts, mean square errors ${losses.slice(0, 4).join(' ') || 'none'}`,
  );
}

// The cost along the first weight, all others as they ended: a valley where the network works, a plain where it is stuck.
const series = [0, 1, 2].flatMap((errors) => {
  const model = ends.find((end) => end.errors === errors)?.model;
  if (!model) return [];
  const weight = model.parameters()[0];
  const values = Array.from({ length: 121 }, (_, i) => i / 5 - 12);
  const end = weight.data[0];
  const cost = values.map((w) => {
    weight.data[0] = w;
    return [w, noGrad(() => mseLoss(model.forward(points), xor).item())] as const;
  });
  weight.data[0] = end;
  return [{ name: `${errors} of 4 wrong, ended at w = ${end.toFixed(1)}`, points: cost }];
});
mkdirSync('out', { recursive: true });
const labels = { title: 'XOR: the cost C(w) along one weight', xLabel: 'w', leftLabel: 'mean square error' };
writeFileSync('out/10-xor-cost.svg', await viz.linePlot(series, labels));
