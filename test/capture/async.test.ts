// Captured steps in the background: the same bits, in order, the event loop free, clear errors meanwhile, ends of every kind.
import { getEventListeners } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import {
  arange,
  capture,
  embedding,
  Generator,
  manualSeed,
  nn,
  noGrad,
  ones,
  optim,
  randn,
  type Tensor,
  tensor,
  zeros,
} from '../../lib/index.js';
import { codeOf } from '../thrown.js';
import { bits } from './twins.js';

const F = nn.functional;

/** A training step with dropout and Adam, and what it trains. */
function trainer(seed = 1) {
  manualSeed(seed);
  const generator = new Generator(seed);
  const [first, second] = [new nn.Linear(20, 32), new nn.Linear(32, 1)];
  const model = new nn.Sequential(first, second);
  const optimizer = new optim.Adam(model.parameters(), { lr: 0.01 });
  const plain = (x: Tensor, y: Tensor) => {
    optimizer.zeroGrad();
    const hidden = F.dropout(first.forward(x).relu(), { p: 0.3, generator });
    const loss = F.mseLoss(second.forward(hidden), y);
    loss.backward();
    optimizer.step();
    return loss;
  };
  return { model, plain, first };
}

const batch = (seed: number): [Tensor, Tensor] => {
  const generator = new Generator(seed);
  return [randn([16, 20], { generator }), randn([16, 1], { generator })];
};

/** A step that takes a while: products of large matrices. */
function slow(): { step: ReturnType<typeof capture<[Tensor], Tensor>>; x: Tensor; weight: Tensor } {
  const weight = randn([600, 600], { generator: new Generator(3) }).mul(0.04);
  const step = capture((x: Tensor) =>
    noGrad(() => {
      let y = x;
      for (let i = 0; i < 12; i++) y = y.matmul(weight).tanh();
      return y;
    }),
  );
  const x = randn([600, 600], { generator: new Generator(4) });
  step(x).dispose();
  return { step, x, weight };
}

