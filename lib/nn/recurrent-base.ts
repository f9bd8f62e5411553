// What RNN, LSTM and GRU share: parameters by layer and direction, and sequences in all the forms they may have.
import { zeros } from '../create.js';
import { describe, TensorError } from '../errors.js';
import { indexSelect } from '../ops/index/index.js';
import { type Cell, checkExactly, checkParts, GATES } from '../ops/recurrent/cell.js';
import { composites, runNetwork } from '../ops/recurrent/network.js';
import { type LayerWeights, type Steps, stepsOf } from '../ops/recurrent/recurrent.js';
import { Tensor } from '../tensor.js';
import { checkBoolean, checkNumber, checkSize, formatOptions, type ParameterOptions } from './check.js';
import { uniform } from './init.js';
import { Module } from './module.js';
import { type Lengths, PackedSequence, packPaddedSequence, padPackedSequence } from './packed.js';
import { type Parameter, parameter } from './parameter.js';
import { snakeCase } from './recurrent-cell.js';

/** Options of every recurrent network. */
export interface RecurrentOptions extends ParameterOptions {
  /** Layers on top of each other; 1 unless given. */
  numLayers?: number;
  /** Whether inputs and outputs are [N, T, *] rather than [T, N, *]; false unless given. */
  batchFirst?: boolean;
  /** Probability of an output of any layer but the last to be zeroed while training; 0 unless given. */
  dropout?: number;
  /** Whether a second network reads from the end, and both outputs are joined; false unless given. */
  bidirectional?: boolean;
}

/** What one call of a recurrent network may be given. */
export interface RecurrentCall {
  /** Length of each padded sequence, in any order: outputs behind it are 0, last states those at its end. */
  lengths?: Lengths;
}

export const RECURRENT_OPTIONS = ['numLayers', 'bias', 'batchFirst', 'dropout', 'bidirectional', 'dtype', 'generator'];

type Kind = 'weight' | 'bias';

/** An input as packed rows, and how its outputs come back. */
interface Rows {
  readonly data: Tensor;
  readonly steps: Steps;
  readonly restore: (y: Tensor) => Tensor;
  /** Order of the sequences in `data`, where it is not that of the states. */
  readonly sorted: Tensor | null;
  readonly unsorted: Tensor | null;
  readonly batched: boolean;
}

/** A stack of recurrent layers over sequences. */
export abstract class Recurrent<Inputs extends unknown[], Output> extends Module<Inputs, Output> {
  /** `weightIhL0` (PyTorch: `weight_ih_l0`), `weightHhL0`, `biasIhL0`, `biasHhL0`, `weightHrL0`; `...L1` of the next layer, `...L0Reverse`. */
  readonly [name: `${Kind}${'Ih' | 'Hh' | 'Hr'}L${string}`]: Parameter;
  readonly numLayers: number;
  readonly batchFirst: boolean;
  readonly dropout: number;
  readonly bidirectional: boolean;
  readonly projSize: number;
  private readonly cell: Cell;

  protected constructor(
    cell: Cell,
    readonly inputSize: number,
    readonly hiddenSize: number,
    protected readonly options: (RecurrentOptions & { projSize?: number }) | undefined,
  ) {
    super();
    const op = this.constructor.name;
    this.cell = cell;
    checkSize(op, 'the input size', inputSize);
    checkSize(op, 'the hidden size', hiddenSize);
    this.numLayers = checkSize(op, 'numLayers', options?.numLayers ?? 1);
    this.batchFirst = checkBoolean(op, 'batchFirst', options?.batchFirst ?? false);
    this.dropout = checkNumber(op, 'dropout', options?.dropout ?? 0, 0, 1);
    this.bidirectional = checkBoolean(op, 'bidirectional', options?.bidirectional ?? false);
    this.projSize = checkSize(op, 'projSize', options?.projSize ?? 0, 0);
    if (this.projSize >= hiddenSize) {
      throw new TensorError(
        'value',
        op,
        `expected projSize below the hidden size ${hiddenSize}, or 0 for none, got ${this.projSize}`,
      );
    }
    this.makeParameters(checkBoolean(op, 'bias', options?.bias ?? true));
  }

  private makeParameters(bias: boolean): void {
    const { inputSize, hiddenSize, options } = this;
    const rows = GATES[this.cell] * hiddenSize;
    const made: Record<string, Parameter> = {};
    for (const [layer, suffix] of this.places()) {
      const inputs = layer === 0 ? inputSize : this.outputSize * this.directions;
      made[`weightIh${suffix}`] = parameter([rows, inputs], options?.dtype);
      made[`weightHh${suffix}`] = parameter([rows, this.outputSize], options?.dtype);
      if (bias) made[`biasIh${suffix}`] = parameter([rows], options?.dtype);
      if (bias) made[`biasHh${suffix}`] = parameter([rows], options?.dtype);
      if (this.projSize > 0) made[`weightHr${suffix}`] = parameter([this.projSize, hiddenSize], options?.dtype);
    }
    const b = 1 / Math.sqrt(hiddenSize);
    for (const p of Object.values(made)) uniform(p, { a: -b, b, generator: options?.generator });
    Object.assign(this, made);
  }

  /** Every layer and direction, in PyTorch's order, with the end of its parameters' names. */
  private places(): [layer: number, suffix: string][] {
    const ends = this.bidirectional ? ['', 'Reverse'] : [''];
    return Array.from({ length: this.numLayers }, (_, layer) =>
      ends.map((end): [number, string] => [layer, `L${layer}${end}`]),
    ).flat();
  }

