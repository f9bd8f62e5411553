// Moving large tensors: transposing, joining, looking up, and the gradient of a lookup.
import { cat, embedding, gather, indexSelect, type Tensor, tensor } from 'chainrule';
import { type Float, labels, values, type Work } from './work.js';

const [ROWS, COLUMNS] = [4096, 1024];
const BYTES = 4 * ROWS * COLUMNS;
const matrix = (dtype: Float, seed = 1) => values([ROWS, COLUMNS], seed, dtype);

/** The gradient of 4,096 lookups in 10,000 rows of 256. */
function embeddingBackward(dtype: Float): () => Tensor {
  const weight = tensor(values([10_000, 256], 1, dtype), { requiresGrad: true });
  const index = labels([4096], 2, 10_000);
  return () => {
    // Who has read a gradient may hold it, so its memory goes back when it is told to.
    weight.grad?.dispose();
    weight.zeroGrad();
    embedding(index, weight).sum().backward();
    return weight.grad as Tensor;
  };
}

/** A step on fixed inputs. */
const STEPS: Record<string, (dtype: Float) => () => Tensor> = {
  transpose: (dtype) => {
    const x = matrix(dtype).t();
    return () => x.contiguous();
  },
  cat: (dtype) => {
    const parts = [matrix(dtype), matrix(dtype, 2)];
    return () => cat(parts, 1);
  },
  gather: (dtype) => {
    const [x, index] = [matrix(dtype), labels([ROWS, COLUMNS], 2, COLUMNS)];
    return () => gather(x, 1, index);
  },
  index: (dtype) => {
    const [x, index] = [matrix(dtype), labels([ROWS], 2, ROWS)];
    return () => indexSelect(x, 0, index);
  },
};

export const works: Work[] = [
  ...Object.entries(STEPS).map(([name, prepare]) => ({
    name: `${name} on [4096, 1024]`,
    family: 'movement',
    options: { f: name, shape: [ROWS, COLUMNS] },
    goal: 1,
    floor: { copied: name === 'cat' ? 4 * BYTES : 2 * BYTES },
    prepare,
  })),
  {
    name: 'embedding of 4,096 in [10000, 256], with gradients',
    family: 'embedding',
    options: { rows: 10_000, columns: 256, n: 4096 },
    goal: 1,
    keeps: true,
    prepare: embeddingBackward,
  },
];
