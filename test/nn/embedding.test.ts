// Embedding and EmbeddingBag: begun as PyTorch begins them, the same as their operations; what norms and paddings do.
import { embedding, embeddingBag, Generator, grad, nn, noGrad, randint, randn, type Tensor, tensor } from 'chainrule';
import { describe, expect, it } from 'vitest';
import { codeOf } from '../thrown.js';

const ints = (data: number[]) => tensor(data, { dtype: 'int32' });

describe('Embedding', () => {
  it('begins with normal numbers, the padding row with zeros, and is its operation', () => {
    const layer = new nn.Embedding(200, 50, { paddingIdx: -1, generator: new Generator(1) });
    expect(layer.weight.shape).toEqual([200, 50]);
    expect(layer.weight.at(199).abs().amax().item()).toBe(0);
    const drawn = layer.weight.narrow(0, 0, 199);
    expect(Math.abs(drawn.mean().item())).toBeLessThan(0.05);
    expect(Math.abs(drawn.square().mean().item() - 1)).toBeLessThan(0.05);
    const indices = randint(0, 200, [3, 4]);
    expect(layer.forward(indices).toArray()).toEqual(embedding(indices, layer.weight).toArray());
    expect(Object.keys(layer.stateDict())).toEqual(['weight']);
    expect(layer.toString()).toBe('Embedding(200, 50, { paddingIdx: -1 })');
  });

  it('fromPretrained shares the table, draws nothing, and freezes it unless told otherwise', () => {
    const table = tensor([
      [1, 2],
      [3, 4],
    ]);
    const frozen = nn.Embedding.fromPretrained(table);
    expect(frozen.weight.storage).toBe(table.storage);
    expect(frozen.weight.requiresGrad).toBe(false);
    const free = nn.Embedding.fromPretrained(table, { freeze: false, paddingIdx: 0 });
    expect(free.forward(ints([1, 0])).toArray()).toEqual([
      [3, 4],
      [1, 2],
    ]);
    free
      .forward(ints([1, 0, 1]))
      .sum()
      .backward();
    expect(free.weight.grad?.toArray()).toEqual([
      [0, 0],
      [2, 2],
    ]);
  });

  it('scales rows that are read down to maxNorm, in place, and leaves the others', () => {
    const table = tensor([
      [3, 4],
      [0.3, 0.4],
      [6, 8],
    ]);
    const layer = nn.Embedding.fromPretrained(table, { maxNorm: 1, freeze: false });
    const y = layer.forward(ints([0, 1, 0])).toArray() as number[][];
    const near = (a: number[], b: number[]) => a.forEach((n, i) => void expect(n).toBeCloseTo(b[i], 5));
    near(y[0], [0.6, 0.8]);
    near(y[1], [0.3, 0.4]);
    expect(table.toArray()).toEqual(layer.weight.toArray());
    near((table.toArray() as number[][])[0], [0.6, 0.8]);
    near((table.toArray() as number[][])[2], [6, 8]);
    const columns = table.t().contiguous().t();
    embedding(ints([2]), columns, { maxNorm: 2, normType: Infinity });
    near((columns.toArray() as number[][])[2], [1.5, 2]);
  });

  it('a table changed by maxNorm between forward and backward is noticed', () => {
    const weight = tensor([[3, 4]], { requiresGrad: true });
    const y = weight.square().sum();
    embedding(ints([0]), weight, { maxNorm: 1 });
    expect(codeOf(() => y.backward())).toBe('version');
  });

  it('has second derivatives past the padding row', () => {
    const weight = randn([3, 2], { dtype: 'float64', requiresGrad: true });
    const y = embedding(ints([0, 1, 1]), weight, { paddingIdx: 0 })
      .pow(3)
      .sum();
    const [g] = grad(y, [weight], { createGraph: true }) as [Tensor];
    const [h] = grad(g.sum(), [weight]) as [Tensor];
    const want = weight
      .detach()
      .mul(12)
      .indexFill(0, ints([0, 2]), 0);
    expect(h.sub(want).abs().amax().item()).toBeLessThan(1e-12);
  });

  it('refuses what makes no table', () => {
    expect(codeOf(() => new nn.Embedding(0, 3))).toBe('value');
    expect(codeOf(() => new nn.Embedding(3, 2.5))).toBe('value');
    expect(codeOf(() => new nn.Embedding(3, 2, { paddingIdx: 3 }))).toBe('value');
    expect(codeOf(() => new nn.Embedding(3, 2, { weight: randn([2, 3]) }))).toBe('shape');
    expect(codeOf(() => new nn.Embedding(3, 2, { bias: true } as object))).toBe('option');
    expect(codeOf(() => nn.Embedding.fromPretrained(randn([3])))).toBe('shape');
    expect(codeOf(() => nn.Embedding.fromPretrained(randn([3, 2]), { weight: 1 } as object))).toBe('option');
    expect(codeOf(() => new nn.Embedding(3, 2).forward(ints([3])))).toBe('index');
  });
});

describe('EmbeddingBag', () => {
  it('is its operation, by offsets and by rows', () => {
    const layer = new nn.EmbeddingBag(6, 3, { mode: 'sum', includeLastOffset: true });
    const indices = ints([5, 1, 1, 0]);
    const offsets = ints([0, 3, 3, 4]);
    const perSampleWeights = tensor([1, 2, 3, 4]);
    const want = embeddingBag(indices, layer.weight, { mode: 'sum', offsets: ints([0, 3, 3]), perSampleWeights });
    expect(layer.forward(indices, { offsets, perSampleWeights }).toArray()).toEqual(want.toArray());
    expect(noGrad(() => want.at(1).abs().sum().item())).toBe(0);
    const rows = nn.EmbeddingBag.fromPretrained(layer.weight.detach(), { mode: 'max' });
    const pairs = indices.reshape([2, 2]);
    expect(rows.forward(pairs).toArray()).toEqual(embedding(pairs, layer.weight).amax(1).toArray());
    expect(codeOf(() => layer.forward(indices, { offset: offsets } as object))).toBe('option');
  });

  it('gives the first of equal largest elements the gradient', () => {
    const weight = tensor([[1], [1], [0]], { requiresGrad: true });
    embeddingBag(ints([2, 1, 0]).unsqueeze(0), weight, { mode: 'max' })
      .sum()
      .backward();
    expect(weight.grad?.toArray()).toEqual([[0], [1], [0]]);
  });
});

describe('what a table is', () => {
  it('can be read from it', () => {
    const plain = new nn.Embedding(4, 2);
    expect([plain.paddingIdx, plain.maxNorm, plain.normType, plain.scaleGradByFreq]).toEqual([null, null, 2, false]);
    const own = new nn.Embedding(4, 2, { paddingIdx: -1, maxNorm: 1, normType: 1, scaleGradByFreq: true });
    expect([own.paddingIdx, own.maxNorm, own.normType, own.scaleGradByFreq]).toEqual([3, 1, 1, true]);
    const bag = new nn.EmbeddingBag(4, 2, { mode: 'sum', includeLastOffset: true });
    expect([bag.mode, bag.includeLastOffset, new nn.EmbeddingBag(4, 2).mode]).toEqual(['sum', true, 'mean']);
    expect(`${bag}`).toBe("EmbeddingBag(4, 2, { mode: 'sum', includeLastOffset: true })");
  });
});
