// scope() and keep(): what is released, what survives, and that asynchronous scopes do not disturb each other.
import { setTimeout as sleep } from 'node:timers/promises';
import {
  crossEntropy,
  dropout,
  grad,
  keep,
  nllLoss,
  noGrad,
  ones,
  scope,
  type Tensor,
  TensorError,
  tensor,
  zeros,
} from 'chainrule';
import { describe, expect, it } from 'vitest';

const alive = (...xs: Tensor[]) => xs.map((x) => !x.released);
const leaf = (n: number) => tensor(new Float32Array(n).fill(2), { requiresGrad: true });

describe('a synchronous scope', () => {
  it('releases what it made and returns the result', () => {
    const outside = ones([3]);
    let inner: Tensor | undefined;
    const y = scope(() => {
      inner = outside.add(1);
      return inner.mul(2);
    });
    expect(alive(outside, y, inner as Tensor)).toEqual([true, true, false]);
    expect(y.toArray()).toEqual([4, 4, 4]);
  });

  it('finds results in arrays, objects, maps, sets and instances, to any depth', () => {
    class Box {
      constructor(readonly content: Tensor) {}
    }
    const made: Tensor[] = [];
    const make = () => {
      made.push(ones([2]));
      return made[made.length - 1];
    };
    const loop: { self?: unknown; value: Tensor[] } = { value: [] };
    scope(() => {
      loop.value.push(make());
      loop.self = loop;
      make(); // the only one that is lost
      return {
        a: [make(), { b: make() }],
        m: new Map([['k', make()]]),
        s: new Set([make()]),
        box: new Box(make()),
        loop,
        none: null,
        text: 'x',
      };
    });
    expect(alive(...made)).toEqual([true, false, true, true, true, true, true]);
  });

  it('hands the result to the scope around it', () => {
    let middle: Tensor | undefined;
    const y = scope(() => {
      middle = scope(() => ones([2]).add(1));
      expect(middle.released).toBe(false);
      return middle.mul(3);
    });
    expect(alive(y, middle as Tensor)).toEqual([true, false]);
  });

  it('releases everything when the function throws, and passes the error on', () => {
    let inner: Tensor | undefined;
    const fail = () =>
      scope(() => {
        inner = ones([2]);
        throw new RangeError('mine');
      });
    expect(fail).toThrow(new RangeError('mine'));
    expect((inner as Tensor).released).toBe(true);
    const after = ones([1]); // not tracked by the broken scope
    expect(scope(() => after)).toBe(after);
    expect(after.released).toBe(false);
  });

  it('keeps what keep() marks, and everything made outside', () => {
    let kept: Tensor | undefined;
    scope(() => {
      kept = keep(ones([2]));
      expect(keep(kept)).toBe(kept);
    });
    expect((kept as Tensor).released).toBe(false);
  });

  it('keeps a view of what it releases readable', () => {
    const view = scope(() => ones([4, 4]).add(1).t());
    zeros([4, 4]);
    expect(view.sum().item()).toBe(32);
  });

  it('refuses what is not a function', () => {
    expect(() => scope(undefined as unknown as () => void)).toThrow(TensorError);
  });
});

