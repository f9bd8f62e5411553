// Custom functions, and anomaly mode.
import {
  customFunction,
  detectAnomaly,
  gradcheck,
  gradgradcheck,
  maximum,
  setDetectAnomaly,
  type Tensor,
  TensorError,
  tensor,
} from 'chainrule';
import { afterEach, describe, expect, it } from 'vitest';

const leaf = (data: number[]) => tensor(data, { dtype: 'float64', requiresGrad: true });

describe('customFunction', () => {
  const exp = customFunction({
    name: 'myExp',
    forward(ctx, x: Tensor) {
      const y = x.exp();
      ctx.saveForBackward(y);
      return y;
    },
    backward: (ctx, g) => g.mul(ctx.savedTensors[0]),
  });

  it('differentiates twice through what it saved, the output included', () => {
    const x = leaf([0.2, -0.4]);
    expect(gradcheck(exp, [x])).toBe(true);
    expect(gradgradcheck(exp, [x])).toBe(true);
    expect(exp(x).op).toBe('alias');
  });

  it('takes arguments that are no tensors, and says which gradients are asked for', () => {
    const asked: boolean[][] = [];
    const scale = customFunction({
      forward(ctx, x: Tensor, factor: number, y: Tensor) {
        ctx.factor = factor;
        asked.push([...ctx.needsInputGrad]);
        return x.mul(factor).add(y);
      },
      backward: (ctx, g) => [g.mul(ctx.factor as number), null, g],
    });
    const x = leaf([1, 2]);
    const y = tensor([5, 5], { dtype: 'float64' });
    scale(x, 3, y).sum().backward();
    expect(x.grad?.toArray()).toEqual([3, 3]);
    expect(asked).toEqual([[true, false, false]]);
  });

  it('returns several tensors', () => {
    const both = customFunction({
      forward(ctx, x: Tensor, y: Tensor): [Tensor, Tensor] {
        ctx.saveForBackward(x, y);
        return [x.mul(y), x.sub(y).sum()];
      },
      backward(ctx, gp, gs) {
        const [x, y] = ctx.savedTensors;
        return [gp.mul(y).add(gs), gp.mul(x).sub(gs)];
      },
    });
    const [x, y] = [leaf([1, 2]), leaf([3, 5])];
    expect(gradcheck((a, b) => both(a, b), [x, y])).toBe(true);
    expect(gradgradcheck((a, b) => both(a, b), [x, y])).toBe(true);
  });

  it('may return its argument', () => {
    const reverse = customFunction({ forward: (_, x: Tensor) => x, backward: (_, g) => g.neg() });
    const x = leaf([1, 2]);
    const y = reverse(x);
    y.sum().backward();
    expect(x.grad?.toArray()).toEqual([-1, -1]);
    expect(y.toArray()).toEqual([1, 2]);
  });

  it('may keep the gradients it sees', () => {
    const seen: Tensor[] = [];
    const look = customFunction({
      forward: (_, x: Tensor) => x.mul(1),
      backward(_, g) {
        seen.push(g);
        return g;
      },
    });
    const x = tensor([-1, 2], { requiresGrad: true });
    look(x.relu())
      .mul(tensor([5, 7]))
      .sum()
      .backward();
    expect(seen[0].toArray()).toEqual([5, 7]);
    expect(x.grad?.toArray()).toEqual([0, 7]);
  });

  it('says what forward or backward got wrong', () => {
    const x = leaf([1, 2]);
    const wrong = (result: unknown) =>
      customFunction({ name: 'f', forward: (_, v: Tensor) => v.mul(1), backward: () => result as null });
    expect(() =>
      wrong(tensor([1]))(x)
        .sum()
        .backward(),
    ).toThrow(/\[f\] expected a gradient of shape \[2\] for argument 0, got \[1\]/);
    expect(() => wrong([null, null])(x).sum().backward()).toThrow(/for each of 1 arguments/);
    expect(() => customFunction({ forward: (() => 3) as never, backward: () => null })()).toThrow(TensorError);
    expect(() => customFunction({} as never)).toThrow(TensorError);
  });
});

describe('anomaly mode', () => {
  afterEach(() => setDetectAnomaly(false));
  const caught = (fn: () => unknown): TensorError => {
    try {
      fn();
    } catch (error) {
      return error as TensorError;
    }
    throw new Error('nothing was thrown');
  };

  it('names the operation whose gradient is NaN, and the line that called it', () => {
    const x = leaf([0, 4]);
    const error = caught(() => detectAnomaly(() => x.sqrt().mul(0).sum().backward()));
    expect(error).toBeInstanceOf(TensorError);
    expect(error.code).toBe('nan');
    expect(error.message).toMatch(/gradient of 'sqrt' \[2\].*input 0, called\n.*function\.test\.ts:\d+/s);
  });

  it('names the operation where the forward pass went wrong first', () => {
    const x = leaf([-1, 4]);
    const error = caught(() => detectAnomaly(() => maximum(x.log().add(1), 0).sum().backward()));
    expect(error.message).toMatch(/forward pass at 'log' \[2\], called\n.*function\.test\.ts/s);
  });

  it('follows asynchronous functions, and is over afterwards', async () => {
    const x = leaf([0]);
    const bad = () => x.sqrt().mul(0).sum().backward();
    await expect(
      detectAnomaly(async () => {
        await Promise.resolve();
        bad();
      }),
    ).rejects.toThrow(/'sqrt'/);
    expect(bad).not.toThrow();
    expect(x.grad?.isNan().item()).toBe(1);
    setDetectAnomaly(true);
    expect(bad).toThrow(/'sqrt'/);
  });

  it('lets sound passes through', () => {
    const x = leaf([1, 2]);
    detectAnomaly(() => x.log().sum().backward());
    expect(x.grad?.toArray()).toEqual([1, 0.5]);
  });
});
