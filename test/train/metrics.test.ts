// Metrics against values derived by hand: each comment is the derivation.
import { randint, randn, slice, type Tensor, tensor, train } from 'chainrule';
import { describe, expect, it } from 'vitest';

const { metrics } = train;

// Classes 0, 1, 2. By class:      hit  predicted  actual   precision  recall  F1 = 2 hit / (predicted + actual)
//   0: places 0, 3 right            2      2         3        1        2/3     4/5
//   1: place 1 right                1      3         2        1/3      1/2     2/5
//   2: place 2 right                1      2         2        1/2      1/2     1/2
const PRED = [0, 1, 2, 0, 1, 1, 2];
const TRUE = [0, 1, 2, 0, 0, 2, 1];

describe('classes', () => {
  it('accuracy: 4 of 7 are right', () => {
    expect(metrics.accuracy(PRED, TRUE)).toBe(4 / 7);
  });

  it.each([
    ['precision', 'micro', 4 / 7],
    ['precision', 'macro', (1 + 1 / 3 + 1 / 2) / 3],
    ['precision', 'weighted', (3 * 1 + 2 / 3 + 2 / 2) / 7],
    ['recall', 'micro', 4 / 7],
    ['recall', 'macro', (2 / 3 + 1 / 2 + 1 / 2) / 3],
    ['recall', 'weighted', (2 + 1 + 1) / 7],
    ['f1', 'micro', 4 / 7],
    ['f1', 'macro', (4 / 5 + 2 / 5 + 1 / 2) / 3],
    ['f1', 'weighted', (3 * (4 / 5) + 2 * (2 / 5) + 2 * (1 / 2)) / 7],
  ] as const)('%s, %s', (name, average, value) => {
    expect(metrics[name](PRED, TRUE, { average })).toBeCloseTo(value, 14);
  });

  it('binary: TP 2, FP 1, FN 2, TN 1', () => {
    const [pred, truth] = [
      [1, 1, 1, 0, 0, 0],
      [1, 1, 0, 1, 1, 0],
    ];
    expect(metrics.precision(pred, truth)).toBe(2 / 3);
    expect(metrics.recall(pred, truth)).toBe(1 / 2);
    expect(metrics.f1(pred, truth)).toBe(4 / 7);
    // Of class 0: TP 1 of 3 predicted, of 2 there.
    expect(metrics.precision(pred, truth, { positive: 0 })).toBe(1 / 3);
    expect(metrics.recall(pred, truth, { positive: 0 })).toBe(1 / 2);
  });

  it('0 / 0 is what zeroDivision says', () => {
    expect(metrics.precision([0, 0], [1, 0])).toBe(0);
    expect(metrics.precision([0, 0], [1, 0], { zeroDivision: 1 })).toBe(1);
    expect(metrics.recall([0, 1], [0, 0])).toBe(0);
    // Class 2 never occurs: it counts only where the number of classes says so.
    expect(metrics.f1([0, 1], [0, 1], { average: 'macro' })).toBe(1);
    expect(metrics.f1([0, 1], [0, 1], { average: 'macro', classes: 3 })).toBe(2 / 3);
  });

  it('scores: the highest counts, the first of equals, NaN above all', () => {
    const scores = tensor([
      [1, 3, 2],
      [5, 5, 1],
      [9, Number.NaN, 10],
    ]);
    expect(metrics.accuracy(scores, [1, 0, 1])).toBe(1);
    expect(scores.argmax(1).toArray()).toEqual([1, 0, 1]);
  });

  it('scores [N, C, L] go with targets [N, L]', () => {
    const scores = tensor([
      [
        [1, 0],
        [0, 1],
      ],
    ]); // class 0 at place 0, class 1 at place 1
    expect(metrics.accuracy(scores, tensor([[0, 1]], { dtype: 'int32' }))).toBe(1);
    expect(metrics.accuracy(scores, tensor([[1, 1]], { dtype: 'int32' }))).toBe(0.5);
  });

  it('top k: the true class is 2nd, 3rd, 1st', () => {
    const scores = tensor([
      [0.5, 0.3, 0.2],
      [0.5, 0.3, 0.2],
      [0.1, 0.2, 0.7],
    ]);
    expect([1, 2, 3].map((k) => metrics.topKAccuracy(scores, [1, 2, 2], { k }))).toEqual([1 / 3, 2 / 3, 1]);
    // Of equals the lower class comes first.
    expect(metrics.topKAccuracy(tensor([[1, 1]]), [0], { k: 1 })).toBe(1);
    expect(metrics.topKAccuracy(tensor([[1, 1]]), [1], { k: 1 })).toBe(0);
    expect(metrics.topKAccuracy(tensor([[Number.NaN, 1]]), [0], { k: 2 })).toBe(0);
  });

  it('confusion matrix', () => {
    const matrix = new metrics.ConfusionMatrix(3).update(PRED.slice(0, 3), TRUE.slice(0, 3));
    matrix.update(PRED.slice(3), TRUE.slice(3));
    expect(matrix.table).toEqual([
      [2, 1, 0],
      [0, 1, 1],
      [0, 1, 1],
    ]);
    expect(matrix.compute()).toBe(4 / 7);
  });
});

