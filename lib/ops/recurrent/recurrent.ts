// Recurrent layers over whole sequences: one native pass over all steps of a layer and direction, and one product each for
// inputs and weights. `npm run bench -- LSTM` compares it with PyTorch's products step by step.
import { copyInto, dense, dropCopy, hidden, make, offsetOf, view } from '../../core/dispatch.js';
import { DTYPES } from '../../core/dtype.js';
import { differentiate } from '../../core/fused.js';
import { isGradEnabled, restoreGradEnabled, setGradEnabled } from '../../core/mode.js';
import { composites } from '../../core/scope.js';
import { stridesOf } from '../../core/shape.js';
import { type Node, record } from '../../core/tape.js';
import { type Bytes, native } from '../../native.js';
import type { Tensor } from '../../tensor.js';
import { indexSelect } from '../index/index.js';
import { linear, matmul } from '../product/matmul.js';
import { cat } from '../shape/join.js';
import { advance, type Cell, GATES } from './cell.js';

const G = native.geometry;
const NO_BYTES: Bytes = new Uint8Array(0);
const CODES: Readonly<Record<Cell, number>> = { tanh: 0, relu: 1, lstm: 2, gru: 3 };

/** Rows of each step; sequences are sorted by falling length, so that a step's rows continue the first of the step before. */
export interface Steps {
  readonly batch: number;
  readonly rows: number;
  readonly sizes: readonly number[];
}

/** Weights of one layer and direction; `weightHr` [P, H] projects the hidden state of an lstm. */
export interface LayerWeights {
  readonly weightIh: Tensor;
  readonly weightHh: Tensor;
  readonly biasIh: Tensor | null;
  readonly biasHh: Tensor | null;
  readonly weightHr: Tensor | null;
}

/** One direction of one layer. */
interface Layer {
  readonly op: string;
  readonly cell: Cell;
  readonly reverse: boolean;
  readonly steps: Steps;
}

/** Outputs [rows, H] and last states [N, H]. */
type Result = [y: Tensor, h: Tensor, c: Tensor | null];

export function stepsOf(batch: number, sizes: readonly number[]): Steps {
  return { batch, rows: sizes.reduce((sum, size) => sum + size, 0), sizes };
}

function isUniform({ batch, sizes }: Steps): boolean {
  return sizes[sizes.length - 1] === batch;
}

/**
 * All steps of one direction of a layer.
 *
 * @param x [rows, in], all rows of the first step, then those of the second ...
 * @param h0 [N, H or P]
 */
export function runLayer(layer: Layer, x: Tensor, h0: Tensor, c0: Tensor | null, weights: LayerWeights): Result {
  if (weights.weightHr !== null) return composites(() => compose(layer, x, h0, c0, weights));
  const { batch, rows } = layer.steps;
  return composites(() => {
    const state = fusedLayer(layer, x, h0, c0, weights);
    const y = state.narrow(0, layer.reverse ? 0 : batch, rows);
    const [h, c] = [1, 2].map((i) => (i === 2 && c0 === null ? null : state.narrow(0, rows + i * batch, batch)));
    return [y, h as Tensor, c];
  });
}

/** The same in operations, which can be differentiated any number of times; slower. */
function compose(layer: Layer, x: Tensor, h0: Tensor, c0: Tensor | null, weights: LayerWeights): Result {
  const { cell, reverse, steps } = layer;
  const { weightIh, weightHh, biasIh, biasHh, weightHr } = weights;
  const products = linear(x, weightIh, biasIh);
  const count = steps.sizes.length;
  const outputs = new Array<Tensor>(count);
  const resting = (all: Tensor, some: Tensor, size: number) =>
    size === steps.batch ? some : cat([some, all.narrow(0, size, steps.batch - size)]);
  let [h, c] = [h0, c0];
  let first = reverse ? steps.rows : 0;
  for (let i = 0; i < count; i++) {
    const t = reverse ? count - 1 - i : i;
    const size = steps.sizes[t];
    if (reverse) first -= size;
    const before = h.narrow(0, 0, size);
    const cells = c?.narrow(0, 0, size) ?? null;
    let [next, nextCells] = advance(
      cell,
      products.narrow(0, first, size),
      linear(before, weightHh, biasHh),
      before,
      cells,
    );
    if (weightHr !== null) next = linear(next, weightHr);
    outputs[t] = next;
    h = resting(h, next, size);
    c = c && resting(c, nextCells as Tensor, size);
    if (!reverse) first += size;
  }
  return [cat(outputs), h, c];
}

