// A training step: zero the gradients, loss, backward, one step of the optimizer.
import { crossEntropy, mseLoss, type nn, noGrad, optim, type Tensor } from 'chainrule';

/** The optimizers of the tables, with the settings every side uses. */
export type Optimizer = 'SGD' | 'momentum' | 'Adam';

function optimizerOf(name: Optimizer, parameters: nn.Parameter[]): optim.Optimizer {
  if (name === 'Adam') return new optim.Adam(parameters, { lr: 0.001 });
  return new optim.SGD(parameters, { lr: 0.01, momentum: name === 'momentum' ? 0.9 : 0 });
}

/** A function that trains on one fixed batch and gives the loss: cross entropy for labels, else the mean square. */
export function training(model: nn.Module, x: Tensor, y: Tensor, name: Optimizer): () => Tensor {
  const optimizer = optimizerOf(name, model.parameters());
  return () => {
    optimizer.zeroGrad();
    const output = model.forward(x);
    const loss = y.dtype === 'int32' ? crossEntropy(output, y) : mseLoss(output, y);
    loss.backward();
    optimizer.step();
    return loss;
  };
}

/** A function that gives the output of a batch, unrecorded. */
export function inference(model: nn.Module, x: Tensor): () => Tensor {
  model.eval();
  return () => noGrad(() => model.forward(x));
}
