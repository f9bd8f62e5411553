// Products of matrices: squares, and the thin shapes of LeNet's layers at batch 64.
import { values, type Work } from './work.js';

type Product = readonly [m: number, k: number, n: number];
const SQUARES = [64, 128, 256, 512, 1024, 2048].map((n): Product => [n, n, n]);
const THIN: Product[] = [
  [20, 25, 36864],
  [50, 500, 4096],
  [64, 800, 500],
  [64, 500, 10],
  [500, 64, 800],
];

export const works: Work[] = [...SQUARES, ...THIN].map(([m, k, n]) => ({
  name: `matmul [${m}, ${k}] x [${k}, ${n}]`,
  family: 'matmul',
  options: { m, k, n },
  goal: 1,
  // 95 % of the speed of the best call.
  floor: { product: [m, k, n], goal: 1 / 0.95 },
  prepare: (dtype) => {
    const [a, b] = [values([m, k], 1, dtype), values([k, n], 2, dtype)];
    return () => a.matmul(b);
  },
}));
