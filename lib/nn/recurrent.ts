// RNN, LSTM and GRU: recurrent networks over whole sequences.
import { checkOptions, describe, TensorError } from '../errors.js';
import type { Tensor } from '../tensor.js';
import { checkChoice } from './check.js';
import type { PackedSequence } from './packed.js';
import { RECURRENT_OPTIONS, Recurrent, type RecurrentCall, type RecurrentOptions } from './recurrent-base.js';

/** A batch of sequences, padded or packed. */
export type Sequences = Tensor | PackedSequence;
/** Hidden and cell state. */
export type LSTMState = readonly [h: Tensor, c: Tensor];

/** Options of {@link RNN}. */
export interface RNNOptions extends RecurrentOptions {
  /** 'tanh' unless given. */
  nonlinearity?: 'tanh' | 'relu';
}

/** Options of {@link LSTM}. */
export interface LSTMOptions extends RecurrentOptions {
  /** Size of a projection `h = W_hr (o tanh c)` of the hidden state, below the hidden size; 0, none, unless given. */
  projSize?: number;
}

/** The lengths among the options of a call. */
function lengthsOf(op: string, call: RecurrentCall | undefined): RecurrentCall['lengths'] {
  checkOptions(op, call, ['lengths']);
  return call?.lengths;
}

/**
 * Simple recurrent network: `h_t = tanh(W_ih x_t + b_ih + W_hh h_(t-1) + b_hh)`, or relu in place of tanh (Elman 1990;
 * PyTorch: `nn.RNN`).
 *
 * `forward` takes sequences [T, N, in] ([N, T, in] with `batchFirst`, [T, in] without a batch, or a PackedSequence) and the first
 * state [layers D, N, H], zeros unless given; it returns the outputs of the last layer [T, N, D H], in the form of the input, and the
 * last states of all layers. D is 2 with `bidirectional`, else 1.
 *
 * @throws TensorError `value` for sizes that are no whole numbers from 1 up; in forward `shape` where input or state do not fit,
 * `dtype` where they differ from the weights, `value` for lengths that are no whole numbers from 1 up
 *
 * @example
 * ```ts
 * import { nn, ones } from 'chainrule';
 * const [y, h] = new nn.RNN(3, 4, { numLayers: 2 }).forward(ones([5, 2, 3]));
 * console.log(y.shape, h.shape); // [5, 2, 4] [2, 2, 4]
 * ```
 */
export class RNN extends Recurrent<
  [x: Sequences, h0?: Tensor | null, options?: RecurrentCall],
  [output: Sequences, h: Tensor]
> {
  readonly nonlinearity: 'tanh' | 'relu';

  constructor(inputSize: number, hiddenSize: number, options?: RNNOptions) {
    checkOptions('RNN', options, ['nonlinearity', ...RECURRENT_OPTIONS]);
    const nonlinearity = options?.nonlinearity ?? 'tanh';
    super(checkChoice('RNN', 'the nonlinearity', nonlinearity, ['tanh', 'relu']), inputSize, hiddenSize, options);
    this.nonlinearity = nonlinearity;
  }

  forward(x: Tensor, h0?: Tensor | null, options?: RecurrentCall): [output: Tensor, h: Tensor];
  forward(x: PackedSequence, h0?: Tensor | null, options?: RecurrentCall): [output: PackedSequence, h: Tensor];
  forward(x: Sequences, h0?: Tensor | null, options?: RecurrentCall): [output: Sequences, h: Tensor];
  forward(x: Sequences, h0: Tensor | null = null, options?: RecurrentCall): [output: Sequences, h: Tensor] {
    const [y, h] = this.run(x, h0, null, lengthsOf('RNN', options));
    return [y, h];
  }
}

