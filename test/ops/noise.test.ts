// Activations that draw random numbers: what is dropped, what is scaled, and what stays on average.
import * as cr from 'chainrule';
import { Generator, ones, randn, rrelu, type Tensor, tensor } from 'chainrule';
import { describe, expect, it } from 'vitest';

const code = (name: string) => expect.objectContaining({ name: 'TensorError', code: name });
const wrong = <T>(value: unknown) => value as T;
const values = (x: Tensor) => Array.from(x.contiguous().data);

describe.each([
  ['dropout1d', [50, 40, 6]],
  ['dropout1d', [2000, 6]],
  ['dropout2d', [50, 40, 2, 3]],
  ['dropout3d', [50, 40, 1, 2, 3]],
  ['dropout3d', [2000, 1, 2, 3]],
] as const)('%s of %j', (name, shape) => {
  const run = (generator: Generator) => cr[name](ones(shape, { requiresGrad: true }), { p: 0.25, generator });

  it('drops whole channels and scales the others', () => {
    const channels = run(new Generator(5)).reshape([2000, 6]);
    expect(
      channels
        .sub(channels.narrow(1, 0, 1))
        .abs()
        .amax()
        .item(),
    ).toBe(0);
    const kept = values(channels.select(1, 0));
    expect(new Set(kept)).toEqual(new Set([0, Math.fround(1 / 0.75)]));
    const share = kept.filter((v) => v > 0).length / kept.length;
    // Five standard deviations of 2000 draws.
    expect(Math.abs(share - 0.75)).toBeLessThan(0.05);
  });

  it('comes from the generator, and gives the gradient the same mask', () => {
    const x = ones(shape, { requiresGrad: true });
    const y = cr[name](x, { p: 0.25, generator: new Generator(5) });
    expect(values(y)).toEqual(values(run(new Generator(5))));
    y.sum().backward();
    expect(values(x.grad as Tensor)).toEqual(values(y));
  });
});

describe('alpha dropout', () => {
  it.each(['alphaDropout', 'featureAlphaDropout'] as const)('%s keeps mean 0 and variance 1', (name) => {
    const x = randn([20000, 2], { generator: new Generator(3) });
    const y = cr[name](x, { p: 0.2, generator: new Generator(4) });
    expect(Math.abs(y.mean().item())).toBeLessThan(0.05);
    expect(Math.abs(y.var().item() - 1)).toBeLessThan(0.05);
  });

  it('gives dropped elements one value, and others an affine map of themselves', () => {
    const x = randn([1000], { dtype: 'float64', generator: new Generator(3) });
    const y = cr.alphaDropout(x, { p: 0.5, generator: new Generator(4) });
    const alpha = -1.0507009873554805 * 1.6732632423543772;
    const a = 1 / Math.sqrt((alpha ** 2 * 0.5 + 1) * 0.5);
    const b = -a * alpha * 0.5;
    let dropped = 0;
    for (const [i, v] of values(y).entries()) {
      const kept = Math.abs(v - (a * x.data[i] + b)) < 1e-12;
      if (!kept) {
        expect(v).toBeCloseTo(a * alpha + b, 12);
        dropped++;
      }
    }
    expect(Math.abs(dropped - 500)).toBeLessThan(80);
  });
});

describe('rrelu', () => {
  it('draws slopes below 0 in training, and takes the middle one otherwise', () => {
    const x = tensor(new Array<number>(2000).fill(-1), { requiresGrad: true });
    const y = rrelu(x, { lower: 0.2, upper: 0.6, training: true, generator: new Generator(1) });
    const slopes = values(y.neg());
    expect(Math.min(...slopes)).toBeGreaterThanOrEqual(0.2);
    expect(Math.max(...slopes)).toBeLessThanOrEqual(Math.fround(0.6));
    expect(Math.abs(slopes.reduce((a, b) => a + b) / 2000 - 0.4)).toBeLessThan(0.015);
    y.sum().backward();
    expect(values(x.grad as Tensor)).toEqual(slopes);
    expect(rrelu(tensor([3]), { training: true }).item()).toBe(3);
  });
});

it('names what does not fit', () => {
  expect(() => cr.dropout1d(ones([3]))).toThrow(code('shape'));
  expect(() => cr.dropout2d(ones([3, 2, 2]))).toThrow(code('shape'));
  expect(() => cr.dropout3d(ones([3]))).toThrow(code('shape'));
  expect(() => cr.dropout1d(ones([1, 1, 1]), { p: 2 })).toThrow(code('value'));
  expect(() => cr.alphaDropout(ones([1]), { p: -1 })).toThrow(code('value'));
  expect(() => cr.alphaDropout(ones([1]), wrong({ inplace: true }))).toThrow(code('option'));
  expect(() => cr.featureAlphaDropout(ones([1]))).toThrow(code('shape'));
  expect(() => rrelu(ones([1]), { lower: 1, upper: 0 })).toThrow(code('value'));
});

it('leaves nothing behind but its result', () => {
  const x = ones([2, 3, 4]);
  for (const run of [
    cr.dropout1d,
    cr.alphaDropout,
    cr.featureAlphaDropout,
    (v: Tensor) => rrelu(v, { training: true }),
  ]) {
    run(x).dispose();
    const before = cr.memory().tensors;
    run(x).dispose();
    expect(cr.memory().tensors).toBe(before);
  }
});
