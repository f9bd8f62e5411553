// The hard cases for a linear classifier: quadrants, rings and islands. No line divides them; two layers do.
//
// Run:      npm run example 14-hard-cases
// Expected: a line learns the first case alone; two layers get more than 95 % of every one right
import { manualSeed, nn, optim, rand, type Tensor } from 'chainrule';

manualSeed(0);
const points = rand([1000, 2]).mul(4).sub(2); // a square from -2 to 2
const [x, y] = points.split(1, 1).map((column) => column.squeeze(1));
const radius = x.square().add(y.square()).sqrt();
const cases: Record<string, Tensor> = {
  'a line (easy)': x.add(y).gt(0),
  'first and third quadrant': x.mul(y).gt(0),
  'a ring': radius.gt(1).logicalAnd(radius.lt(2)),
  'three islands': [-1.2, 0, 1.2]
    .map((middle) => x.sub(middle).square().add(y.sub(middle).square()).lt(0.25))
    .reduce((a, b) => a.logicalOr(b)),
};

/** How many of the 1,000 points a network gets right after training on them. */
function right(model: nn.Sequential, inside: Tensor): string {
  const target = inside.to('int32');
  const loss = new nn.CrossEntropyLoss();
  const optimizer = new optim.Adam(model.parameters(), { lr: 0.02 });
  for (let step = 0; step < 500; step++) {
    optimizer.zeroGrad();
    loss.forward(model.forward(points), target).backward();
    optimizer.step();
  }
  const share = model.forward(points).argmax(1).eq(target).sum().item() / 1000;
  return `${(100 * share).toFixed(1)} %`.padStart(8);
}

console.log('case                      always no    linear  two layers');
for (const [name, inside] of Object.entries(cases)) {
  const no = `${(100 - inside.sum().item() / 10).toFixed(1)} %`.padStart(10);
  const linear = right(new nn.Sequential(new nn.Linear(2, 2)), inside);
  const deep = right(new nn.Sequential(new nn.Linear(2, 32), new nn.ReLU(), new nn.Linear(32, 2)), inside);
  console.log(`${name.padEnd(24)} ${no}  ${linear}  ${deep.padStart(10)}`);
}
