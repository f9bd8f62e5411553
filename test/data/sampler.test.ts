// Samplers, alone and in a DataLoader: what comes, how often, for whom; and splits of datasets.
import { arange, data, Generator, type Tensor, tensor, zeros } from 'chainrule';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { codeOf } from '../thrown.js';

const sized = (length: number) => ({ length });
const numbers = (n: number) => new data.TensorDataset(arange(n, { dtype: 'int32' }));
const sorted = (list: Iterable<number>) => [...list].sort((a, b) => a - b);
const upTo = (n: number) => [...Array(n).keys()];

describe('samplers', () => {
  it('draw every sample once, in another order each pass, repeated by the seed', () => {
    const a = new data.RandomSampler(sized(100), { seed: 3 });
    const [first, second] = [[...a], [...a]];
    expect(sorted(first)).toEqual(upTo(100));
    expect(sorted(second)).toEqual(upTo(100));
    expect(first).not.toEqual(second);
    expect([...new data.RandomSampler(sized(100), { generator: new Generator(3) })]).toEqual(first);
  });

  it('draw more than there are in whole orders, fewer without repeats', () => {
    const many = [...new data.RandomSampler(sized(4), { numSamples: 10, seed: 1 })];
    expect(many.length).toBe(10);
    expect(sorted(many.slice(0, 4))).toEqual(upTo(4));
    expect(sorted(many.slice(4, 8))).toEqual(upTo(4));
    expect(new Set(new data.RandomSampler(sized(50), { numSamples: 20, seed: 1 })).size).toBe(20);
  });

  it('with replacement repeat samples', () => {
    const drawn = [...new data.RandomSampler(sized(1000), { replacement: true, seed: 1 })];
    expect(drawn.length).toBe(1000);
    // A sample is missed with probability 1/e.
    expect(new Set(drawn).size).toBeGreaterThan(580);
    expect(new Set(drawn).size).toBeLessThan(680);
  });

  it('follow weights', () => {
    const drawn = [...new data.WeightedRandomSampler(tensor([1, 0, 3]), 4000, { seed: 1 })];
    const counts = [0, 1, 2].map((k) => drawn.filter((i) => i === k).length);
    expect(counts[1]).toBe(0);
    // Four deviations of a binomial with p = 1/4.
    expect(Math.abs(counts[0] - 1000)).toBeLessThan(4 * Math.sqrt(750));
    const once = [...new data.WeightedRandomSampler([5, 1, 0, 1], 3, { replacement: false, seed: 1 })];
    expect(sorted(once)).toEqual([0, 1, 3]);
  });

  it('share the samples among ranks, each as many, whatever the numbers', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 7 }),
        fc.boolean(),
        (n, worldSize, dropLast) => {
          const parts = upTo(worldSize).map((rank) => [
            ...new data.DistributedSampler(sized(n), { worldSize, rank, dropLast }),
          ]);
          const share = dropLast ? Math.floor(n / worldSize) : Math.ceil(n / worldSize);
          expect(parts.map((part) => part.length)).toEqual(parts.map(() => share));
          const all = parts.flat();
          expect(new Set(all).size).toBe(dropLast ? share * worldSize : n);
        },
      ),
    );
  });

  it('give each epoch its own order, the same for all ranks', () => {
    const [a, b] = [0, 1].map((rank) => new data.DistributedSampler(sized(20), { worldSize: 2, rank }));
    const first = [...a];
    expect([...a]).toEqual(first);
    a.setEpoch(1);
    b.setEpoch(1);
    expect([...a]).not.toEqual(first);
    expect(sorted([...a, ...b])).toEqual(upTo(20));
  });

  it('repeat from the start where samples do not go round (as PyTorch)', () => {
    // list(DistributedSampler(range(5), num_replicas=3, rank=r, shuffle=False)) for r in 0, 1, 2; range(2) with 5 replicas
    const of = (n: number, worldSize: number, rank: number) => [
      ...new data.DistributedSampler(sized(n), { worldSize, rank, shuffle: false }),
    ];
    expect([0, 1, 2].map((rank) => of(5, 3, rank))).toEqual([
      [0, 3],
      [1, 4],
      [2, 0],
    ]);
    expect([0, 1, 2, 3, 4].map((rank) => of(2, 5, rank))).toEqual([[0], [1], [0], [1], [0]]);
  });

  it('know their length', () => {
    const inner = new data.SubsetRandomSampler([5, 3, 1], { seed: 1 });
    for (const sampler of [
      inner,
      new data.SequentialSampler(sized(7)),
      new data.BatchSampler(inner, 2),
      new data.BatchSampler(inner, 2, { dropLast: true }),
    ]) {
      expect([...sampler].length).toBe(sampler.length);
    }
  });

  it('refuse what makes no sense', () => {
    expect(codeOf(() => new data.SequentialSampler(3 as never))).toBe('value');
    expect(codeOf(() => new data.RandomSampler(sized(0), { numSamples: 1 }))).toBe('value');
    expect(codeOf(() => new data.RandomSampler(sized(3), { seed: 1, generator: new Generator() }))).toBe('value');
    expect(codeOf(() => new data.RandomSampler(sized(3), { replace: true } as object))).toBe('option');
    expect(codeOf(() => new data.WeightedRandomSampler([1, -1], 2))).toBe('value');
    expect(codeOf(() => new data.WeightedRandomSampler([1, 0], 2, { replacement: false }))).toBe('value');
    expect(codeOf(() => new data.WeightedRandomSampler([0, 0], 2))).toBe('value');
    expect(codeOf(() => new data.DistributedSampler(sized(3), { worldSize: 2, rank: 2 }))).toBe('value');
    expect(codeOf(() => new data.BatchSampler(new data.SequentialSampler(sized(3)), 0))).toBe('value');
    expect(codeOf(() => new data.SubsetRandomSampler([-1]))).toBe('value');
  });
});

