// Elementwise calls that run together by tiles, the plan of the memory, and the explanation of a step.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  capture,
  nn,
  noGrad,
  numThreads,
  ones,
  optim,
  randn,
  setNumThreads,
  type Tensor,
  tensor,
  where,
} from 'chainrule';
import { describe, expect, it, vi } from 'vitest';
import { Speed } from '../../lib/capture/floor.js';
import { plan } from '../../lib/capture/plan.js';
import { bits } from './twins.js';

const F = nn.functional;

const kernels = (step: { explain(): { rows: readonly { kernel: string }[] } }) =>
  step.explain().rows.map(({ kernel }) => kernel);

/** Steps twice on other values and compares with eager. */
function same(fn: (...xs: Tensor[]) => Tensor, ...draws: Tensor[][]) {
  const step = capture(fn);
  for (const xs of draws) expect(bits(step(...xs))).toBe(bits(fn(...xs)));
  for (const xs of draws) expect(bits(step(...xs))).toBe(bits(fn(...xs)));
  return step;
}

describe('groups of elementwise calls', () => {
  const chain = (x: Tensor, y: Tensor) => x.mul(y).add(1).tanh().sub(x).gt(0).to('float32').mul(x.exp()).neg();

  it.each([2, 7, 1000, 1024, 70_001])('give the bits of single calls for %i elements', (n) => {
    const draw = () => [randn([n]), randn([n])];
    const step = same(chain, draw(), draw());
    expect(step.signatures).toBe(1);
    expect(kernels(step)).toEqual(['mul + add + tanh + sub + compare gt + copy + exp + mul + neg']);
  });

  it('with several threads as with one', () => {
    const before = numThreads();
    const [x, y] = [randn([200_000]), randn([200_000])];
    const step = capture(chain);
    step(x, y);
    try {
      setNumThreads(1);
      const one = bits(step(x, y));
      setNumThreads(4);
      expect(bits(step(x, y))).toBe(one);
    } finally {
      setNumThreads(before);
    }
  });

  it('with repeated values, conditions and three operands', () => {
    const fn = (x: Tensor, s: Tensor) => where(x.gt(s), x.mul(s), x.add(s)).abs().sqrt();
    same(fn, [randn([50, 3]), tensor(0.5)], [randn([50, 3]), tensor(-0.5)]);
  });

  it('keep only what others read: intermediates need no memory', () => {
    const step = capture((x: Tensor) => x.add(1).mul(2).sub(3).exp());
    step(ones([1000]));
    expect(step.memory.arena).toBeLessThanOrEqual(2 * 4096);
    const shared = capture((x: Tensor) => {
      const y = x.add(1);
      return [y, y.mul(2).exp()];
    });
    const [a, b] = shared(ones([3]));
    expect([a.toArray(), b.toArray()]).toEqual([[2, 2, 2], ones([3]).mul(4).exp().toArray()]);
    const [c] = shared(tensor([5, 6, 7]));
    expect(c.toArray()).toEqual([6, 7, 8]);
  });

  it('end where sizes, strides or other work come between', () => {
    const step = capture((x: Tensor) => x.add(1).sum(0).mul(2).add(x.t().neg().sum(1)));
    const x = randn([4, 3]);
    expect(bits(step(x))).toBe(bits(x.add(1).sum(0).mul(2).add(x.t().neg().sum(1))));
    expect(bits(step(x.mul(2)))).toBe(bits(x.mul(2).add(1).sum(0).mul(2).add(x.mul(2).t().neg().sum(1))));
  });

  it('stand aside where calls of one buffer overlap', () => {
    const buffer = ones([8]);
    const fn = (x: Tensor) => {
      const [low, high] = [buffer.narrow(0, 0, 6), buffer.narrow(0, 2, 6)];
      noGrad(() => high.assign(x.add(1)));
      return low.mul(2).add(buffer.narrow(0, 1, 6));
    };
    same(fn, [randn([6])], [randn([6])]);
  });

  it('are at most sixteen long and eight wide', () => {
    const fn = (x: Tensor) => {
      const parts = Array.from({ length: 12 }, (_, i) => x.mul(i + 1));
      return parts.reduce((sum, part) => sum.add(part)).tanh();
    };
    same(fn, [randn([300])], [randn([300])]);
  });
});

describe('the plan', () => {
  const buffer = (size: number, first: number, last: number) => ({
    bytes: new Uint8Array(0),
    length: size,
    size,
    first,
    last,
    offset: 0,
  });

  it('gives buffers of different times one place, and never two of one time', () => {
    const buffers = [buffer(128, 0, 1), buffer(64, 1, 2), buffer(128, 2, 3), buffer(64, 3, 3), buffer(192, 4, 5)];
    const { bytes, unshared } = plan(buffers);
    expect(unshared).toBe(576);
    expect(bytes).toBe(192);
    for (const a of buffers) {
      for (const b of buffers) {
        if (a === b || a.last < b.first || b.last < a.first) continue;
        expect(a.offset + a.size <= b.offset || b.offset + b.size <= a.offset).toBe(true);
      }
    }
  });
});

