// One step of a recurrent network: what a cell makes of an input and its state.
import { checkFloat, checkTensor } from '../../core/dispatch.js';
import { composite, composites } from '../../core/scope.js';
import { formatShape } from '../../core/shape.js';
import { describe, TensorError } from '../../errors.js';
import type { Tensor } from '../../tensor.js';
import { linear } from '../product/matmul.js';

/** A kind of cell, by its nonlinearity or its name. */
export type Cell = 'tanh' | 'relu' | 'lstm' | 'gru';

/** Products of input and state a cell has: rows of its weights are so many times its hidden size. */
export const GATES: Readonly<Record<Cell, number>> = { tanh: 1, relu: 1, lstm: 4, gru: 3 };

/** The next state from the products `W_ih x + b_ih` and `W_hh h + b_hh` [n, gates H] and the states [n, H]. */
export function advance(
  cell: Cell,
  input: Tensor,
  hidden: Tensor,
  h: Tensor,
  c: Tensor | null,
): [h: Tensor, c: Tensor | null] {
  if (cell === 'gru') {
    const [xr, xz, xn] = input.chunk(3, -1);
    const [hr, hz, hn] = hidden.chunk(3, -1);
    const r = xr.add(hr).sigmoid();
    const z = xz.add(hz).sigmoid();
    const n = xn.add(r.mul(hn)).tanh();
    return [n.add(z.mul(h.sub(n))), null];
  }
  const sum = input.add(hidden);
  if (cell !== 'lstm') return [cell === 'tanh' ? sum.tanh() : sum.relu(), null];
  const [i, f, g, o] = sum.chunk(4, -1);
  const next = f
    .sigmoid()
    .mul(c as Tensor)
    .add(i.sigmoid().mul(g.tanh()));
  return [o.sigmoid().mul(next.tanh()), next];
}

/** The float32 or float64 tensors of a layer, of one dtype. */
export function checkParts(op: string, parts: readonly (readonly [name: string, x: Tensor | null])[]): void {
  const [, first] = parts[0];
  for (const [name, x] of parts) {
    if (x === null) continue;
    checkFloat(op, checkTensor(op, x, `${name} as a tensor`), name);
    if (x.dtype !== first?.dtype) {
      throw new TensorError(
        'dtype',
        op,
        `expected one dtype, got ${first?.dtype} for the input and ${x.dtype} for ${name}; convert with x.to(...)`,
      );
    }
  }
}

export function checkExactly(op: string, name: string, x: Tensor | null, shape: readonly number[]): void {
  if (x === null || (x.ndim === shape.length && x.shape.every((size, i) => size === shape[i]))) return;
  throw new TensorError('shape', op, `expected ${name} of shape ${formatShape(shape)}, got ${formatShape(x.shape)}`);
}

/** The weights of a cell fit each other and the input. */
export function checkWeights(
  op: string,
  cell: Cell,
  x: Tensor,
  weightIh: Tensor,
  weightHh: Tensor,
  biasIh: Tensor | null,
  biasHh: Tensor | null,
): void {
  const inputs = x.shape[x.ndim - 1];
  const hidden = weightHh.ndim === 2 ? weightHh.shape[1] : 0;
  const rows = GATES[cell] * hidden;
  checkExactly(op, 'hidden weights', weightHh, [rows, hidden]);
  checkExactly(op, `input weights for the input ${formatShape(x.shape)}`, weightIh, [rows, inputs]);
  checkExactly(op, 'an input bias', biasIh, [rows]);
  checkExactly(op, 'a hidden bias', biasHh, [rows]);
}

function run(
  op: string,
  cell: Cell,
  x: Tensor,
  h: Tensor,
  c: Tensor | null,
  weightIh: Tensor,
  weightHh: Tensor,
  biasIh: Tensor | null,
  biasHh: Tensor | null,
): [h: Tensor, c: Tensor | null] {
  checkParts(op, [
    ['the input', x],
    ['the hidden state', h],
    ['the cell state', c],
    ['the input weights', weightIh],
    ['the hidden weights', weightHh],
    ['the input bias', biasIh],
    ['the hidden bias', biasHh],
  ]);
  if (x.ndim !== 1 && x.ndim !== 2)
    throw new TensorError('shape', op, `expected an input [N, in] or [in], got ${formatShape(x.shape)}`);
  checkWeights(op, cell, x, weightIh, weightHh, biasIh, biasHh);
  const shape = [...x.shape.slice(0, -1), weightHh.shape[1]];
  checkExactly(op, 'a hidden state', h, shape);
  checkExactly(op, 'a cell state', c, shape);
  return composites(() => advance(cell, linear(x, weightIh, biasIh), linear(h, weightHh, biasHh), h, c));
}

