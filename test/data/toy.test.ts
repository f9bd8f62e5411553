// Toy sets: each is what its definition says, repeats by its seed, and strays as far as its noise.
import { data, type Tensor, TensorError } from 'chainrule';
import { describe, expect, it } from 'vitest';

type Rows = [number, number][];
const rowsOf = (set: data.TensorDataset<[Tensor, Tensor]>): [Rows, number[]] => [
  set.tensors[0].toArray() as Rows,
  set.tensors[1].toArray() as number[],
];
const SETS = {
  xor: data.xor,
  circle: data.circle,
  spiral: data.spiral,
  twoGaussians: data.twoGaussians,
  moons: data.moons,
  linearSet: data.linearSet,
  quadraticSet: data.quadraticSet,
};

describe.each(Object.entries(SETS))('%s', (_name, make) => {
  it('repeats by its seed and has as many samples as asked for', () => {
    const of = (seed: number) => make({ count: 31, noise: 0.2, seed }).tensors.map((t) => t.toArray());
    expect(of(4)).toEqual(of(4));
    expect(of(4)[0]).not.toEqual(of(5)[0]);
    expect([make().length, make({ count: 0 }).length, make({ count: 31 }).length]).toEqual([200, 0, 31]);
    const [x, y] = make({ count: 1 }).tensors;
    expect([x.dtype, x.isFinite().all().item(), y.shape[0]]).toEqual(['float32', 1, 1]);
  });

  it('refuses numbers that make no sense', () => {
    for (const wrong of [{ count: -1 }, { noise: -1 }, { noise: Number.NaN }, { seed: -1 }, { size: 3 }]) {
      expect(() => make(wrong as data.ToyOptions)).toThrow(TensorError);
    }
  });
});

describe('points', () => {
  it('of xor have class 1 where the signs agree', () => {
    const [x, y] = rowsOf(data.xor({ count: 500, seed: 1 }));
    expect(y).toEqual(x.map(([a, b]) => Number(a * b >= 0)));
    expect(x.flat().every((v) => Math.abs(v) >= 0.3 && Math.abs(v) <= 5.3)).toBe(true);
    const noisy = rowsOf(data.xor({ count: 500, noise: 0.5, seed: 1 }));
    expect(
      noisy[1].filter((label, i) => label !== Number(noisy[0][i][0] * noisy[0][i][1] >= 0)).length,
    ).toBeGreaterThan(20);
  });

  it('of circle lie in a disc and a ring', () => {
    const [x, y] = rowsOf(data.circle({ count: 500, seed: 1 }));
    for (const [i, [a, b]] of x.entries()) {
      const r = Math.hypot(a, b);
      if (y[i] === 1) expect(r).toBeLessThan(2.5 + 1e-5);
      else expect(r).toBeGreaterThan(3.5 - 1e-5);
      expect(r).toBeLessThan(5 + 1e-5);
    }
    expect(y.filter((label) => label === 1).length).toBe(250);
  });

  it('of spiral turn as their radius grows, the arms opposite', () => {
    const [x, y] = rowsOf(data.spiral({ count: 100 }));
    expect(y).toEqual([...Array(50).fill(1), ...Array(50).fill(0)]);
    for (let i = 0; i < 50; i++) {
      const t = (1.75 * i * 2 * Math.PI) / 50;
      expect(x[i][0]).toBeCloseTo(((5 * i) / 50) * Math.sin(t), 5);
      expect(x[i][1]).toBeCloseTo(((5 * i) / 50) * Math.cos(t), 5);
      expect(x[50 + i][0]).toBeCloseTo(-x[i][0], 5);
    }
    const [noisy] = rowsOf(data.spiral({ count: 100, noise: 0.5, seed: 1 }));
    const most = Math.max(...noisy.flat().map((v, i) => Math.abs(v - x.flat()[i])));
    expect(most).toBeLessThanOrEqual(0.5 + 1e-5);
    expect(most).toBeGreaterThan(0.4);
  });

  it('of two Gaussians have their means and variance', () => {
    const set = data.twoGaussians({ count: 20_000, noise: 0.5, seed: 1 });
    const [ones, zeros] = set.tensors[0].chunk(2, 0);
    for (const [cloud, mean] of [
      [ones, 2],
      [zeros, -2],
    ] as const) {
      // Standard errors: 2 / sqrt(20000) of the mean, 4 sqrt(2 / 20000) of the variance; five of each.
      expect(Math.abs(cloud.mean().item() - mean)).toBeLessThan(5 * 0.0142);
      expect(Math.abs(cloud.sub(mean).square().mean().item() - 4)).toBeLessThan(5 * 0.04);
    }
  });

  it('of moons are those of make_moons', () => {
    // sklearn.datasets.make_moons(6, shuffle=False): cos and sin of 0, pi/2, pi, and 1 - cos, 1 - sin - 0.5
    const [x, y] = rowsOf(data.moons({ count: 6 }));
    const wanted = [
      [1, 0],
      [0, 1],
      [-1, 0],
      [0, 0.5],
      [1, -0.5],
      [2, 0.5],
    ];
    for (const [i, row] of wanted.entries()) row.forEach((v, k) => void expect(x[i][k]).toBeCloseTo(v, 6));
    expect(y).toEqual([0, 0, 0, 1, 1, 1]);
  });
});

describe('curves', () => {
  it('are the line and the parabola, strayed from by the noise', () => {
    const range = [-3, 2] as const;
    const [x, y] = data.linearSet({ count: 1000, range, seed: 1 }).tensors;
    expect(y.sub(x.mul(2).add(3)).abs().amax().item()).toBeLessThan(1e-6);
    expect([x.amin().item() >= -3, x.amax().item() < 2, x.shape]).toEqual([true, true, [1000, 1]]);
    const [u, v] = data.quadraticSet({ count: 10_000, noise: 0.5, seed: 1 }).tensors;
    const stray = v.sub(u.square().mul(8).add(u.mul(7)).add(3));
    expect(Math.abs(stray.square().mean().sqrt().item() - 0.5)).toBeLessThan(0.02);
    for (const wrong of [[1, 0], [1], 5, ['a', 'b'], [0, Number.NaN]]) {
      expect(() => data.linearSet({ range: wrong as never })).toThrow(TensorError);
    }
  });
});
