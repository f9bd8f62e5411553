// Entries of recurrent.json.
import type { Tensor } from 'chainrule';
import { nn } from 'chainrule';
import type { Precision } from '../cases.js';
import { type Entries, given, op } from './entry.js';

interface CellArguments {
  input_size: number;
  hidden_size: number;
  bias?: boolean;
}
interface LayerArguments extends CellArguments {
  num_layers?: number;
  batch_first?: boolean;
  dropout?: number;
  bidirectional?: boolean;
}

/** Puts the case's tensors in the place of a module's parameters, so that gradients reach them. */
function withWeights<M extends nn.AnyModule>(module: M, weights: readonly Tensor[]): M {
  const attributes = Object.entries(module).filter(([, value]) => value instanceof nn.Parameter);
  if (attributes.length !== weights.length)
    throw new Error(`expected ${attributes.length} weights, got ${weights.length}`);
  for (const [i, [name, value]] of attributes.entries()) {
    if (value.shape.join() !== weights[i].shape.join())
      throw new Error(`expected ${name} of shape [${value.shape}], got [${weights[i].shape}]`);
    Object.assign(module, { [name]: weights[i] });
  }
  return module;
}

const layerNames = [
  'input_size',
  'hidden_size',
  'num_layers',
  'bias',
  'batch_first',
  'dropout',
  'bidirectional',
] as const;
const layerOptions = (a: LayerArguments, dtype: Precision) => ({
  numLayers: a.num_layers,
  bias: a.bias,
  batchFirst: a.batch_first,
  dropout: a.dropout,
  bidirectional: a.bidirectional,
  dtype,
});
const cellNames = ['input_size', 'hidden_size', 'bias'] as const;

export const recurrent = {
  rnn: op<LayerArguments & { nonlinearity?: 'tanh' | 'relu' }>(
    [...layerNames, 'nonlinearity'],
    ([x, h, ...weights], a, precision) => {
      const options = given({ ...layerOptions(a, precision), nonlinearity: a.nonlinearity });
      return withWeights(new nn.RNN(a.input_size, a.hidden_size, options), weights).forward(x, h);
    },
  ),
  gru: op<LayerArguments>(layerNames, ([x, h, ...weights], a, precision) => {
    const options = given(layerOptions(a, precision));
    return withWeights(new nn.GRU(a.input_size, a.hidden_size, options), weights).forward(x, h);
  }),
  lstm: op<LayerArguments & { proj_size?: number }>(
    [...layerNames, 'proj_size'],
    ([x, h, c, ...weights], a, precision) => {
      const options = given({ ...layerOptions(a, precision), projSize: a.proj_size });
      const lstm = withWeights(new nn.LSTM(a.input_size, a.hidden_size, options), weights);
      const [y, state] = lstm.forward(x, h === null || c === null ? null : [h, c]);
      return [y, ...state];
    },
  ),
  rnn_cell: op<CellArguments & { nonlinearity?: 'tanh' | 'relu' }>(
    [...cellNames, 'nonlinearity'],
    ([x, h, ...weights], a, dtype) => {
      const options = given({ bias: a.bias, nonlinearity: a.nonlinearity, dtype });
      return withWeights(new nn.RNNCell(a.input_size, a.hidden_size, options), weights).forward(x, h);
    },
  ),
  gru_cell: op<CellArguments>(cellNames, ([x, h, ...weights], a, dtype) =>
    withWeights(new nn.GRUCell(a.input_size, a.hidden_size, given({ bias: a.bias, dtype })), weights).forward(x, h),
  ),
  lstm_cell: op<CellArguments>(cellNames, ([x, h, c, ...weights], a, dtype) => {
    const cell = withWeights(new nn.LSTMCell(a.input_size, a.hidden_size, given({ bias: a.bias, dtype })), weights);
    return cell.forward(x, h === null || c === null ? null : [h, c]);
  }),
} satisfies Entries;
