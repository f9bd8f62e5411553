// Networks over sequences, forward and backward: recurrent layers of 128 inputs and 256 units, a transformer's encoder layer.
import { nn, type Tensor, tensor } from 'chainrule';
import { type Float, fill, values, type Work } from './work.js';

/** Gradients of the inputs and of all weights; those of the inputs are the result. */
function pass(model: nn.AnyModule, outputs: (x: Tensor) => Tensor, x: Tensor): () => Tensor {
  return () => {
    model.zeroGrad();
    x.zeroGrad();
    outputs(x).square().sum().backward();
    return x.grad as Tensor;
  };
}

const input = (shape: number[], dtype: Float) => tensor(values(shape, 100, dtype), { requiresGrad: true });

const RECURRENT: Record<'LSTM' | 'GRU', (x: Tensor, dtype: Float) => () => Tensor> = {
  LSTM: (x, dtype) => {
    const model = fill(new nn.LSTM(128, 256, { dtype }), dtype);
    return pass(model, (v) => model.forward(v)[0], x);
  },
  GRU: (x, dtype) => {
    const model = fill(new nn.GRU(128, 256, { dtype }), dtype);
    return pass(model, (v) => model.forward(v)[0], x);
  },
};

const GATES = { LSTM: 4, GRU: 3 };
/** Every product forward has two gradients. */
const withGradients = (multiplications: number) => ({ flops: 3 * 2 * multiplications });

const recurrent: Work[] = Object.entries(RECURRENT).map(([kind, make]) => ({
  name: `${kind} 128 to 256, 50 steps, batch 32, with gradients`,
  family: 'recurrent',
  options: { kind, inputs: 128, units: 256, steps: 50, batch: 32 },
  goal: 1.5,
  floor: withGradients(50 * 32 * (128 + 256) * GATES[kind as keyof typeof GATES] * 256),
  keeps: true,
  prepare: (dtype) => make(input([50, 32, 128], dtype), dtype),
}));

const encoder: Work = {
  name: 'transformer encoder layer 256, 8 heads, batch 16, 128 places, with gradients',
  family: 'encoder',
  options: { features: 256, heads: 8, hidden: 1024, batch: 16, steps: 128 },
  goal: 1.3,
  // Projections and the two linear maps of every place; scores and averages of every pair of places.
  floor: withGradients(16 * 128 * (4 * 256 * 256 + 2 * 256 * 1024) + 2 * 16 * 128 * 128 * 256),
  keeps: true,
  prepare: (dtype) => {
    const options = { dimFeedforward: 1024, dropout: 0, batchFirst: true, dtype };
    const model = fill(new nn.TransformerEncoderLayer(256, 8, options), dtype);
    return pass(model, (x) => model.forward(x), input([16, 128, 256], dtype));
  },
};

export const works: Work[] = [...recurrent, encoder];
