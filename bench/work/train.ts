// A training step: zero the gradients, loss, backward, one step of the optimizer.
import { capture, crossEntropy, mseLoss, type nn, noGrad, optim, type Tensor } from 'chainrule';

/** The optimizers of the tables, with the settings every side uses. */
export type Optimizer = 'SGD' | 'momentum' | 'Adam';

function optimizerOf(name: Optimizer, parameters: nn.Parameter[]): optim.Optimizer {
  if (name === 'Adam') return new optim.Adam(parameters, { lr: 0.001 });
  return new optim.SGD(parameters, { lr: 0.01, momentum: name === 'momentum' ? 0.9 : 0 });
}

/** A function that trains on a batch and gives the loss: cross entropy for labels, else the mean square. */
export function stepOf(model: nn.Module, name: Optimizer): (x: Tensor, y: Tensor) => Tensor {
  const optimizer = optimizerOf(name, model.parameters());
  return (x, y) => {
    optimizer.zeroGrad();
    const output = model.forward(x);
    const loss = y.dtype === 'int32' ? crossEntropy(output, y) : mseLoss(output, y);
    loss.backward();
    optimizer.step();
    return loss;
  };
}

/** Whether each step runs its operations anew, or replays what the first one recorded. */
export type How = 'eager' | 'captured';

/** {@link stepOf} on one fixed batch. */
export function training(model: nn.Module, x: Tensor, y: Tensor, name: Optimizer, how: How = 'eager'): () => Tensor {
  const step = stepOf(model, name);
  const run = how === 'captured' ? capture(step) : step;
  return () => run(x, y);
}

/** A function that gives the output of a batch, unrecorded. */
export function inference(model: nn.Module, x: Tensor, how: How = 'eager'): () => Tensor {
  model.eval();
  const forward = (input: Tensor) => noGrad(() => model.forward(input));
  const run = how === 'captured' ? capture(forward) : forward;
  return () => run(x);
}
