// nn.Bilinear: the operation with parameters of its own, begun as PyTorch begins them.
import { bilinear, einsum, Generator, nn, randn, type Tensor, zeros } from 'chainrule';
import { describe, expect, it } from 'vitest';
import { codeOf } from '../thrown.js';

describe('Bilinear', () => {
  it('is its operation, which is the sum over both inputs', () => {
    const layer = new nn.Bilinear(3, 5, 2);
    const [x, y] = [randn([4, 3]), randn([4, 5])];
    const got = layer.forward(x, y);
    expect(got.toArray()).toEqual(bilinear(x, y, layer.weight, layer.bias).toArray());
    const want = einsum('ni,oij,nj->no', x, layer.weight, y).add(layer.bias as Tensor);
    expect(got.sub(want).abs().amax().item()).toBeLessThan(1e-5);
    got.sum().backward();
    expect([layer.weight.grad?.shape, layer.bias?.grad?.toArray()]).toEqual([
      [2, 3, 5],
      [4, 4],
    ]);
  });

  it('begins within 1 / sqrt(in1), filling the range, under PyTorch names', () => {
    const layer = new nn.Bilinear(25, 40, 30, { generator: new Generator(2) });
    expect(Object.keys(layer.stateDict())).toEqual(['weight', 'bias']);
    expect(layer.weight.shape).toEqual([30, 25, 40]);
    for (const p of [layer.weight, layer.bias as Tensor]) {
      expect(p.abs().amax().item()).toBeLessThanOrEqual(0.2);
      expect(p.abs().amax().item()).toBeGreaterThan(0.18);
    }
    expect(Object.keys(new nn.Bilinear(2, 2, 2, { bias: false }).stateDict())).toEqual(['weight']);
    expect(String(new nn.Bilinear(2, 3, 4))).toContain('2, 3, 4');
  });

  it('refuses wrong sizes and options', () => {
    expect(codeOf(() => new nn.Bilinear(0, 2, 2))).toBe('value');
    expect(codeOf(() => new nn.Bilinear(2, 2, 0.5))).toBe('value');
    expect(codeOf(() => new nn.Bilinear(2, 2, 2, { biass: true } as never))).toBe('option');
    expect(codeOf(() => new nn.Bilinear(2, 3, 2).forward(zeros([1, 3]), zeros([1, 2])))).toBe('shape');
  });
});
