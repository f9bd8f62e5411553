// Sliding windows as columns of a matrix (im2col), and columns added back to where they came from (col2im).
import { binaryInPlace, checkFloat, checkTensor, copyInto, filled, make, view } from '../../core/dispatch.js';
import { fused } from '../../core/fused.js';
import { composite } from '../../core/scope.js';
import { checkPair, formatShape, type Shape } from '../../core/shape.js';
import { checkOptions, TensorError } from '../../errors.js';
import { kernelId } from '../../native.js';
import type { Tensor } from '../../tensor.js';

type Pair = number | readonly [number, number];

/** Options of {@link unfold} and {@link fold}; pairs are [height, width]. */
export interface FoldOptions {
  /** Distance between the taps of the window; 1 unless given. */
  dilation?: Pair;
  /** Zeros on each side; 0 unless given. */
  padding?: Pair;
  /** Step of the window; 1 unless given. */
  stride?: Pair;
}

interface Window {
  readonly size: readonly [number, number];
  readonly dilation: readonly [number, number];
  readonly padding: readonly [number, number];
  readonly stride: readonly [number, number];
}

const ADD = kernelId('binary', 'add');

function parse(op: string, kernelSize: Pair, options: FoldOptions | undefined): Window {
  checkOptions(op, options, ['dilation', 'padding', 'stride']);
  return {
    size: checkPair(op, 'the kernel size', kernelSize, 1),
    dilation: checkPair(op, 'dilation', options?.dilation ?? 1, 1),
    padding: checkPair(op, 'padding', options?.padding ?? 0, 0),
    stride: checkPair(op, 'stride', options?.stride ?? 1, 1),
  };
}

/** How many windows there are along height and width of an input of these sizes; below 1 where none fits. */
function countOf(sizes: readonly number[], win: Window): [number, number] {
  const [rows, columns] = sizes.map(
    (n, i) => Math.floor((n + 2 * win.padding[i] - win.dilation[i] * (win.size[i] - 1) - 1) / win.stride[i]) + 1,
  );
  return [rows, columns];
}

/** The windows of padded [N,C,H,W] as [N,C,kh,kw,rows,columns]: a view in which they overlap. */
function windows(x: Tensor, win: Window, [rows, columns]: readonly [number, number]): Tensor {
  const [n, c, h, w] = x.strides;
  const shape = [x.shape[0], x.shape[1], ...win.size, rows, columns];
  const strides = [n, c, h * win.dilation[0], w * win.dilation[1], h * win.stride[0], w * win.stride[1]];
  return view(x.op, x, shape, strides, x.offset, false);
}

/** What is left of padded [N,C,H,W] without its padding: a view. */
function inner(x: Tensor, shape: Shape, win: Window): Tensor {
  const offset = x.offset + win.padding[0] * x.strides[2] + win.padding[1] * x.strides[3];
  return view(x.op, x, shape, x.strides, offset, false);
}

function zerosAround(op: string, [n, c, h, w]: Shape, dtype: Tensor['dtype'], win: Window): Tensor {
  return filled(op, [n, c, h + 2 * win.padding[0], w + 2 * win.padding[1]], dtype, 0);
}

/** [N, C kh kw, L] from [N,C,H,W]. */
function toColumns(x: Tensor, win: Window): Tensor {
  const op = 'unfold';
  const { shape } = x;
  const count = countOf(shape.slice(2), win);
  const channels = shape[1] * win.size[0] * win.size[1];
  const forward = () => {
    const y = make(op, [shape[0], channels, count[0] * count[1]], x.dtype);
    if (y.size === 0) return y;
    let padded = x;
    if (win.padding[0] > 0 || win.padding[1] > 0) {
      padded = zerosAround(op, shape, x.dtype, win);
      copyInto(inner(padded, shape, win), x);
    }
    const seen = windows(padded, win, count);
    copyInto(y.reshape(seen.shape), seen);
    return y;
  };
  return fused(op, [x], [], forward, (g) => fromColumns(g, shape, win));
}

