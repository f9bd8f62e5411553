// Factors and solutions against PyTorch: one matrix of 256, and a batch of 64 matrices of 32, float32.
import { eye, linalg, manualSeed, numThreads, randn, scope, setNumThreads, type Tensor } from 'chainrule';
import { Torch } from '../compare/torch.js';
import { alternate, type Benchmark, elapsed, type Result } from '../harness.js';

/** Each function on a symmetric positive definite matrix, and what its result must satisfy. */
const WORK: Record<string, { run: (a: Tensor) => Tensor[]; wrong: (a: Tensor, y: Tensor[]) => Tensor }> = {
  inv: { run: (a) => [linalg.inv(a)], wrong: (a, [y]) => a.matmul(y).sub(eye(a.shape.at(-1) as number)) },
  solve: { run: (a) => [linalg.solve(a, a)], wrong: (a, [y]) => a.matmul(y).sub(a) },
  cholesky: { run: (a) => [linalg.cholesky(a)], wrong: (a, [y]) => y.matmul(y.transpose(-2, -1)).sub(a) },
  qr: {
    run: (a) => {
      const { Q, R } = linalg.qr(a);
      return [Q, R];
    },
    wrong: (a, [q, r]) => q.matmul(r).sub(a),
  },
  svd: {
    run: (a) => {
      const { U, S, Vh } = linalg.svd(a);
      return [U, S, Vh];
    },
    wrong: (a, [u, s, vh]) => u.mul(s.unsqueeze(-2)).matmul(vh).sub(a),
  },
  eigh: {
    run: (a) => {
      const { eigenvalues, eigenvectors } = linalg.eigh(a);
      return [eigenvalues, eigenvectors];
    },
    wrong: (a, [w, v]) => a.matmul(v).sub(v.mul(w.unsqueeze(-2))),
  },
};

async function compare(name: string, batch: number, n: number, torch: Torch | null): Promise<Result> {
  manualSeed(0);
  const shape = batch === 1 ? [n, n] : [batch, n, n];
  const half = randn(shape);
  const a = scope(() => half.matmul(half.transpose(-2, -1)).div(n).add(eye(n)));
  const { run, wrong } = WORK[name];
  if (!(scope(() => wrong(a, run(a)).abs().amax()).item() < 1e-3)) throw new Error(`linalg.${name} is wrong`);
  const ours = (repetitions: number) =>
    Array.from({ length: repetitions }, () =>
      elapsed(() => {
        for (const y of run(a)) y.dispose();
      }),
    );
  const label = `linalg.${name} [${shape}], ${numThreads()} thread${numThreads() > 1 ? 's' : ''}`;
  if (torch === null)
    return { name: label, value: Math.min(...ours(20)), unit: 'ms', note: 'PyTorch is not installed' };
  const options = { batch, n, threads: numThreads() };
  const times = await alternate(ours, (r) => torch.time(`linalg.${name}`, options, r), 5, 8);
  const value = times.theirs / times.ours;
  const note = `${times.ours.toFixed(3)} against ${times.theirs.toFixed(3)} ms`;
  return { name: label, value, unit: 'times', goal: 'at least 1', met: value >= 1, note };
}

async function run(): Promise<Result[]> {
  const before = numThreads();
  const results: Result[] = [];
  for (const threads of new Set([1, before])) {
    setNumThreads(threads);
    const torch = await Torch.start(threads);
    for (const [batch, n] of [
      [1, 256],
      [64, 32],
    ])
      for (const name of Object.keys(WORK)) results.push(await compare(name, batch, n, torch));
    torch?.stop();
  }
  setNumThreads(before);
  return results;
}

export const benchmarks: Benchmark[] = [{ name: 'linalg', run }];
