// brain.js: it trains on one sample after the other, by its own rule and with one activation in every layer, so that its numbers are
// others; a step is one pass over the same samples through layers of the same sizes.
import { createRequire } from 'node:module';
import brain from 'brain.js';
import { numbers, wholeNumbers } from '../../work/numbers.ts';
import { serve } from '../serve.ts';

const { version } = createRequire(import.meta.url)('brain.js/package.json');

function mlp({ sizes, batch, optimizer }) {
  const [inputs, outputs] = [sizes[0], sizes.at(-1)];
  const activation = outputs === 1 ? 'tanh' : 'relu';
  const momentum = optimizer === 'momentum' ? 0.9 : 1e-9;
  if (optimizer === 'Adam') throw new Error('it has no Adam');
  const net = new brain.NeuralNetwork({ hiddenLayers: sizes.slice(1, -1), activation });
  const x = numbers(batch * inputs, 100);
  const targets = outputs === 1 ? numbers(batch, 101) : wholeNumbers(batch, 101, outputs);
  const samples = Array.from({ length: batch }, (_, i) => ({
    input: x.slice(i * inputs, (i + 1) * inputs),
    output: outputs === 1 ? [targets[i]] : Array.from({ length: outputs }, (_, k) => (k === targets[i] ? 1 : 0)),
  }));
  const train = { iterations: 1, errorThresh: 1e-9, learningRate: 0.001, momentum };
  net.train(samples.slice(0, 1), train);
  if (optimizer === 'none') return { run: () => net.run(samples[0].input) };
  // What train() does for an iteration, without looking at the data again.
  return { run: () => net.trainPatterns(samples) };
}

await serve('brain.js', version, (_family, options) => mlp(options));
