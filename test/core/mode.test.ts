// noGrad, enableGrad, inferenceMode: synchronous, asynchronous, and both at once.
import { setTimeout as sleep } from 'node:timers/promises';
import { enableGrad, grad, inferenceMode, isGradEnabled, noGrad, TensorError, tensor } from 'chainrule';
import { describe, expect, it } from 'vitest';

const leaf = () => tensor([1, 2], { requiresGrad: true });

describe('modes', () => {
  it.each([
    ['noGrad', noGrad],
    ['inferenceMode', inferenceMode],
  ] as const)('%s records nothing', (_, mode) => {
    const w = leaf();
    const y = mode(() => w.mul(2));
    expect([y.requiresGrad, y.isLeaf, w.mul(2).requiresGrad]).toEqual([false, true, true]);
    expect(mode(() => tensor([1], { requiresGrad: true })).requiresGrad).toBe(true);
  });

  it('nest, and end with an error', () => {
    const seen: boolean[] = [];
    const look = () => seen.push(isGradEnabled());
    look();
    noGrad(() => {
      look();
      enableGrad(() => {
        look();
        noGrad(look);
        look();
      });
      look();
    });
    expect(() =>
      noGrad(() => {
        throw new Error('mine');
      }),
    ).toThrow('mine');
    look();
    expect(seen).toEqual([true, false, true, false, true, false, true]);
  });

  it('are those of a graph built half inside', () => {
    const w = leaf();
    const frozen = noGrad(() => w.mul(3));
    w.mul(frozen).sum().backward();
    expect(w.grad?.toArray()).toEqual([3, 6]);
  });

  it('refuse what is not a function', () => {
    for (const mode of [noGrad, enableGrad, inferenceMode]) {
      expect(() => mode(3 as unknown as () => void)).toThrow(TensorError);
    }
  });
});

describe('asynchronous modes', () => {
  it('follow their function across awaits, and nobody else', async () => {
    const inside: boolean[] = [];
    const outside: boolean[] = [];
    const run = noGrad(async () => {
      for (let i = 0; i < 10; i++) {
        inside.push(isGradEnabled());
        await sleep(1);
      }
    });
    for (let i = 0; i < 8; i++) {
      outside.push(isGradEnabled());
      await sleep(1);
    }
    await run;
    expect(inside).toEqual(new Array(10).fill(false));
    expect(outside).toEqual(new Array(8).fill(true));
    expect(isGradEnabled()).toBe(true);
  });

  it('hold for plain functions that return a promise', async () => {
    const work = async () => {
      await sleep(1);
      return isGradEnabled();
    };
    expect(await noGrad(() => work())).toBe(false);
    expect(await noGrad(() => sleep(1).then(isGradEnabled))).toBe(false);
    expect(await noGrad(work.bind(null))).toBe(false);
  });

  it('interleave with each other and with synchronous ones', async () => {
    const jobs = Array.from({ length: 20 }, async (_, i) => {
      const mode = i % 2 === 0 ? noGrad : enableGrad;
      const opposite = i % 2 === 0 ? enableGrad : noGrad;
      const want = i % 2 === 1;
      await mode(async () => {
        for (let k = 0; k < 5; k++) {
          await sleep(Math.random() * 3);
          expect(isGradEnabled()).toBe(want);
          expect(opposite(isGradEnabled)).toBe(!want);
          expect(await opposite(() => sleep(1).then(isGradEnabled))).toBe(!want);
          expect(isGradEnabled()).toBe(want);
        }
      });
      expect(isGradEnabled()).toBe(true);
    });
    await Promise.all(jobs);
  });

  it('end with a rejection', async () => {
    await expect(
      noGrad(async () => {
        await sleep(1);
        throw new Error('late');
      }),
    ).rejects.toThrow('late');
    expect(isGradEnabled()).toBe(true);
  });

  it('do not reach work that outlives them, whatever else runs', async () => {
    let late: Promise<boolean> | undefined;
    noGrad(() => {
      late = sleep(5).then(isGradEnabled);
    });
    const other = noGrad(async () => void (await sleep(15)));
    expect(await late).toBe(true);
    await other;
  });

  it('leave backward() to its own rule: recording follows createGraph', async () => {
    const [w, v] = [leaf(), leaf()];
    const [first, second] = [w.pow(3).sum(), v.pow(3).sum()];
    await enableGrad(async () => {
      await sleep(1);
      first.backward();
    });
    expect(w.grad?.requiresGrad).toBe(false);
    const g = await noGrad(async () => {
      await sleep(1);
      return grad(second, [v], { createGraph: true })[0];
    });
    expect(grad(g.sum(), [v])[0].toArray()).toEqual([6, 12]);
  });
});