describe('a DataLoader', () => {
  const flat = (loader: Iterable<readonly Tensor[]>) => [...loader].map(([x]) => x.toArray() as number[]);

  it('reads in the order of its sampler', async () => {
    const sampler = [4, 1, 1, 0, 3];
    const loader = new data.DataLoader(numbers(5), { sampler, batchSize: 2 });
    expect(flat(loader)).toEqual([[4, 1], [1, 0], [3]]);
    expect(loader.length).toBe(3);
    const dropped = new data.DataLoader(numbers(5), { sampler, batchSize: 2, dropLast: true });
    expect([dropped.length, flat(dropped).length]).toEqual([2, 2]);
    const read: unknown[] = [];
    for await (const [x] of loader) read.push(x.toArray());
    expect(read).toEqual([[4, 1], [1, 0], [3]]);
  });

  it('reads the batches of its batch sampler', () => {
    const loader = new data.DataLoader(numbers(5), { batchSampler: [[0, 4], [2]] });
    expect([loader.length, flat(loader)]).toEqual([2, [[0, 4], [2]]]);
  });

  it('refuses numbers outside the dataset, and two orders at once', () => {
    expect(codeOf(() => flat(new data.DataLoader(numbers(3), { sampler: [0, 3] })))).toBe('index');
    expect(codeOf(() => flat(new data.DataLoader(numbers(3), { batchSampler: [[0.5]] })))).toBe('index');
    expect(codeOf(() => new data.DataLoader(numbers(3), { sampler: [0], shuffle: true }))).toBe('value');
    expect(codeOf(() => new data.DataLoader(numbers(3), { batchSampler: [[0]], batchSize: 2 }))).toBe('value');
    expect(codeOf(() => new data.DataLoader(numbers(3), { sampler: new Set([1]) as never }))).toBe('value');
  });
});

