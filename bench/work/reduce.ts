// Reductions and row-wise functions of [4096, 1024], 16 MB.
import { layerNorm, softmax, type Tensor } from 'chainrule';
import { values, type Work } from './work.js';

const SHAPE = [4096, 1024];
const BYTES = 4 * 4096 * 1024;

/** What is done, and whether the result is as large as the input. */
const FUNCTIONS: Record<string, { f: (x: Tensor) => Tensor; whole: boolean }> = {
  'sum over rows': { f: (x) => x.sum(0), whole: false },
  'sum over columns': { f: (x) => x.sum(1), whole: false },
  'mean over rows': { f: (x) => x.mean(0), whole: false },
  'mean over columns': { f: (x) => x.mean(1), whole: false },
  softmax: { f: (x) => softmax(x, 1), whole: true },
  'layer norm': { f: (x) => layerNorm(x, [1024]), whole: true },
};

export const works: Work[] = Object.entries(FUNCTIONS).map(([name, { f, whole }]) => ({
  name: `${name} of [4096, 1024]`,
  family: 'reduce',
  options: { f: name, shape: SHAPE },
  goal: 1,
  floor: whole ? { copied: 2 * BYTES, goal: 1.5 } : { read: BYTES, goal: 1.5 },
  prepare: (dtype) => {
    const x = values(SHAPE, 1, dtype);
    return () => f(x);
  },
}));