describe('the explanation', () => {
  const make = () => {
    const model = new nn.Sequential(new nn.Linear(20, 30), new nn.Tanh(), new nn.Linear(30, 2));
    const optimizer = new optim.SGD(model.parameters(), { lr: 0.1 });
    return capture((x: Tensor) => {
      optimizer.zeroGrad();
      const loss = (model.forward(x) as Tensor).square().mean();
      loss.backward();
      optimizer.step();
      return loss;
    });
  };

  it('needs a call first', () => {
    expect(() => make().explain()).toThrow(expect.objectContaining({ code: 'capture' }));
  });

  it('lists kernels with shapes, bytes, times and shares', async () => {
    const step = make();
    const x = randn([16, 20]);
    step(x);
    expect(step.explain().ms).toBe(0);
    expect(step.profile(x).item()).toBeGreaterThan(0);
    step.profile(x);
    const found = step.explain();
    const gemm = found.rows.find(({ kernel, shapes }) => kernel === 'gemm' && shapes[1].join() === '16,20');
    expect(gemm?.calls).toBe(1);
    expect(gemm?.bytes).toBe(4 * (16 * 30 + 16 * 20 + 20 * 30 + 30));
    expect(gemm?.ms).toBeGreaterThan(0);
    expect(gemm?.flops).toBe(2 * 16 * 20 * 30);
    expect(gemm?.floorMs).toBeGreaterThan(0);
    expect(found.rows.find(({ kernel }) => kernel === 'sgd')?.flops).toBe(0);
    expect(found.rows.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1);
    expect(found.rows.reduce((sum, { ms }) => sum + ms, 0)).toBeCloseTo(found.ms);
    const lines = `${found}`.split('\n');
    expect(lines[0]).toMatch(/^kernel +shapes +calls +us +share +KB +MFLOP +GFLOP\/s +floor us$/);
    expect(lines).toHaveLength(found.rows.length + 2);

    const folder = await mkdtemp(join(tmpdir(), 'trace-'));
    try {
      const path = join(folder, 'step.json');
      await found.chromeTrace(path);
      const { traceEvents } = JSON.parse(await readFile(path, 'utf8'));
      expect(traceEvents).toHaveLength(found.rows.reduce((sum, { calls }) => sum + calls, 0));
      for (const event of traceEvents) expect(event).toMatchObject({ ph: 'X', pid: 1, tid: 1 });
      expect(traceEvents[1].ts).toBeCloseTo(traceEvents[0].dur);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  const [grouped, transposed] = [ones([6, 2, 3, 3]), ones([4, 6, 3, 3])];
  const double = ones([5, 5], { dtype: 'float64' });
  it.each<[string, (x: Tensor) => Tensor, number[], number]>([
    ['matrices in batches', (x) => x.matmul(x.transpose(-1, -2)), [3, 4, 5], 3 * 4 * 5 * 4],
    ['a convolution', (x) => F.conv2d(x, grouped, null, { groups: 2, stride: 2 }), [5, 4, 9, 9], 5 * 6 * 16 * 2 * 9],
    ['a transposed convolution', (x) => F.convTranspose2d(x, transposed), [5, 4, 7, 7], 5 * 4 * 49 * 6 * 9],
    ['attention', (x) => F.scaledDotProductAttention(x, x, x), [2, 3, 7, 4], 6 * 7 * 7 * (4 + 4)],
    ['causal attention', (x) => F.scaledDotProductAttention(x, x, x, { isCausal: true }), [2, 3, 7, 4], 6 * 28 * 8],
    ['doubles', (x) => x.to('float64').matmul(double), [4, 5], 4 * 5 * 5],
  ])('counts the operations of %s', (_, fn, shape, multiplications) => {
    const step = capture((x: Tensor) => noGrad(() => fn(x)));
    step(randn(shape));
    const { rows } = step.explain();
    expect(rows.reduce((sum, row) => sum + row.flops, 0)).toBe(2 * multiplications);
  });

  it.each([
    [2, 3],
    [3, 2],
  ])('takes the larger floor: %i ms for the bytes and %i for the products', (bytes, flops) => {
    const step = capture((x: Tensor) => x.matmul(x));
    step(ones([4, 4]));
    vi.spyOn(Speed.prototype, 'bytes').mockReturnValue(bytes);
    vi.spyOn(Speed.prototype, 'flops').mockReturnValue(flops);
    const [row] = step.explain().rows;
    vi.restoreAllMocks();
    expect(row.floorMs).toBe(3);
  });
});
