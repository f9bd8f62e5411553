// diagnose() and watch(): every sign of trouble, provoked.
import { manualSeed, mseLoss, nn, ones, optim, randn, type Tensor, tensor, train } from 'chainrule';
import { beforeEach, describe, expect, it } from 'vitest';

beforeEach(() => void manualSeed(0));
const kinds = (findings: train.Finding[]) => findings.map(({ kind, where }) => `${kind} ${where}`);
const series = (at: (i: number) => number) => Array.from({ length: 40 }, (_, i) => at(i));

describe('losses', () => {
  it.each([
    ['falling', series((i) => 1 / (i + 1)), []],
    ['noise around a fall', series((i) => 2 - i / 40 + 0.3 * Math.sin(9 * i)), []],
    ['rising', series((i) => 1 + i / 40), ['risingLoss loss']],
    ['rising below 0', series((i) => -3 + i / 40), ['risingLoss loss']],
    ['flat', series(() => 0.7), ['flatLoss loss']],
    ['zero', series(() => 0), []],
    ['NaN', series((i) => (i === 30 ? Number.NaN : 1)), ['nanLoss loss']],
    ['infinite', [1, Infinity], ['nanLoss loss']],
    ['too few for a trend', [1, 2, 3], []],
  ])('%s', (_, losses, expected) => {
    expect(kinds(train.diagnose({ losses }))).toEqual(expected);
  });

  it('a learning rate that is too large makes them rise', async () => {
    const model = new nn.Linear(3, 1);
    const x = randn([16, 3]);
    const optimizer = new optim.SGD(model.parameters(), { lr: 1.5 });
    const { losses } = await train.fit({
      model,
      optimizer,
      loss: mseLoss,
      data: [[x, x.sum(1, { keepdim: true })]],
      epochs: 20,
    });
    expect(kinds(train.diagnose({ losses }))).toEqual(['risingLoss loss']);
  });
});

function deep(layers: number, activation: (x: Tensor) => Tensor, scale: number) {
  class Deep extends nn.Module {
    layers = Array.from({ length: layers }, () => new nn.Linear(8, 8, { bias: false }));
    forward(x: Tensor) {
      return this.layers.reduce((h, layer) => activation(layer.forward(h)), x);
    }
  }
  const model = new Deep();
  for (const p of model.parameters()) p.assign(p.mul(scale));
  return model;
}

describe('gradients', () => {
  it('vanish behind many sigmoids', () => {
    const model = deep(12, (x) => x.sigmoid(), 1);
    model
      .forward(randn([4, 8]))
      .sum()
      .backward();
    const found = kinds(train.diagnose({ model }));
    expect(found).toContain('vanishingGradient layers.0.weight');
    expect(found).not.toContain('vanishingGradient layers.11.weight');
    expect(found.every((text) => text.startsWith('vanishingGradient'))).toBe(true);
  });

  it('explode through many large layers', () => {
    const model = deep(12, (x) => x, 20);
    model
      .forward(randn([4, 8]))
      .sum()
      .backward();
    expect(kinds(train.diagnose({ model }))).toContain('explodingGradient layers.0.weight');
  });

  it('that are NaN', () => {
    const model = new nn.Linear(2, 1);
    model
      .forward(tensor([[Number.NaN, 1]]))
      .sum()
      .backward();
    expect(kinds(train.diagnose({ model }))).toEqual(['nanGradient weight']);
  });

  it('of a healthy model are no findings, nor are those not there', () => {
    const model = new nn.Sequential(new nn.Linear(4, 16), new nn.ReLU(), new nn.Linear(16, 1));
    expect(train.diagnose({ model })).toEqual([]);
    const output = model.forward(randn([32, 4]));
    expect(train.diagnose({ output })).toEqual([]);
    output.square().mean().backward();
    expect(train.diagnose({ model })).toEqual([]);
  });
});

describe('relus', () => {
  it('are dead where a bias is far below 0', () => {
    const [first, second] = [new nn.Linear(4, 8), new nn.Linear(8, 6)];
    second.bias?.assign(tensor([-99, -99, -99, -99, 1, 1]));
    const output = second
      .forward(first.forward(randn([32, 4])).relu())
      .relu()
      .sum();
    const findings = train.diagnose({ output });
    expect(kinds(findings)).toEqual(['deadRelu relu 1']);
    expect(findings[0].value).toBeGreaterThanOrEqual(4 / 6);
    expect(findings[0].message).toContain('of 6 units');
  });

  it('of images count channels', () => {
    const conv = new nn.Conv2d(1, 4, 3);
    conv.bias?.assign(tensor([-99, 1, -99, -99]));
    const findings = train.diagnose({ output: conv.forward(randn([2, 1, 6, 6])).relu() });
    expect(findings.map(({ kind, value }) => [kind, value])).toEqual([['deadRelu', 0.75]]);
  });
});

describe('watch', () => {
  it('tells fit of each sign once', async () => {
    const model = new nn.Linear(2, 1);
    const found: train.Finding[] = [];
    const watching = train.watch(model, (finding) => found.push(finding), { every: 20 });
    const optimizer = new optim.SGD(model.parameters(), { lr: 0 });
    const data = [[ones([4, 2]), ones([4, 1])]];
    await train.fit({ model, optimizer, loss: mseLoss, data, epochs: 100, callbacks: [watching] });
    expect(kinds(found)).toEqual(['flatLoss loss']);
  });
});

it.each([
  ['an unknown option', () => train.diagnose({ loss: 1 } as object), 'option'],
  ['no options', () => train.diagnose(undefined as unknown as object), 'option'],
  ['no model to watch', () => train.watch(1 as unknown as nn.Module, () => {}), 'value'],
  ['no function to report to', () => train.watch(new nn.Linear(1, 1), 1 as unknown as () => void), 'value'],
  ['no model', () => train.diagnose({ model: 1 as unknown as nn.Module }), 'value'],
  ['no tensor', () => train.diagnose({ output: 1 as unknown as Tensor }), 'value'],
  ['too few steps', () => train.watch(new nn.Linear(1, 1), () => {}, { every: 3 }), 'value'],
])('refuses %s', (_, call, code) => {
  expect(call).toThrow(expect.objectContaining({ name: 'TensorError', code }));
});
