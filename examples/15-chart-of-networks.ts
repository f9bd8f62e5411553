// The chart of networks: eleven kinds, each trained on something it is good at, most beside one that is not.
//
// Run:      npm run example 15-chart-of-networks        (some of them: -- lstm gru)
// Expected: a line for each, in half a minute. Right on points not seen: the perceptron 99.8 % of two clouds but 46 % of exclusive or,
//           where a hidden layer has 99 %; one radial unit 99 % of a ring, one sigmoid 40 %; three layers 99 % of two spirals, one 90 %.
//           Sums of two numbers among 100: RNN 0.39 off, as good as guessing (0.41), LSTM 0.07, GRU 0.03. Digits by 8 numbers:
//           error 0.016, principal components 0.024; noise 0.16 before, 0.016 after; 70 % of all units speak, 20 % where it costs
// Draws:    out/15-spirals.svg, what deep and flat networks make of spirals, out/15-samples.svg, what the variational autoencoder draws by
//           itself, and out/15-denoised.svg
import { parseArgs } from 'node:util';
import { manualSeed } from 'chainrule';
import * as autoencoders from './15-chart-of-networks/autoencoders.js';
import * as points from './15-chart-of-networks/points.js';
import * as sequences from './15-chart-of-networks/sequences.js';

const { positionals: wanted } = parseArgs({ allowPositionals: true });
const chart = { ...points.networks, ...sequences.networks, ...autoencoders.networks };
for (const [name, train] of Object.entries(chart)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  manualSeed(0);
  console.log(`${name.padEnd(17)}  ${await train()}`);
}
