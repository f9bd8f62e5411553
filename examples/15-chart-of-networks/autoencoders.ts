// Networks that say again what they are shown: plain, variational, denoising and sparse autoencoders, of drawn digits.
import * as cr from 'chainrule';
import { data, linalg, mseLoss, nn, noGrad, randn, type Tensor, viz } from 'chainrule';
import { saveFigure } from '../shared/figure.js';
import { learn, percent } from './learn.js';

const [SIDE, BATCH, STEPS] = [14, 64, 1200];
const PIXELS = SIDE * SIDE;

/** Digits of 14 x 14 pixels from 0 to 1, as rows [count, pixels]. */
const rows = (split: 'train' | 'test', count: number) =>
  cr.avgPool2d(data.digits({ split, count }).images.to('float32').div(255), 2).reshape([count, PIXELS]);
const [train, test] = [rows('train', 4000), rows('test', 500)];
const batch = () => train.indexSelect(0, cr.randint(0, train.shape[0], [BATCH]));

const layers = (...sizes: number[]) =>
  sizes.slice(1).flatMap((size, i) => [...(i > 0 ? [new nn.ReLU()] : []), new nn.Linear(sizes[i], size)]);

/** Draws digits side by side, a row of the picture for each tensor [count, pixels]. */
async function draw(name: string, title: string, digits: Tensor[]): Promise<void> {
  const lines = digits.map((row) => row.reshape([-1, SIDE, SIDE]).transpose(0, 1).reshape([SIDE, -1]));
  saveFigure(`15-${name}`, await viz.heatmap(cr.cat(lines), { title, axes: false }));
}

/** Through a narrow place: 196 pixels by 8 numbers. The best that straight lines can do are principal components. */
function autoencoder(): string {
  const model = new nn.Sequential(...layers(PIXELS, 128, 8), ...layers(8, 128, PIXELS), new nn.Sigmoid());
  learn(
    model,
    () => {
      const x = batch();
      return mseLoss(model.forward(x), x);
    },
    { steps: STEPS, rate: 3e-3 },
  );
  const middle = train.mean(0);
  const { Vh } = linalg.svd(train.sub(middle), { fullMatrices: false });
  const main = Vh.narrow(0, 0, 8);
  const straight = test.sub(middle).matmul(main.t()).matmul(main).add(middle);
  const error = (found: Tensor) => mseLoss(found, test).item().toFixed(4);
  return `digits by 8 numbers: square error ${error(noGrad(() => model.forward(test)))}; 8 principal components ${error(straight)}`;
}

/** Its 8 numbers are drawn from a cloud, kept near the standard one, so that points of the standard cloud are digits too. */
class Variational extends nn.Module<[x: Tensor], { logits: Tensor; mean: Tensor; logVariance: Tensor }> {
  encoder = new nn.Sequential(...layers(PIXELS, 256, 2 * 8));
  decoder = new nn.Sequential(...layers(8, 256, PIXELS));

  forward(x: Tensor) {
    const [mean, logVariance] = this.encoder.forward(x).split(8, 1);
    const z = mean.add(logVariance.div(2).exp().mul(randn(mean.shape)));
    return { logits: this.decoder.forward(z), mean, logVariance };
  }

  /** Bound of Kingma and Welling (2013), in nats per image: what the pixels cost, and what the 8 numbers tell. */
  loss(x: Tensor): { pixels: Tensor; told: Tensor } {
    const { logits, mean, logVariance } = this.forward(x);
    const pixels = cr.binaryCrossEntropyWithLogits(logits, x, { reduction: 'sum' }).div(x.shape[0]);
    const told = mean
      .square()
      .add(logVariance.exp())
      .sub(1)
      .sub(logVariance)
      .sum()
      .div(2 * x.shape[0]);
    return { pixels, told };
  }
}

async function variational(): Promise<string> {
  const model = new Variational();
  learn(
    model,
    () => {
      const { pixels, told } = model.loss(batch());
      return pixels.add(told);
    },
    { steps: STEPS, rate: 3e-3 },
  );
  const { pixels, told } = noGrad(() => model.loss(test));
  const samples = noGrad(() => model.decoder.forward(randn([40, 8])).sigmoid());
  await draw('samples', 'Digits that nobody drew', samples.split(10));
  return `digits: ${pixels.item().toFixed(1)} nats for the pixels, ${told.item().toFixed(1)} told by 8 numbers; draws new ones`;
}

async function denoising(): Promise<string> {
  const noisy = (x: Tensor) => x.add(randn(x.shape).mul(0.4));
  const model = new nn.Sequential(...layers(PIXELS, 256, 256, PIXELS), new nn.Sigmoid());
  learn(
    model,
    () => {
      const x = batch();
      return mseLoss(model.forward(noisy(x)), x);
    },
    { steps: STEPS, rate: 3e-3 },
  );
  const before = noisy(test);
  const after = noGrad(() => model.forward(before));
  await draw(
    'denoised',
    'Drawn, with noise, and what the network makes of it',
    [test, before.clamp(0, 1), after].map((x) => x.narrow(0, 0, 10)),
  );
  const error = (x: Tensor) => mseLoss(x, test).item().toFixed(4);
  return `digits with noise: square error ${error(before)} before, ${error(after)} after`;
}

/** Many units of which few may speak at a time: the L1 norm of what they say is part of the loss. */
function sparse(): string {
  const results = [0, 0.2].map((price) => {
    const encoder = new nn.Sequential(new nn.Linear(PIXELS, 256), new nn.ReLU());
    const decoder = new nn.Linear(256, PIXELS);
    const loss = (x: Tensor) => {
      const code = encoder.forward(x);
      return mseLoss(decoder.forward(code), x).add(code.abs().mean().mul(price));
    };
    cr.manualSeed(0);
    learn(new nn.Sequential(encoder, decoder), () => loss(batch()), { steps: STEPS, rate: 3e-3 });
    const code = noGrad(() => encoder.forward(test));
    const active = code.gt(0).sum().item() / code.size;
    return `${percent(active)} of 256 units speak, square error ${mseLoss(decoder.forward(code), test).item().toFixed(4)}`;
  });
  return `digits: ${results.join('; at a price ')}`;
}

export const networks = { autoencoder, variational, denoising, sparse };
