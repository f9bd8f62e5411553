// backward() and grad(): gradients, graphs, and every error they document.
import { backward, grad, matmul, noGrad, ones, type Tensor, TensorError, tensor, zeros } from 'chainrule';
import { describe, expect, it } from 'vitest';
import { expectError } from '../thrown.js';

const leaf = (data: number | number[] | number[][], dtype: 'float32' | 'float64' = 'float64') =>
  tensor(data, { requiresGrad: true, dtype });
const values = (x: Tensor | null | undefined) => x?.toArray();

describe('errors', () => {
  it('several elements without a gradient', () => {
    expectError(() => leaf([1, 2]).mul(2).backward(), 'grad', '[2]', 'sum()');
    expectError(() => grad(leaf([1, 2]).mul(2), []), 'grad');
  });

  it('nothing requires a gradient', () => {
    expectError(() => tensor(3).exp().backward(), 'grad', "'exp'", 'requiresGrad');
    const w = leaf(2);
    expectError(() => noGrad(() => w.mul(2)).backward(), 'grad', 'noGrad');
    expectError(() => w.detach().backward(), 'grad');
    expectError(() => grad(w.mul(2), [tensor(1)]), 'grad');
    expectError(() => tensor(3).retainGrad(), 'grad');
    expectError(() => tensor(3).registerHook(() => undefined), 'grad');
  });

  it('a second pass, through all or part of the graph', () => {
    const w = leaf([1, 2]);
    const h = w.exp();
    const y = h.sum();
    y.backward();
    const before = values(w.grad);
    expectError(() => y.backward(), 'consumed', 'retainGraph', "'sum'");
    expectError(() => h.mul(2).sum().backward(), 'consumed', "'exp'");
    expectError(() => grad(h.square().sum(), [w]), 'consumed');
    expectError(() => grad(h.square().sum(), [w], { allowUnused: true }), 'consumed');
    expect(values(w.grad)).toEqual(before);
  });

  it('a second pass through a value that retains its gradient', () => {
    const w = leaf(3);
    const h = w.square().retainGrad();
    const [a, b] = [h.mul(2), h.mul(5)];
    a.backward();
    expect([h.grad?.item(), w.grad?.item()]).toEqual([2, 12]);
    expectError(() => b.backward(), 'consumed', "'square'");
    expect([h.grad?.item(), w.grad?.item()]).toEqual([2, 12]);
  });

  it('a saved tensor changed in place', () => {
    const [w, x] = [leaf([1, 2]), leaf([3, 4])];
    const y = w.mul(x).sum();
    noGrad(() => w.assign(zeros([2], { dtype: 'float64' })));
    expectError(() => y.backward(), 'version', "'mul'", 'clone()');
    const z = w.detach();
    const loss = w.exp().mul(x).sum();
    z.assign(ones([2], { dtype: 'float64' })); // exp saved its result, mul that and x: w itself is not needed
    loss.backward();
    expect(values(x.grad)).toEqual([1, 1]);
  });

  it('a saved tensor released', () => {
    const [w, x] = [leaf([1, 2]), leaf([3, 4])];
    const h = w.exp();
    const y = h.mul(x).sum();
    h.dispose();
    expectError(() => y.backward(), 'released', "'exp'");
  });

  it('arguments', () => {
    const y = leaf([1, 2]).mul(2);
    expectError(() => y.backward({ retainGraph: true } as unknown as Tensor), 'value', 'options second');
    expectError(() => y.backward(ones([3])), 'shape', '[2]');
    expectError(() => y.backward(ones([2], { dtype: 'int32' })), 'shape');
    expectError(() => y.backward(ones([2]), { retainGrap: true } as object), 'option');
    expectError(() => y.backward(ones([2]), { retainGraph: 1 as unknown as boolean }), 'value');
    expectError(() => backward(3 as unknown as Tensor), 'value');
    expectError(() => grad(y, y as unknown as Tensor[]), 'value');
    expectError(() => grad(3 as unknown as Tensor, []), 'value');
    expectError(() => grad([y, y], [y], { gradOutputs: [ones([2])] }), 'value', '2 outputs');
    y.dispose();
    expectError(() => y.backward(), 'released', "'mul'");
  });
});