function sizesBytes(steps: Steps): Bytes {
  if (isUniform(steps)) return NO_BYTES;
  return new Uint8Array(Int32Array.from(steps.sizes).buffer);
}

function geometry(layer: Layer, hiddenSize: number, dtype: Tensor['dtype'], keep: boolean): void {
  const { cell, reverse, steps } = layer;
  G[0] = DTYPES[dtype].code;
  G[1] = CODES[cell];
  G[2] = reverse ? 1 : 0;
  G[3] = keep ? 1 : 0;
  G[4] = steps.sizes.length;
  G[5] = steps.batch;
  G[6] = hiddenSize;
  G[7] = steps.rows;
  G[8] = isUniform(steps) ? -1 : 0;
}

/** Byte offsets of the parts of a state: y, h0, h_n, c_n. */
function places(layer: Layer, state: Tensor): [y: number, h0: number, hn: number, cn: number] {
  const { batch, rows } = layer.steps;
  const row = state.shape[1] * DTYPES[state.dtype].bytes;
  const start = offsetOf(state);
  const [y, h0] = layer.reverse ? [0, rows] : [batch, 0];
  return [start + y * row, start + h0 * row, start + (rows + batch) * row, start + (rows + 2 * batch) * row];
}

/**
 * Outputs and states under each other: h0 before the outputs (behind them in reverse), so that the states before all steps of
 * full batches are one run of rows; then h_n and, for an lstm, c_n.
 */
function fusedLayer(layer: Layer, x: Tensor, h0: Tensor, c0: Tensor | null, weights: LayerWeights): Tensor {
  const { op, cell, reverse, steps } = layer;
  const { weightIh, weightHh, biasIh, biasHh } = weights;
  const [batch, hiddenSize] = h0.shape;
  const inputs = [x, weightIh, weightHh, biasIh, biasHh, h0, c0];
  const keep = isGradEnabled() && inputs.some((input) => input?.requiresGrad);
  const before = setGradEnabled(false);
  let gates: Tensor;
  try {
    gates = linear(x, weightIh, biasIh);
  } finally {
    restoreGradEnabled(before);
  }
  const state = make(op, [steps.rows + (c0 === null ? 2 : 3) * batch, hiddenSize], x.dtype);
  const start = view(op, state, h0.shape, stridesOf(h0.shape), (reverse ? steps.rows : 0) * hiddenSize, true);
  copyInto(start, h0);
  start.dispose();
  const kept = keep && (cell === 'lstm' || cell === 'gru') ? make(op, [steps.rows, hiddenSize], x.dtype) : null;
  const w = dense(op, weightHh);
  const bias = biasHh && dense(op, biasHh);
  const cells = c0 && dense(op, c0);
  geometry(layer, hiddenSize, x.dtype, keep);
  [G[9], G[10], G[11], G[12]] = places(layer, state);
  G[13] = offsetOf(gates);
  G[14] = offsetOf(w);
  G[15] = bias === null ? -1 : offsetOf(bias);
  G[16] = cells === null ? -1 : offsetOf(cells);
  G[17] = kept === null ? -1 : offsetOf(kept);
  native.recurrent(
    state.storage.bytes,
    gates.storage.bytes,
    w.storage.bytes,
    bias?.storage.bytes ?? NO_BYTES,
    cells?.storage.bytes ?? NO_BYTES,
    kept?.storage.bytes ?? NO_BYTES,
    sizesBytes(steps),
  );
  dropCopy(w, weightHh);
  if (bias !== null) dropCopy(bias, biasHh as Tensor);
  if (cells !== null) dropCopy(cells, c0 as Tensor);
  if (!keep) {
    gates.dispose();
    return state;
  }
  const saved = [state, hidden(gates), ...(kept === null ? [] : [hidden(kept)])];
  return record(op, state, inputs, [...saved, ...inputs.filter((input) => input !== null)], (g, all, needs) => {
    const given = all.slice(saved.length);
    const own = inputs.map((input) => (input === null ? null : (given.shift() as Tensor)));
    if (!isGradEnabled()) return backward(layer, g, all.slice(0, saved.length), own, needs);
    return differentiate(op, own, needs, (parts) => composeState(layer, parts), g);
  });
}

