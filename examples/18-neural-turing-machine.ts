// A neural Turing machine learns an algorithm: to copy what it was shown, by writing to a memory and reading it (Graves et al. 2014).
//
// Run:      npm run example 18-neural-turing-machine        (smaller: -- --bits 4 --longest 6 --locations 16 --steps 500)
// Expected: below 1 bit a sequence after half of the 2000 steps, below 0.1 at the end: lengths up to 20 without a mistake, and few in
//           lengths of 30 to 60, though it never saw more than 20; a minute and a half on two idle cores
// Draws:    out/18-reading.svg and out/18-writing.svg, where the heads are
import { parseArgs } from 'node:util';
import * as cr from 'chainrule';
import { manualSeed, nn, noGrad, optim, type Tensor, viz } from 'chainrule';
import { saveFigure } from './shared/figure.js';

const { values: args } = parseArgs({
  options: {
    steps: { type: 'string', default: '2000' },
    bits: { type: 'string', default: '8' },
    longest: { type: 'string', default: '20' },
    locations: { type: 'string', default: '128' },
  },
});
const [STEPS, BITS, LONGEST, LOCATIONS] = [args.steps, args.bits, args.longest, args.locations].map(Number);
const [WIDTH, HIDDEN, BATCH] = [20, 100, 16];

/** Says where to write or read: a share for every location, 1 together. */
class Head extends nn.Module<[h: Tensor, memory: Tensor, before: Tensor]> {
  key = new nn.Linear(HIDDEN, WIDTH);
  manner = new nn.Linear(HIDDEN, 6);

  // h [N, hidden], memory [N, locations, width], before [N, locations] -> [N, locations]
  forward(h: Tensor, memory: Tensor, before: Tensor): Tensor {
    const [strength, gate, direction, sharpness] = this.manner.forward(h).split([1, 1, 3, 1], 1);
    // By content: the locations that hold something like the key.
    const likeness = cr.cosineSimilarity(memory, this.key.forward(h).tanh().unsqueeze(1), { dim: 2 });
    const byContent = likeness.mul(strength.softplus()).softmax(1);
    // By location: where it was before, or the content's answer, moved back, not at all or ahead, and made sharp again.
    const start = before.lerp(byContent, gate.sigmoid());
    const [back, stay, ahead] = direction.softmax(1).split(1, 1);
    const moved = start.roll(-1, 1).mul(back).add(start.mul(stay)).add(start.roll(1, 1).mul(ahead));
    const sharp = moved.add(1e-8).pow(sharpness.softplus().add(1));
    return sharp.div(sharp.sum(1, { keepdim: true }));
  }
}

class TuringMachine extends nn.Module<[inputs: Tensor[]], Record<'answers' | 'writing' | 'reading', Tensor>> {
  // The controller has no memory of its own, so that it must learn to use the other one.
  controller = new nn.Linear(BITS + 2 + WIDTH, HIDDEN);
  writer = new Head();
  reader = new Head();
  erase = new nn.Linear(HIDDEN, WIDTH);
  add = new nn.Linear(HIDDEN, WIDTH);
  answer = new nn.Linear(HIDDEN + WIDTH, BITS);

  // inputs: T of [N, bits + 2] -> answers [N, T, bits], writing and reading [N, T, locations]
  forward(inputs: Tensor[]) {
    const n = inputs[0].shape[0];
    let memory = cr.full([n, LOCATIONS, WIDTH], 1e-6);
    const first = cr.eye(1, LOCATIONS).expand([n, LOCATIONS]); // both heads begin at the first location
    let [write, read, heard] = [first, first, cr.zeros([n, WIDTH])];
    const steps = inputs.map((x) => {
      const h = this.controller.forward(cr.cat([x, heard], 1)).tanh();
      write = this.writer.forward(h, memory, write);
      const erased = write.unsqueeze(2).mul(this.erase.forward(h).sigmoid().unsqueeze(1));
      const added = write.unsqueeze(2).mul(this.add.forward(h).tanh().unsqueeze(1));
      memory = memory.sub(memory.mul(erased)).add(added);
      read = this.reader.forward(h, memory, read);
      heard = read.unsqueeze(1).matmul(memory).squeeze(1);
      return { answer: this.answer.forward(cr.cat([h, heard], 1)), write, read };
    });
    const all = (key: 'answer' | 'write' | 'read') =>
      cr.stack(
        steps.map((step) => step[key]),
        1,
      );
    return { answers: all('answer'), writing: all('write'), reading: all('read') };
  }
}

/** Shows a batch of random sequences between two marks, and asks for them in the silence that follows. */
function attempt(length: number, count: number) {
  const bits = cr.bernoulli(0.5, [count, length, BITS]);
  const mark = (which: number) =>
    cr
      .eye(BITS + 2)
      .narrow(0, BITS + which, 1)
      .expand([count, BITS + 2]);
  const shown = bits.unbind(1).map((row) => nn.functional.pad(row, [0, 2]));
  const silence = Array.from({ length }, () => cr.zeros([count, BITS + 2]));
  const { answers, writing, reading } = model.forward([mark(0), ...shown, mark(1), ...silence]);
  const logits = answers.narrow(1, length + 2, length);
  const loss = cr.binaryCrossEntropyWithLogits(logits, bits);
  const perSequence = (loss.item() * length * BITS) / Math.LN2;
  const wrong = logits.gt(0).ne(bits.gt(0.5)).sum().item() / count;
  return { loss, perSequence, wrong, writing, reading };
}

manualSeed(0);
const model = new TuringMachine();
const optimizer = new optim.Adam(model.parameters(), { lr: 3e-3 });
const lengths = cr.randint(1, LONGEST + 1, [STEPS]).toArray() as number[];
let sum = 0;
for (const [i, length] of lengths.entries()) {
  const { loss, perSequence } = attempt(length, BATCH);
  optimizer.zeroGrad();
  loss.backward();
  nn.utils.clipGradNorm(model.parameters(), 10);
  optimizer.step();
  sum += perSequence;
  if ((i + 1) % Math.ceil(STEPS / 10) > 0) continue;
  console.log(`step ${i + 1}  loss ${(sum / Math.ceil(STEPS / 10)).toFixed(3)} bits per sequence`);
  sum = 0;
}
for (const length of [0.5, 1, 1.5, 2, 3].map((factor) => Math.ceil(factor * LONGEST))) {
  const { perSequence, wrong } = noGrad(() => attempt(length, 50));
  const bits = `${wrong.toFixed(2)} of ${length * BITS} wrong`;
  console.log(`length ${length}: loss ${perSequence.toFixed(3)} bits per sequence, ${bits}`);
}

// The writing head goes step by step; at the second mark the reading head jumps to where it began, by content, and follows it.
const { writing, reading } = noGrad(() => attempt(LONGEST, 1));
const around = LONGEST + 2; // the memory is a ring: show the neighbourhood of the first location
for (const [name, head] of Object.entries({ writing, reading })) {
  const near = head
    .squeeze(0)
    .roll(around, 1)
    .narrow(1, 0, Math.min(2 * around + 1, LOCATIONS));
  const [title, yLabel] = [`Where the ${name} head is`, `location (${around} is the first)`];
  saveFigure(`18-${name}`, await viz.heatmap(near.t(), { title, xLabel: 'time', yLabel, width: 640 }));
}