describe('gradients', () => {
  it('add up over calls, branches and repeated use', () => {
    const w = leaf([1, 2]);
    w.square().sum().backward();
    w.square().sum().backward();
    expect(values(w.grad)).toEqual([4, 8]);
    w.zeroGrad();
    expect(w.grad).toBeNull();
    w.mul(w).add(w).add(w.mul(3)).sum().backward();
    expect(values(w.grad)).toEqual([6, 8]);
  });

  it('add up through diamonds', () => {
    const x = leaf(2);
    const a = x.square(); // 4
    const [b, c] = [a.mul(3), a.exp()];
    b.mul(c).add(a).backward();
    // d/dx (3 a e^a + a), a = x^2
    expect(x.grad?.item()).toBeCloseTo((3 * Math.exp(4) + 12 * Math.exp(4) + 1) * 4, 8);
  });

  it('are those of the leaf, in its dtype and shape, contiguous', () => {
    const w = leaf([
      [1, 2],
      [3, 4],
    ]);
    const row = leaf([1, 2], 'float32');
    const scalar = leaf(2, 'float64');
    w.to('float32').t().mul(row).mul(scalar).sum().backward();
    expect([w.grad?.dtype, row.grad?.dtype, scalar.grad?.dtype]).toEqual(['float64', 'float32', 'float64']);
    expect([w.grad?.shape, row.grad?.shape, scalar.grad?.shape]).toEqual([[2, 2], [2], []]);
    expect([values(w.grad), values(row.grad), values(scalar.grad)]).toEqual([
      [
        [2, 2],
        [4, 4],
      ],
      [6, 14],
      1 + 6 + 2 + 8,
    ]);
    expect([w, row, scalar].every((x) => x.grad?.isContiguous)).toBe(true);
  });

  it('sum over what was broadcast, in front, inside and both', () => {
    const shapes: [number[], number[]][] = [
      [[3], [2, 3]],
      [
        [1, 3],
        [2, 3],
      ],
      [
        [2, 1],
        [2, 3],
      ],
      [[1], [2, 3]],
      [[], [2, 3]],
      [
        [1, 1],
        [4, 2, 3],
      ],
      [
        [2, 1],
        [4, 2, 3],
      ],
      [
        [3, 1, 1],
        [2, 1, 2, 3],
      ],
    ];
    for (const [shape, other] of shapes) {
      const x = tensor(ones(shape), { requiresGrad: true });
      const y = x.add(zeros(other));
      y.sum().backward();
      expect(x.grad?.shape).toEqual(shape);
      expect(x.grad?.sum().item()).toBe(y.size);
    }
  });

  it('start from a gradient that is given, and leave it as it was', () => {
    const w = leaf([1, 2]);
    const g = tensor([10, 20]);
    w.mul(3).backward(g);
    w.backward(g); // a leaf itself, and a gradient of another dtype
    w.mul(1).backward(g);
    expect(values(w.grad)).toEqual([50, 100]);
    expect(values(g)).toEqual([10, 20]);
    const v = leaf([1, 2]);
    const own = tensor([10, 20], { dtype: 'float64' });
    v.backward(own);
    v.backward(own);
    expect([values(v.grad), values(own)]).toEqual([
      [20, 40],
      [10, 20],
    ]);
  });

  it('that others see stay as they were where a rule writes over its own', () => {
    for (const f of ['relu', 'sigmoid', 'tanh'] as const) {
      const [a, b] = [leaf([-1, 2]), leaf([3, 4])];
      const g = tensor([5, 7], { dtype: 'float64' });
      const middle = a.mul(1);
      const seen: Tensor[] = [];
      const y = middle[f]();
      y.retainGrad();
      y.registerHook((h) => void seen.push(h));
      y.add(b).backward(g);
      const slope = {
        relu: [0, 1],
        sigmoid: [-1, 2].map((v) => 1 / (2 + 2 * Math.cosh(v))),
        tanh: [-1, 2].map((v) => 1 - Math.tanh(v) ** 2),
      };
      for (const same of [g, b.grad, y.grad, seen[0]]) expect(values(same)).toEqual([5, 7]);
      (values(a.grad) as number[]).forEach((v, i) => {
        expect(v).toBeCloseTo([5, 7][i] * slope[f][i], 12);
      });
    }
  });

  it('are not recorded unless asked, and nothing of the pass leaks into the mode', () => {
    const w = leaf(2);
    w.square().backward();
    expect([w.grad?.requiresGrad, w.mul(1).requiresGrad]).toEqual([false, true]);
    expectError(() => noGrad(() => w.square().backward()), 'grad');
    expect(w.mul(1).requiresGrad).toBe(true);
  });

  it('stop at detach() and at values computed in noGrad()', () => {
    const w = leaf(3);
    w.detach()
      .mul(w)
      .add(noGrad(() => w.square()))
      .backward();
    expect(w.grad?.item()).toBe(3);
    expect(w.detach().node).toBeNull();
    const shared = leaf([1, 2]);
    shared.detach().data[0] = 7;
    expect(values(shared)).toEqual([7, 2]);
  });

  it('can be set by hand, in the right form only', () => {
    const w = leaf([1, 2]);
    w.grad = tensor([1, 1], { dtype: 'float64' });
    w.sum().backward();
    expect(values(w.grad)).toEqual([2, 2]);
    for (const bad of [tensor([1, 1]), ones([2, 1], { dtype: 'float64' }), undefined, [1, 1]]) {
      expect(() => {
        w.grad = bad as Tensor;
      }).toThrow(TensorError);
    }
    w.grad?.dispose();
    expectError(() => w.sum().backward(), 'released');
  });
});