/** By its definition: all pairs of a positive and a negative. */
function aucByPairs(scores: number[], labels: number[]): number {
  let [sum, count] = [0, 0];
  for (const [i, a] of scores.entries())
    for (const [j, b] of scores.entries()) {
      if (labels[i] !== 1 || labels[j] !== 0) continue;
      sum += a > b ? 1 : a === b ? 0.5 : 0;
      count++;
    }
  return sum / count;
}

describe('rankings', () => {
  it('AUC of the example in the guide of scikit-learn: 3 of the 4 pairs are in order', () => {
    expect(metrics.auc([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1])).toBe(0.75);
  });

  it('AUC with ties: 0.5 twice, one of each class: (1 + 0.5 + 1 + 1) / 4', () => {
    expect(metrics.auc([0.9, 0.5, 0.5, 0.1], [1, 1, 0, 0])).toBe(3.5 / 4);
    expect(metrics.auc([1, 1, 1], [0, 1, 0])).toBe(0.5);
    expect(metrics.auc([1, 2], [1, 1])).toBeNaN();
  });

  it('AUC is that of all pairs, for many scores with many ties', () => {
    const scores = (randint(0, 20, [200]).toArray() as number[]).map(Number);
    const labels = (randint(0, 2, [200]).toArray() as number[]).map(Number);
    expect(metrics.auc(scores, labels)).toBeCloseTo(aucByPairs(scores, labels), 13);
  });

  it('average precision: ranks + - + -: 1/2 (1/1) + 1/2 (2/3)', () => {
    expect(metrics.averagePrecision([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1])).toBeCloseTo(1 / 2 + 1 / 3, 14);
    // One threshold for all: precision 1/3 at recall 1, whatever the order of the samples.
    expect(metrics.averagePrecision([1, 1, 1], [1, 0, 0])).toBe(1 / 3);
    expect(metrics.averagePrecision([1, 1, 1], [0, 0, 1])).toBe(1 / 3);
    expect(metrics.averagePrecision([1], [0])).toBeNaN();
  });
});

describe('numbers', () => {
  // Differences -0.5, 0.5, 0, 1; targets have the mean 2.875 and squared distances 0.015625 + 11.390625 + 0.765625 + 17.015625.
  const [pred, truth] = [
    [2.5, 0, 2, 8],
    [3, -0.5, 2, 7],
  ];

  it('MAE 2/4, MSE 1.5/4, RMSE its root, R2 1 - 1.5/29.1875', () => {
    expect(metrics.mae(pred, truth)).toBe(0.5);
    expect(metrics.mse(pred, truth)).toBe(0.375);
    expect(metrics.rmse(pred, truth)).toBe(Math.sqrt(0.375));
    expect(metrics.r2(pred, truth)).toBeCloseTo(1 - 1.5 / 29.1875, 14);
  });

  it('R2 of equal targets, of too few, and far from zero', () => {
    expect(metrics.r2([2, 2], [2, 2])).toBe(1);
    expect(metrics.r2([2, 3], [2, 2])).toBe(0);
    expect(metrics.r2([2], [2])).toBeNaN();
    // The same as without the 1e9: variance 2/3, residual 1/3 of 3 targets.
    expect(metrics.r2([1e9, 1e9 + 1, 1e9 + 3], [1e9, 1e9 + 1, 1e9 + 2])).toBe(0.5);
  });

  it('perplexity: probabilities 1/2 and 1/8 give sqrt(16) = 4; an ignored target changes nothing', () => {
    const logits = tensor([
      [0.5, 0.25, 0.25],
      [0.125, 0.375, 0.5],
    ]).log();
    expect(metrics.perplexity(logits, tensor([0, 0], { dtype: 'int32' }))).toBeCloseTo(4, 5);
    expect(metrics.perplexity(logits, tensor([0, -100], { dtype: 'int32' }))).toBeCloseTo(2, 5);
  });

  it('mean: (2 * 3 + 6 * 1) / 4', () => {
    expect(new metrics.Mean().update(2, 3).update(6).compute()).toBe(3);
  });
});

