// A small GPT learns to write by guessing the next character: 4 blocks of attention and perceptron, 0.8 million numbers.
//
// Run:      npm run example 17-small-gpt        (a book of your own: -- --text FILE --steps 4000)
// Expected: for the tinyshakespeare text 1.6 nats per held-out character in 4000 steps. Without a book, sums in words: half a minute;
//           the sums' own randomness is 0.19 nats per character; it comes to 0.28 and writes sentences, if not yet right sums
import { parseArgs } from 'node:util';
import {
  arange,
  cat,
  manualSeed,
  multinomial,
  nn,
  noGrad,
  optim,
  scaledDotProductAttention,
  slice,
  type Tensor,
} from 'chainrule';
import { Book, learnToWrite } from './shared/writing.js';

const { values: args } = parseArgs({
  options: { text: { type: 'string' }, steps: { type: 'string', default: '300' } },
});
const [STEPS, LAYERS, HEADS, WIDTH, CONTEXT] = [Number(args.steps), 4, 4, 128, 64];
manualSeed(0);
const book = Book.read(args.text);
const { letters } = book;

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
    const heard = scaledDotProductAttention(q, k, v, { isCausal: true });
    x = x.add(this.join.forward(heard.transpose(1, 2).reshape([n, t, WIDTH])));
    return x.add(this.down.forward(this.up.forward(this.norm2.forward(x)).gelu()));
  }
}

class GPT extends nn.Module {
  letter = new nn.Embedding(letters.size, WIDTH);
  place = new nn.Embedding(CONTEXT, WIDTH);
  blocks = new nn.Sequential(...Array.from({ length: LAYERS }, () => new Block()));
  norm = new nn.LayerNorm(WIDTH);
  head = new nn.Linear(WIDTH, letters.size);

  forward(x: Tensor): Tensor {
    // x [n, t] -> [n, t, width] -> [n, t, letters]
    const places = this.place.forward(arange(x.shape[1], { dtype: 'int32' }));
    return this.head.forward(this.norm.forward(this.blocks.forward(this.letter.forward(x).add(places))));
  }
}

const model = new GPT();
// Small random numbers to begin with, as GPT-2 does: every letter is about equally likely then.
for (const p of model.parameters()) if (p.ndim === 2) nn.init.normal(p, { std: 0.02 });
const optimizer = new optim.AdamW(model.parameters(), { lr: 1e-3, betas: [0.9, 0.99], weightDecay: 0.1 });
const schedule = new optim.lrScheduler.OneCycleLR(optimizer, 2e-3, { totalSteps: STEPS + 1, pctStart: 0.1 });
const guess = (x: Tensor) => model.forward(x);
learnToWrite(book, { model, guess, optimizer, schedule, steps: STEPS, batch: 16, window: CONTEXT });

// It has no state: every new letter is guessed from the last 64, all looked at again.
let written = letters.encode(book.firstLine);
noGrad(() => {
  for (let i = 0; i < 200; i++) {
    const logits = model
      .forward(written.at(slice(-CONTEXT)).unsqueeze(0))
      .select(1, -1)
      .squeeze(0);
    written = cat([written, multinomial(logits.softmax(0), 1)]);
  }
});
console.log(letters.decode(written));
