// nn.summary: counts known by hand, the table, and that the model is left as it was.
import { nn, ones, type Tensor, tensor } from 'chainrule';
import { describe, expect, it } from 'vitest';
import { codeOf } from '../thrown.js';

const lenet = () =>
  new nn.Sequential(
    new nn.Conv2d(1, 20, 5),
    new nn.MaxPool2d(2),
    new nn.Conv2d(20, 50, 5),
    new nn.MaxPool2d(2),
    new nn.Flatten(),
    new nn.Linear(800, 500),
    new nn.ReLU(),
    new nn.Linear(500, 10),
  );

describe('summary', () => {
  it('knows LeNet', () => {
    const model = lenet();
    model[0].setRequiresGrad(false);
    const found = nn.summary(model, [3, 1, 28, 28]);
    expect([found.parameters, found.trainable, found.parameterBytes]).toEqual([431_080, 430_560, 4 * 431_080]);
    // 24 24 20 25 + 8 8 50 20 25 + 800 500 + 500 10, for each of three images.
    expect([found.multiplyAdds, found.flops]).toEqual([3 * 2_293_000, 6 * 2_293_000]);
    expect(found.layers.map((l) => l.kind).join(' ')).toBe(
      'Sequential Conv2d MaxPool2d Conv2d MaxPool2d Flatten Linear ReLU Linear',
    );
    expect(found.layers[1]).toEqual({
      name: '0',
      kind: 'Conv2d',
      depth: 1,
      outputShapes: [[3, 20, 24, 24]],
      parameters: 520,
      multiplyAdds: 3 * 288_000,
      calls: 1,
    });
  });

  it('is a table', () => {
    const model = new nn.Sequential(new nn.Linear(2, 1000), new nn.ReLU());
    expect(`${nn.summary(model, [4, 2])}`).toBe(
      [
        'Layer         Output     Parameters  Multiply-adds',
        '--------------------------------------------------',
        'Sequential    [4, 1000]       3,000              -',
        '  Linear (0)  [4, 1000]       3,000          8,000',
        '  ReLU (1)    [4, 1000]           -              -',
        '--------------------------------------------------',
        'Parameters: 3,000 (3,000 trainable, 0 frozen), 0.01 MiB',
        'Multiply-adds: 8,000',
      ].join('\n'),
    );
  });

  it.each([true, false])('counts attention, batchFirst %s', (batchFirst) => {
    const layer = new nn.TransformerEncoderLayer(8, 2, { dimFeedforward: 16, batchFirst });
    const found = nn.summary(layer, batchFirst ? [2, 5, 8] : [5, 2, 8]);
    expect(found.parameters).toBe(4 * 64 + 4 * 8 + 2 * 8 * 16 + 16 + 8 + 4 * 8);
    // Four projections, scores and values, two linear maps, for ten places.
    expect(found.multiplyAdds).toBe(10 * (4 * 64 + 2 * 5 * 8 + 2 * 8 * 16));
    const attention = found.layers.find((l) => l.name === 'self_attn');
    expect(attention?.outputShapes[0]).toEqual(batchFirst ? [2, 5, 8] : [5, 2, 8]);
  });

  it('counts other products', () => {
    expect(nn.summary(new nn.ConvTranspose2d(3, 4, 2, { stride: 2 }), [2, 3, 5, 5]).multiplyAdds).toBe(
      2 * 25 * 3 * 4 * 4,
    );
    expect(nn.summary(new nn.Conv1d(4, 6, 3, { groups: 2 }), [1, 4, 10]).multiplyAdds).toBe(6 * 8 * 2 * 3);
    expect(nn.summary(new nn.LSTM(3, 4, { numLayers: 2 }), [5, 2, 3]).multiplyAdds).toBe(10 * 16 * (3 + 4 + 4 + 4));
    expect(nn.summary(new nn.GRUCell(3, 4), [2, 3]).multiplyAdds).toBe(2 * 12 * 7);
    const two = nn.summary(new nn.Bilinear(2, 3, 4), [ones([5, 2]), ones([5, 3])]);
    expect(two.multiplyAdds).toBe(5 * 4 * 2 * (3 + 1));
  });

  it('takes tensors, follows modules that run twice, and leaves the model as it was', () => {
    class Twice extends nn.Module {
      embed = new nn.Embedding(10, 4, { dtype: 'float64' });
      norm = new nn.BatchNorm1d(4, { dtype: 'float64' });
      fc = new nn.Linear(4, 4, { dtype: 'float64' });
      unused = new nn.Linear(3, 3);
      forward(x: Tensor) {
        return this.fc.forward(this.fc.forward(this.norm.forward(this.embed.forward(x))));
      }
    }
    const model = new Twice();
    model.norm.eval();
    const state = Object.entries(model.stateDict()).map(([name, t]) => [name, t.toArray()]);
    const found = nn.summary(model, tensor([1, 2, 3], { dtype: 'int32' }));
    expect(found.layers.map((l) => `${l.name} ${l.calls}`)).toEqual([' 1', 'embed 1', 'norm 1', 'fc 2']);
    expect(found.multiplyAdds).toBe(2 * 3 * 16);
    expect(found.parameters).toBe(40 + 8 + 20 + 12);
    expect(found.parameterBytes).toBe(8 * 68 + 4 * 12);
    expect(`${found}`).toContain('x2');
    expect([model.training, model.norm.training, model.fc.training]).toEqual([true, false, true]);
    expect(Object.entries(model.stateDict()).map(([name, t]) => [name, t.toArray()])).toEqual(state);
    expect(model.modules().some((m) => Object.hasOwn(m, 'forward'))).toBe(false);
    expect(nn.summary(new nn.Linear(2, 1).double(), [1, 2]).parameterBytes).toBe(24);
  });

  it('shows what lazy modules become, and those that are not reached as nothing', () => {
    class Lazy extends nn.Module {
      conv = new nn.LazyConv2d(4, 3);
      fc = new nn.LazyLinear(2);
      unused = new nn.LazyLinear(2);
      forward(x: Tensor) {
        return this.fc.forward(this.conv.forward(x).flatten(1));
      }
    }
    const found = nn.summary(new Lazy(), [2, 3, 5, 5]);
    expect(found.layers.map(({ kind, parameters }) => `${kind} ${parameters}`)).toEqual([
      'Lazy 186',
      'Conv2d 112',
      'Linear 74',
    ]);
    expect([found.parameters, found.parameterBytes]).toEqual([186, 4 * 186]);
  });

  it('passes errors on and still leaves nothing behind', () => {
    const model = lenet();
    expect(codeOf(() => nn.summary(model, [1, 3, 28, 28]))).toBe('shape');
    expect(model.modules().some((m) => Object.hasOwn(m, 'forward') || !m.training)).toBe(false);
    expect(codeOf(() => nn.summary(model, 3 as never))).toBe('value');
    expect(codeOf(() => nn.summary({} as never, [1]))).toBe('value');
  });
});
