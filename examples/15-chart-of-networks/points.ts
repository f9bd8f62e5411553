// Networks for points of the plane: perceptron, feed-forward, radial basis functions, deep feed-forward.
import { cat, crossEntropy, data, linspace, meshgrid, nn, noGrad, stack, type Tensor, viz, zeros } from 'chainrule';
import { saveFigure } from '../shared/figure.js';
import { learn, percent } from './learn.js';

type Points = ReturnType<typeof data.xor>;
/** What share of points other than those it learned from a network gets right. */
function right(model: (x: Tensor) => Tensor, set: Points): number {
  const [x, y] = set.tensors;
  return noGrad(() => model(x).eq(y).sum().item()) / y.size;
}

/** Two sets of the same kind, one to learn from and one to be tested with. */
const twice = (make: (options: { count: number; noise: number; seed: number }) => Points, noise: number) =>
  [1, 2].map((seed) => make({ count: 400, noise, seed }));

function trained(model: nn.Sequential, [learned, test]: Points[], steps: number): string {
  const [x, y] = learned.tensors;
  learn(model, () => crossEntropy(model.forward(x), y), { steps, rate: 0.02 });
  return percent(right((x) => model.forward(x).argmax(1), test));
}

const SIDE = 60;

/** The plane as a network sees it, a number a place: pale blue where it answers 1, pale red for 0, and its points dark. */
function plane(model: nn.Sequential, set: Points): Tensor {
  const edge = 1.05 * set.tensors[0].abs().amax().item();
  const [down, across] = meshgrid([linspace(edge, -edge, SIDE), linspace(-edge, edge, SIDE)], { indexing: 'ij' });
  const grid = stack([across, down], 2).reshape([SIDE * SIDE, 2]);
  const seen = noGrad(() => model.forward(grid).softmax(1).select(1, 1).sub(0.5).mul(0.4).contiguous());
  const place = (v: number) => Math.round(((v + edge) / (2 * edge)) * (SIDE - 1));
  const [points, answers] = set.tensors.map((t) => t.toArray()) as [[number, number][], number[]];
  for (const [i, [x, y]] of points.entries()) seen.data[place(-y) * SIDE + place(x)] = answers[i] === 1 ? 1 : -1;
  return seen.reshape([SIDE, SIDE]);
}

/** Rosenblatt's rule of 1958 needs no gradient: add every point that is on the wrong side, or take it away. */
function rosenblatt([learned, test]: Points[]): string {
  const [x, y] = learned.tensors;
  let [w, b, rounds, mistakes] = [zeros([2]), 0, 0, 1];
  for (; mistakes > 0 && rounds < 100; rounds++) {
    mistakes = 0;
    for (let i = 0; i < y.size; i++) {
      const error = y.at(i).item() - Number(w.dot(x.at(i)).item() + b > 0);
      if (error === 0) continue;
      w = w.add(x.at(i).mul(error));
      b += error;
      mistakes++;
    }
  }
  const share = percent(right((x) => x.matmul(w).add(b).gt(0), test));
  return mistakes === 0 ? `${share} after ${rounds} rounds` : `${share}, never done`;
}

function perceptron(): string {
  return `two clouds ${rosenblatt(twice(data.twoGaussians, 0.05))}; exclusive or ${rosenblatt(twice(data.xor, 0))}`;
}

function feedForward(): string {
  const model = new nn.Sequential(new nn.Linear(2, 8), new nn.Tanh(), new nn.Linear(8, 2));
  return `exclusive or ${trained(model, twice(data.xor, 0), 300)}`;
}

/** One unit that says how near a point is to its centre divides a disc from the ring around it; one sigmoid cannot. */
function radial(): string {
  const rings = twice(data.circle, 0.05);
  const near = new nn.Sequential(new nn.RBF(2, 1), new nn.Linear(1, 2));
  const side = new nn.Sequential(new nn.Linear(2, 1), new nn.Sigmoid(), new nn.Linear(1, 2));
  return `disc and ring ${trained(near, rings, 300)} with one unit; one sigmoid ${trained(side, rings, 300)}`;
}

async function deepFeedForward(): Promise<string> {
  const spirals = twice(data.spiral, 0.2);
  const layers = (...sizes: number[]) =>
    new nn.Sequential(
      ...sizes.slice(1).flatMap((size, i) => [new nn.Linear(sizes[i], size), new nn.ReLU()]),
      new nn.Linear(sizes[sizes.length - 1], 2),
    );
  const [deep, flat] = [layers(2, 6, 6, 6), layers(2, 23)]; // 116 and 117 numbers
  const result = `two spirals ${trained(deep, spirals, 600)}; as many numbers in one layer ${trained(flat, spirals, 600)}`;
  const planes = [deep, flat].map((model) => plane(model, spirals[1]));
  const title = 'Two spirals: three layers of six units, and one of 23';
  saveFigure(
    '15-spirals',
    await viz.heatmap(cat([planes[0], zeros([SIDE, 3]), planes[1]], 1), { title, axes: false, signed: true }),
  );
  return result;
}

export const networks = {
  perceptron,
  'feed-forward': feedForward,
  'radial-basis': radial,
  'deep-feed-forward': deepFeedForward,
};
