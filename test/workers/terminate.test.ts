// Worker threads terminated at random moments, in the middle of their steps: the others compute the same bits as ever.
import { setTimeout as pause } from 'node:timers/promises';
import { conv2d, Generator, manualSeed, nn, numThreads, optim, randn, setNumThreads, type Tensor } from 'chainrule';
import { expect, it } from 'vitest';
import { Net } from './fixtures/net.js';
import { next, start } from './fixtures/start.js';

const [WORKERS, AT_ONCE, STEPS] = [12, 3, 6];

/** Trains a small convolutional network from the same beginning; gives every loss and every weight. */
function* training(): Generator_<number[]> {
  manualSeed(7);
  const generator = new Generator(3);
  const model = new nn.Sequential(
    new nn.Conv2d(3, 8, 3),
    new nn.BatchNorm2d(8),
    new nn.ReLU(),
    new nn.Flatten(),
    new nn.Linear(8 * 14 * 14, 32),
    new nn.Dropout(0.2),
    new nn.Linear(32, 1),
  );
  const optimizer = new optim.AdamW(model.parameters(), { lr: 1e-3 });
  for (let i = 0; i < STEPS; i++) {
    const x = randn([16, 3, 16, 16], { generator });
    optimizer.zeroGrad();
    const loss = model.forward(x).square().mean();
    loss.backward();
    optimizer.step();
    yield [loss.item(), conv2d(x, model.getParameter('0.weight')).sum().item()];
  }
  yield model.parameters().flatMap((p: Tensor) => p.flatten().toArray() as number[]);
}
type Generator_<T> = globalThis.Generator<T, void, undefined>;

it('a worker that is terminated at any moment harms nobody', { timeout: 240_000 }, async () => {
  const threads = numThreads();
  setNumThreads(3);
  const shared = new Net(8);
  const state = shared.share();
  const delays = randn([WORKERS], { generator: new Generator(1) })
    .abs()
    .mul(20)
    .toArray() as number[];
  /** Some die while they load, most while they compute. */
  const early = (i: number) => i % 6 === 5;
  const live = async (i: number) => {
    const worker = start('./doomed.ts', { state });
    if (!early(i)) expect(await next(worker)).toBe('started');
    await pause(delays[i]);
    return worker.terminate();
  };
  try {
    const expected = [...training()];
    let busy = true;
    const codes: number[] = [];
    const lanes = Array.from({ length: AT_ONCE }, async (_, lane) => {
      for (let i = lane; i < WORKERS; i += AT_ONCE) {
        const code = await live(i);
        if (!early(i)) codes.push(code);
      }
    });
    const all = Promise.all(lanes).finally(() => {
      busy = false;
    });
    let rounds = 0;
    for (; busy; rounds++) {
      const steps = training();
      for (const step of expected) {
        expect(steps.next().value).toEqual(step);
        await new Promise(setImmediate);
      }
    }
    await all;
    expect(codes).toEqual(Array(WORKERS - 2).fill(1));
    expect(rounds).toBeGreaterThan(0);
    for (const p of shared.parameters()) expect(p.isFinite().all().item()).toBe(1);
    expect([...training()]).toEqual(expected);
  } finally {
    setNumThreads(threads);
  }
});
