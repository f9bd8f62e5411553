// Training steps and inference of networks of linear layers, from ten units to thousands.
import { nn } from 'chainrule';
import { type How, inference, type Optimizer, training } from './train.js';
import { type Float, type Floor, fill, labels, values, type Work } from './work.js';

interface Case {
  readonly sizes: readonly number[];
  readonly batch: number;
  /** None: inference. */
  readonly optimizer?: Optimizer;
  readonly goal: number;
  readonly how?: How;
  /** Most times the floor. */
  readonly most?: number;
  /** The floor counts a pass over weights, gradients and momentum too. */
  readonly heavy?: boolean;
}

const CASES: Case[] = [
  { sizes: [784, 128, 10], batch: 64, optimizer: 'SGD', goal: 2.2, most: 1.5 },
  { sizes: [784, 128, 10], batch: 64, optimizer: 'Adam', goal: 2.2, most: 1.5 },
  { sizes: [784, 512, 256, 10], batch: 64, optimizer: 'SGD', goal: 1.8, most: 1.4 },
  { sizes: [784, 2048, 4096, 10], batch: 64, optimizer: 'momentum', goal: 1.3, most: 1.25, heavy: true },
  { sizes: [1, 10, 6, 1], batch: 1000, optimizer: 'SGD', goal: 4 },
  { sizes: [784, 128, 10], batch: 1, optimizer: 'SGD', goal: 4 },
  { sizes: [784, 128, 10], batch: 1, goal: 4 },
  { sizes: [784, 128, 10], batch: 64, optimizer: 'SGD', how: 'captured', goal: 2.8, most: 1.3 },
  { sizes: [1, 10, 6, 1], batch: 1000, optimizer: 'SGD', how: 'captured', goal: 6 },
  { sizes: [784, 128, 10], batch: 1, optimizer: 'SGD', how: 'captured', goal: 5 },
  { sizes: [784, 128, 10], batch: 1, how: 'captured', goal: 8 },
];

/** Linear layers with relu between them; with tanh where one number is to be fitted. */
function mlp(sizes: readonly number[], dtype: Float): nn.Module {
  const layers: nn.Module[] = [];
  for (let i = 1; i < sizes.length; i++) {
    if (i > 1) layers.push(sizes.at(-1) === 1 ? new nn.Tanh() : new nn.ReLU());
    layers.push(new nn.Linear(sizes[i - 1], sizes[i], { dtype }));
  }
  return fill(new nn.Sequential(...layers), dtype);
}

function floor({ sizes, batch, optimizer, most, heavy }: Case): Floor | undefined {
  if (most === undefined || optimizer === undefined) return undefined;
  const weights = sizes.slice(1).map((n, i) => n * sizes[i]);
  const total = weights.reduce((a, b) => a + b);
  // Every product has two gradients, but nobody asks for that of the inputs.
  const flops = 2 * batch * (3 * total - weights[0]);
  // Weights and momentum are read and written, gradients read.
  return heavy ? { flops, copied: 5 * 4 * total, goal: most } : { flops, goal: most };
}

export const works: Work[] = CASES.map((c) => {
  const { sizes, batch, optimizer, how, goal } = c;
  const what = optimizer === undefined ? 'inference' : `training step, ${optimizer}`;
  return {
    name: `MLP ${sizes.join('-')} ${what}, batch ${batch}${how === 'captured' ? ', captured' : ''}`,
    family: 'mlp',
    options: { sizes, batch, optimizer: optimizer ?? 'none', ...(how === 'captured' && { captured: true }) },
    goal,
    floor: floor(c),
    prepare: (dtype) => {
      const model = mlp(sizes, dtype);
      const x = values([batch, sizes[0]], 100, dtype);
      if (optimizer === undefined) return inference(model, x, how);
      const outputs = sizes.at(-1) as number;
      const y = outputs === 1 ? values([batch, 1], 101, dtype) : labels([batch], 101, outputs);
      return training(model, x, y, optimizer, how);
    },
  };
});
