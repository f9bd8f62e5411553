// Linear classifiers and their losses: the SVM's margin, softmax with cross entropy, and the logistic curve for two classes.
//
// Run:      npm run example 06-linear-classifiers
// Expected: the values in the comments
import {
  arange,
  binaryCrossEntropyWithLogits,
  crossEntropy,
  manualSeed,
  multiMarginLoss,
  nn,
  optim,
  randn,
  type Tensor,
  tensor,
} from 'chainrule';

// The lecture's scores of three images: rows are images of a cat, a car and a frog, columns the scores of these classes.
const scores = tensor([
  [3.2, 5.1, -1.7],
  [1.3, 4.9, 2.0],
  [2.2, 2.5, -3.1],
]);
const classes = tensor([0, 1, 2], { dtype: 'int32' });
const rounded = (x: Tensor) => Array.from(x.data, (v) => v.toFixed(2)).join(' ');

// SVM: every wrong class should score 1 below the right one. PyTorch's loss divides by the number of classes.
const margins = multiMarginLoss(scores, classes, { reduction: 'none' }).mul(3);
console.log('SVM losses of the images', rounded(margins)); // SVM losses of the images 2.90 0.00 12.90
// Softmax: the probability of the right class should be 1; never content, it still pushes where the SVM's loss is 0. The first loss
// is -ln 0.13 = 2.04; a slide that says 0.89 takes the logarithm to base 10.
console.log('softmax of the first', rounded(scores.at(0).softmax(0))); // softmax of the first 0.13 0.87 0.00
const entropies = crossEntropy(scores, classes, { reduction: 'none' });
console.log('softmax losses of the images', rounded(entropies)); // softmax losses of the images 2.04 0.08 6.16

// Three clouds of points that touch each other.
manualSeed(0);
const label = arange(300, { dtype: 'int32' }).remainder(3);
const middles = tensor([
  [0, 2],
  [-2, -1],
  [2, -1],
]);
const points = middles.indexSelect(0, label).add(randn([300, 2]));

/** Trains a linear layer; weightDecay is L2: it asks for small weights. */
function train(name: string, loss: (scores: Tensor) => Tensor, weightDecay: number): void {
  manualSeed(1);
  const layer = new nn.Linear(2, 3);
  const optimizer = new optim.SGD(layer.parameters(), { lr: 0.1, weightDecay });
  for (let step = 0; step < 500; step++) {
    optimizer.zeroGrad();
    loss(layer.forward(points)).backward();
    optimizer.step();
  }
  const right = layer.forward(points).argmax(1).eq(label).sum().item();
  console.log(`${name}  L2 ${weightDecay}  right ${right} of 300  size of W ${layer.weight.norm().item().toFixed(2)}`);
}
for (const weightDecay of [0, 0.1]) {
  train('SVM    ', (s) => multiMarginLoss(s, label), weightDecay);
  train('softmax', (s) => crossEntropy(s, label), weightDecay);
}
// SVM      L2 0  right 282 of 300  size of W 1.88
// softmax  L2 0  right 282 of 300  size of W 3.29
// SVM      L2 0.1  right 280 of 300  size of W 0.91
// softmax  L2 0.1  right 282 of 300  size of W 1.54

// Two classes: one score through the logistic curve, s(x) = 1 / (1 + e^-x), is the probability of the second.
const [two, target] = [points.at(label.ne(0)), label.at(label.ne(0)).sub(1).to('float32')];
const layer = new nn.Linear(2, 1);
const optimizer = new optim.SGD(layer.parameters(), { lr: 0.5 });
for (let step = 0; step < 200; step++) {
  optimizer.zeroGrad();
  binaryCrossEntropyWithLogits(layer.forward(two).squeeze(1), target).backward();
  optimizer.step();
}
const probability = (x: number, y: number) =>
  layer
    .forward(tensor([x, y]))
    .sigmoid()
    .item()
    .toFixed(3);
// At the middle of the first cloud, between the two, at the middle of the second:
console.log('logistic: probabilities', probability(-2, -1), probability(0, -1), probability(2, -1)); // logistic: probabilities 0.002 0.564 0.999
