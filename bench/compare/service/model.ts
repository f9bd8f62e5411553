// The network that is served: 784-128-10, the same numbers on every side, and the requests that come.
import { nn } from 'chainrule';
import { linearShapes, numbers, parameters } from '../../work/numbers.js';
import { fill } from '../../work/work.js';
import { constant, model, node } from '../peers/onnx-model.js';

export const SIZES = [784, 128, 10] as const;
export const CALLERS = 64;

export function ourModel(): nn.Module {
  const layers = [new nn.Linear(SIZES[0], SIZES[1]), new nn.ReLU(), new nn.Linear(SIZES[1], SIZES[2])];
  const made = fill(new nn.Sequential(...layers), 'float32');
  made.eval();
  return made;
}

/** The same as an ONNX file, for any number of rows. */
export function onnxModel(): Buffer {
  const shapes = linearShapes(SIZES);
  const parts = [
    ...parameters(shapes).map((data, i) => constant(`w${i}`, data, shapes[i])),
    node('Gemm', ['x', 'w0', 'w1'], 'h', { transB: 1 }),
    node('Relu', ['h'], 'r'),
    node('Gemm', ['r', 'w2', 'w3'], 'y', { transB: 1 }),
  ];
  return model(parts, [1, SIZES[0]], [1, SIZES[2]]);
}

/** So many different requests. */
export function requests(count: number): Float32Array[] {
  return Array.from({ length: count }, (_, i) => numbers(SIZES[0], 100 + i));
}

export type Answer = (x: Float32Array) => Promise<Float32Array>;

/** Whether an answer is the model's, but for rounding. */
export function isRight(got: Float32Array, expected: Float32Array): boolean {
  return got.length === expected.length && got.every((v, i) => Math.abs(v - expected[i]) <= 1e-4);
}
