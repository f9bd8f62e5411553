// Every piece of work, in the order of the tables.
import { works as conv } from './conv.js';
import { works as elementwise } from './elementwise.js';
import { works as lenet } from './lenet.js';
import { works as linalg } from './linalg.js';
import { works as mlp } from './mlp.js';
import { works as movement } from './movement.js';
import { works as optim } from './optim.js';
import { works as product } from './product.js';
import { works as reduce } from './reduce.js';
import { works as sequence } from './sequence.js';
import { works as small } from './small.js';
import type { Work } from './work.js';

export const works: readonly Work[] = [
  ...lenet,
  ...mlp,
  ...optim,
  ...small,
  ...elementwise,
  ...reduce,
  ...conv,
  ...sequence,
  ...movement,
  ...product,
  ...linalg,
];
