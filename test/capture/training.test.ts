// Captured training steps against eager ones, bit for bit: every optimizer, every kind of model.
import { capture, Generator, nn, noGrad, optim, randint, randn, type Tensor } from 'chainrule';
import { describe, expect, it } from 'vitest';
import { bits, compare, type Twin } from './twins.js';

const generator = new Generator(5);
const points = (...shape: number[]) => randn(shape, { generator });
const labels = (classes: number, ...shape: number[]) => randint(0, classes, shape, { generator });
const F = nn.functional;

type Model = nn.Module<Tensor[], Tensor>;
type Params = Iterable<Tensor>;

/** A classifier and its training step. */
function classifier(model: Model, optimizer: Twin['optimizer']): Twin {
  return {
    model,
    optimizer,
    step(x: Tensor, y: Tensor) {
      optimizer?.zeroGrad();
      const logits = model.forward(x);
      const loss = F.crossEntropy(logits, y);
      loss.backward();
      optimizer?.step();
      return { loss, logits };
    },
  };
}

const mlp = (...sizes: number[]): Model => {
  const layers = sizes.slice(1).flatMap((n, i) => [new nn.Linear(sizes[i], n), new nn.ReLU()]);
  return new nn.Sequential(...layers.slice(0, -1)) as unknown as Model;
};

const OPTIMIZERS: Record<string, (params: Params) => Twin['optimizer']> = {
  SGD: (p) => new optim.SGD(p, { lr: 0.05 }),
  'SGD with momentum': (p) => new optim.SGD(p, { lr: 0.05, momentum: 0.9, nesterov: true, weightDecay: 1e-3 }),
  Adam: (p) => new optim.Adam(p, { lr: 0.01, amsgrad: true }),
  AdamW: (p) => new optim.AdamW(p, { lr: 0.01 }),
  Adagrad: (p) => new optim.Adagrad(p, { lr: 0.05 }),
  Adadelta: (p) => new optim.Adadelta(p),
  Adamax: (p) => new optim.Adamax(p),
  NAdam: (p) => new optim.NAdam(p),
  RAdam: (p) => new optim.RAdam(p),
  ASGD: (p) => new optim.ASGD(p, { lr: 0.05, t0: 10 }),
  RMSprop: (p) => new optim.RMSprop(p, { lr: 1e-3, momentum: 0.9, centered: true }),
  Rprop: (p) => new optim.Rprop(p),
  'two groups': (p) => {
    const [first, ...rest] = p;
    return new optim.Adam([{ params: [first], lr: 0.1 }, { params: rest }], { lr: 0.01 });
  },
};

describe('every optimizer', () => {
  it.each(Object.entries(OPTIMIZERS))('%s', (_, make) => {
    compare({
      make() {
        const model = mlp(6, 12, 4);
        return classifier(model, make(model.parameters()));
      },
      inputs: () => [points(8, 6), labels(4, 8)],
    });
  });

  it('LBFGS reads values and says so', () => {
    const model = mlp(2, 1);
    const optimizer = new optim.LBFGS(model.parameters());
    const course = {
      make: () => ({
        model,
        step: (x: Tensor) =>
          optimizer.step(() => {
            optimizer.zeroGrad();
            const loss = model.forward(x).square().mean();
            loss.backward();
            return loss;
          }),
      }),
      inputs: () => [points(4, 2)],
    };
    expect(() => compare(course)).toThrow(expect.objectContaining({ code: 'capture' }));
  });
});