/** [N,C,H,W] of the given shape from [N, C kh kw, L]; one strided addition for each place of the window. */
function fromColumns(x: Tensor, shape: Shape, win: Window): Tensor {
  const op = 'fold';
  const count = countOf(shape.slice(2), win);
  const forward = () => {
    const padded = zerosAround(op, shape, x.dtype, win);
    if (x.size > 0 && padded.size > 0) {
      const to = windows(padded, win, count);
      const from = x.reshape(to.shape);
      for (let i = 0; i < win.size[0]; i++)
        for (let j = 0; j < win.size[1]; j++)
          binaryInPlace(ADD, to.select(2, i).select(2, j), from.select(2, i).select(2, j));
    }
    return win.padding[0] === 0 && win.padding[1] === 0 ? padded : inner(padded, shape, win).contiguous();
  };
  return fused(op, [x], [], forward, (g) => toColumns(g, win));
}

/**
 * Sliding windows as columns: `x [N,C,H,W]` or `[C,H,W]` to `[N, C kh kw, L]`, where column l holds what window l of all
 * channels sees, windows counted row by row (im2col; PyTorch: `F.unfold`).
 *
 * @param kernelSize of the window, one number or [height, width]
 * @throws TensorError `shape` where the window does not fit, `dtype` for integers
 *
 * @example
 * ```ts
 * import { nn, tensor } from 'chainrule';
 * const columns = nn.functional.unfold(tensor([[[1, 2, 3], [4, 5, 6]]]), [2, 2]);
 * console.log(columns.toArray()); // [[1, 2], [2, 3], [4, 5], [5, 6]]
 * ```
 */
export function unfold(x: Tensor, kernelSize: Pair, options?: FoldOptions): Tensor {
  const op = 'unfold';
  checkFloat(op, checkTensor(op, x));
  const win = parse(op, kernelSize, options);
  if (x.ndim === 3) return composite(() => unfold(x.unsqueeze(0), kernelSize, options).squeeze(0));
  if (x.ndim !== 4 || x.shape.slice(1).includes(0)) {
    throw new TensorError(
      'shape',
      op,
      `expected an input of shape [N, C, H, W] or [C, H, W] with no size of 0 but the batch, got ${formatShape(x.shape)}`,
    );
  }
  if (countOf(x.shape.slice(2), win).some((n) => n < 1)) {
    throw new TensorError(
      'shape',
      op,
      `expected a window no larger than the padded input, got window ${formatShape(win.size)} for input ${formatShape(x.shape)}`,
    );
  }
  return toColumns(x, win);
}

/**
 * Columns added back to where {@link unfold} would take them from: `x [N, C kh kw, L]` or `[C kh kw, L]` to
 * `y [N,C,H,W]`; elements that several windows see are sums (col2im; PyTorch: `F.fold`).
 *
 * @param outputSize [height, width] of the result, or one number for both
 * @param kernelSize of the window, one number or [height, width]
 * @throws TensorError `shape` where the columns are not those of such a result, `dtype` for integers
 *
 * @example
 * ```ts
 * import { nn, ones } from 'chainrule';
 * console.log(nn.functional.fold(ones([4, 2]), [2, 3], 2).toArray()); // [[[1, 2, 1], [1, 2, 1]]]
 * ```
 */
export function fold(x: Tensor, outputSize: Pair, kernelSize: Pair, options?: FoldOptions): Tensor {
  const op = 'fold';
  checkFloat(op, checkTensor(op, x));
  const sizes = checkPair(op, 'the output size', outputSize, 1);
  const win = parse(op, kernelSize, options);
  if (x.ndim === 2) return composite(() => fold(x.unsqueeze(0), outputSize, kernelSize, options).squeeze(0));
  const taps = win.size[0] * win.size[1];
  const [rows, columns] = countOf(sizes, win);
  const channels = x.shape[1] / taps;
  const fits = x.ndim === 3 && channels >= 1 && Number.isInteger(channels) && x.shape[2] === rows * columns;
  if (!fits || rows < 1 || columns < 1) {
    throw new TensorError(
      'shape',
      op,
      `expected columns [N, C ${taps}, ${Math.max(rows, 0)} ${Math.max(columns, 0)}] for a result of size ${formatShape(sizes)} and windows ${formatShape(win.size)}, got ${formatShape(x.shape)}`,
    );
  }
  return fromColumns(x, [x.shape[0], channels, ...sizes], win);
}
