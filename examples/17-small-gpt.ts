// A small GPT learns to write by guessing the next character: 4 blocks of attention and perceptron, 0.8 million numbers.
//
// Run:      npm run example 17-small-gpt        (a book of your own: -- --text FILE --steps 4000)
// Expected: for the tinyshakespeare text 1.6 nats per held-out character in 4000 steps. Without a book, sums in words: half a minute;
//           the sums' own randomness is 0.19 nats per character; it comes to 0.28 and writes sentences, if not yet right sums
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import * as cr from 'chainrule';
import { manualSeed, nn, noGrad, optim, type Tensor } from 'chainrule';

const { values: args } = parseArgs({
  options: { text: { type: 'string' }, steps: { type: 'string', default: '300' } },
});
const [STEPS, LAYERS, HEADS, WIDTH, CONTEXT, BATCH] = [Number(args.steps), 4, 4, 128, 64, 16];
manualSeed(0);

/** Sums in words, when no book is given: hard to guess are the two summands alone. */
function sums(count: number): string {
  const names = 'zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen'.split(
    ' ',
  );
  const pairs = cr.randint(0, 8, [count, 2]).toArray() as [number, number][];
  return pairs.map(([a, b]) => `${names[a]} and ${names[b]} make ${names[a + b]}.\n`).join('');
}

const text = args.text ? readFileSync(args.text, 'utf8') : sums(20_000);
const letters = [...new Set(text)].sort();
const tokens = cr.tensor(Int32Array.from(text, (letter) => letters.indexOf(letter)));
const held = Math.floor(text.length * 0.9); // the last tenth is for the test

class Block extends nn.Module {
  norm1 = new nn.LayerNorm(WIDTH);
  norm2 = new nn.LayerNorm(WIDTH);
  qkv = new nn.Linear(WIDTH, 3 * WIDTH);
  join = new nn.Linear(WIDTH, WIDTH);
  up = new nn.Linear(WIDTH, 4 * WIDTH);
  down = new nn.Linear(4 * WIDTH, WIDTH);

  forward(x: Tensor): Tensor {
    // Every place asks (q) the places before it (k) and takes from them what they have to say (v), in four ways at once.
    const [n, t] = x.shape;
    const parts = this.qkv.forward(this.norm1.forward(x)).reshape([n, t, 3, HEADS, WIDTH / HEADS]);
    const [q, k, v] = [0, 1, 2].map((i) => parts.select(2, i).transpose(1, 2)); // each [n, heads, t, width / heads]
    const heard = cr.scaledDotProductAttention(q, k, v, { isCausal: true });
    x = x.add(this.join.forward(heard.transpose(1, 2).reshape([n, t, WIDTH])));
    return x.add(this.down.forward(this.up.forward(this.norm2.forward(x)).gelu()));
  }
}

class GPT extends nn.Module {
  letter = new nn.Embedding(letters.length, WIDTH);
  place = new nn.Embedding(CONTEXT, WIDTH);
  blocks = new nn.Sequential(...Array.from({ length: LAYERS }, () => new Block()));
  norm = new nn.LayerNorm(WIDTH);
  head = new nn.Linear(WIDTH, letters.length);

  forward(x: Tensor): Tensor {
    // x [n, t] -> [n, t, width] -> [n, t, letters]
    const places = this.place.forward(cr.arange(x.shape[1], { dtype: 'int32' }));
    return this.head.forward(this.norm.forward(this.blocks.forward(this.letter.forward(x).add(places))));
  }
}

/** The mean loss per character over windows that begin at random places. */
function lossBetween(from: number, to: number, batch: number): Tensor {
  const starts = cr.randint(from, to - CONTEXT - 1, [batch, 1]);
  const windows = tokens.take(starts.add(cr.arange(CONTEXT + 1, { dtype: 'int32' })));
  const logits = model.forward(windows.narrow(1, 0, CONTEXT));
  return cr.crossEntropy(logits.flatten(0, 1), windows.narrow(1, 1, CONTEXT).flatten());
}

const model = new GPT();
// Small random numbers to begin with, as GPT-2 does: every letter is about equally likely then.
for (const p of model.parameters()) if (p.ndim === 2) nn.init.normal(p, { std: 0.02 });
const optimizer = new optim.AdamW(model.parameters(), { lr: 1e-3, betas: [0.9, 0.99], weightDecay: 0.1 });
const schedule = new optim.lrScheduler.OneCycleLR(optimizer, 2e-3, { totalSteps: STEPS + 1, pctStart: 0.1 });
console.log(
  `${text.length} characters, ${letters.length} different; ${model.parameters().reduce((n, p) => n + p.size, 0)} parameters`,
);

for (let step = 1; step <= STEPS; step++) {
  const loss = lossBetween(0, held, BATCH);
  optimizer.zeroGrad();
  loss.backward();
  nn.utils.clipGradNorm(model.parameters(), 1);
  optimizer.step();
  schedule.step();
  if (step % Math.ceil(STEPS / 10) === 0) console.log(`step ${step}  loss ${loss.item().toFixed(3)}`);
}
const test = noGrad(() => Array.from({ length: 10 }, () => lossBetween(held, text.length, 100).item()));
console.log(`held-out text: ${(test.reduce((a, b) => a + b) / 10).toFixed(3)} nats per character`);

let written = text.slice(0, text.indexOf('\n') + 1);
noGrad(() => {
  for (let i = 0; i < 200; i++) {
    const seen = cr.tensor(Int32Array.from(written.slice(-CONTEXT), (letter) => letters.indexOf(letter)));
    const logits = model.forward(seen.unsqueeze(0)).select(1, -1).squeeze(0);
    written += letters[cr.multinomial(logits.softmax(0), 1).item()];
  }
});
console.log(written);
