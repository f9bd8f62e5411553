// Served models: every caller its own answer, limits, errors, new weights under load.
import { describe, expect, it } from 'vitest';
import { cat, embedding, manualSeed, nn, noGrad, randn, serve, type Tensor, tensor, zeros } from '../../lib/index.js';

function mlp(seed = 0) {
  manualSeed(seed);
  return new nn.Sequential(new nn.Linear(12, 24), new nn.ReLU(), new nn.Linear(24, 5)).eval();
}

const eager = (model: { forward(x: Tensor): Tensor }, x: Tensor) => noGrad(() => model.forward(x));
const far = (a: Tensor, b: Tensor) => a.sub(b).abs().amax().item();

describe('serve', () => {
  it('answers many callers at once as the model would answer each alone', async () => {
    const model = mlp();
    const predict = serve(model, { concurrency: 2, maxBatch: 16 });
    const inputs = Array.from({ length: 40 }, (_, i) => randn([1 + (i % 3), 12]));
    const expected = inputs.map((x) => eager(model, x));
    let wrong = 0;
    const caller = async (k: number) => {
      for (let i = 0; i < 60; i++) {
        const j = (k * 7 + i) % inputs.length;
        const y = await predict(inputs[j]);
        if (y.shape.join() !== expected[j].shape.join() || far(y, expected[j]) > 1e-5) wrong++;
      }
    };
    await Promise.all(Array.from({ length: 20 }, (_, k) => caller(k)));
    expect(wrong).toBe(0);
    const { answered, failed, batches, rows } = predict.stats();
    expect([answered, failed]).toEqual([1200, 0]);
    expect(batches).toBeLessThan(1200);
    expect(rows).toBeGreaterThan(1200);
    await predict.close();
    await expect(predict(inputs[0])).rejects.toMatchObject({ code: 'closed', op: 'serve' });
  });

  it('serves functions of several inputs, outputs in objects, and rows of several shapes', async () => {
    const predict = serve((a: Tensor, b: Tensor) => ({ sum: a.add(b), parts: [a.mean(1), b.amax(1)] }));
    const ask = async (n: number, width: number) => {
      const [a, b] = [randn([n, width]), randn([n, width])];
      const { sum, parts } = await predict([a, b]);
      expect(far(sum, a.add(b))).toBe(0);
      expect(far(parts[0], a.mean(1))).toBeLessThan(1e-6);
      expect(far(parts[1], b.amax(1))).toBe(0);
    };
    await Promise.all([ask(1, 3), ask(2, 5), ask(4, 3), ask(1, 5), ask(3, 7)]);
    await predict.close();
  });

  it('reads the input before the caller gives it back', async () => {
    const model = mlp();
    const predict = serve(model);
    const x = randn([2, 12]);
    const expected = eager(model, x);
    const answer = predict(x);
    x.dispose();
    expect(far(await answer, expected)).toBeLessThan(1e-6);
    await predict.close();
  });

  it('fails only the request that is wrong', async () => {
    const table = randn([10, 4]);
    const predict = serve((i: Tensor) => embedding(i, table), { maxBatch: 8 });
    const ask = (k: number) => predict(tensor([[k]], { dtype: 'int32' }));
    const results = await Promise.allSettled([1, 2, 99, 3].map(ask));
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
    expect(results[2]).toMatchObject({ reason: { code: 'index' } });
    const again = await Promise.all([4, 5].map(ask));
    expect(far(cat(again).reshape([2, 4]), table.at(tensor([4, 5], { dtype: 'int32' })))).toBe(0);
    await predict.close();
  });

  it('changes weights between batches: every answer is of the old ones or of the new', async () => {
    const [model, next] = [mlp(1), mlp(2)];
    const x = randn([1, 12]);
    const [old, fresh] = [eager(model, x), eager(next, x)];
    const predict = serve(model, { concurrency: 2, maxBatch: 4 });
    let [olds, news, wrong] = [0, 0, 0];
    let over = false;
    const caller = async () => {
      while (!over) {
        const y = await predict(x);
        if (far(y, old) < 1e-5) olds++;
        else if (far(y, fresh) < 1e-5) news++;
        else wrong++;
      }
    };
    const callers = Array.from({ length: 16 }, caller);
    while (olds < 100) await new Promise((resolve) => setImmediate(resolve));
    await predict.update(() => void model.loadStateDict(next.stateDict()));
    while (news < 100) await new Promise((resolve) => setImmediate(resolve));
    over = true;
    await Promise.all(callers);
    expect(wrong).toBe(0);
    expect(far(await predict(x), fresh)).toBeLessThan(1e-5);
    expect(predict.stats().failed).toBe(0);
    await predict.close();
  });

  it('refuses what it cannot serve', async () => {
    expect(() => serve(new nn.Linear(2, 2))).toThrow('expected a model in eval() mode');
    expect(() => serve(7 as never)).toThrow('[serve] expected a module or a function');
    expect(() => serve(mlp(), { maxbatch: 3 } as never)).toThrow("got 'maxbatch'");
    expect(() => serve(mlp(), { concurrency: 0 })).toThrow('concurrency');
    const predict = serve(mlp(), { maxBatch: 4 });
    await expect(predict(zeros([5, 12]))).rejects.toMatchObject({ code: 'shape' });
    await expect(predict(zeros([0, 12]))).rejects.toMatchObject({ code: 'shape' });
    await expect(predict(zeros([]))).rejects.toMatchObject({ code: 'value' });
    await expect(predict([])).rejects.toMatchObject({ code: 'value' });
    await expect(predict(zeros([1, 11]))).rejects.toMatchObject({ code: 'shape' });
    await expect(predict([zeros([1, 12]), zeros([2, 12])])).rejects.toMatchObject({ code: 'shape' });
    await expect(predict(zeros([1, 12]), { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'aborted' });
    const total = serve((x: Tensor) => x.sum());
    await expect(total(zeros([1, 12]))).rejects.toThrow('expected the model to give [rows, ...]');
    await Promise.all([predict.close(), total.close()]);
  });
});
