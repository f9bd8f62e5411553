// One step of an optimizer over the 10 million parameters of 784-2048-4096-10, the gradients being there.
import { nn, optim, type Tensor } from 'chainrule';
import { linearShapes, sizeOf } from './numbers.js';
import { type Float, values, type Work } from './work.js';

const SIZES = [784, 2048, 4096, 10];

type Params = readonly Tensor[];
/** The optimizers; the streams that one pass moves: parameter and states read and written, the gradient read. */
const OPTIMIZERS: Record<string, { make: (params: Params) => optim.Optimizer; streams: number }> = {
  momentum: { make: (params) => new optim.SGD(params, { lr: 0.1, momentum: 0.9 }), streams: 5 },
  Adam: { make: (params) => new optim.Adam(params, { lr: 0.1 }), streams: 7 },
  AdamW: { make: (params) => new optim.AdamW(params, { lr: 0.1, weightDecay: 0.1 }), streams: 7 },
};

/** Values and gradients are mostly above 0, so that the mean shows how far the steps went. */
function parameters(dtype: Float): nn.Parameter[] {
  return linearShapes(SIZES).map((shape, k) => {
    const p = new nn.Parameter(values(shape, 2 * k + 1, dtype, 0, 1));
    p.grad = values(shape, 2 * k + 2, dtype, -0.25, 1);
    return p;
  });
}

export const works: Work[] = Object.entries(OPTIMIZERS).map(([name, { make, streams }]) => ({
  name: `optimizer step over 10M parameters, ${name}`,
  family: 'optimizer',
  options: { sizes: SIZES, optimizer: name },
  floor: {
    copied: 4 * streams * linearShapes(SIZES).reduce((total, shape) => total + sizeOf(shape), 0),
    goal: 1.3,
  },
  keeps: true,
  prepare: (dtype) => {
    const params = parameters(dtype);
    const optimizer = make(params);
    return () => {
      optimizer.step();
      return params[0];
    };
  },
}));
