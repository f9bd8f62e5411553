// Graphs behind tensors: boxes and arrows in DOT, drawn as SVG, mistakes told.
import { type GradOptions, grad, nn, noGrad, ones, type Tensor, tensor, viz } from 'chainrule';
import { describe, expect, it } from 'vitest';
import { codeOf, codeOfAsync } from '../thrown.js';

const leaf = (value: number | number[]) => tensor(value, { requiresGrad: true });
/** Labels by box, and arrows between labels. */
function read(dot: string): { labels: string[]; arrows: string[] } {
  const boxes = new Map(
    [...dot.matchAll(/^ {2}(\w+) \[label="((?:[^"\\]|\\.)*)"/gm)].map(([, id, label]) => [id, label]),
  );
  const arrows = [...dot.matchAll(/^ {2}(\w+) -> (\w+)/gm)].map(
    ([, from, to]) => `${boxes.get(from)} -> ${boxes.get(to)}`,
  );
  return { labels: [...boxes.values()], arrows };
}

describe('graphDot', () => {
  it('f = (x + y) z: operations, leaves by name, arrows the way values go', () => {
    const [x, y, z] = [leaf(-2), leaf(5), leaf(-4)];
    const { labels, arrows } = read(viz.graphDot(x.add(y).mul(z), { params: { x, y, z } }));
    expect(labels).toEqual(['mul\\n[]', 'add\\n[]', 'x\\n[]', 'y\\n[]', 'z\\n[]']);
    expect(arrows).toEqual(['add\\n[] -> mul\\n[]', 'z\\n[] -> mul\\n[]', 'x\\n[] -> add\\n[]', 'y\\n[] -> add\\n[]']);
  });

  it('draws a box once, however often its value is used, and from several results', () => {
    const x = leaf([1, 2]);
    const h = x.exp();
    const { labels, arrows } = read(viz.graphDot([h.sum(), h.mul(h)]));
    expect(labels).toEqual(['sum\\n[]', 'exp\\n[2]', 'leaf\\n[2]', 'mul\\n[2]']);
    expect(arrows.filter((a) => a === 'exp\\n[2] -> mul\\n[2]')).toHaveLength(2);
  });

  it('names the parameters of a model, and shows what is saved on request', () => {
    const model = new nn.Sequential(new nn.Linear(2, 3), new nn.Tanh());
    const y = model.forward(ones([4, 2]));
    const plain = viz.graphDot(y, { params: model.namedParameters() });
    const full = viz.graphDot(y, { params: model.namedParameters(), saved: true });
    for (const name of ['0.weight', '0.bias', 'tanh']) expect(plain).toContain(name);
    expect(plain).not.toContain('orange');
    expect(full.match(/fillcolor=orange/g)?.length).toBeGreaterThan(1);
    expect(full).toContain('dir=none');
    expect(plain.match(/fillcolor=darkolivegreen1/g)).toHaveLength(1);
  });

  it('of a gradient with createGraph, of float64, of a leaf alone', () => {
    const x = tensor([1, 2], { requiresGrad: true, dtype: 'float64' });
    const options: GradOptions = { createGraph: true };
    const [dx] = grad(x.exp().sum(), [x], options) as Tensor[];
    expect(viz.graphDot(dx, { params: { x } })).toContain('exp\\n[2] float64');
    expect(read(viz.graphDot(x)).labels).toEqual(['leaf\\n[2] float64']);
  });

  it('quotes names and titles', () => {
    const x = leaf(1);
    const dot = viz.graphDot(x.exp(), { params: { 'a "b" \\': x }, title: 'one\ntwo' });
    expect(dot).toContain('label="a \\"b\\" \\\\\\n[]"');
    expect(dot).toContain('label="one\\ntwo"; labelloc=t;');
  });

  it('a chain of 10,000 operations takes no stack', () => {
    let y: Tensor = leaf(1);
    for (let i = 0; i < 10_000; i++) y = y.add(1);
    expect(read(viz.graphDot(y)).labels).toHaveLength(10_001);
  });

  it('tells mistakes', () => {
    const x = leaf([1, 2]);
    const y = x.exp().sum();
    expect(codeOf(() => viz.graphDot(tensor(1)))).toBe('grad');
    expect(codeOf(() => viz.graphDot(noGrad(() => x.exp())))).toBe('grad');
    expect(codeOf(() => viz.graphDot([]))).toBe('value');
    expect(codeOf(() => viz.graphDot(1 as never))).toBe('value');
    for (const params of [3, x, [x], { x: 1 }, [['x', 1]]]) {
      expect(codeOf(() => viz.graphDot(y, { params: params as never }))).toBe('value');
    }
    expect(codeOf(() => viz.graphDot(y, { saved: 1 as never }))).toBe('value');
    expect(codeOf(() => viz.graphDot(y, { title: 1 as never }))).toBe('value');
    expect(codeOf(() => viz.graphDot(y, { parameters: {} } as never))).toBe('option');
    y.backward();
    expect(codeOf(() => viz.graphDot(y))).toBe('consumed');
  });
});

describe('graph', () => {
  it('draws what the text says', async () => {
    const [x, y] = [leaf(1), leaf(2)];
    const svg = await viz.graph(x.mul(y).sigmoid(), { params: { 'x<y': x }, title: 'a neuron' });
    expect(svg).toMatch(/^<svg /);
    for (const text of ['x&lt;y', 'leaf', 'mul', 'sigmoid', 'a neuron']) expect(svg).toContain(`>${text}`);
    expect(svg.match(/class="edge"/g)).toHaveLength(3);
  });

  it('refuses what would take too long', async () => {
    let y: Tensor = leaf(1);
    for (let i = 0; i < 2000; i++) y = y.add(1);
    expect(await codeOfAsync(() => viz.graph(y))).toBe('value');
    expect(await codeOfAsync(() => viz.graph(tensor(1)))).toBe('grad');
  });
});
