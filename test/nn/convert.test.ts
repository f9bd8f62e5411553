// Modules in another dtype, and what stands at a path.
import { nn, ones, optim, type Tensor, tensor } from 'chainrule';
import { describe, expect, it } from 'vitest';
import { codeOf } from '../thrown.js';

const wide = { dtype: 'float64' } as const;

describe('to', () => {
  it('converts parameters in place, with gradients, and buffers that are floating', () => {
    const model = new nn.Sequential(new nn.Linear(2, 3), new nn.BatchNorm1d(3));
    const before = model.parameters();
    const values = before.map((p) => p.toArray());
    model
      .forward(
        tensor([
          [1, 2],
          [3, 5],
        ]),
      )
      .square()
      .sum()
      .backward();
    const grads = before.map((p) => p.grad?.toArray());
    const counter = model.getBuffer('1.num_batches_tracked').dtype;
    expect(model.double()).toBe(model);
    expect(model.parameters()).toEqual(before);
    expect(model.parameters().map((p) => [p.dtype, p.grad?.dtype])).toEqual(before.map(() => ['float64', 'float64']));
    expect(before.map((p) => p.toArray())).toEqual(values);
    expect(before.map((p) => p.grad?.toArray())).toEqual(grads);
    expect(model.getBuffer('1.running_mean').dtype).toBe('float64');
    expect(model.getBuffer('1.num_batches_tracked').dtype).toBe(counter);
    expect(model.forward(ones([2, 2], wide)).dtype).toBe('float64');
    expect(Object.keys(model.stateDict())).toContain('1.running_var');
    model.float();
    expect(model.forward(ones([2, 2])).dtype).toBe('float32');
    expect(before.map((p) => p.toArray())).toEqual(values);
  });

  it('leaves parameters trainable by an optimizer that holds them', () => {
    const fc = new nn.Linear(1, 1, { bias: false });
    fc.weight.assign(tensor([[1]]));
    const optimizer = new optim.SGD(fc.parameters(), { lr: 0.5 });
    fc.to('float64');
    fc.forward(ones([1, 1], wide)).backward();
    optimizer.step();
    expect(fc.weight.item()).toBe(0.5);
    expect([fc.weight.isLeaf, fc.weight.requiresGrad]).toEqual([true, true]);
  });

  it('keeps hooks of parameters, and the freezing', () => {
    const fc = new nn.Linear(1, 1);
    fc.bias?.registerHook((g) => g.mul(2));
    fc.weight.requiresGrad = false;
    fc.double();
    fc.forward(ones([1, 1], wide)).backward();
    expect(fc.bias?.grad?.item()).toBe(2);
    expect(fc.weight.grad).toBeNull();
  });

  it('is noticed by graphs that saved the old values, and gets the gradient of those that did not', () => {
    const fc = new nn.Linear(1, 1);
    const x = tensor([[2]], { requiresGrad: true });
    const product = fc.forward(x);
    const sum = fc.weight.add(1).sum();
    fc.double();
    expect(codeOf(() => product.backward())).toBe('version');
    sum.backward();
    expect([fc.weight.grad?.dtype, fc.weight.grad?.item()]).toEqual(['float64', 1]);
  });

  it('converts what is shared once, and refuses what is no floating dtype', () => {
    const a = new nn.Linear(2, 2);
    const b = new nn.Linear(2, 2);
    b.weight = a.weight;
    const model = new nn.Sequential(a, b).double();
    expect(a.weight).toBe(b.weight);
    expect(model.forward(ones([1, 2], wide)).dtype).toBe('float64');
    expect(codeOf(() => model.to('int32' as never))).toBe('value');
  });

  it('reaches copies of transformer layers', () => {
    const layer = new nn.TransformerEncoderLayer(4, 2, { dimFeedforward: 8, batchFirst: true }).double();
    const encoder = new nn.TransformerEncoder(layer, 2);
    expect(encoder.eval().forward(ones([1, 3, 4], wide)).dtype).toBe('float64');
  });
});

describe('paths', () => {
  class Net extends nn.Module {
    blocks = [new nn.Linear(2, 2), new nn.Linear(2, 2)];
    inner = new nn.Sequential(new nn.Sequential(new nn.BatchNorm1d(2)));
    forward(x: Tensor) {
      return x;
    }
  }

  it('lead to modules, parameters and buffers', () => {
    const net = new Net();
    expect(net.getSubmodule('')).toBe(net);
    expect(net.getSubmodule('blocks.1')).toBe(net.blocks[1]);
    expect(net.getSubmodule('inner.0.0')).toBe(net.inner[0][0]);
    expect(net.getParameter('blocks.0.weight')).toBe(net.blocks[0].weight);
    expect(net.getBuffer('inner.0.0.running_var')).toBe(net.inner[0][0].runningVar);
    for (const [name, p] of net.namedParameters()) expect(net.getParameter(name)).toBe(p);
    for (const [name, b] of net.namedBuffers()) expect(net.getBuffer(name)).toBe(b);
    for (const [name, m] of net.namedModules()) expect(net.getSubmodule(name)).toBe(m);
  });

  it('that lead nowhere, or elsewhere, are errors', () => {
    const net = new Net();
    for (const path of ['blocks', 'blocks.2', 'blocks.0.weight', 'x', 1 as never])
      expect(codeOf(() => net.getSubmodule(path))).toBe('value');
    for (const path of ['', 'blocks.0', 'inner.0.0.running_var'])
      expect(codeOf(() => net.getParameter(path))).toBe('value');
    expect(codeOf(() => net.getBuffer('inner.0.0.weight'))).toBe('value');
  });
});