describe('step.async', () => {
  it('does what the step does, bit for bit, random states and optimizer included', async () => {
    const [one, other] = [trainer(), trainer()];
    const step = capture(one.plain);
    for (let i = 0; i < 30; i++) {
      const [x, y] = batch(i);
      const loss = i % 3 === 2 ? step(x, y) : await step.async(x, y);
      expect(bits(loss)).toBe(bits(other.plain(x, y)));
    }
    const [a, b] = [one.model.parameters(), other.model.parameters()];
    expect(a.map(bits)).toEqual(b.map(bits));
    expect(a.map((p) => bits(p.grad as Tensor))).toEqual(b.map((p) => bits(p.grad as Tensor)));
    expect(step.signatures).toBe(1);
  });

  it('leaves the event loop free', async () => {
    const { step, x } = slow();
    let [turns, over] = [0, false];
    const run = step.async(x).finally(() => {
      over = true;
    });
    while (!over) {
      await turn();
      turns++;
    }
    await run;
    expect(turns).toBeGreaterThan(10);
  });

  it('queues runs in the order of the calls and reads inputs when it is called', async () => {
    const step = capture((x: Tensor) => x.mul(2).add(1));
    step(zeros([3])).dispose();
    const order: number[] = [];
    const runs = [1, 2, 3, 4].map(async (k) => {
      const x = ones([3]).mul(k);
      const result = step.async(x);
      x.dispose();
      const values = (await result).toArray();
      order.push(k);
      return values;
    });
    expect(step.signatures).toBe(1);
    expect(await Promise.all(runs)).toEqual([1, 2, 3, 4].map((k) => [2 * k + 1, 2 * k + 1, 2 * k + 1]));
    expect(order).toEqual([1, 2, 3, 4]);
  });

  it('gives the caller its own inputs back, and their gradients to them, also where it waits', async () => {
    const step = capture((x: Tensor) => {
      x.square().sum().backward();
      return { x, y: x.detach().mul(2) };
    });
    const make = () => Array.from({ length: 4 }, (_, k) => tensor([k, k + 1], { requiresGrad: true }));
    for (const inputs of [make(), make()]) {
      const outputs = await Promise.all(inputs.map((x) => step.async(x)));
      for (const [k, { x, y }] of outputs.entries()) {
        expect(x).toBe(inputs[k]);
        expect(x.grad?.toArray()).toEqual([2 * k, 2 * k + 2]);
        expect(y.toArray()).toEqual([2 * k, 2 * k + 2]);
      }
    }
    const gone = tensor([1, 2], { requiresGrad: true });
    const runs = [step.async(make()[0]), step.async(gone)];
    gone.dispose();
    expect((await Promise.all(runs))[1].y.toArray()).toEqual([2, 4]);
  });

  it('records in the first call, for each form of inputs', async () => {
    const step = capture((x: Tensor) => x.exp());
    const [a, b] = await Promise.all([step.async(zeros([2])), step.async(zeros([3]))]);
    expect([a.toArray(), b.toArray(), step.signatures]).toEqual([[1, 1], [1, 1, 1], 2]);
    await expect(capture((x: Tensor) => x.item()).async(zeros([1]))).rejects.toMatchObject({ code: 'capture' });
  });

  it('refuses eager work on what it changes, and the step itself, until it is over', async () => {
    const { model, plain, first } = trainer();
    const step = capture(plain);
    const [x, y] = batch(1);
    step(x, y);
    const run = step.async(x, y);
    const { weight } = first;
    const attempts = [
      () => weight.add(1),
      () => weight.at(0, 0).item(),
      () => weight.data,
      () => weight.toArray(),
      () => weight.assign(zeros([32, 20])),
      () => model.forward(x),
      () => step(x, y),
    ];
    expect(attempts.map(codeOf)).toEqual(attempts.map(() => 'busy'));
    expect(x.sum().item()).toBeTypeOf('number');
    await run;
    expect(codeOf(() => weight.add(1))).toBe('none');
    expect(codeOf(() => step(x, y))).toBe('none');
  });

  it('lets others read the weights that it only reads, and not change them', async () => {
    const { step, x, weight } = slow();
    const run = step.async(x);
    expect(weight.sum().item()).toBeTypeOf('number');
    expect(codeOf(() => weight.assign(zeros([600, 600])))).toBe('busy');
    await run;
    expect(codeOf(() => weight.assign(zeros([600, 600])))).toBe('none');
    expect((await step.async(x)).abs().amax().item()).toBe(0);
  });

  it('lets steps that read the same weights run at once, and keeps steps that write them apart', async () => {
    const [one, other] = [trainer(), trainer()];
    const [a, b] = [capture(one.plain), capture(one.plain)];
    const expected: string[] = [];
    const got: Promise<Tensor>[] = [];
    for (let i = 0; i < 10; i++) {
      const [x, y] = batch(i);
      expected.push(bits(other.plain(x, y)));
      if (i < 2) expect(bits((i === 0 ? a : b)(x, y))).toBe(expected[i]);
      else got.push((i % 2 === 0 ? a : b).async(x, y));
    }
    // Two queues on the same parameters: which of them goes next is free, but runs never mix.
    const losses = (await Promise.all(got)).map((loss) => loss.item());
    expect(losses.every(Number.isFinite)).toBe(true);
    const model = noGrad(() => one.model.parameters().map((p) => p.sum().item()));
    expect(model.every(Number.isFinite)).toBe(true);

    const { weight, x } = slow();
    const readers = [1, 2].map((k) => capture((input: Tensor) => noGrad(() => input.matmul(weight).mul(k))));
    for (const read of readers) read(x).dispose();
    const [p, q] = await Promise.all(readers.map((read) => read.async(x)));
    expect(bits(p.mul(2))).toBe(bits(q));
  });

  it('gives the error of the operation, changes nothing, and goes on', async () => {
    const table = randn([10, 4], { generator: new Generator(1) });
    table.requiresGrad = true;
    const optimizer = new optim.Adam([table]);
    const step = capture((index: Tensor) => {
      optimizer.zeroGrad();
      const loss = embedding(index, table).square().sum();
      loss.backward();
      optimizer.step();
      return loss;
    });
    step(arange(3, { dtype: 'int32' }));
    const before = bits(table);
    const wrong = tensor([1, 12, 3], { dtype: 'int32' });
    await expect(step.async(wrong)).rejects.toMatchObject({ code: 'index' });
    expect(bits(table)).toBe(before);
    expect((await step.async(arange(3, { dtype: 'int32' }))).item()).toBeGreaterThan(0);
    expect(bits(table)).not.toBe(before);
  });

  it('rejects inputs that were given back, without harm to those that wait', async () => {
    const { step, x } = slow();
    const gone = zeros([600, 600]);
    gone.dispose();
    const runs = await Promise.allSettled([step.async(x), step.async(gone), step.async(x)]);
    expect(runs.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(runs[1]).toMatchObject({ reason: { code: 'released' } });
  });
});

describe('a signal', () => {
  it('ends a run between two kernels, takes waiting ones out, and leaves the step usable', async () => {
    const { step, x } = slow();
    const expected = bits(step(x));
    const [running, waiting] = [new AbortController(), new AbortController()];
    const a = step.with({ signal: running.signal }).async(x);
    const b = step.with({ signal: waiting.signal }).async(x);
    const c = step.async(x);
    const all = Promise.allSettled([a, b, c]);
    waiting.abort();
    running.abort(new Error('enough'));
    const [first, second, third] = await all;
    expect(first).toMatchObject({ reason: { code: 'aborted', cause: { message: 'enough' } } });
    expect(second).toMatchObject({ reason: { code: 'aborted' } });
    expect(bits((third as PromiseFulfilledResult<Tensor>).value)).toBe(expected);
    await expect(step.with({ signal: AbortSignal.abort() }).async(x)).rejects.toMatchObject({ code: 'aborted' });
    const { signal } = new AbortController();
    await Promise.all([1, 2, 3].map(() => step.with({ signal }).async(x)));
    expect(getEventListeners(signal, 'abort')).toEqual([]);
    expect(() => step.with({ sginal: running.signal } as never)).toThrow("got 'sginal'");
  });
});

describe('inlineBelowMs', () => {
  it('runs short steps here, to the same results, and long ones elsewhere', async () => {
    const brief = capture((x: Tensor) => x.mul(3));
    const { step, x } = slow();
    const expected = bits(step(x));
    for (let i = 0; i < 4; i++) {
      expect((await brief.with({ inlineBelowMs: 1000 }).async(ones([2]))).toArray()).toEqual([3, 3]);
    }
    let turns = 0;
    let over = false;
    const run = (async () => {
      for (let i = 0; i < 2; i++) expect(bits(await step.with({ inlineBelowMs: 0.01 }).async(x))).toBe(expected);
      over = true;
    })();
    while (!over) {
      await turn();
      turns++;
    }
    await run;
    expect(turns).toBeGreaterThan(10);
    expect(() => step.with({ inlineBelowMs: -1 })).toThrow('inlineBelowMs');
  });
});

describe('dispose', () => {
  it('waits for what runs', async () => {
    const { step, x } = slow();
    const expected = bits(step(x));
    const run = step.async(x);
    step.dispose();
    expect(step.signatures).toBe(0);
    expect(bits(await run)).toBe(expected);
    expect(bits(step(x))).toBe(expected);
  });
});
