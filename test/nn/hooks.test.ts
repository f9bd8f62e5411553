// Hooks of modules: before and after forward(), on the way back, however forward is called, and without a trace afterwards.
import { add, gradcheck, nn, noGrad, ones, optim, randn, type Tensor, tensor, zeros } from 'chainrule';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { codeOf } from '../thrown.js';

const values = (grads: nn.HookGrads) => grads.map((g) => g?.toArray() ?? null);
const leaf = (given: number[]) => tensor(given, { requiresGrad: true });

/** y = a b, and the first factor again. */
class Product extends nn.Module<[a: Tensor, b: Tensor, text: string], [Tensor, Tensor]> {
  forward(a: Tensor, b: Tensor, _text = ''): [Tensor, Tensor] {
    return [a.mul(b), a];
  }
}

describe('forward hooks', () => {
  it('run in order around forward, inside containers and functions too', () => {
    const order: string[] = [];
    const model = new nn.Sequential(new nn.Linear(2, 3), new nn.ReLU());
    model[0].registerForwardPreHook((m, [x]) => void order.push(`before ${m.constructor.name} ${x.shape}`));
    model[0].registerForwardHook((m, [x], y) => void order.push(`after ${m.constructor.name} ${x.shape} ${y.shape}`));
    model.registerForwardHook((_, __, y) => void order.push(`first ${y.shape}`));
    model.registerForwardHook(() => void order.push('second'));
    model.forward(ones([4, 2]));
    expect(order).toEqual(['before Linear 4,2', 'after Linear 4,2 4,3', 'first 4,3', 'second']);
  });

  it('change inputs and outputs', () => {
    const relu = new nn.ReLU();
    const one = relu.registerForwardPreHook((_, [x]) => x.neg());
    expect(relu.forward(tensor([-1, 2])).toArray()).toEqual([1, 0]);
    relu.registerForwardPreHook((_, [x]) => [x.mul(2)]);
    expect(relu.forward(tensor([-1, 2])).toArray()).toEqual([2, 0]);
    relu.registerForwardHook((_, __, y) => y.add(1));
    one.remove();
    expect(relu.forward(tensor([-1, 2])).toArray()).toEqual([1, 5]);
    const product = new Product();
    product.registerForwardPreHook((_, [a]) => [a, a]);
    expect(product.forward(tensor([3]), tensor([5]))[0].item()).toBe(9);
  });

  it('leave nothing behind once removed', () => {
    const fc = new nn.Linear(1, 1);
    const names = Object.getOwnPropertyNames(fc);
    const state = Object.keys(fc.stateDict());
    let calls = 0;
    const handles = [fc.registerForwardHook(() => void calls++), fc.registerFullBackwardHook(() => void calls++)];
    expect(Object.keys(fc.stateDict())).toEqual(state);
    expect(`${fc}`).toBe('Linear(1, 1)');
    expect(fc.modules()).toEqual([fc]);
    fc.forward(ones([1, 1])).backward();
    expect(calls).toBe(2);
    for (const handle of [...handles, ...handles]) handle.remove();
    fc.forward(ones([1, 1])).backward();
    expect(calls).toBe(2);
    expect(Object.getOwnPropertyNames(fc)).toEqual(names);
    expect(fc.forward).toBe(nn.Linear.prototype.forward);
  });

  it('respect what subclasses and instances make of forward', () => {
    class Doubled extends nn.ReLU {
      override forward(x: Tensor): Tensor {
        return super.forward(x).mul(2);
      }
    }
    const doubled = new Doubled();
    let calls = 0;
    const handle = doubled.registerForwardHook(() => void calls++);
    expect(doubled.forward(tensor([1])).item()).toBe(2);
    expect(calls).toBe(1);
    doubled.forward = (x) => x.mul(3);
    expect(doubled.forward(tensor([1])).item()).toBe(3);
    expect(calls).toBe(2);
    handle.remove();
    expect(doubled.forward(tensor([1])).item()).toBe(3);
    const again = doubled.registerForwardPreHook(() => void calls++);
    expect(doubled.forward(tensor([1])).item()).toBe(3);
    again.remove();
    expect([calls, Object.keys(doubled).includes('forward')]).toEqual([3, true]);
  });

  it('may remove themselves, and are refused where they are no functions', () => {
    const relu = new nn.ReLU();
    let calls = 0;
    const handle = relu.registerForwardHook(() => {
      calls++;
      handle.remove();
    });
    relu.registerForwardHook(() => void calls++);
    relu.forward(ones([1]));
    relu.forward(ones([1]));
    expect(calls).toBe(3);
    expect(codeOf(() => relu.registerForwardHook(1 as never))).toBe('value');
    expect(codeOf(() => relu.registerBuffer('forward', zeros([1])))).toBe('value');
  });

  it('are typed by the module', () => {
    const product = new Product();
    product.registerForwardHook((module, inputs, output) => {
      expectTypeOf(module).toEqualTypeOf<Product>();
      expectTypeOf(inputs).toEqualTypeOf<[a: Tensor, b: Tensor, _text?: string]>();
      expectTypeOf(output).toEqualTypeOf<[Tensor, Tensor]>();
    });
    const any: nn.AnyModule = product;
    expect(any.modules()).toHaveLength(1);
  });
});

