// Undoing maximum pooling: values back to where they stood, zeros between them.
import { checkTensor, filled } from '../../core/dispatch.js';
import { fused } from '../../core/fused.js';
import { checkValues } from '../../core/range.js';
import { checkInteger, formatShape, type Shape, sameShape, sizeOf } from '../../core/shape.js';
import { checkOptions, describe, TensorError } from '../../errors.js';
import type { Tensor } from '../../tensor.js';
import { gather } from '../index/index.js';
import { scatter } from '../index/scatter.js';
import { checkPlanes, checkSizes, type Pair, type Single, type Triple } from './window.js';

/** Options of unpooling: those of the pooling it undoes. */
export interface MaxUnpoolOptions<S> {
  /** Step of the window; its size unless given. */
  stride?: S;
  /** Border that the pooling added; 0 unless given. */
  padding?: S;
  /** Sizes of the result, less than a step away from `(n - 1) stride - 2 padding + size`, which is taken unless given. */
  outputSize?: readonly number[];
}

/**
 * Puts the values of {@link maxPool1d} back to where they stood: `[N,C,L'] -> [N,C,L]`, zeros elsewhere; of several for one
 * place the last stays (PyTorch: `F.max_unpool1d`).
 *
 * @param indices positions in the result, int32, as `maxPool1d` returns them
 * @param size of the window
 * @throws TensorError `index` for a position outside the result, `shape` unless indices and values have one shape, `value`
 * for an output size the pooling could not have had
 *
 * @example
 * ```ts
 * import { maxPool1d, maxUnpool1d, tensor } from 'chainrule';
 * const { values, indices } = maxPool1d(tensor([[1, 3, 2, 4]]), 2, { returnIndices: true });
 * console.log(maxUnpool1d(values, indices, 2).toArray()); // [[0, 3, 0, 4]]
 * ```
 */
export function maxUnpool1d(x: Tensor, indices: Tensor, size: Single, options?: MaxUnpoolOptions<Single>): Tensor {
  return unpool('maxUnpool1d', x, indices, 1, size, options);
}

/**
 * Puts the values of {@link maxPool2d} back to where they stood: `[N,C,H',W'] -> [N,C,H,W]`, zeros elsewhere; of several for
 * one place the last stays (PyTorch: `F.max_unpool2d`).
 *
 * @param indices positions in the planes of the result, int32, as `maxPool2d` returns them
 * @param size of the window, one number or [height, width]
 * @throws TensorError `index` for a position outside the plane, `shape` unless indices and values have one shape, `value`
 * for an output size the pooling could not have had
 *
 * @example
 * ```ts
 * import { maxPool2d, maxUnpool2d, tensor } from 'chainrule';
 * const { values, indices } = maxPool2d(tensor([[[1, 2], [4, 3]]]), 2, { returnIndices: true });
 * console.log(maxUnpool2d(values, indices, 2).toArray()); // [[[0, 0], [4, 0]]]
 * ```
 */
export function maxUnpool2d(x: Tensor, indices: Tensor, size: Pair, options?: MaxUnpoolOptions<Pair>): Tensor {
  return unpool('maxUnpool2d', x, indices, 2, size, options);
}

/**
 * Puts the values of {@link maxPool3d} back to where they stood: `[N,C,D',H',W'] -> [N,C,D,H,W]`, zeros elsewhere; of several
 * for one place the last stays (PyTorch: `F.max_unpool3d`).
 *
 * @param indices positions in the volumes of the result, int32, as `maxPool3d` returns them
 * @param size of the window, one number or [depth, height, width]
 * @throws TensorError `index` for a position outside the volume, `shape` unless indices and values have one shape, `value`
 * for an output size the pooling could not have had
 *
 * @example
 * ```ts
 * import { maxPool3d, maxUnpool3d, ones } from 'chainrule';
 * const { values, indices } = maxPool3d(ones([1, 2, 4, 4]), 2, { returnIndices: true });
 * console.log(maxUnpool3d(values, indices, 2).sum().item()); // 4
 * ```
 */
export function maxUnpool3d(x: Tensor, indices: Tensor, size: Triple, options?: MaxUnpoolOptions<Triple>): Tensor {
  return unpool('maxUnpool3d', x, indices, 3, size, options);
}

function outputSizes<S>(
  op: string,
  x: Tensor,
  n: number,
  size: S,
  options: MaxUnpoolOptions<S> | undefined,
): readonly number[] {
  const window = checkSizes(op, 'the window size', size, n, 1);
  const stride = checkSizes(op, 'stride', options?.stride ?? window, n, 1);
  const padding = checkSizes(op, 'padding', options?.padding ?? 0, n, 0);
  const usual = x.shape.slice(x.ndim - n).map((k, i) => (k - 1) * stride[i] + window[i] - 2 * padding[i]);
  const given: unknown = options?.outputSize ?? usual;
  if (!Array.isArray(given) || (given.length !== n && given.length !== n + 2)) {
    throw new TensorError('value', op, `expected an outputSize of ${n} numbers, got ${describe(given)}`);
  }
  return given.slice(-n).map((k, i) => {
    if (options?.outputSize === undefined && k > 0) return k;
    const low = Math.max(usual[i] - stride[i] + 1, 1);
    return checkInteger(op, 'an output size', k, low, Math.max(usual[i] + stride[i] - 1, low));
  });
}

function unpool<S>(
  op: string,
  x: Tensor,
  indices: Tensor,
  n: number,
  size: S,
  options: MaxUnpoolOptions<S> | undefined,
): Tensor {
  checkOptions(op, options, ['stride', 'padding', 'outputSize']);
  checkPlanes(op, x, n);
  checkTensor(op, indices, 'a tensor of indices');
  if (indices.dtype !== 'int32') {
    throw new TensorError('dtype', op, `expected indices of dtype int32, got ${indices.dtype}`);
  }
  if (!sameShape(indices.shape, x.shape)) {
    throw new TensorError(
      'shape',
      op,
      `expected indices of the shape ${formatShape(x.shape)} of the values, got ${formatShape(indices.shape)}`,
    );
  }
  const lead = x.shape.slice(0, x.ndim - n);
  return placed(op, x, indices, lead, outputSizes(op, x, n, size, options));
}

function placed(op: string, x: Tensor, indices: Tensor, lead: Shape, out: Shape): Tensor {
  const [planes, size] = [sizeOf(lead), sizeOf(out)];
  checkValues(op, indices, 0, size - 1, (read, place) => {
    return new TensorError('index', op, `expected indices between 0 and ${size - 1}, got ${read.read(place)}`);
  });
  const each = planes === 0 ? 0 : x.size / planes;
  const { shape } = x;
  const forward = () => {
    const zeros = filled(op, [planes, size], x.dtype, 0);
    const y = scatter(zeros, 1, indices.reshape([planes, each]), x.reshape([planes, each]));
    return y.reshape([...lead, ...out]);
  };
  // As in PyTorch a value that another one replaced has a gradient too.
  return fused(op, [x], [indices], forward, (g, [at]) =>
    gather(g.reshape([planes, size]), 1, at.reshape([planes, each])).reshape(shape),
  );
}
