// How cost grows with the size of the work: each measure is a chart and a table of numbers, checked before it is timed.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { matmul, noGrad, numThreads, setNumThreads, type Tensor, tensor } from 'chainrule';
import { median } from '../harness.js';
import { lenetStep } from '../work/lenet.js';
import { values } from '../work/work.js';

/** One chart: lines over a size, both axes in powers of ten. */
export interface Growth {
  /** Name of the chart's file. */
  readonly name: string;
  readonly title: string;
  /** What grows. */
  readonly size: string;
  /** What is measured, with its unit. */
  readonly measured: string;
  readonly series: readonly { readonly name: string; readonly points: readonly (readonly [number, number])[] }[];
}

const powers = (from: number, to: number, base = 2) =>
  Array.from({ length: Math.round(Math.log(to / from) / Math.log(base)) + 1 }, (_, i) => from * base ** i);

/** Median milliseconds of a call: repetitions of at least a tenth of a millisecond, for 80 ms, warmed up. */
function time(fn: () => void): number {
  const call = (n: number) => {
    const start = performance.now();
    for (let i = 0; i < n; i++) fn();
    return (performance.now() - start) / n;
  };
  const first = Math.min(call(1), call(2), call(3));
  const repeat = Math.max(1, Math.ceil(0.1 / Math.max(first, 1e-4)));
  const warm = performance.now() + 30;
  while (performance.now() < warm) call(repeat);
  const times: number[] = [];
  const end = performance.now() + 80;
  do times.push(call(repeat));
  while (performance.now() < end || times.length < 5);
  return median(times);
}

/** Measures with one thread of kernels, or as many as are asked for. */
function withThreads<T>(threads: number, fn: () => T): T {
  const before = numThreads();
  setNumThreads(threads);
  try {
    return fn();
  } finally {
    setNumThreads(before);
  }
}

function agree(what: string, got: number, expected: number): void {
  if (!(Math.abs(got - expected) <= 1e-4 * Math.abs(expected) + 1e-6))
    throw new Error(`${what} is wrong: got ${got}, expected ${expected}`);
}

const UNARY: readonly [string, (x: Tensor) => Tensor, (x: number) => number][] = [
  ['relu', (x) => x.relu(), (x) => Math.max(x, 0)],
  ['exp', (x) => x.exp(), Math.exp],
  ['tanh', (x) => x.tanh(), Math.tanh],
];

export function unaryBySize(): Growth {
  const series = UNARY.map(([name, f, exact]) => ({
    name,
    points: powers(16, 2 ** 24, 4).map((n) => {
      const x = values([n], 1, 'float32');
      const y = f(x);
      agree(name, y.at(n - 1).item(), exact(x.at(n - 1).item()));
      y.dispose();
      return [n, (time(() => f(x).dispose()) * 1e6) / n] as const;
    }),
  }));
  return { name: 'unary', title: 'Unary operations', size: 'elements', measured: 'ns an element', series };
}

export function productsBySize(): Growth {
  const series = [1, 2].map((threads) => ({
    name: `${threads} thread${threads > 1 ? 's' : ''}`,
    points: withThreads(threads, () =>
      powers(16, 2048).map((n) => {
        const [a, b] = [values([n, n], 1, 'float32'), values([n, n], 2, 'float32')];
        const c = matmul(a, b);
        agree(
          'matmul',
          c.at(n - 1, 0).item(),
          a
            .at(n - 1)
            .mul(b.t().at(0))
            .sum()
            .item(),
        );
        c.dispose();
        return [n, (2 * n ** 3) / (time(() => a.matmul(b).dispose()) * 1e6)] as const;
      }),
    ),
  }));
  return { name: 'matmul', title: 'Square products', size: 'rows and columns', measured: 'GFLOP/s', series };
}

const BATCHES = powers(1, 1024);

export function imagesByBatch(): Growth {
  const series = [1, 2].map((threads) => ({
    name: `training, ${threads} thread${threads > 1 ? 's' : ''}`,
    points: withThreads(threads, () =>
      BATCHES.map((batch) => {
        const step = lenetStep(batch);
        if (!(step().item() > 0)) throw new Error('the loss of LeNet is wrong');
        return [batch, (1000 * batch) / time(() => void step())] as const;
      }),
    ),
  }));
  return { name: 'lenet', title: 'LeNet', size: 'batch', measured: 'images a second', series };
}

export function memoryByBatch(): Growth {
  const program = fileURLToPath(new URL('./held.ts', import.meta.url));
  const points = BATCHES.map((batch) => {
    const args = [...process.execArgv, program, String(batch)];
    const { stdout, stderr, status } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    const held = Number(stdout);
    if (status !== 0 || !(held > 0)) throw new Error(`no figure for batch ${batch}: ${stderr}`);
    return [batch, held] as const;
  });
  return {
    name: 'memory',
    title: 'Memory of a LeNet training step',
    size: 'batch',
    measured: 'MiB held after four steps',
    series: [{ name: 'weights, gradients, momentum, activations, pool', points }],
  };
}

export function overheadByDepth(): Growth {
  const x = tensor([0.5], { requiresGrad: true });
  const chain = (depth: number) => {
    let y: Tensor = x;
    for (let i = 0; i < depth; i++) y = y.mul(1);
    return y;
  };
  const points = (run: (depth: number) => number) =>
    powers(10, 10_000, 10).map((depth) => [depth, run(depth) / depth] as const);
  const forward = points((depth) => 1e6 * time(() => void noGrad(() => chain(depth))));
  const both = points((depth) => {
    const step = () => {
      x.grad = null;
      chain(depth).sum().backward();
    };
    step();
    agree('the gradient of a chain', (x.grad as Tensor | null)?.item() ?? Number.NaN, 1);
    return 1e6 * time(step);
  });
  return {
    name: 'depth',
    title: 'Chains of operations on one element',
    size: 'operations in the chain',
    measured: 'ns an operation',
    series: [
      { name: 'forward, not recorded', points: forward },
      { name: 'forward and backward', points: both },
    ],
  };
}