describe('retainGraph and createGraph', () => {
  it('allow further passes', () => {
    const w = leaf([1, 2]);
    const y = w.pow(3).sum();
    y.backward(null, { retainGraph: true });
    y.backward();
    expect(values(w.grad)).toEqual([6, 24]);
  });

  it('give second and third derivatives', () => {
    const x = leaf(2);
    let y: Tensor = x.pow(4);
    const found: number[] = [];
    for (let order = 1; order <= 4; order++) {
      [y] = grad(y, [x], { createGraph: true });
      found.push(y.item());
    }
    expect(found).toEqual([32, 48, 48, 24]);
  });

  it('give second derivatives through .grad', () => {
    const x = leaf([1, 2]);
    x.pow(3).sum().backward(null, { createGraph: true });
    const first = x.grad as Tensor;
    expect(first.requiresGrad).toBe(true);
    x.grad = null;
    first.square().sum().backward(); // d/dx 9 x^4
    expect(values(x.grad)).toEqual([36, 288]);
  });

  it('give Hessian-vector products through a network', () => {
    const w = leaf([
      [0.1, -0.2],
      [0.3, 0.4],
    ]);
    const x = leaf([[1, 2]]);
    const f = (a: Tensor) => matmul(x, a).tanh().matmul(a).sigmoid().sum();
    const [g] = grad(f(w), [w], { createGraph: true });
    const v = tensor(
      [
        [1, 0],
        [0, 1],
      ],
      { dtype: 'float64' },
    );
    const [hv] = grad(g.mul(v).sum(), [w]);
    const gradientAt = (e: number) => {
      const a = tensor(w.detach().add(v.mul(e)), { requiresGrad: true });
      return grad(f(a), [a])[0];
    };
    const numeric = gradientAt(1e-5).sub(gradientAt(-1e-5)).div(2e-5);
    expect(hv.sub(numeric).abs().amax().item()).toBeLessThan(1e-8);
  });
});

describe('grad()', () => {
  it('touches no .grad, stops early, and takes values in the middle', () => {
    const [a, b] = [leaf(2), leaf(3)];
    const h = a.mul(b);
    const y = h.square();
    const [dh, da] = grad(y, [h, a]);
    expect([dh.item(), da.item(), a.grad, b.grad]).toEqual([12, 36, null, null]);
  });

  it('leaves graphs it did not need to walk', () => {
    const [a, b] = [leaf(2), leaf(3)];
    const other = b.exp();
    const y = a.square().add(other);
    grad(y, [a]);
    other.backward();
    expect(b.grad?.item()).toBe(Math.exp(3));
  });

  it('gives null or an error for inputs that play no part', () => {
    const [a, b] = [leaf(2), leaf(3)];
    expectError(() => grad(a.square(), [a, b]), 'grad', 'input 1', 'allowUnused');
    const [da, db] = grad(a.square(), [a, b], { allowUnused: true });
    expect([da?.item(), db]).toEqual([4, null]);
  });

  it('sums several outputs, each with its own gradient', () => {
    const x = leaf([1, 2]);
    const [dx] = grad([x.square(), x.sum()], [x], { gradOutputs: [tensor([1, 10], { dtype: 'float64' }), null] });
    expect(values(dx)).toEqual([3, 41]);
    const y = x.sum();
    expect(values(grad([y, y], [x])[0])).toEqual([2, 2]);
    expect(values(grad(x.sum(), [x, x])[1])).toEqual([1, 1]);
  });

  it('a leaf that was frozen after a pass gets none', () => {
    const [a, b] = [leaf([1, 2]), leaf([3, 4])];
    a.mul(b).sum().backward();
    a.requiresGrad = false;
    a.zeroGrad();
    a.mul(b).sum().backward();
    expect(a.grad).toBeNull();
    expect(values(b.grad)).toEqual([2, 4]);
  });
});
