// Functions of one tensor of a million elements, 8 MB read and written, and the addition that broadcasts a row.

import type { Tensor } from 'chainrule';
import * as chainrule from 'chainrule';
import { values, type Work } from './work.js';

const N = 1 << 20;

/** Goal against PyTorch; the range of the inputs. */
const FUNCTIONS: Record<string, { f: (x: Tensor) => Tensor; goal: number; low: number; high: number }> = {
  exp: { f: chainrule.exp, goal: 2, low: -5, high: 5 },
  tanh: { f: chainrule.tanh, goal: 2, low: -3, high: 3 },
  sigmoid: { f: chainrule.sigmoid, goal: 2, low: -5, high: 5 },
  log: { f: chainrule.log, goal: 2, low: 0.01, high: 10 },
  gelu: { f: (x) => chainrule.gelu(x), goal: 1.2, low: -3, high: 3 },
  erf: { f: chainrule.erf, goal: 1.2, low: -3, high: 3 },
  relu: { f: chainrule.relu, goal: 1, low: -1, high: 1 },
  pow: { f: (x) => chainrule.pow(x, 2.5), goal: 1.2, low: 0.01, high: 3 },
  sin: { f: chainrule.sin, goal: 1.2, low: -3, high: 3 },
};
/** What the floor's goal is stated for. */
const NEAR_A_COPY = ['exp', 'tanh', 'sigmoid', 'log'];

const unary: Work[] = Object.entries(FUNCTIONS).map(([name, { f, goal, low, high }]) => ({
  name: `${name} of 1M elements`,
  family: 'unary',
  options: { f: name, n: N, low, high },
  goal,
  floor: { copied: 8 * N, goal: NEAR_A_COPY.includes(name) ? 1.5 : undefined },
  prepare: (dtype) => {
    const x = values([N], 1, dtype, low, high);
    return () => f(x);
  },
}));

const broadcast: Work = {
  name: 'broadcast add [4096, 1024] + [1024]',
  family: 'broadcast',
  options: { shape: [4096, 1024] },
  goal: 1,
  floor: { copied: 8 * 4096 * 1024 },
  prepare: (dtype) => {
    const [x, row] = [values([4096, 1024], 1, dtype), values([1024], 2, dtype)];
    return () => x.add(row);
  },
};

export const works: Work[] = [...unary, broadcast];
