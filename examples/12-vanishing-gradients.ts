// Why deep networks of sigmoids do not learn: the gradient shrinks in every layer. ReLU, and then residuals, let it through.
//
// Run:      npm run example 12-vanishing-gradients
// Expected: the gradient of layer 1 is 3e-13 of that of layer 20 with sigmoids, 0.5 with ReLU, 0.07 with sigmoids and residuals
// Draws:    out/12-vanishing-gradients.svg
import { manualSeed, nn, randn, type Tensor, viz } from 'chainrule';
import { saveFigure } from './shared/figure.js';

const [DEPTH, WIDTH] = [20, 64];

// The slope of a sigmoid is at most 1/4. Through a stack of them the gradient is multiplied by less than that each time.
class Stack extends nn.Module {
  layers = new nn.ModuleList(Array.from({ length: DEPTH }, () => new nn.Linear(WIDTH, WIDTH)));

  constructor(
    private readonly activation: (x: Tensor) => Tensor,
    private readonly residual: boolean,
  ) {
    super();
  }

  forward(x: Tensor): Tensor {
    for (const layer of this.layers) {
      const y = this.activation(layer.forward(x));
      x = this.residual ? x.add(y) : y; // x + f(x): whatever f does, the gradient of x is at least that of the sum
    }
    return x;
  }
}

manualSeed(0);
const stacks = {
  sigmoid: new Stack((x) => x.sigmoid(), false),
  tanh: new Stack((x) => x.tanh(), false),
  relu: new Stack((x) => x.relu(), false),
  'sigmoid with residuals': new Stack((x) => x.sigmoid(), true),
};
const series = Object.entries(stacks).map(([name, model]) => {
  manualSeed(0);
  const gain = nn.init.calculateGain(name === 'relu' ? 'relu' : name === 'tanh' ? 'tanh' : 'sigmoid');
  for (const layer of model.layers) nn.init.xavierNormal(layer.weight, { gain });
  model
    .forward(randn([32, WIDTH]))
    .square()
    .mean()
    .backward();
  const norms = [...model.layers].map((layer) => layer.weight.grad!.norm().item());
  const [first, last] = [norms[0], norms[DEPTH - 1]];
  console.log(`${name.padEnd(22)} gradient of layer 1 / of layer 20 = ${(first / last).toExponential(0)}`);
  return { name, points: norms.map((norm, i) => [i + 1, norm] as const), dots: true };
});

const labels = {
  title: 'Size of the gradient, layer by layer',
  xLabel: 'layer',
  leftLabel: 'norm of dW',
  leftLog: true,
};
saveFigure('12-vanishing-gradients', await viz.linePlot(series, labels));