/**
 * One step of a simple recurrent network: `h' = tanh(W_ih x + b_ih + W_hh h + b_hh)` (Elman 1990; PyTorch:
 * `torch.rnn_tanh_cell`).
 *
 * @param x [N, in] or [in]
 * @param h [N, H] or [H]
 * @param weightIh [H, in]
 * @param weightHh [H, H]
 * @param biasIh [H]; none unless given
 * @param biasHh [H]; none unless given
 * @throws TensorError `shape` where sizes do not go together, `dtype` unless all are of one floating dtype
 *
 * @example
 * ```ts
 * import { rnnTanhCell, zeros } from 'chainrule';
 * console.log(rnnTanhCell(zeros([2, 3]), zeros([2, 4]), zeros([4, 3]), zeros([4, 4])).shape); // [2, 4]
 * ```
 */
export function rnnTanhCell(
  x: Tensor,
  h: Tensor,
  weightIh: Tensor,
  weightHh: Tensor,
  biasIh: Tensor | null = null,
  biasHh: Tensor | null = null,
): Tensor {
  return composite(() => run('rnnTanhCell', 'tanh', x, h, null, weightIh, weightHh, biasIh, biasHh)[0]);
}

/**
 * One step of a simple recurrent network: `h' = max(W_ih x + b_ih + W_hh h + b_hh, 0)` (PyTorch: `torch.rnn_relu_cell`).
 *
 * Shapes and errors are those of {@link rnnTanhCell}.
 *
 * @throws TensorError `shape` where sizes do not go together, `dtype` unless all are of one floating dtype
 *
 * @example
 * ```ts
 * import { ones, rnnReluCell, zeros } from 'chainrule';
 * console.log(rnnReluCell(ones([3]), zeros([1]), ones([1, 3]), zeros([1, 1])).toArray()); // [3]
 * ```
 */
export function rnnReluCell(
  x: Tensor,
  h: Tensor,
  weightIh: Tensor,
  weightHh: Tensor,
  biasIh: Tensor | null = null,
  biasHh: Tensor | null = null,
): Tensor {
  return composite(() => run('rnnReluCell', 'relu', x, h, null, weightIh, weightHh, biasIh, biasHh)[0]);
}

/**
 * One step of a gated recurrent unit: `r, z = sigmoid(...)`, `n = tanh(W_in x + b_in + r (W_hn h + b_hn))`,
 * `h' = (1 - z) n + z h` (Cho et al. 2014; PyTorch: `torch.gru_cell`).
 *
 * @param x [N, in] or [in]
 * @param h [N, H] or [H]
 * @param weightIh [3H, in], gates in the order r, z, n
 * @param weightHh [3H, H]
 * @param biasIh [3H]; none unless given
 * @param biasHh [3H]; none unless given
 * @throws TensorError `shape` where sizes do not go together, `dtype` unless all are of one floating dtype
 *
 * @example
 * ```ts
 * import { gruCell, ones, zeros } from 'chainrule';
 * console.log(gruCell(zeros([2]), ones([1]), zeros([3, 2]), zeros([3, 1])).toArray()); // [0.5]
 * ```
 */
export function gruCell(
  x: Tensor,
  h: Tensor,
  weightIh: Tensor,
  weightHh: Tensor,
  biasIh: Tensor | null = null,
  biasHh: Tensor | null = null,
): Tensor {
  return composite(() => run('gruCell', 'gru', x, h, null, weightIh, weightHh, biasIh, biasHh)[0]);
}

/**
 * One step of a long short-term memory: `i, f, o = sigmoid(...)`, `g = tanh(...)`, each of `W_ih x + b_ih + W_hh h + b_hh`;
 * `c' = f c + i g`, `h' = o tanh c'` (Hochreiter and Schmidhuber 1997; PyTorch: `torch.lstm_cell`).
 *
 * @param x [N, in] or [in]
 * @param state hidden and cell state, each [N, H] or [H]
 * @param weightIh [4H, in], gates in the order i, f, g, o
 * @param weightHh [4H, H]
 * @param biasIh [4H]; none unless given
 * @param biasHh [4H]; none unless given
 * @returns the next hidden and cell state
 * @throws TensorError `shape` where sizes do not go together, `dtype` unless all are of one floating dtype, `value` for
 * a state that is no pair
 *
 * @example
 * ```ts
 * import { lstmCell, ones, zeros } from 'chainrule';
 * const [h, c] = lstmCell(zeros([2]), [zeros([1]), ones([1])], zeros([4, 2]), zeros([4, 1]));
 * console.log(h.shape, c.toArray()); // [1] [0.5]
 * ```
 */
export function lstmCell(
  x: Tensor,
  state: readonly [h: Tensor, c: Tensor],
  weightIh: Tensor,
  weightHh: Tensor,
  biasIh: Tensor | null = null,
  biasHh: Tensor | null = null,
): [h: Tensor, c: Tensor] {
  const op = 'lstmCell';
  if (!Array.isArray(state) || state.length !== 2)
    throw new TensorError('value', op, `expected a state [h, c], got ${describe(state)}`);
  const c = checkTensor(op, state[1], 'a cell state');
  return run(op, 'lstm', x, state[0], c, weightIh, weightHh, biasIh, biasHh) as [Tensor, Tensor];
}
