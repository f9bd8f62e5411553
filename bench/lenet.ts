// The LeNet of the demo and its training step, for benchmarks.
import { crossEntropy, nn, optim, randint, randn, type Tensor } from 'chainrule';

export function lenet(): nn.Module {
  return new nn.Sequential(
    new nn.Conv2d(1, 20, 5),
    new nn.ReLU(),
    new nn.MaxPool2d(2),
    new nn.Conv2d(20, 50, 5),
    new nn.ReLU(),
    new nn.MaxPool2d(2),
    new nn.Flatten(),
    new nn.Linear(800, 500),
    new nn.ReLU(),
    new nn.Linear(500, 10),
  );
}

/** A function that trains on one fixed batch and gives the loss. */
export function trainingStep(model: nn.Module, batch: number): () => Tensor {
  const optimizer = new optim.SGD(model.parameters(), { lr: 0.01, momentum: 0.9 });
  const x = randn([batch, 1, 28, 28]);
  const y = randint(0, 10, [batch]);
  return () => {
    optimizer.zeroGrad();
    const loss = crossEntropy(model.forward(x), y);
    loss.backward();
    optimizer.step();
    return loss;
  };
}
