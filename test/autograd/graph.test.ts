// What happens around gradients: hooks, retained gradients, long graphs, and when memory of a graph comes back.
import {
  add,
  customFunction,
  enableGrad,
  grad,
  keep,
  memory,
  ones,
  scope,
  type Tensor,
  tensor,
  zeros,
} from 'chainrule';
import { describe, expect, it } from 'vitest';
import { expectError } from '../thrown.js';

const leaf = (data: number | number[] | number[][], dtype: 'float32' | 'float64' = 'float64') =>
  tensor(data, { requiresGrad: true, dtype });
const large = () => tensor(new Float64Array(2000).fill(0.5), { requiresGrad: true });
const values = (x: Tensor | null | undefined) => x?.toArray();

describe('hooks', () => {
  it('see the gradient, replace it, and can be removed', () => {
    const w = leaf([1, 2]);
    const seen: unknown[] = [];
    const remove = w.registerHook((g) => {
      seen.push(values(g));
      return g.mul(10);
    });
    w.mul(2).sum().backward();
    remove();
    remove();
    w.mul(2).sum().backward();
    expect(seen).toEqual([[2, 2]]);
    expect(values(w.grad)).toEqual([22, 22]);
  });

  it('run in order, in the middle of a graph too', () => {
    const w = leaf(1);
    const h = w.mul(2);
    h.registerHook((g) => g.add(1));
    h.registerHook((g) => g.mul(5));
    h.mul(3).backward();
    expect(w.grad?.item()).toBe((3 + 1) * 5 * 2);
  });

  it('may keep what they see and return what is theirs', () => {
    const mine = tensor([5, 5], { dtype: 'float64' });
    const kept: Tensor[] = [];
    const w = leaf([1, 2]);
    w.registerHook((g) => {
      kept.push(g);
      return mine;
    });
    for (let i = 0; i < 3; i++) {
      const h = w.mul(1);
      h.registerHook((g) => void kept.push(g));
      h.sum().add(h.sum()).backward();
    }
    expect(values(w.grad)).toEqual([15, 15]);
    w.zeroGrad();
    w.sum().backward();
    expect(values(mine)).toEqual([5, 5]);
    expect(kept.slice(0, 6).map(values)).toEqual(new Array(6).fill([2, 2]));
  });

  it('must return gradients of the right form', () => {
    for (const bad of [ones([3], { dtype: 'float64' }), ones([2]), 3, [1, 2]]) {
      const w = leaf([1, 2]);
      w.registerHook(() => bad as Tensor);
      expectError(() => w.sum().backward(), 'shape', '[hook]');
    }
    expectError(() => leaf(1).registerHook(3 as unknown as () => undefined), 'value');
  });

  it('may differentiate on their own, through the same parameters', () => {
    const w = leaf(3);
    const inner: number[] = [];
    const h = w.mul(2);
    h.registerHook(() =>
      enableGrad(() => {
        const other = leaf(5);
        const z = other.square().mul(w.detach());
        inner.push(grad(z, [other])[0].item(), grad(w.pow(2), [w])[0].item());
      }),
    );
    h.square().add(w.mul(7)).backward();
    expect(inner).toEqual([30, 6]);
    expect(w.grad?.item()).toBe(2 * 6 * 2 + 7);
  });

  it('pass errors on, after which everything works again', () => {
    const w = leaf(3);
    const y = w.square();
    const remove = y.registerHook(() => {
      throw new RangeError('mine');
    });
    expect(() => y.backward()).toThrow(new RangeError('mine'));
    remove();
    y.backward();
    expect([w.grad?.item(), w.mul(1).requiresGrad]).toEqual([6, true]);
  });
});

describe('retainGrad()', () => {
  it('collects the gradient of a value in the middle, without changing the rest', () => {
    const w = leaf([1, 2]);
    const h = w.square().retainGrad();
    expect(h.retainGrad()).toBe(h);
    h.mul(3).sum().backward();
    expect([values(h.grad), values(w.grad)]).toEqual([
      [3, 3],
      [6, 12],
    ]);
    expect(h.isLeaf).toBe(false);
  });
});