describe('a scope and the graph', () => {
  it('returns results that can still be differentiated', () => {
    const w = leaf(3);
    const loss = scope(() => w.exp().mul(w.tanh().add(1)).square().sum());
    loss.backward();
    const again = leaf(3);
    again.exp().mul(again.tanh().add(1)).square().sum().backward();
    expect(w.grad?.toArray()).toEqual(again.grad?.toArray());
  });

  it.each([
    ['crossEntropy', (x: Tensor, t: Tensor) => crossEntropy(x, t)],
    ['crossEntropy of uint8 targets', (x: Tensor, t: Tensor) => crossEntropy(x, t.to('uint8'))],
    ['crossEntropy with smoothing', (x: Tensor, t: Tensor) => crossEntropy(x, t, { labelSmoothing: 0.1 })],
    [
      'crossEntropy with weights',
      (x: Tensor, t: Tensor) => crossEntropy(x, t, { weight: tensor([1, 2, 3], { dtype: 'float64' }) }),
    ],
    ['nllLoss', (x: Tensor, t: Tensor) => nllLoss(x.logSoftmax(1), t.to('uint8'))],
    ['dropout', (x: Tensor) => dropout(x).sum()],
    ['amax', (x: Tensor) => x.amax(1).sum()],
    ['max', (x: Tensor) => x.max(1).values.sum()],
    [
      'at',
      (x: Tensor) =>
        x
          .at(tensor([1, 0, 1], { dtype: 'int32' }))
          .square()
          .sum(),
    ],
    ['where', (x: Tensor) => x.gt(0).where(x.square(), x.exp()).sum()],
    ['a dtype change', (x: Tensor) => x.to('float64').square().sum()],
    [
      'pow',
      (x: Tensor) =>
        x
          .square()
          .add(1)
          .pow(tensor([1, 2, 3]))
          .sum(),
    ],
  ])('keeps everything the gradient of %s reads', (_, f) => {
    const x = tensor(
      [
        [0.5, -1, 2],
        [3, 0.25, -2],
      ],
      { requiresGrad: true },
    );
    const loss = scope(() => f(x, tensor([2, 0], { dtype: 'int32' })));
    loss.backward();
    expect(x.grad?.isFinite().all().item()).toBe(1);
  });

  it('lets gradients that backward() makes inside survive, of any order', async () => {
    const w = leaf(2000);
    const v: Tensor = leaf(2000);
    scope(() => {
      w.square().sum().backward();
      w.mul(3).sum().backward();
    });
    expect(w.grad?.at(0).item()).toBe(7);
    for (const run of [(fn: () => void) => scope(fn), (fn: () => void) => scope(() => sleep(1).then(fn))]) {
      v.zeroGrad();
      await run(() => {
        v.pow(3).sum().backward(null, { createGraph: true });
        v.pow(3).sum().backward(null, { createGraph: true });
      });
      expect(v.grad?.at(0).item()).toBe(24);
    }
  });

  it('releases gradients that were made and forgotten inside, even if they were looked at', () => {
    const [w, v] = [leaf(2000), leaf(2000)];
    v.sum().backward();
    const before = v.grad as Tensor;
    let inside: Tensor | null = null;
    const kept = scope(() => {
      w.sum().backward();
      inside = w.grad;
      w.zeroGrad();
      v.zeroGrad();
      w.mul(2).sum().backward();
      const returned = w.grad as Tensor;
      w.grad = null;
      w.mul(3).sum().backward();
      return returned;
    });
    expect(alive(before, inside as unknown as Tensor, kept, w.grad as unknown as Tensor)).toEqual([
      true,
      false,
      true,
      true,
    ]);
  });

  it('releases gradients from grad() that are not returned', () => {
    const w = leaf(3);
    let lost: Tensor | undefined;
    const kept = scope(() => {
      [lost] = grad(w.square().sum(), [w]);
      return grad(w.square().sum(), [w])[0];
    });
    expect(alive(kept, lost as Tensor)).toEqual([true, false]);
  });

  it('does not release what a graph outside of it made', () => {
    const w = leaf(3);
    const h = w.exp();
    scope(() => noGrad(() => h.mul(2).sum().item()));
    h.sum().backward();
    expect(w.grad).not.toBeNull();
  });
});

describe('an asynchronous scope', () => {
  it('releases what it made before and after its awaits', async () => {
    const inner: Tensor[] = [];
    const y = await scope(async () => {
      inner.push(ones([2]));
      await sleep(2);
      inner.push(inner[0].add(1));
      await sleep(2);
      return inner[1].mul(2);
    });
    expect(alive(y, ...inner)).toEqual([true, false, false]);
  });

  it('releases when the promise is rejected', async () => {
    let inner: Tensor | undefined;
    const run = scope(async () => {
      await sleep(1);
      inner = ones([2]);
      throw new RangeError('late');
    });
    await expect(run).rejects.toThrow('late');
    expect((inner as Tensor).released).toBe(true);
  });

  it('does not touch tensors of scopes and code that run in between', async () => {
    const results: Record<string, Tensor> = {};
    const lost: Tensor[] = [];
    const worker = (name: string, pause: number) =>
      scope(async () => {
        let x = zeros([1]);
        for (let i = 0; i < 10; i++) {
          await sleep(pause * Math.random());
          x = scope(() => x.add(1));
          lost.push(x);
        }
        lost.pop();
        results[name] = x;
        return x;
      });
    const all = Promise.all(['a', 'b', 'c', 'd'].map((name, i) => worker(name, i + 1)));
    const bystanders: Tensor[] = [];
    for (let i = 0; i < 10; i++) {
      await sleep(1);
      bystanders.push(ones([2]));
    }
    await all;
    expect(Object.values(results).map((x) => x.item())).toEqual([10, 10, 10, 10]);
    expect(alive(...bystanders)).toEqual(bystanders.map(() => true));
    expect(lost.some((x) => !x.released)).toBe(false);
  });

  it('nests, also with a plain function that returns a promise', async () => {
    let inner: Tensor | undefined;
    const y = await scope(() =>
      Promise.resolve().then(async () => {
        inner = await scope(async () => {
          await sleep(1);
          return ones([2]).add(1);
        });
        return inner.mul(2);
      }),
    );
    expect(alive(y, inner as Tensor)).toEqual([true, false]);
  });

  it('hands work that outlives it to the scope around it', async () => {
    let made: Tensor | undefined;
    await scope(async () => {
      const inner = { late: Promise.resolve() };
      scope(() => {
        inner.late = sleep(2).then(() => {
          made = ones([3]);
        });
      });
      await inner.late;
      expect((made as Tensor).released).toBe(false);
    });
    expect((made as Tensor).released).toBe(true);
  });

  it('leaves alone what outlives it', async () => {
    let late: Promise<Tensor> | undefined;
    scope(() => {
      late = sleep(5).then(() => ones([3]));
    });
    const other = scope(async () => void (await sleep(10)));
    const x = await (late as Promise<Tensor>);
    await other;
    expect(x.released).toBe(false);
  });
});
