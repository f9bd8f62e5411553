// Captured training steps against eager ones, bit for bit.
import { describe, expect, it } from 'vitest';
import { Generator, nn, optim, randint, randn, type Tensor } from '../../lib/index.js';
import { compare } from './twins.js';

const generator = new Generator(5);
const points = (n: number, inputs: number) => randn([n, inputs], { generator });
const labels = (n: number, classes: number) => randint(0, classes, [n], { generator });
const F = nn.functional;

describe('captured training', () => {
  it('replays a small network', () => {
    compare({
      make() {
        const model = new nn.Sequential(
          new nn.Linear(1, 10),
          new nn.Tanh(),
          new nn.Linear(10, 6),
          new nn.Tanh(),
          new nn.Linear(6, 1),
        );
        const optimizer = new optim.SGD(model.parameters(), { lr: 0.05 });
        const step = (x: Tensor, y: Tensor) => {
          optimizer.zeroGrad();
          const loss = F.mseLoss(model.forward(x), y);
          loss.backward();
          optimizer.step();
          return loss;
        };
        return { model, optimizer, step } as never;
      },
      inputs: () => [points(100, 1), points(100, 1)],
    });
  });

  it('replays a classifier with Adam', () => {
    const step = compare({
      make() {
        const model = new nn.Sequential(new nn.Linear(20, 32), new nn.ReLU(), new nn.Linear(32, 10));
        const optimizer = new optim.Adam(model.parameters(), { lr: 0.01 });
        const step = (x: Tensor, y: Tensor) => {
          const logits = model.forward(x);
          const loss = F.crossEntropy(logits, y);
          loss.backward();
          optimizer.step();
          optimizer.zeroGrad();
          return { loss, logits };
        };
        return { model, optimizer, step } as never;
      },
      inputs: () => [points(16, 20), labels(16, 10)],
    });
    expect(step.memory.arena).toBeLessThan(step.memory.unshared);
  });
});
