// Modules that draw while training: which probability, per element or channel, from which generator; and the triplet loss with a distance.
import {
  alphaDropout,
  dropout,
  dropout1d,
  dropout2d,
  dropout3d,
  featureAlphaDropout,
  Generator,
  nn,
  ones,
  randn,
  rrelu,
  type Tensor,
  tensor,
} from 'chainrule';
import { describe, expect, it } from 'vitest';
import { codeOf } from '../thrown.js';

describe('dropout', () => {
  it.each([
    ['Dropout', nn.Dropout, dropout, [40, 5]],
    ['Dropout1d', nn.Dropout1d, dropout1d, [20, 5, 3]],
    ['Dropout2d', nn.Dropout2d, dropout2d, [20, 5, 3, 2]],
    ['Dropout3d', nn.Dropout3d, dropout3d, [20, 5, 3, 2, 2]],
    ['AlphaDropout', nn.AlphaDropout, alphaDropout, [40, 5]],
    ['FeatureAlphaDropout', nn.FeatureAlphaDropout, featureAlphaDropout, [20, 5, 3]],
  ] as const)('%s is its operation while training, and nothing after eval()', (name, Class, operation, shape) => {
    const x = randn(shape);
    const module = new Class({ p: 0.3, generator: new Generator(3) });
    const want = operation(x, { p: 0.3, generator: new Generator(3) });
    expect(module.forward(x).toArray()).toEqual(want.toArray());
    expect(want.eq(x).all().item()).toBe(0);
    expect(module.eval().forward(x).toArray()).toEqual(x.toArray());
    expect(new Class().p).toBe(0.5);
    expect(`${new Class(0.25)}`).toBe(`${name}(0.25)`);
    expect(codeOf(() => new Class(1.5))).toBe('value');
    expect(codeOf(() => new Class({ q: 1 } as never))).toBe('option');
  });

  it('drops whole channels', () => {
    const y = new nn.Dropout2d({ p: 0.5, generator: new Generator(1) }).forward(ones([30, 4, 3, 3]));
    const sums = new Set((y.sum([2, 3]).flatten().toArray() as number[]).map((n) => Math.round(n)));
    expect(sums).toEqual(new Set([0, 18]));
  });
});

describe('RReLU', () => {
  it('draws slopes while training, takes the middle after eval()', () => {
    const x = randn([50]);
    const module = new nn.RReLU({ lower: 0.1, upper: 0.5, generator: new Generator(5) });
    const want = rrelu(x, { lower: 0.1, upper: 0.5, training: true, generator: new Generator(5) });
    expect(module.forward(x).toArray()).toEqual(want.toArray());
    expect(module.eval().forward(x).toArray()).toEqual(x.leakyRelu({ negativeSlope: 0.3 }).toArray());
    expect(
      new nn.RReLU()
        .eval()
        .forward(tensor([-1], { dtype: 'float64' }))
        .item(),
    ).toBeCloseTo(-11 / 48, 15);
    expect(`${new nn.RReLU({ lower: 0.1 })}`).toBe('RReLU({ lower: 0.1 })');
    expect(codeOf(() => new nn.RReLU({ lower: 1 }))).toBe('value');
  });
});

describe('TripletMarginWithDistanceLoss', () => {
  const [a, p, n] = [randn([4, 3]), randn([4, 3]), randn([4, 3])];

  it('is TripletMarginLoss unless told otherwise', () => {
    expect(new nn.TripletMarginWithDistanceLoss({ margin: 2 }).forward(a, p, n).item()).toBe(
      new nn.TripletMarginLoss({ margin: 2 }).forward(a, p, n).item(),
    );
  });

  it('takes functions and modules, whose parameters it then has', () => {
    class Weighted extends nn.Module<[Tensor, Tensor]> {
      fc = new nn.Linear(3, 2);
      forward(x: Tensor, y: Tensor) {
        return this.fc.forward(x.sub(y)).square().sum(-1);
      }
    }
    const distance = new Weighted();
    const loss = new nn.TripletMarginWithDistanceLoss({ distanceFunction: distance, swap: true, reduction: 'sum' });
    const distanceFunction = (x: Tensor, y: Tensor) => distance.forward(x, y);
    const want = new nn.TripletMarginWithDistanceLoss({ distanceFunction, swap: true, reduction: 'sum' });
    expect(loss.forward(a, p, n).item()).toBe(want.forward(a, p, n).item());
    expect(loss.parameters()).toHaveLength(2);
    expect(codeOf(() => new nn.TripletMarginWithDistanceLoss({ distanceFunction: 1 as never }))).toBe('value');
    expect(codeOf(() => new nn.TripletMarginWithDistanceLoss({ p: 1 } as never))).toBe('option');
  });
});