describe('backward hooks', () => {
  it('see all gradients at once, null for what has none', () => {
    const product = new Product();
    const seen: unknown[] = [];
    product.registerFullBackwardHook((_, gradInput, gradOutput) => {
      seen.push(values(gradInput), values(gradOutput));
    });
    const [a, b] = [leaf([2]), leaf([3])];
    const [y] = product.forward(a, b, 'text');
    y.mul(10).backward();
    expect(seen).toEqual([
      [[30], [20], null],
      [[10], null],
    ]);
    expect([a.grad?.item(), b.grad?.item()]).toEqual([30, 20]);
    const [y2, a2] = product.forward(a, tensor([3]));
    add(y2, a2).backward();
    expect(seen.slice(2)).toEqual([
      [[4], null],
      [[1], [1]],
    ]);
  });

  it('change the gradients of inputs', () => {
    const product = new Product();
    product.registerFullBackwardHook((_, [da, db]) => [da?.mul(100) ?? null, db]);
    product.registerFullBackwardHook((_, gradInput) => [null, gradInput[1]?.neg() ?? null]);
    const [a, b] = [leaf([2]), leaf([3])];
    product.forward(a, b)[0].backward();
    expect([a.grad?.item(), b.grad?.item()]).toEqual([300, -2]);
  });

  it("fire where no input asks for a gradient, as PyTorch's do", () => {
    const fc = new nn.Linear(2, 1, { bias: false });
    const seen: unknown[] = [];
    fc.registerFullBackwardHook((_, gradInput, gradOutput) => void seen.push(values(gradInput), values(gradOutput)));
    fc.forward(ones([1, 2]))
      .mul(2)
      .backward();
    expect(seen).toEqual([[null], [[[2]]]]);
    expect(fc.weight.grad?.toArray()).toEqual([[2, 2]]);
  });

  it('come again with a retained graph, and not at all without recording', () => {
    const relu = new nn.ReLU();
    let calls = 0;
    relu.registerFullBackwardHook((_, [g]) => {
      calls++;
      return [g?.mul(calls) ?? null];
    });
    const x = leaf([1]);
    const y = relu.forward(x);
    y.backward(undefined, { retainGraph: true });
    y.backward();
    expect([calls, x.grad?.item()]).toEqual([2, 3]);
    expect(noGrad(() => relu.forward(x)).requiresGrad).toBe(false);
    expect(relu.forward(tensor([1])).requiresGrad).toBe(false);
  });

  it('see every use of a module that is used twice, latest first', () => {
    const scale = new nn.Linear(1, 1, { bias: false });
    scale.weight.assign(tensor([[3]]));
    const seen: unknown[] = [];
    scale.registerFullBackwardHook((_, [dx], [dy]) => void seen.push([dx?.item(), dy?.item()]));
    scale.forward(scale.forward(tensor([[1]], { requiresGrad: true }))).backward();
    expect(seen).toEqual([
      [3, 1],
      [9, 3],
    ]);
  });

  it('leave derivatives right, second ones too', () => {
    const chain = new nn.Sequential(new nn.Tanh(), new nn.Sigmoid());
    let calls = 0;
    for (const m of chain.modules()) m.registerFullBackwardHook(() => void calls++);
    const x = randn([3], { dtype: 'float64', requiresGrad: true });
    expect(gradcheck((v) => chain.forward(v), [x])).toBe(true);
    expect(calls).toBeGreaterThan(2);
    const y = chain.forward(x).sum();
    y.backward(undefined, { createGraph: true });
    expect((x.grad as Tensor).requiresGrad).toBe(true);
  });

  it('train as without them', () => {
    const run = (hooked: boolean) => {
      const model = new nn.Sequential(new nn.Linear(2, 4), new nn.ReLU(), new nn.Linear(4, 1));
      for (const [i, p] of model.parameters().entries())
        p.assign(
          p
            .detach()
            .mul(0)
            .add(0.1 * (i + 1)),
        );
      if (hooked) {
        for (const m of model.modules()) {
          m.registerForwardPreHook(() => {});
          m.registerForwardHook(() => {});
          m.registerFullBackwardHook(() => {});
        }
      }
      const optimizer = new optim.SGD(model.parameters(), { lr: 0.1 });
      for (let step = 0; step < 5; step++) {
        optimizer.zeroGrad();
        model
          .forward(
            tensor([
              [1, -2],
              [0.5, 3],
            ]),
          )
          .square()
          .mean()
          .backward();
        optimizer.step();
      }
      return model.parameters().map((p) => p.toArray());
    };
    expect(run(true)).toEqual(run(false));
  });

  it('refuse what is no gradient', () => {
    const relu = new nn.ReLU();
    const handle = relu.registerFullBackwardHook(() => []);
    expect(codeOf(() => relu.forward(leaf([1])).backward())).toBe('value');
    handle.remove();
    relu.registerFullBackwardHook(() => [ones([2])]);
    expect(codeOf(() => relu.forward(leaf([1])).backward())).toBe('shape');
  });
});