  private weights(): LayerWeights[] {
    const all = this as unknown as Readonly<Record<string, Parameter | undefined>>;
    return this.places().map(([, suffix]) => ({
      weightIh: all[`weightIh${suffix}`] as Parameter,
      weightHh: all[`weightHh${suffix}`] as Parameter,
      biasIh: all[`biasIh${suffix}`] ?? null,
      biasHh: all[`biasHh${suffix}`] ?? null,
      weightHr: all[`weightHr${suffix}`] ?? null,
    }));
  }

  private get directions(): number {
    return this.bidirectional ? 2 : 1;
  }

  private get outputSize(): number {
    return this.projSize > 0 ? this.projSize : this.hiddenSize;
  }

  protected override stateName(attribute: string): string {
    return snakeCase(attribute);
  }

  protected override summary(): string {
    return [this.inputSize, this.hiddenSize, formatOptions(this.options)].filter((part) => part !== '').join(', ');
  }

  /** Runs all layers; states are [layers D, N, size], or without N for a single sequence. */
  protected run(
    x: Tensor | PackedSequence,
    h0: Tensor | null,
    c0: Tensor | null,
    lengths: Lengths | undefined,
  ): [y: Tensor | PackedSequence, h: Tensor, c: Tensor | null] {
    const op = this.constructor.name;
    const weights = this.weights();
    const [y, h, c] = composites(() => {
      const rows = this.rows(op, x, lengths);
      checkParts(op, [
        ['the input', rows.data],
        ['the weights', weights[0].weightIh],
        ['the hidden state', h0],
        ['the cell state', c0],
      ]);
      const h = this.state(op, 'a hidden state', h0, rows, this.outputSize);
      const c = this.cell === 'lstm' ? this.state(op, 'a cell state', c0, rows, this.hiddenSize) : null;
      const { bidirectional, dropout, training, options } = this;
      const network = { op, cell: this.cell, bidirectional, dropout, training, generator: options?.generator };
      const [y, hn, cn] = runNetwork(network, rows.steps, rows.data, h, c, weights);
      return [rows.restore(y), finished(hn, rows), cn && finished(cn, rows)];
    });
    return [x instanceof PackedSequence ? x.with(y as Tensor) : (y as Tensor), h as Tensor, c];
  }

  private rows(op: string, x: Tensor | PackedSequence, lengths: Lengths | undefined): Rows {
    if (x instanceof PackedSequence) {
      if (lengths !== undefined)
        throw new TensorError('value', op, 'expected no lengths with a PackedSequence, which has its own');
      const { data, sizes, sortedIndices: sorted, unsortedIndices: unsorted } = x;
      this.checkInput(op, data, '[rows, in]', data.ndim === 2);
      return { data, steps: stepsOf(sizes[0], sizes), restore: (y) => y, sorted, unsorted, batched: true };
    }
    if (!(x instanceof Tensor))
      throw new TensorError('value', op, `expected a tensor or a PackedSequence, got ${describe(x)}`);
    const layout = this.batchFirst ? '[N, T, in]' : '[T, N, in]';
    const steps = x.shape[this.batchFirst && x.ndim === 3 ? 1 : 0];
    if (lengths !== undefined) {
      this.checkInput(op, x, layout, x.ndim === 3 && steps > 0);
      return this.lengthsAsRows(x, lengths);
    }
    this.checkInput(op, x, `${layout} or [T, in]`, (x.ndim === 2 || x.ndim === 3) && steps > 0);
    if (x.ndim === 2) {
      const ones = stepsOf(1, new Array<number>(steps).fill(1));
      return { data: x, steps: ones, restore: (y) => y, sorted: null, unsorted: null, batched: false };
    }
    const timeFirst = this.batchFirst ? x.transpose(0, 1) : x;
    const batch = timeFirst.shape[1];
    const restore = (y: Tensor) => {
      const outputs = y.reshape([steps, batch, y.shape[1]]);
      return this.batchFirst ? outputs.transpose(0, 1) : outputs;
    };
    return {
      data: timeFirst.reshape([steps * batch, this.inputSize]),
      steps: stepsOf(batch, new Array<number>(steps).fill(batch)),
      restore,
      sorted: null,
      unsorted: null,
      batched: true,
    };
  }

  private lengthsAsRows(x: Tensor, lengths: Lengths): Rows {
    const { batchFirst } = this;
    const packed = packPaddedSequence(x, lengths, { batchFirst, enforceSorted: false });
    const totalLength = x.shape[batchFirst ? 1 : 0];
    const restore = (y: Tensor) => padPackedSequence(packed.with(y), { batchFirst, totalLength })[0];
    return { ...this.rows('', packed, undefined), restore };
  }

  private checkInput(op: string, x: Tensor, layout: string, fits: boolean): void {
    x.check(op);
    if (fits && x.shape[x.ndim - 1] === this.inputSize) return;
    const got = `[${x.shape.join(', ')}]`;
    throw new TensorError(
      'shape',
      op,
      `expected an input ${layout} with in = ${this.inputSize} and at least one step, got ${got}`,
    );
  }

  private state(op: string, name: string, state: Tensor | null, rows: Rows, size: number): Tensor {
    const layers = this.numLayers * this.directions;
    const shape = rows.batched ? [layers, rows.steps.batch, size] : [layers, size];
    if (state === null) return zeros([layers, rows.steps.batch, size], { dtype: rows.data.dtype });
    checkExactly(op, name, state, shape);
    if (!rows.batched) return state.unsqueeze(1);
    return rows.sorted === null ? state : indexSelect(state, 1, rows.sorted);
  }
}

/** Last states in the order and form of the first. */
function finished(state: Tensor, rows: Rows): Tensor {
  if (!rows.batched) return state.squeeze(1);
  return rows.unsorted === null ? state : indexSelect(state, 1, rows.unsorted);
}