/** What {@link fusedLayer} gives, in operations. */
function composeState(layer: Layer, inputs: readonly (Tensor | null)[]): Tensor {
  const [x, weightIh, weightHh] = inputs as Tensor[];
  const [biasIh, biasHh, h0, c0] = inputs.slice(3);
  const weights = { weightIh, weightHh, biasIh, biasHh, weightHr: null };
  const [y, h, c] = compose(layer, x, h0 as Tensor, c0, weights);
  const outputs = layer.reverse ? [y, h0 as Tensor] : [h0 as Tensor, y];
  return cat(c === null ? [...outputs, h] : [...outputs, h, c]);
}

/** The hidden state before each row [rows, H]. */
function statesBefore(layer: Layer, state: Tensor): Tensor {
  const { batch, rows, sizes } = layer.steps;
  if (isUniform(layer.steps)) return state.narrow(0, layer.reverse ? batch : 0, rows);
  const index = make(layer.op, [rows], 'int32');
  const at = index.typed();
  let first = 0;
  for (let t = 0; t < sizes.length; t++) {
    for (let r = 0; r < sizes[t]; r++) {
      if (layer.reverse) at[first + r] = r < (sizes[t + 1] ?? 0) ? first + sizes[t] + r : rows + r;
      else at[first + r] = t === 0 ? r : batch + first - sizes[t - 1] + r;
    }
    first += sizes[t];
  }
  return indexSelect(state, 0, index);
}

function backward(
  layer: Layer,
  g: Tensor,
  [state, gates, kept]: readonly Tensor[],
  inputs: readonly (Tensor | null)[],
  needs: readonly (Node | null)[],
): (Tensor | null)[] {
  const { op, cell, steps } = layer;
  const [x, weightIh, weightHh] = inputs as Tensor[];
  const c0 = inputs[6];
  const [rows, hiddenSize] = [steps.rows, state.shape[1]];
  const dstate = dense(op, g);
  const start = make(op, [(cell === 'lstm' ? 2 : 1) * steps.batch, hiddenSize], g.dtype);
  const dgates = make(op, [rows, GATES[cell] * hiddenSize], g.dtype);
  const dhidden = cell === 'gru' ? make(op, dgates.shape, g.dtype) : dgates;
  const w = dense(op, weightHh);
  const cells = c0 && dense(op, c0);
  geometry(layer, hiddenSize, g.dtype, true);
  G[9] = offsetOf(start);
  G[10] = offsetOf(start) + steps.batch * hiddenSize * DTYPES[g.dtype].bytes;
  G[11] = offsetOf(dgates);
  G[12] = offsetOf(dhidden);
  [G[13], , G[14], G[15]] = places(layer, dstate);
  [G[16], G[17]] = places(layer, state);
  G[18] = offsetOf(gates);
  G[19] = kept === undefined ? -1 : offsetOf(kept);
  G[20] = offsetOf(w);
  G[21] = cells === null ? -1 : offsetOf(cells);
  native.recurrentBackward(
    start.storage.bytes,
    dgates.storage.bytes,
    dhidden.storage.bytes,
    dstate.storage.bytes,
    state.storage.bytes,
    gates.storage.bytes,
    kept?.storage.bytes ?? NO_BYTES,
    w.storage.bytes,
    cells?.storage.bytes ?? NO_BYTES,
    sizesBytes(steps),
  );
  const dbiasIh = (needs[3] ?? (dhidden === dgates ? needs[4] : null)) && dgates.sum(0);
  return [
    needs[0] && matmul(dgates, weightIh),
    needs[1] && matmul(dgates.t(), x),
    needs[2] && matmul(dhidden.t(), statesBefore(layer, state)),
    needs[3] && dbiasIh,
    needs[4] && (dhidden === dgates ? dbiasIh : dhidden.sum(0)),
    needs[5] && start.narrow(0, 0, steps.batch),
    needs[6] && start.narrow(0, steps.batch, steps.batch),
  ];
}