describe('every kind of model', () => {
  it.each([
    [[1, 10, 6, 1], 50],
    [[32, 64, 10], 16],
    [[300, 100, 50, 10], 1],
  ])('multilayer perceptrons %j, %i at once', (sizes, batch) => {
    const step = compare({
      make() {
        const model = mlp(...sizes);
        return classifier(model, new optim.SGD(model.parameters(), { lr: 0.1, momentum: 0.9 }));
      },
      inputs: () => [points(batch, sizes[0]), labels(sizes.at(-1) as number, batch)],
      steps: 100,
    });
    expect(step.memory.arena).toBeLessThan(step.memory.unshared);
  });

  it('LeNet', () => {
    compare({
      make() {
        const model = new nn.Sequential(
          new nn.Conv2d(1, 6, 5, { padding: 2 }),
          new nn.ReLU(),
          new nn.MaxPool2d(2),
          new nn.Conv2d(6, 16, 5),
          new nn.ReLU(),
          new nn.MaxPool2d(2),
          new nn.Flatten(),
          new nn.Linear(400, 120),
          new nn.ReLU(),
          new nn.Linear(120, 10),
        ) as unknown as Model;
        return classifier(model, new optim.Adam(model.parameters()));
      },
      inputs: () => [points(8, 1, 28, 28), labels(10, 8)],
      steps: 100,
    });
  });

  it('batch normalisation with running statistics, dropout with a random state that advances', () => {
    compare({
      make() {
        const model = new nn.Sequential(
          new nn.Conv2d(2, 4, 3),
          new nn.BatchNorm2d(4),
          new nn.ReLU(),
          new nn.AvgPool2d(2),
          new nn.Dropout2d(0.2),
          new nn.Flatten(),
          new nn.Dropout(0.3),
          new nn.Linear(36, 3),
        ) as unknown as Model;
        return classifier(model, new optim.SGD(model.parameters(), { lr: 0.1 }));
      },
      inputs: () => [points(5, 2, 8, 8), labels(3, 5)],
    });
  });

  it('the same over modes: a recording each', () => {
    compare({
      make() {
        const model = new nn.Sequential(
          new nn.Linear(4, 8),
          new nn.BatchNorm1d(8),
          new nn.Dropout(0.5),
          new nn.Linear(8, 2),
        ) as unknown as Model;
        return { model, step: (x: Tensor) => model.forward(x) };
      },
      inputs: () => [points(6, 4)],
      between: (i, { model }) => void model.train(i % 3 === 0),
      signatures: 2,
      steps: 100,
    });
  });

  it.each(['LSTM', 'GRU', 'RNN'] as const)('%s', (cell) => {
    compare({
      make() {
        const layer = new nn[cell](3, 8, { numLayers: 2, batchFirst: true, dropout: 0.2 });
        const head = new nn.Linear(8, 2);
        const model = new nn.ModuleList([layer as never, head as never]) as never;
        const optimizer = new optim.Adam((model as nn.Module).parameters());
        const step = (x: Tensor, y: Tensor) => {
          optimizer.zeroGrad();
          const [out] = (layer as nn.GRU).forward(x);
          const loss = F.crossEntropy(head.forward(out.select(1, -1)), y);
          loss.backward();
          nn.utils.clipGradNorm((model as nn.Module).parameters(), 0.5);
          optimizer.step();
          return loss;
        };
        return { model, optimizer: optimizer, step };
      },
      inputs: () => [points(4, 5, 3), labels(2, 4)],
      steps: 100,
    });
  });

  it('a transformer layer over embeddings', () => {
    compare({
      make() {
        const embedding = new nn.Embedding(20, 16, { paddingIdx: 0 });
        const layer = new nn.TransformerEncoderLayer(16, 4, { dimFeedforward: 32, batchFirst: true });
        const head = new nn.Linear(16, 20);
        const model = new nn.ModuleList([embedding as never, layer as never, head as never]) as never;
        const optimizer = new optim.AdamW((model as nn.Module).parameters(), { lr: 1e-3 });
        const step = (tokens: Tensor, next: Tensor) => {
          const logits = head.forward(layer.forward(embedding.forward(tokens)));
          const loss = F.crossEntropy(logits.reshape([-1, 20]), next.reshape([-1]));
          loss.backward();
          nn.utils.clipGradNorm((model as nn.Module).parameters(), 1);
          optimizer.step();
          optimizer.zeroGrad();
          return loss;
        };
        return { model, optimizer: optimizer, step };
      },
      inputs: () => [labels(20, 3, 6), labels(20, 3, 6)],
      steps: 100,
    });
  });

  it('gather, layer norm and gradient clipping by value', () => {
    compare({
      make() {
        const model = new nn.Sequential(new nn.Linear(4, 6), new nn.LayerNorm([6])) as unknown as Model;
        const optimizer = new optim.SGD(model.parameters(), { lr: 0.1 });
        const step = (x: Tensor, index: Tensor) => {
          optimizer.zeroGrad();
          const loss = model.forward(x).gather(1, index).square().mean();
          loss.backward();
          nn.utils.clipGradValue(model.parameters(), 0.01);
          optimizer.step();
          return loss;
        };
        return { model, optimizer: optimizer, step };
      },
      inputs: () => [points(5, 4), labels(6, 5, 2)],
    });
  });

  it('inference without gradients', () => {
    const step = compare({
      make() {
        const model = mlp(8, 16, 3);
        return { model, step: (x: Tensor) => noGrad(() => ({ y: model.forward(x), x, list: [1, 'a', null] })) };
      },
      inputs: (i) => [i % 2 === 0 ? points(4, 8) : points(8, 4).t()],
      steps: 100,
    });
    expect(step.memory.persistent).toBe(0);
  });
});

