// A long short-term memory learns to write: it reads a text letter by letter, keeps what matters, and guesses the next letter.
//
// Run:      npm run example 17-character-lstm        (a book of your own: -- --text FILE --steps 3000)
// Expected: for the tinyshakespeare text 1.54 nats per held-out character in 3000 steps. Without a book, sums in words: 0.24, of which
//           0.19 are their own randomness; it writes sentences, if not yet right sums; ten seconds
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import * as cr from 'chainrule';
import { data, manualSeed, nn, noGrad, optim, type Tensor } from 'chainrule';

const { values: args } = parseArgs({
  options: { text: { type: 'string' }, steps: { type: 'string', default: '300' } },
});
const [STEPS, WIDTH, HIDDEN, WINDOW, BATCH] = [Number(args.steps), 64, 256, 64, 32];
manualSeed(0);

/** Sums in words, when no book is given: hard to guess are the two summands alone. */
function sums(count: number): string {
  const names = 'zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen'.split(' ');
  const pairs = cr.randint(0, 8, [count, 2]).toArray() as [number, number][];
  return pairs.map(([a, b]) => `${names[a]} and ${names[b]} make ${names[a + b]}.\n`).join('');
}

const text = args.text ? readFileSync(args.text, 'utf8') : sums(20_000);
const letters = data.CharTokenizer.from(text);
const tokens = letters.encode(text);
const held = Math.floor(tokens.size * 0.9); // the last tenth is for the test

class Writer extends nn.Module<[x: Tensor, state?: nn.LSTMState | null], [logits: Tensor, state: nn.LSTMState]> {
  letter = new nn.Embedding(letters.size, WIDTH);
  memory = new nn.LSTM(WIDTH, HIDDEN, { batchFirst: true });
  head = new nn.Linear(HIDDEN, letters.size);

  forward(x: Tensor, state: nn.LSTMState | null = null): [logits: Tensor, state: nn.LSTMState] {
    // x [n, t] -> [n, t, width] -> [n, t, hidden] -> [n, t, letters]
    const [h, next] = this.memory.forward(this.letter.forward(x), state);
    return [this.head.forward(h), next];
  }
}

/** The mean loss per character over windows that begin at random places, and with an empty memory. */
function lossBetween(from: number, to: number, batch: number): Tensor {
  const starts = cr.randint(from, to - WINDOW - 1, [batch, 1]);
  const windows = tokens.take(starts.add(cr.arange(WINDOW + 1, { dtype: 'int32' })));
  const [logits] = model.forward(windows.narrow(1, 0, WINDOW));
  return cr.crossEntropy(logits.flatten(0, 1), windows.narrow(1, 1, WINDOW).flatten());
}

const model = new Writer();
const optimizer = new optim.Adam(model.parameters(), { lr: 4e-3 });
const schedule = new optim.lrScheduler.CosineAnnealingLR(optimizer, STEPS);
console.log(
  `${tokens.size} characters, ${letters.size} different; ${model.parameters().reduce((n, p) => n + p.size, 0)} parameters`,
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
const test = noGrad(() => Array.from({ length: 10 }, () => lossBetween(held, tokens.size, 100).item()));
console.log(`held-out text: ${(test.reduce((a, b) => a + b) / 10).toFixed(3)} nats per character`);

// It needs to see each letter once: what came before is in the state.
let written = text.slice(0, text.indexOf('\n') + 1);
noGrad(() => {
  let [logits, state] = model.forward(letters.encode(written).unsqueeze(0));
  for (let i = 0; i < 300; i++) {
    const next = cr.multinomial(logits.select(1, -1).softmax(1), 1); // [1, 1]
    written += letters.decode([next.item()]);
    [logits, state] = model.forward(next, state);
  }
});
console.log(written);
