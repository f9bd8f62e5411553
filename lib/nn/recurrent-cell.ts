// RNNCell, LSTMCell and GRUCell: one step of a recurrent network, for loops of one's own.
import { zeros } from '../create.js';
import { checkOptions, describe, TensorError } from '../errors.js';
import { type Cell, GATES, gruCell, lstmCell, rnnReluCell, rnnTanhCell } from '../ops/recurrent/cell.js';
import { Tensor } from '../tensor.js';
import { checkBoolean, checkChoice, checkSize, formatOptions, type ParameterOptions } from './check.js';
import { uniform } from './init.js';
import { Module } from './module.js';
import { type Parameter, parameter } from './parameter.js';

/** PyTorch's name of an attribute: weightIhL0Reverse is weight_ih_l0_reverse there. */
export function snakeCase(attribute: string): string {
  return attribute.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** What all cells share: their parameters, uniform within `1 / sqrt(H)` at first. */
abstract class RecurrentCell<State, Output> extends Module<[x: Tensor, state?: State | null], Output> {
  weightIh: Parameter;
  weightHh: Parameter;
  biasIh: Parameter | null;
  biasHh: Parameter | null;

  constructor(
    cell: Cell,
    readonly inputSize: number,
    readonly hiddenSize: number,
    protected readonly options?: ParameterOptions,
  ) {
    super();
    const op = this.constructor.name;
    const rows = GATES[cell] * checkSize(op, 'the hidden size', hiddenSize);
    const bias = checkBoolean(op, 'bias', options?.bias ?? true);
    this.weightIh = parameter([rows, checkSize(op, 'the input size', inputSize)], options?.dtype);
    this.weightHh = parameter([rows, hiddenSize], options?.dtype);
    this.biasIh = bias ? parameter([rows], options?.dtype) : null;
    this.biasHh = bias ? parameter([rows], options?.dtype) : null;
    const b = 1 / Math.sqrt(hiddenSize);
    for (const p of this.parameters()) uniform(p, { a: -b, b, generator: options?.generator });
  }

  protected override stateName(attribute: string): string {
    return snakeCase(attribute);
  }

  protected override summary(): string {
    return [this.inputSize, this.hiddenSize, formatOptions(this.options)].filter((part) => part !== '').join(', ');
  }

  /** A state of zeros for an input [N, in] or [in]. */
  protected start(x: Tensor): Tensor {
    if (!(x instanceof Tensor))
      throw new TensorError('value', this.constructor.name, `expected a tensor, got ${describe(x)}`);
    return zeros([...x.shape.slice(0, -1), this.hiddenSize], { dtype: this.weightHh.dtype });
  }
}

/** Options of {@link RNNCell}. */
export interface RNNCellOptions extends ParameterOptions {
  /** 'tanh' unless given. */
  nonlinearity?: 'tanh' | 'relu';
}

/**
 * One step of a simple recurrent network: `h' = tanh(W_ih x + b_ih + W_hh h + b_hh)`, or relu in place of tanh
 * (PyTorch: `nn.RNNCell`). `forward` takes x [N, in] or [in] and h, zeros unless given.
 *
 * @throws TensorError `value` for sizes that are no whole numbers from 1 up; in forward as `rnnTanhCell`
 *
 * @example
 * ```ts
 * import { nn, ones } from 'chainrule';
 * console.log(new nn.RNNCell(3, 4).forward(ones([2, 3])).shape); // [2, 4]
 * ```
 */
export class RNNCell extends RecurrentCell<Tensor, Tensor> {
  readonly nonlinearity: 'tanh' | 'relu';

  constructor(inputSize: number, hiddenSize: number, options?: RNNCellOptions) {
    checkOptions('RNNCell', options, ['bias', 'nonlinearity', 'dtype', 'generator']);
    const nonlinearity = options?.nonlinearity ?? 'tanh';
    super(checkChoice('RNNCell', 'the nonlinearity', nonlinearity, ['tanh', 'relu']), inputSize, hiddenSize, options);
    this.nonlinearity = nonlinearity;
  }

  forward(x: Tensor, h: Tensor | null = null): Tensor {
    const step = this.nonlinearity === 'tanh' ? rnnTanhCell : rnnReluCell;
    return step(x, h ?? this.start(x), this.weightIh, this.weightHh, this.biasIh, this.biasHh);
  }
}

/**
 * One step of a long short-term memory (PyTorch: `nn.LSTMCell`); see `lstmCell`. `forward` takes x [N, in] or [in] and [h, c],
 * zeros unless given, and returns the next [h, c].
 *
 * @throws TensorError `value` for sizes that are no whole numbers from 1 up; in forward as `lstmCell`
 *
 * @example
 * ```ts
 * import { nn, ones } from 'chainrule';
 * const cell = new nn.LSTMCell(3, 4);
 * let state = cell.forward(ones([2, 3]));
 * state = cell.forward(ones([2, 3]), state);
 * console.log(state[0].shape); // [2, 4]
 * ```
 */
export class LSTMCell extends RecurrentCell<readonly [h: Tensor, c: Tensor], [h: Tensor, c: Tensor]> {
  constructor(inputSize: number, hiddenSize: number, options?: ParameterOptions) {
    checkOptions('LSTMCell', options, ['bias', 'dtype', 'generator']);
    super('lstm', inputSize, hiddenSize, options);
  }

  forward(x: Tensor, state: readonly [h: Tensor, c: Tensor] | null = null): [h: Tensor, c: Tensor] {
    const given = state ?? [this.start(x), this.start(x)];
    return lstmCell(x, given, this.weightIh, this.weightHh, this.biasIh, this.biasHh);
  }
}

/**
 * One step of a gated recurrent unit (PyTorch: `nn.GRUCell`); see `gruCell`. `forward` takes x [N, in] or [in] and h, zeros
 * unless given.
 *
 * @throws TensorError `value` for sizes that are no whole numbers from 1 up; in forward as `gruCell`
 *
 * @example
 * ```ts
 * import { nn, ones } from 'chainrule';
 * console.log(new nn.GRUCell(3, 4).forward(ones([3])).shape); // [4]
 * ```
 */
export class GRUCell extends RecurrentCell<Tensor, Tensor> {
  constructor(inputSize: number, hiddenSize: number, options?: ParameterOptions) {
    checkOptions('GRUCell', options, ['bias', 'dtype', 'generator']);
    super('gru', inputSize, hiddenSize, options);
  }

  forward(x: Tensor, h: Tensor | null = null): Tensor {
    return gruCell(x, h ?? this.start(x), this.weightIh, this.weightHh, this.biasIh, this.biasHh);
  }
}
