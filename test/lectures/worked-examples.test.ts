// The worked examples of the backpropagation lectures, with the numbers on their slides.

import { add, Generator, matmul, mul, noGrad, randn, type Tensor, tensor } from 'chainrule';
import { describe, expect, it } from 'vitest';

const leaf = (data: number | number[] | number[][]) => tensor(data, { requiresGrad: true, dtype: 'float64' });
const values = (x: Tensor | null) => (x === null ? null : x.toArray());
const close = (x: Tensor | null, want: number | number[] | number[][], digits = 10) => {
  const flat = (v: unknown): number[] => (Array.isArray(v) ? v.flatMap(flat) : [v as number]);
  const got = flat(values(x));
  const expected = flat(want);
  expect(got.length).toBe(expected.length);
  got.forEach((v, i) => {
    expect(v).toBeCloseTo(expected[i], digits);
  });
};

describe('f = (x + y) z', () => {
  it('has the gradients (-4, -4, 3) at (-2, 5, -4)', () => {
    const [x, y, z] = [leaf(-2), leaf(5), leaf(-4)];
    const q = add(x, y).retainGrad();
    const f = mul(q, z);
    f.backward();
    expect(f.item()).toBe(-12);
    expect([x.grad?.item(), y.grad?.item(), z.grad?.item(), q.grad?.item()]).toEqual([-4, -4, 3, -4]);
  });
});

describe('the sigmoid neuron', () => {
  it('has dw = (-0.20, -0.39, 0.20) and dx = (0.39, -0.59) for w = (2, -3, -3), x = (-1, -2)', () => {
    const [w0, w1, w2, x0, x1] = [2, -3, -3, -1, -2].map((v) => leaf(v));
    const f = w0.mul(x0).add(w1.mul(x1)).add(w2).sigmoid();
    f.backward();
    expect(f.item()).toBeCloseTo(0.73, 2);
    close(w0.grad, -0.2, 2);
    close(w1.grad, -0.39, 2);
    close(w2.grad, 0.2, 2);
    close(x0.grad, 0.39, 2);
    close(x1.grad, -0.59, 2);
  });

  it('agrees with the chain of single gates 1 / (1 + e^-a)', () => {
    const a = leaf(1);
    a.neg().exp().add(1).pow(-1).backward();
    const b = leaf(1);
    b.sigmoid().backward();
    expect(a.grad?.item()).toBeCloseTo(b.grad?.item() as number, 14);
  });
});

describe('||W x||^2', () => {
  it('has the gradients of the slide', () => {
    const W = leaf([
      [0.1, 0.5],
      [-0.3, 0.8],
    ]);
    const x = leaf([0.2, 0.4]);
    const f = W.matmul(x).square().sum();
    f.backward();
    expect(f.item()).toBeCloseTo(0.116, 10);
    close(W.grad, [
      [0.088, 0.176],
      [0.104, 0.208],
    ]);
    close(x.grad, [-0.112, 0.636]);
  });
});

describe('the chain of three neurons', () => {
  it('has h3 = 0.192 and dw = (0.02, -0.01, 0.08) for w = (0.1, -0.2, -0.1), b = (0, 0.1, 0.2), x = 1', () => {
    const w = [0.1, -0.2, -0.1].map((v) => leaf(v));
    const b = [0, 0.1, 0.2];
    let h: Tensor = tensor(1, { dtype: 'float64' });
    w.forEach((wi, i) => {
      h = wi.mul(h).add(b[i]).relu();
    });
    h.backward();
    expect(h.item()).toBeCloseTo(0.192, 12);
    close(w[2].grad, 0.08);
    close(w[1].grad, -0.01);
    close(w[0].grad, 0.02);
  });
});

describe('patterns in the backward flow', () => {
  it('add distributes, max routes, mul switches, branches add up', () => {
    const [a, b] = [leaf(3), leaf(5)];
    a.add(b).mul(2).backward();
    expect([a.grad?.item(), b.grad?.item()]).toEqual([2, 2]);
    const [c, d] = [leaf(3), leaf(5)];
    c.maximum(d).mul(2).backward();
    expect([c.grad?.item(), d.grad?.item()]).toEqual([0, 2]);
    const [e, f] = [leaf(3), leaf(5)];
    e.mul(f).mul(2).backward();
    expect([e.grad?.item(), f.grad?.item()]).toEqual([10, 6]);
    const g = leaf(3);
    g.add(g.square()).backward();
    expect(g.grad?.item()).toBe(7);
  });
});

describe('the two-layer network in 20 lines, 64x1000-100-10', () => {
  it('agrees step by step, by hand and by autograd', () => {
    const generator = new Generator(0);
    const normal = (shape: number[], scale: number) => randn(shape, { dtype: 'float64', generator }).mul(scale);
    const [N, Din, H, Dout] = [64, 1000, 100, 10];
    const [x, y] = [normal([N, Din], 1), normal([N, Dout], 1)];
    const [w1, w2] = [normal([Din, H], 0.05), normal([H, Dout], 0.05)];
    const hand = [w1.clone(), w2.clone()];
    const auto = [tensor(w1, { requiresGrad: true }), tensor(w2, { requiresGrad: true })];
    const losses: number[] = [];
    for (let step = 0; step < 20; step++) {
      const h = matmul(x, hand[0]).neg().exp().add(1).pow(-1);
      const prediction = matmul(h, hand[1]);
      const loss = prediction.sub(y).square().sum();
      const dPrediction = prediction.sub(y).mul(2);
      const dw2 = matmul(h.t(), dPrediction);
      const dh = matmul(dPrediction, hand[1].t());
      const dw1 = matmul(x.t(), dh.mul(h).mul(h.mul(-1).add(1)));
      hand[0] = hand[0].sub(dw1.mul(1e-4));
      hand[1] = hand[1].sub(dw2.mul(1e-4));

      const autoLoss = matmul(matmul(x, auto[0]).sigmoid(), auto[1]).sub(y).square().sum();
      autoLoss.backward();
      noGrad(() => {
        for (const w of auto) {
          w.assign(w.sub((w.grad as Tensor).mul(1e-4)));
          w.grad = null;
        }
      });
      expect(autoLoss.item()).toBeCloseTo(loss.item(), 8);
      losses.push(loss.item());
    }
    for (const i of [0, 1]) expect(auto[i].sub(hand[i]).abs().amax().item()).toBeLessThan(1e-11);
    expect(losses.at(-1)).toBeLessThan(losses[0]);
  });
});