const running: [string, () => train.metrics.Metric, 'classes' | 'scores' | 'binary' | 'numbers'][] = [
  ['Accuracy', () => new metrics.Accuracy(), 'classes'],
  ['TopKAccuracy', () => new metrics.TopKAccuracy({ k: 2 }), 'scores'],
  ['Precision', () => new metrics.Precision({ average: 'macro' }), 'classes'],
  ['Recall', () => new metrics.Recall({ average: 'weighted' }), 'classes'],
  ['F1', () => new metrics.F1({ average: 'macro' }), 'scores'],
  ['ConfusionMatrix', () => new metrics.ConfusionMatrix(4), 'scores'],
  ['AUC', () => new metrics.AUC(), 'binary'],
  ['AveragePrecision', () => new metrics.AveragePrecision(), 'binary'],
  ['Perplexity', () => new metrics.Perplexity(), 'scores'],
  ['MAE', () => new metrics.MAE(), 'numbers'],
  ['MSE', () => new metrics.MSE(), 'numbers'],
  ['RMSE', () => new metrics.RMSE(), 'numbers'],
  ['R2', () => new metrics.R2(), 'numbers'],
];

describe.each(running)('%s', (_, make, kind) => {
  const target = kind === 'numbers' ? randn([30]) : randint(0, kind === 'binary' ? 2 : 4, [30]);
  const pred = kind === 'scores' ? randn([30, 4]) : kind === 'classes' ? randint(0, 4, [30]) : randn([30]);
  const part = (x: Tensor, from: number, to: number) => x.at(slice(from, to));

  it('in three parts is what it is at once', () => {
    const metric = make();
    for (const [from, to] of [
      [0, 7],
      [7, 8],
      [8, 30],
    ])
      metric.update(part(pred, from, to), part(target, from, to));
    const whole = make().update(pred, target).compute();
    expect(whole).not.toBeNaN();
    expect(metric.compute() / whole).toBeCloseTo(1, 6);
  });

  it('is NaN of nothing, and forgets on reset', () => {
    expect(make().compute()).toBeNaN();
    const metric = make().update(pred, target);
    metric.reset();
    expect(metric.compute()).toBeNaN();
    expect(metric.update(part(pred, 3, 25), part(target, 3, 25)).compute()).toBe(
      make()
        .update(part(pred, 3, 25), part(target, 3, 25))
        .compute(),
    );
  });

  it('refuses other lengths and leaves what it has', () => {
    const metric = make().update(pred, target);
    const before = metric.compute();
    expect(() => metric.update(part(pred, 0, 5), part(target, 0, 6))).toThrow(/expected/);
    expect(metric.compute()).toBe(before);
  });
});

describe('errors', () => {
  it.each([
    ['another class', () => metrics.precision([2], [1]), 'value'],
    ['a class outside', () => metrics.recall([3], [1], { average: 'macro', classes: 3 }), 'index'],
    ['a class below 0', () => metrics.accuracy([-1], [1]), 'index'],
    ['half a class', () => metrics.accuracy([0.5], [1]), 'index'],
    ['no score for a class', () => metrics.topKAccuracy(tensor([[1, 2]]), [2]), 'index'],
    ['classes where scores are needed', () => metrics.topKAccuracy([1], [1]), 'shape'],
    ['a target of 2', () => metrics.auc([1], [2]), 'value'],
    ['a score that is NaN', () => metrics.auc([Number.NaN], [1]), 'value'],
    ['an unknown average', () => metrics.f1([1], [1], { average: 'mean' as 'macro' }), 'value'],
    ['an unknown option', () => new metrics.Precision({ mean: 1 } as object), 'option'],
    ['what are no numbers', () => metrics.mae(5 as unknown as number[], [1]), 'value'],
    ['a weight below 0', () => new metrics.Mean().update(1, -1), 'value'],
    ['other shapes', () => metrics.mse(tensor([[1], [2]]), tensor([1, 2])), 'shape'],
  ] as const)('%s', (_, call, code) => {
    expect(call).toThrow(expect.objectContaining({ name: 'TensorError', code }));
  });
});
