// ctcLoss against its definition: the sum over every path through the steps that spells the labels.
import {
  ctcLoss,
  Generator,
  grad,
  gradgradcheck,
  nn,
  rand,
  randint,
  type Tensor,
  TensorError,
  tensor,
} from 'chainrule';
import { describe, expect, it } from 'vitest';

const ints = (data: number[]) => tensor(data, { dtype: 'int32' });

/** What a path spells: repetitions once, then without blanks. */
const spelled = (path: number[], blank: number) =>
  path.filter((c, t) => c !== blank && (t === 0 || c !== path[t - 1])).join();

/** -log of the sum over all paths. */
function byDefinition(p: number[][], labels: number[], blank: number): number {
  const classes = p[0]?.length ?? 1;
  let total = 0;
  for (let code = 0; code < classes ** p.length; code++) {
    const path = p.map((_, t) => Math.floor(code / classes ** t) % classes);
    if (spelled(path, blank) === labels.join()) total += path.reduce((product, c, t) => product * p[t][c], 1);
  }
  return -Math.log(total);
}

describe('ctcLoss', () => {
  const generator = new Generator(3);
  const logits = rand([5, 1, 3], { generator, dtype: 'float64' }).mul(4);
  const logp = logits.logSoftmax(2);
  const p = logp.exp().squeeze(1).toArray() as number[][];

  it.each([
    [5, [1], 0],
    [5, [1, 2], 0],
    [5, [1, 1], 0],
    [5, [2, 2, 1], 0],
    [5, [], 0],
    [4, [0, 1, 0], 2],
    [3, [1, 1], 0],
    [2, [1, 1], 0],
    [1, [2], 0],
    [1, [1, 2], 0],
    [0, [], 0],
    [0, [1], 0],
  ])('of %i steps and the labels %j is the sum over all paths', (steps, labels, blank) => {
    const want = byDefinition(p.slice(0, steps), labels, blank);
    const got = ctcLoss(logp, ints(labels), [steps], [labels.length], { blank, reduction: 'sum' }).item();
    if (Number.isFinite(want)) expect(got).toBeCloseTo(want, 12);
    else expect(got).toBe(Number.POSITIVE_INFINITY);
  });

  it('takes one sample without a batch, numbers and tensors of lengths', () => {
    const [x, labels] = [logp.squeeze(1), ints([1, 2])];
    const want = ctcLoss(logp, labels, [5], [2]).item();
    expect(ctcLoss(x, labels, 5, 2).item()).toBe(want);
    expect(ctcLoss(x, labels, ints([5]), tensor([2], { dtype: 'uint8' })).item()).toBe(want);
    expect(ctcLoss(x, labels, 5, 2, { reduction: 'none' }).shape).toEqual([]);
    expect(ctcLoss(logp, labels, [5], [2], { reduction: 'none' }).shape).toEqual([1]);
    // A mean divides by the number of labels.
    expect(ctcLoss(x, labels, 5, 2, { reduction: 'sum' }).item()).toBeCloseTo(2 * want, 12);
  });

  it('makes infinite losses 0 where asked, with no gradient, and NaN gradients otherwise', () => {
    const run = (zeroInfinity: boolean): [number, number[][][]] => {
      const x = tensor(logp.detach(), { requiresGrad: true });
      const y = ctcLoss(x, ints([1, 1]), [2], [2], { zeroInfinity });
      y.backward();
      return [y.item(), (x.grad as Tensor).toArray() as number[][][]];
    };
    const [zero, none] = run(true);
    expect(zero).toBe(0);
    expect(none.flat(2).every((g) => g === 0)).toBe(true);
    const [infinite, unknown] = run(false);
    expect(infinite).toBe(Number.POSITIVE_INFINITY);
    expect(unknown.slice(0, 2).flat(2).every(Number.isNaN)).toBe(true);
    expect(
      unknown
        .slice(2)
        .flat(2)
        .every((g) => g === 0),
    ).toBe(true);
  });

  it('has probabilities as gradients: they sum to -1 at every step, and are 0 behind the last one', () => {
    const x = rand([40, 3, 7], { generator, dtype: 'float64', requiresGrad: true });
    const lengths = [40, 31, 17];
    const labels = randint(1, 7, [3, 8], { generator });
    const y = ctcLoss(x.logSoftmax(2), labels, lengths, [8, 5, 0], { reduction: 'sum' });
    const [dx] = grad(y, [x]);
    // Behind log_softmax the sum over the classes is 0.
    expect(dx.sum(2).abs().amax().item()).toBeLessThan(1e-12);
    const steps = dx.abs().sum(2).toArray() as number[][];
    for (const [n, length] of lengths.entries())
      expect(steps.map((row) => row[n] > 0)).toEqual(steps.map((_, t) => t < length));
    const leaf = tensor(x.detach().logSoftmax(2), { requiresGrad: true });
    ctcLoss(leaf, labels, lengths, [8, 5, 0], { reduction: 'sum' }).backward();
    const sums = (leaf.grad as Tensor).sum(2).toArray() as number[][];
    for (const [n, length] of lengths.entries())
      for (const [t, row] of sums.entries()) expect(row[n]).toBeCloseTo(t < length ? -1 : 0, 10);
  });

  it('is a module too', () => {
    const [x, labels] = [logp, ints([0, 1])];
    const loss = new nn.CTCLoss({ blank: 2, reduction: 'sum' });
    expect(loss.forward(x, labels, [5], [2]).item()).toBe(
      ctcLoss(x, labels, [5], [2], { blank: 2, reduction: 'sum' }).item(),
    );
    expect(new nn.CTCLoss({ zeroInfinity: true }).forward(x, ints([1, 1]), [2], [2]).item()).toBe(0);
    expect(String(loss)).toContain('blank: 2');
    expect(() => new nn.CTCLoss({ zero_infinity: true } as never)).toThrow(TensorError);
    expect(() => new nn.CTCLoss({ blank: -1 })).toThrow(TensorError);
  });

  it('says that it has no second derivative', () => {
    const x = tensor(logits, { requiresGrad: true });
    const run = (v: Tensor) => ctcLoss(v.logSoftmax(2), ints([1]), [5], [1]);
    expect(() => gradgradcheck(run, [x])).toThrow(TensorError);
  });

  it('stays finite over a thousand steps', () => {
    const x = rand([1000, 2, 20], { generator, requiresGrad: true });
    const y = ctcLoss(x.logSoftmax(2), randint(1, 20, [2, 100], { generator }), [1000, 900], [100, 90]);
    y.backward();
    expect(Number.isFinite(y.item())).toBe(true);
    expect((x.grad as Tensor).isFinite().all().item()).toBe(1);
  });
});
