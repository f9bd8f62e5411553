// Networks for sequences: the simple recurrent one, long short-term memory, gated recurrent units. One task for all three.
import { arange, mseLoss, nn, noGrad, rand, randint, stack, type Tensor } from 'chainrule';
import { learn } from './learn.js';

const [LONGEST, HIDDEN, BATCH, STEPS] = [100, 32, 32, 1200];

/**
 * The adding problem (Hochreiter and Schmidhuber 1997): a row of random numbers, one marked in its first half and one in its
 * second; what is their sum? x [count, length, 2], y [count].
 */
function adding(length: number, count: number): [x: Tensor, y: Tensor] {
  const half = Math.floor(length / 2);
  const places = arange(length, { dtype: 'int32' });
  const [early, late] = [randint(0, half, [count, 1]), randint(half, length, [count, 1])];
  const marks = places.eq(early).logicalOr(places.eq(late)).to('float32');
  const values = rand([count, length]);
  return [stack([values, marks], 2), values.mul(marks).sum(1)];
}

class Adder extends nn.Module {
  head = new nn.Linear(HIDDEN, 1);

  constructor(readonly memory: nn.RNN | nn.LSTM | nn.GRU) {
    super();
  }

  forward(x: Tensor): Tensor {
    const [outputs] = (this.memory as nn.RNN).forward(x); // the outputs of every step come first in all three
    return this.head.forward(outputs.select(1, -1)).squeeze(1);
  }
}

/** Learns on rows of 2 numbers first, then on ever longer ones; how far off it is on the longest. */
function add(memory: Adder['memory']): string {
  const model = new Adder(memory);
  const loss = (length: number, count: number) => {
    const [x, y] = adding(length, count);
    return mseLoss(model.forward(x), y);
  };
  const length = (step: number) => Math.min(LONGEST, 2 + Math.floor(((LONGEST - 2) * step) / (0.7 * STEPS)));
  learn(model, (step) => loss(length(step), BATCH), { steps: STEPS, rate: 0.01 });
  const off = Math.sqrt(noGrad(() => loss(LONGEST, 1000).item()));
  return `sums two marked numbers of ${LONGEST}: off by ${off.toFixed(3)}, saying 1 always by ${Math.sqrt(1 / 6).toFixed(3)}`;
}

export const networks = {
  recurrent: () => add(new nn.RNN(2, HIDDEN, { batchFirst: true })),
  lstm: () => add(new nn.LSTM(2, HIDDEN, { batchFirst: true })),
  gru: () => add(new nn.GRU(2, HIDDEN, { batchFirst: true })),
};
