// Factors and solutions of symmetric positive definite matrices: one of 256, and a batch of 64 of 32.
import { eye, linalg, scope, type Tensor } from 'chainrule';
import { values, type Work } from './work.js';

/** What is compared of each: what does not depend on the signs of vectors. */
const FUNCTIONS: Record<string, (a: Tensor) => Tensor> = {
  inv: (a) => linalg.inv(a),
  solve: (a) => linalg.solve(a, a),
  cholesky: (a) => linalg.cholesky(a),
  qr: (a) => first(linalg.qr(a), 'R').abs(),
  svd: (a) => first(linalg.svd(a), 'S'),
  eigh: (a) => first(linalg.eigh(a), 'eigenvalues'),
};

/** One tensor of a result; the others are released. */
function first<K extends string>(parts: Record<K, Tensor>, name: K): Tensor {
  for (const [other, tensor] of Object.entries(parts) as [K, Tensor][]) if (other !== name) tensor.dispose();
  return parts[name];
}

export const works: Work[] = [
  [256, 256],
  [64, 32, 32],
].flatMap((shape) =>
  Object.entries(FUNCTIONS).map(([name, f]) => ({
    name: `linalg.${name} of [${shape.join(', ')}]`,
    family: 'linalg',
    options: { f: name, shape },
    prepare: (dtype) => {
      const n = shape.at(-1) as number;
      const half = values(shape, 1, dtype);
      const a = scope(() => half.matmul(half.transpose(-2, -1)).div(n).add(eye(n, { dtype })));
      return () => f(a);
    },
  })),
);