describe('what goes on between steps', () => {
  const make = () => {
    const model = mlp(3, 5, 2);
    return classifier(model, new optim.Adam(model.parameters(), { lr: 0.02 }));
  };
  const inputs = () => [points(4, 3), labels(2, 4)];

  it('loadStateDict of the model and of the optimizer', () => {
    const saved = make();
    saved.step(...(inputs() as [Tensor, Tensor]));
    const model = saved.model.stateDict();
    const state = (saved.optimizer as optim.Optimizer).stateDict();
    compare({
      make,
      inputs,
      between(i, twin) {
        if (i === 10) twin.model.loadStateDict(model);
        if (i === 20) (twin.optimizer as optim.Optimizer).loadStateDict(state);
      },
      steps: 100,
    });
  });

  it('a learning rate that a program changes', () => {
    compare({
      make,
      inputs,
      between: (i, { optimizer }) => {
        const [group] = (optimizer as optim.Optimizer).paramGroups;
        group.lr = 0.1 / (i + 1);
      },
      steps: 100,
    });
  });

  it('schedules inside the step', () => {
    const { CosineAnnealingWarmRestarts, ExponentialLR, LinearLR, OneCycleLR, SequentialLR, StepLR } =
      optim.lrScheduler;
    const schedules = [
      (o: optim.Optimizer) => new StepLR(o, 5),
      (o: optim.Optimizer) => new CosineAnnealingWarmRestarts(o, 4),
      (o: optim.Optimizer) => new OneCycleLR(o, 0.1, { totalSteps: 110 }),
      (o: optim.Optimizer) => new SequentialLR(o, [new LinearLR(o), new ExponentialLR(o, 0.9)], [7]),
    ];
    for (const scheduled of schedules) {
      compare({
        make() {
          const twin = make();
          const schedule = scheduled(twin.optimizer as unknown as optim.Optimizer);
          const step = (x: Tensor, y: Tensor) => {
            const { loss } = twin.step(x, y) as { loss: Tensor };
            schedule.step();
            return loss;
          };
          return { ...twin, step };
        },
        inputs,
        steps: 100,
      });
    }
  });

  it('gradients that add up over steps: one recording for the first, one for the others', () => {
    compare({
      make() {
        const { model } = make();
        return {
          model,
          step(x: Tensor, y: Tensor) {
            const loss = F.crossEntropy((model as unknown as Model).forward(x), y);
            loss.backward();
            return loss;
          },
        };
      },
      inputs,
      between: (i, { model }) => {
        if (i % 4 === 0) for (const p of model.parameters()) p.zeroGrad();
      },
      steps: 100,
      signatures: 2,
    });
  });

  // Thawed, the layer is behind the others by steps: the optimizer makes two calls where it made one, which is recorded anew.
  it('frozen layers: another recording', () => {
    compare({
      make,
      inputs,
      between: (i, { model }) => {
        if (i === 5) model.parameters()[0].requiresGrad = false;
        if (i === 10) model.parameters()[0].requiresGrad = true;
      },
      steps: 100,
      signatures: 3,
    });
  });
});

it('an input that is given back after the first call does not matter to the next', () => {
  const step = capture((x: Tensor) => x.mul(2));
  for (let i = 0; i < 3; i++) {
    const x = points(2, 3);
    expect(bits(step(x))).toBe(bits(x.mul(2)));
    x.dispose();
  }
  expect(step.signatures).toBe(1);
});