describe('parts', () => {
  it('share no sample and lose none', () => {
    for (const lengths of [
      [7, 2, 1],
      [0.7, 0.2, 0.1],
      [0, 10],
    ]) {
      const parts = data.randomSplit(numbers(10), lengths, { seed: 2 });
      expect(sorted(parts.flatMap((part) => [...part.indices]))).toEqual(upTo(10));
    }
    // torch.utils.data.random_split(range(10), [0.5, 0.3, 0.2]) and range(7) by [0.5, 0.5]
    expect(data.randomSplit(numbers(10), [0.5, 0.3, 0.2]).map((part) => part.length)).toEqual([5, 3, 2]);
    expect(data.randomSplit(numbers(7), [0.5, 0.5]).map((part) => part.length)).toEqual([4, 3]);
    const again = () => data.randomSplit(numbers(10), [5, 5], { seed: 9 })[0].indices;
    expect(again()).toEqual(again());
  });

  it('of a stratified split hold every class in its proportion', () => {
    const labels = Array.from({ length: 100 }, (_, i) => (i < 70 ? 'a' : i < 90 ? 'b' : 'c'));
    const [train, test] = data.trainTestSplit(numbers(100), { testSize: 0.2, stratify: labels, seed: 1 });
    const count = (part: { indices: Int32Array }, name: string) =>
      [...part.indices].filter((i) => labels[i] === name).length;
    expect(['a', 'b', 'c'].map((name) => count(test, name))).toEqual([14, 4, 2]);
    expect(['a', 'b', 'c'].map((name) => count(train, name))).toEqual([56, 16, 8]);
    expect(sorted([...train.indices, ...test.indices])).toEqual(upTo(100));
    const odd = data.trainTestSplit(numbers(9), {
      testSize: 4,
      stratify: tensor([0, 0, 0, 1, 1, 1, 2, 2, 2]),
      seed: 1,
    })[1];
    expect([odd.length, new Set([...odd.indices].map((i) => Math.floor(i / 3))).size]).toEqual([4, 3]);
  });

  it('of an unshuffled split are the beginning and the end', () => {
    const [train, test] = data.trainTestSplit(numbers(8), { shuffle: false });
    expect([[...train.indices], [...test.indices]]).toEqual([upTo(6), [6, 7]]);
  });

  it('are read like any dataset, by the batch where the whole can', () => {
    const part = new data.Subset(numbers(10), [9, -1, 3]);
    const [batch] = [...new data.DataLoader(part, { batchSize: 3 })];
    expect(batch[0].toArray()).toEqual([9, 9, 3]);
    const squares: data.Dataset<number> = { length: 4, get: (i) => i * i };
    const [plain] = [...new data.DataLoader(new data.Subset(squares, [3, 2]), { batchSize: 2 })];
    expect(plain.toArray()).toEqual([9, 4]);
    const both = new data.ConcatDataset([numbers(2), numbers(0), numbers(3)]);
    const [all] = [...new data.DataLoader(both, { batchSize: 5 })];
    expect(all[0].toArray()).toEqual([0, 1, 0, 1, 2]);
    expect(both.get(-1)[0 as never]).toBeDefined();
  });

  it('refuse lengths that do not sum up, and labels that are not one each', () => {
    expect(codeOf(() => data.randomSplit(numbers(10), [5, 4]))).toBe('value');
    expect(codeOf(() => data.randomSplit(numbers(10), [11, -1]))).toBe('value');
    expect(codeOf(() => data.randomSplit(numbers(10), [0.5, 0.4]))).toBe('value');
    expect(codeOf(() => data.trainTestSplit(numbers(10), { testSize: 10 }))).toBe('value');
    expect(codeOf(() => data.trainTestSplit(numbers(10), { stratify: [1, 2] }))).toBe('value');
    expect(codeOf(() => data.trainTestSplit(numbers(10), { stratify: upTo(10), shuffle: false }))).toBe('value');
    expect(codeOf(() => data.trainTestSplit(numbers(10), { stratify: arange(10).reshape([10, 1]) }))).toBe('value');
    expect(codeOf(() => new data.Subset(numbers(3), [3]))).toBe('index');
    expect(codeOf(() => new data.Subset(numbers(3), [1, 2]).batch?.(Int32Array.of(2)))).toBe('index');
    for (const list of [undefined, 5, 'ab', {}, arange(3), new Set([1])]) {
      expect(codeOf(() => new data.Subset(numbers(3), list as never))).toBe('value');
      expect(codeOf(() => new data.SubsetRandomSampler(list as never))).toBe('value');
      const batchSampler = [list] as never;
      expect(codeOf(() => [...new data.DataLoader(numbers(3), { batchSampler })])).toBe('value');
    }
    expect(codeOf(() => new data.BatchSampler({ length: 3 } as never, 2))).toBe('value');
    expect(codeOf(() => new data.WeightedRandomSampler(zeros([2, 2]), 3))).toBe('value');
    expect(codeOf(() => new data.ConcatDataset([]))).toBe('value');
    expect(codeOf(() => both().get(5))).toBe('index');
  });
  const both = () => new data.ConcatDataset([numbers(2), numbers(3)]);
});

describe('joining', () => {
  it('takes samples of one form only', () => {
    const { x, names } = data.collate([
      { x: [1, true], names: ['a', null] },
      { x: [2, false], names: ['b', null] },
    ] as const);
    expect([x[0].toArray(), x[1].toArray(), names]).toEqual([
      [1, 2],
      [true, false],
      [
        ['a', 'b'],
        [null, null],
      ],
    ]);
    for (const samples of [
      [
        [1, 2],
        [1, 2, 3],
      ],
      [
        [1, 2, 3],
        [1, 2],
      ],
      [[1], 1],
      ['a', 1],
      [null, 1],
      [undefined, undefined],
      [new Date(), new Date()],
      [new Map([['x', 1]])],
      [{ x: 1 }, { y: 1 }],
      [{ x: 1 }, null],
    ]) {
      expect(codeOf(() => data.collate(samples as unknown[]))).toBe('value');
    }
    const longer = [[zeros([1])], [zeros([2]), 1]] as never;
    expect(codeOf(() => data.padCollate()(longer))).toBe('value');
  });
});

describe('padding', () => {
  it('fills sequences up and tells their lengths', () => {
    const pad = data.padCollate<[Tensor, number]>({ paddingValue: 9 });
    const [x, y, lengths] = pad([
      [arange(4).reshape([2, 2]), 1],
      [arange(2).reshape([1, 2]), 2],
    ]);
    expect(x.toArray()).toEqual([
      [
        [0, 1],
        [2, 3],
      ],
      [
        [0, 1],
        [9, 9],
      ],
    ]);
    expect([y.toArray(), lengths.toArray(), lengths.dtype]).toEqual([[1, 2], [2, 1], 'int32']);
    expect(data.padCollate<Tensor>()([arange(1), arange(3)])[0].shape).toEqual([2, 3]);
    expect(codeOf(() => data.padCollate<[number]>()([[3]]))).toBe('value');
    expect(codeOf(() => data.padCollate<Tensor>()([]))).toBe('value');
    expect(codeOf(() => data.collate([]))).toBe('value');
  });
});
