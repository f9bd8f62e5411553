// The LeNet of the demo: its training step, and its answers.
import { capture, nn } from 'chainrule';
import { type How, inference, stepOf } from './train.js';
import { type Float, fill, labels, values, type Work } from './work.js';

export function lenet(dtype: Float): nn.Module {
  return new nn.Sequential(
    new nn.Conv2d(1, 20, 5, { dtype }),
    new nn.ReLU(),
    new nn.MaxPool2d(2),
    new nn.Conv2d(20, 50, 5, { dtype }),
    new nn.ReLU(),
    new nn.MaxPool2d(2),
    new nn.Flatten(),
    new nn.Linear(800, 500, { dtype }),
    new nn.ReLU(),
    new nn.Linear(500, 10, { dtype }),
  );
}

/** A training step of a LeNet, and a batch for it. */
export function lenetParts(batch: number, dtype: Float = 'float32') {
  const [x, y] = [values([batch, 1, 28, 28], 100, dtype), labels([batch], 101, 10)];
  return { step: stepOf(fill(lenet(dtype), dtype), 'momentum'), x, y };
}

/** A function that trains a LeNet on one fixed batch and gives the loss. */
export function lenetStep(batch: number, dtype: Float = 'float32', how: How = 'eager') {
  const { step, x, y } = lenetParts(batch, dtype);
  const run = how === 'captured' ? capture(step) : step;
  return () => run(x, y);
}

/** Multiplications and additions of an image's products, layer by layer. */
const FORWARD = [24 * 24 * 20 * 25, 8 * 8 * 50 * 500, 800 * 500, 500 * 10].map((n) => 2 * n);
const forward = FORWARD.reduce((a, b) => a + b);
/** Every product has two gradients, but nobody asks for that of the images. */
const step = 3 * forward - FORWARD[0];

export const works: Work[] = [
  ...[64, 256].map((batch) => ({
    name: `LeNet training step, batch ${batch}`,
    family: 'lenet',
    options: { batch, train: true },
    goal: 3.5,
    floor: { flops: batch * step, goal: 1.5 },
    prepare: (dtype: Float) => lenetStep(batch, dtype),
  })),
  ...[64, 256].map((batch) => ({
    name: `LeNet training step, batch ${batch}, captured`,
    family: 'lenet',
    options: { batch, train: true, captured: true },
    floor: { flops: batch * step },
    prepare: (dtype: Float) => lenetStep(batch, dtype, 'captured'),
  })),
  {
    name: 'LeNet inference, batch 64',
    family: 'lenet',
    options: { batch: 64, train: false },
    floor: { flops: 64 * forward },
    prepare: (dtype) => inference(fill(lenet(dtype), dtype), values([64, 1, 28, 28], 100, dtype)),
  },
];
