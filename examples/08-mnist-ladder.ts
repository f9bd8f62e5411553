// Deeper is not better by itself: five networks with LogSigmoid after every layer, the widest of which learn nothing at all.
//
// Run:      npm run example 08-mnist-ladder        (real MNIST: -- --dataset mnist --data DIR --images 60000 --epochs 1)
// Expected: 87, 95, 17, 10 and 10 % with LogSigmoid, where 10 % is guessing; 70, 87, 93, 95 and 96 % cured; half a minute.
//           Of real MNIST, after one epoch: 88, 94, 96, 10 and 10 %; cured 90, 94, 96, 97 and 96 %
// Draws:    out/08-templates.svg, what the smallest network has learned
//
// Why they collapse: LogSigmoid is negative everywhere, so a wide layer of it gives the next one inputs that are all alike, about
// -0.7, and one step moves a score by rate x width / 2. In the last layer LogSigmoid ends at 0: a score that was thrown there has
// the slope e^-x, as good as none, and stays. Its class is the answer to every image (the column "one answer"), and with all
// scores at 0 the loss is ln 10 for ever.
import { parseArgs } from 'node:util';
import { cat, crossEntropy, data, manualSeed, nn, optim, slice, train, viz } from 'chainrule';
import { DIGIT_OPTIONS, examine, readDigits } from './shared/digits.js';
import { saveFigure } from './shared/figure.js';

const { values: args } = parseArgs({
  options: {
    ...DIGIT_OPTIONS,
    images: { type: 'string', default: '3000' },
    epochs: { type: 'string', default: '3' },
  },
});
const PIXELS = { mean: 0.13, std: 0.31 };
const [all, test] = [await readDigits('train', args, PIXELS), await readDigits('test', args, PIXELS)];
const first = slice(0, Number(args.images));
const images = new data.ImageDataset(all.images.at(first), all.labels.at(first), PIXELS);

/** Layers of these sizes. The homework's: LogSigmoid after every layer, the last too. The cure: ReLU between, room to start. */
function network(sizes: number[], cured: boolean): nn.Sequential {
  const layers: nn.Module[] = [new nn.Flatten()];
  for (let i = 1; i < sizes.length; i++) {
    const linear = new nn.Linear(sizes[i - 1], sizes[i]);
    if (cured) nn.init.kaimingNormal(linear.weight, { nonlinearity: 'relu' });
    layers.push(linear);
    if (!cured) layers.push(new nn.LogSigmoid());
    else if (i < sizes.length - 1) layers.push(new nn.ReLU());
  }
  return new nn.Sequential(...layers);
}

/** Trains a network and says what came of it. */
async function learn(sizes: number[], cured: boolean): Promise<nn.Sequential> {
  manualSeed(0);
  const model = network(sizes, cured);
  const optimizer = cured
    ? new optim.Adam(model.parameters(), { lr: 3e-4 })
    : new optim.SGD(model.parameters(), { lr: 0.1, momentum: 0.9 });
  const loader = new data.DataLoader(images, { batchSize: 64, shuffle: true, seed: 0 });
  const { losses } = await train.fit({
    model,
    data: loader,
    loss: crossEntropy,
    optimizer,
    epochs: Number(args.epochs),
  });
  const numbers = model.parameters().reduce((sum, p) => sum + p.size, 0);
  const { right, answers } = examine(model, test);
  const share = (value: number, width: number) => `${(100 * value).toFixed(1)} %`.padStart(width);
  const columns = [
    sizes.join('-').padEnd(28),
    String(numbers).padStart(10),
    losses[losses.length - 1].toFixed(3).padStart(9),
  ];
  console.log([...columns, share(Math.max(...answers) / test.length, 10), share(right, 8)].join('  '));
  return model;
}

const ladder = [[], [128], [512, 256], [1024, 2048], [2048, 4096]].map((hidden) => [784, ...hidden, 10]);
console.log('LogSigmoid after every layer  parameters  last loss  one answer  accuracy');
const smallest = await learn(ladder[0], false);
for (const sizes of ladder.slice(1)) await learn(sizes, false);
console.log('ReLU, better start, Adam');
for (const sizes of ladder) await learn(sizes, true);

// The smallest has learned a picture for each digit: blue where ink speaks for it, red where ink speaks against it.
manualSeed(0);
const [end, start] = [smallest, network(ladder[0], false)].map((model) => model.parameters()[0].detach());
const learned = end.sub(start).reshape([2, 5, 28, 28]); // [10, 784], in two rows of five
const pictures = cat(learned.unbind(0).map((row) => cat(row.unbind(0), 1)));
const title = 'What 784-10 has learned: weights at the end less those at the start, of 0 to 9';
saveFigure('08-templates', await viz.heatmap(pictures, { title, axes: false, signed: true }));