describe('size', () => {
  it('80,000 operations in a chain: no stack overflow, each rule once', () => {
    let calls = 0;
    const counted = customFunction({
      forward: (_, x: Tensor) => x.detach().add(1),
      backward: (_, g) => {
        calls++;
        return [g];
      },
    });
    const x = leaf(1, 'float32');
    let y: Tensor = x;
    for (let i = 0; i < 80_000; i++) y = i % 100 === 0 ? counted(y) : y.add(1);
    y.backward();
    expect(x.grad?.item()).toBe(1);
    expect(calls).toBe(800);
    // Every value is used twice: there are 2^100 ways to the leaf.
    calls = 0;
    let z: Tensor = x;
    for (let i = 0; i < 100; i++) {
      const next = counted(z);
      z = next.mul(0.5).add(next.mul(0.5));
    }
    z.backward();
    expect(calls).toBe(100);
    expect(x.grad?.item()).toBe(2);
  });

  it('10,000 uses of one leaf, and wide sums', () => {
    const x = leaf(1, 'float32');
    let y: Tensor = x;
    for (let i = 0; i < 10_000; i++) y = add(y, x);
    y.backward();
    expect(x.grad?.item()).toBe(10_001);
  });
});

describe('the graph lease', () => {
  const step = (w: Tensor) => {
    const logits = w.mul(2);
    const loss = logits.square().sum();
    loss.backward();
    w.zeroGrad();
    return { logits, loss };
  };

  it('leaves values readable after backward()', () => {
    const { logits, loss } = step(large());
    expect([logits.at(0).item(), logits.sum().item(), loss.item()]).toEqual([1, 2000, 2000]);
  });

  it('ends for large values with the next pass through the same parameters, and says what to do', () => {
    const w = large();
    const first = step(w);
    const kept = first.logits.detach();
    step(w);
    expectError(() => first.logits.sum(), 'released', "'mul'", 'detach()');
    expect(first.loss.item()).toBe(2000); // small ones stay
    zeros([2000], { dtype: 'float64' }); // whatever takes memory now
    expect(kept.sum().item()).toBe(2000);
  });

  it('does not end for pinned data, kept tensors, other parameters, or retained graphs', () => {
    const [w, v] = [large(), large()];
    const first = step(w);
    const { data } = first.logits;
    step(v);
    expect(first.logits.sum().item()).toBe(2000);
    const marked = keep(step(w).logits);
    step(w);
    expect([data[5], marked.sum().item()]).toEqual([1, 2000]);
    const logits = w.mul(2);
    const loss = logits.square().sum();
    loss.backward(null, { retainGraph: true });
    step(w);
    expect(logits.sum().item()).toBe(2000);
    loss.backward();
  });

  it('keeps a loop that never yields in constant memory', () => {
    const w = large();
    for (let i = 0; i < 5; i++) step(w);
    const { tensors } = memory();
    for (let i = 0; i < 50; i++) step(w);
    expect(memory().tensors - tensors).toBeLessThanOrEqual(100); // two small values a step, for the collector
  });
});

describe('zeroGrad()', () => {
  it('reuses memory that only the library saw, and never what was read as .grad', () => {
    const w = large();
    w.sum().backward();
    const held = w.grad as Tensor;
    w.zeroGrad();
    w.mul(3).sum().backward();
    expect([held.released, held.at(0).item(), w.grad?.at(0).item()]).toEqual([false, 1, 3]);
    const hidden = large();
    hidden.sum().backward();
    const { tensors } = memory();
    hidden.zeroGrad();
    expect(memory().tensors).toBe(tensors - 1);
  });

  it('gives a loop of backward and zeroGrad the same memory again', () => {
    const [w, b] = [large(), tensor(new Float64Array(600), { requiresGrad: true })];
    const x = ones([20, 600], { dtype: 'float64' });
    const step = () =>
      scope(() => {
        w.exp().sum().add(x.add(b).square().sum()).backward();
        for (const p of [w, b]) p.zeroGrad();
      });
    for (let i = 0; i < 3; i++) step();
    const before = memory();
    for (let i = 0; i < 20; i++) step();
    expect(memory().tensors).toBe(before.tensors);
    expect(memory().bytes + memory().poolBytes).toBeLessThanOrEqual(before.bytes + before.poolBytes);
  });
});
