// Requests that come as typed arrays; whose memory inputs and answers are.
import { describe, expect, it } from 'vitest';
import {
  embedding,
  manualSeed,
  memory,
  nn,
  noGrad,
  ones,
  randn,
  scope,
  serve,
  type Tensor,
  tensor,
} from '../../lib/index.js';

function mlp() {
  manualSeed(0);
  return new nn.Sequential(new nn.Linear(12, 24), new nn.ReLU(), new nn.Linear(24, 5)).eval();
}

const eager = (model: { forward(x: Tensor): Tensor }, x: Tensor) => noGrad(() => model.forward(x));
const numbers = (x: Tensor) => Float32Array.from(x.reshape([-1]).toArray() as number[]);
const near = (got: Float32Array, expected: Float32Array) =>
  got.length === expected.length && got.every((v, i) => Math.abs(v - expected[i]) < 1e-5);

describe('serve with typed arrays', () => {
  it('answers each row as the model would, beside requests that are tensors', async () => {
    const model = mlp();
    const predict = serve(model, { concurrency: 2, maxBatch: 16 });
    const inputs = Array.from({ length: 40 }, () => randn([1, 12]));
    const expected = inputs.map((x) => numbers(eager(model, x)));
    let wrong = 0;
    const caller = async (k: number) => {
      for (let i = 0; i < 60; i++) {
        const j = (k * 7 + i) % inputs.length;
        const got = k % 3 === 0 ? numbers(await predict(inputs[j])) : await predict(numbers(inputs[j]));
        if (!(got instanceof Float32Array) || !near(got, expected[j])) wrong++;
      }
    };
    await Promise.all(Array.from({ length: 20 }, (_, k) => caller(k)));
    expect(wrong).toBe(0);
    expect(predict.stats()).toMatchObject({ answered: 1200, failed: 0, queued: 0, running: 0 });
    await predict.close();
    await expect(predict(new Float32Array(12))).rejects.toMatchObject({ code: 'closed' });
  });

  it('takes rows of a shape, several at once, and several inputs', async () => {
    const grid = serve(
      (x: Tensor) => ({ sums: x.sum([1, 2]), parts: [x.narrow(1, 0, 1).squeeze(1), x.amax(2).gt(5)] }),
      {
        row: [2, 3],
      },
    );
    const one = await grid(Float32Array.of(1, 2, 3, 4, 5, 6));
    expect(one).toEqual({
      sums: Float32Array.of(21),
      parts: [Float32Array.of(1, 2, 3), Uint8Array.of(0, 1)],
    });
    const two = await grid(Float32Array.of(0, 0, 1, 0, 0, 9, 0, 1, 0, 0, 0, 0));
    expect(two).toEqual({
      sums: Float32Array.of(10, 1),
      parts: [Float32Array.of(0, 0, 1, 0, 1, 0), Uint8Array.of(0, 1, 0, 0)],
    });
    await expect(grid(new Float32Array(7))).rejects.toThrow(
      '[serve] expected 1 to 32 rows in a request, got 7 elements for rows of [2, 3]',
    );
    await expect(grid([new Float32Array(6), new Float32Array(6)])).rejects.toMatchObject({ code: 'value' });

    const table = randn([10, 4]);
    const scaled = (i: Tensor, k: Tensor) => embedding(i, table).mul(k.unsqueeze(-1));
    const predict = serve(scaled, { row: [[3], [1]] });
    const got = await predict([Int32Array.of(1, 2, 3, 4, 5, 6), Float64Array.of(2, 3)]);
    const expected = scaled(
      tensor(
        [
          [1, 2, 3],
          [4, 5, 6],
        ],
        { dtype: 'int32' },
      ),
      tensor(Float64Array.of(2, 3)).reshape([2, 1]),
    );
    expect(got).toEqual(expected.data);
    await expect(predict([new Int32Array(6), new Float64Array(1)])).rejects.toThrow('of as many rows each');
    await Promise.all([grid.close(), predict.close()]);
  });

  it('keeps requests of different lengths and types apart', async () => {
    const predict = serve((x: Tensor) => x.mul(2), { maxBatch: 4 });
    const answers = await Promise.all([
      predict(Float32Array.of(1, 2)),
      predict(Float64Array.of(3)),
      predict(Float32Array.of(4)),
      predict(Float32Array.of(5, 6)),
      predict(Int32Array.of(7, 8)),
      predict(ones([1, 2])).then(numbers),
    ]);
    expect(answers).toEqual([
      Float32Array.of(2, 4),
      Float64Array.of(6),
      Float32Array.of(8),
      Float32Array.of(10, 12),
      Int32Array.of(14, 16),
      Float32Array.of(2, 2),
    ]);
    expect(predict.stats().batches).toBe(5);
    // More lengths than are kept, more than once.
    for (let i = 0; i < 40; i++) {
      const x = new Float32Array(1 + (i % 15)).fill(i);
      expect(await predict(x)).toEqual(x.map((v) => 2 * v));
    }
    await predict.close();
  });

  it('takes memory for the rows that come, not for all that may', async () => {
    const before = memory().bytes;
    const predict = serve((x: Tensor) => x.mul(2), { maxBatch: 2 ** 40 });
    const x = Array.from({ length: 50 }, (_, i) => new Float32Array(1000).fill(i));
    const answers = await Promise.all(x.map((row) => predict(row)));
    expect(answers).toEqual(x.map((row) => row.map((v) => 2 * v)));
    expect(memory().bytes - before).toBeLessThan(4 * 2 ** 20);
    await predict.close();
  });

  it('refuses what is neither', async () => {
    const predict = serve(mlp());
    for (const wrong of [7, 'a', null, [1, 2], new BigInt64Array(12), new DataView(new ArrayBuffer(48))]) {
      await expect(predict(wrong as never)).rejects.toMatchObject({ code: 'value', op: 'serve' });
    }
    await expect(predict([new Float32Array(12), ones([1, 12])] as never)).rejects.toMatchObject({ code: 'value' });
    await expect(predict([ones([1, 12]), new Float32Array(12)] as never)).rejects.toMatchObject({ code: 'value' });
    await expect(predict(new Float32Array(11))).rejects.toMatchObject({ code: 'shape' });
    expect(() => serve(mlp(), { row: [0] })).toThrow('[serve] expected rows of at least one element, got [0]');
    expect(() => serve(mlp(), { row: 12 as never })).toThrow('[serve] expected a shape');
    expect(() => serve(mlp(), { row: [[12], 3 as never] })).toThrow('[serve] expected a shape');
    await predict.close();
  });
});

