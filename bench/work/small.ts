// The cost of one small operation: adding two vectors of 8 elements, the Tensor included.
import { add, tensor } from 'chainrule';
import { values, type Work } from './work.js';

export const works: Work[] = [false, true].map((grad) => ({
  name: `add of 8 elements${grad ? ', recorded' : ''}`,
  family: 'add',
  options: { n: 8, grad },
  goal: 6,
  prepare: (dtype) => {
    const a = tensor(values([8], 1, dtype), { requiresGrad: grad });
    const b = values([8], 2, dtype);
    return () => add(a, b);
  },
}));