/**
 * Gated recurrent units: `r, z = sigmoid(...)`, `n = tanh(W_in x_t + b_in + r (W_hn h_(t-1) + b_hn))`,
 * `h_t = (1 - z) n + z h_(t-1)` (Cho et al. 2014; PyTorch: `nn.GRU`).
 *
 * Inputs, outputs and errors are those of {@link RNN}.
 *
 * @throws TensorError `value` for sizes that are no whole numbers from 1 up; in forward as RNN
 *
 * @example
 * ```ts
 * import { nn, ones } from 'chainrule';
 * const gru = new nn.GRU(3, 4, { batchFirst: true, bidirectional: true });
 * const [y, h] = gru.forward(ones([2, 5, 3]));
 * console.log(y.shape, h.shape); // [2, 5, 8] [2, 2, 4]
 * ```
 */
export class GRU extends Recurrent<
  [x: Sequences, h0?: Tensor | null, options?: RecurrentCall],
  [output: Sequences, h: Tensor]
> {
  constructor(inputSize: number, hiddenSize: number, options?: RecurrentOptions) {
    checkOptions('GRU', options, RECURRENT_OPTIONS);
    super('gru', inputSize, hiddenSize, options);
  }

  forward(x: Tensor, h0?: Tensor | null, options?: RecurrentCall): [output: Tensor, h: Tensor];
  forward(x: PackedSequence, h0?: Tensor | null, options?: RecurrentCall): [output: PackedSequence, h: Tensor];
  forward(x: Sequences, h0?: Tensor | null, options?: RecurrentCall): [output: Sequences, h: Tensor];
  forward(x: Sequences, h0: Tensor | null = null, options?: RecurrentCall): [output: Sequences, h: Tensor] {
    const [y, h] = this.run(x, h0, null, lengthsOf('GRU', options));
    return [y, h];
  }
}

/**
 * Long short-term memory: `i, f, o = sigmoid(...)`, `g = tanh(...)` of `W_ih x_t + b_ih + W_hh h_(t-1) + b_hh`,
 * `c_t = f c_(t-1) + i g`, `h_t = o tanh c_t` (Hochreiter and Schmidhuber 1997; PyTorch: `nn.LSTM`).
 *
 * Inputs, outputs and errors are those of {@link RNN}; the state is [h, c], each zeros unless both are given. With `projSize` P
 * outputs and hidden states have P features.
 *
 * @throws TensorError `value` for sizes that are no whole numbers from 1 up; in forward as RNN
 *
 * @example
 * ```ts
 * import { nn, ones } from 'chainrule';
 * const lstm = new nn.LSTM(3, 4);
 * const [y, state] = lstm.forward(ones([5, 2, 3]));
 * const [next] = lstm.forward(ones([1, 2, 3]), state);
 * console.log(y.shape, next.shape); // [5, 2, 4] [1, 2, 4]
 * ```
 */
export class LSTM extends Recurrent<
  [x: Sequences, state?: LSTMState | null, options?: RecurrentCall],
  [output: Sequences, state: [h: Tensor, c: Tensor]]
> {
  constructor(inputSize: number, hiddenSize: number, options?: LSTMOptions) {
    checkOptions('LSTM', options, ['projSize', ...RECURRENT_OPTIONS]);
    super('lstm', inputSize, hiddenSize, options);
  }

  forward(
    x: Tensor,
    state?: LSTMState | null,
    options?: RecurrentCall,
  ): [output: Tensor, state: [h: Tensor, c: Tensor]];
  forward(
    x: PackedSequence,
    state?: LSTMState | null,
    options?: RecurrentCall,
  ): [output: PackedSequence, state: [h: Tensor, c: Tensor]];
  forward(
    x: Sequences,
    state?: LSTMState | null,
    options?: RecurrentCall,
  ): [output: Sequences, state: [h: Tensor, c: Tensor]];
  forward(
    x: Sequences,
    state: LSTMState | null = null,
    options?: RecurrentCall,
  ): [output: Sequences, state: [h: Tensor, c: Tensor]] {
    if (state !== null && (!Array.isArray(state) || state.length !== 2))
      throw new TensorError('value', 'LSTM', `expected a state [h, c] or null, got ${describe(state)}`);
    const [h0, c0] = state ?? [null, null];
    const [y, h, c] = this.run(x, h0, c0, lengthsOf('LSTM', options));
    return [y, [h, c as Tensor]];
  }
}