describe('the memory of a request', () => {
  it('is read at once, and an answer is the own of its caller', async () => {
    const predict = serve((x: Tensor) => x.add(1), { maxBatch: 4 });
    const x = Float32Array.of(1, 2);
    const answers = [predict(x)];
    x.fill(7);
    answers.push(predict(x));
    x.fill(9);
    const [a, b] = await Promise.all(answers);
    expect([a, b]).toEqual([Float32Array.of(2, 3), Float32Array.of(8, 8)]);
    expect(a.buffer).not.toBe(b.buffer);
    expect(a.byteLength).toBe(a.buffer.byteLength);
    const [p, q] = await Promise.all([predict(ones([1, 2])), predict(ones([1, 2]))]);
    p.assign(ones([1, 2]).mul(50));
    expect(q.toArray()).toEqual([[2, 2]]);
    await predict(ones([1, 2]));
    expect(q.toArray()).toEqual([[2, 2]]);
    await predict.close();
    expect(p.toArray()).toEqual([[50, 50]]);
  });

  it('is not given away by a model that returns its input or a parameter', async () => {
    const weight = ones([1, 2]);
    const predict = serve((x: Tensor) => [x, weight, x] as const, { maxBatch: 1 });
    for (let i = 0; i < 4; i++) {
      const [x, w, again] = await predict(tensor([[i, i]]));
      expect([x.toArray(), w.toArray(), again.toArray()]).toEqual([[[i, i]], [[1, 1]], [[i, i]]]);
      expect(await predict(Float32Array.of(i, 5))).toEqual([
        Float32Array.of(i, 5),
        Float32Array.of(1, 1),
        Float32Array.of(i, 5),
      ]);
      w.dispose();
    }
    expect(weight.toArray()).toEqual([[1, 1]]);
    await predict.close();
  });

  it('belongs to the scope of its caller and to no other', async () => {
    const predict = serve(mlp(), { maxBatch: 8 });
    const x = randn([1, 12]);
    let inside: Tensor | null = null;
    const scoped = scope(async () => {
      inside = await predict(x);
      expect(inside.released).toBe(false);
    });
    const outside = predict(x);
    await scoped;
    const y = await outside;
    expect((inside as Tensor | null)?.released).toBe(true);
    expect(y.released).toBe(false);
    expect(near(numbers(await predict(x)), numbers(y))).toBe(true);
    await predict.close();
  });

  it('does not depend on the mode of whoever asks first', async () => {
    const model = mlp();
    const predict = serve(model, { maxBatch: 2 });
    const x = randn([1, 12]);
    const [a, b] = await Promise.all([predict(x), noGrad(async () => predict(x))]);
    expect([a.requiresGrad, b.requiresGrad]).toEqual([false, false]);
    expect(numbers(a)).toEqual(numbers(b));
    await predict.close();
  });
});
