// How many elements, or how much of their weight, lies between edges; in one dimension and in several.
import { checkFloat, checkTensor, filled, isTensor, make } from '../../core/dispatch.js';
import { noGrad } from '../../core/mode.js';
import { composite, composites } from '../../core/scope.js';
import {
  checkBoolean,
  checkInteger,
  checkNumber,
  checkShape,
  formatShape,
  sameShape,
  sizeOf,
} from '../../core/shape.js';
import { checkOptions, describe, TensorError } from '../../errors.js';
import type { Tensor } from '../../tensor.js';
import { where } from '../shape/join.js';
import { bincount, searchsorted } from './search.js';

/** Options of {@link histogram} and {@link histogramdd}. */
export interface HistogramOptions {
  /** Lowest and highest edge of each dimension; the smallest and largest element unless given. */
  range?: readonly number[];
  /** What each element counts for; 1 unless given. */
  weight?: Tensor;
  /** Divide by the sum and by the width of each bin, so that the integral is 1; false unless given. */
  density?: boolean;
}

function checkHistogram(
  op: string,
  x: Tensor,
  outer: readonly number[],
  options: HistogramOptions | undefined,
): boolean {
  checkFloat(op, checkTensor(op, x));
  checkOptions(op, options, ['range', 'weight', 'density']);
  const { weight } = options ?? {};
  if (weight !== undefined) {
    checkFloat(op, checkTensor(op, weight, 'weights'), 'the weights');
    if (!sameShape(weight.shape, outer)) {
      throw new TensorError(
        'shape',
        op,
        `expected weights of shape ${formatShape(outer)}, got ${formatShape(weight.shape)}`,
      );
    }
  }
  return checkBoolean(op, 'density', options?.density ?? false);
}

/** The edges of one dimension: as given, or evenly spaced over the range. */
function edgesOf(op: string, x: Tensor, bins: number | Tensor, range: readonly number[] | undefined): Tensor {
  if (isTensor(bins)) {
    const { ndim, size, shape } = checkFloat(op, checkTensor(op, bins, 'edges'), 'the edges');
    if (ndim !== 1 || size === 0) {
      throw new TensorError('shape', op, `expected edges of shape [n + 1], got ${formatShape(shape)}`);
    }
    return bins.to(x.dtype).clone();
  }
  const n = checkInteger(op, 'the number of bins', bins, 1, 2 ** 30);
  let [low, high] = range ?? (x.size === 0 ? [0, 1] : [x.amin().item(), x.amax().item()]);
  checkNumber(op, 'the lowest edge', low);
  if (!Number.isFinite(low) || !Number.isFinite(high) || high < low) {
    throw new TensorError('value', op, `expected a finite range from low to high, got ${low} to ${high}; give range`);
  }
  if (low === high) [low, high] = [low - 0.5, high + 0.5];
  const edges = make(op, [n + 1], x.dtype);
  const list = edges.typed();
  // From both ends, as PyTorch's linspace counts.
  const step = (high - low) / n;
  for (let i = 0; i <= n; i++) list[i] = i <= n / 2 ? low + i * step : high - (n - i) * step;
  return edges;
}

/** The bin of each element; the number of bins for what lies outside. */
function binsOf(x: Tensor, edges: Tensor): Tensor {
  const count = edges.size - 1;
  const found = searchsorted(edges, x, { right: true }).sub(1);
  // The last bin holds its upper edge; NaN is found behind all, and so outside.
  const place = where(x.eq(edges.select(0, count)), count - 1, found);
  return where(place.lt(0), count, place.clamp(0, count));
}

/** Sums over bins, divided to a density where asked for. */
function fill(
  op: string,
  place: Tensor,
  edges: readonly Tensor[],
  x: Tensor,
  weight: Tensor | undefined,
  density: boolean,
) {
  const shape = edges.map((e) => e.size - 1);
  const total = sizeOf(checkShape(op, shape));
  const weights = weight?.reshape([weight.size]) ?? filled(op, place.shape, x.dtype, 1);
  const counts = bincount(place, { weights, minlength: total + 1 });
  const hist = counts.narrow(0, 0, total).reshape(shape).to(x.dtype);
  if (!density) return hist;
  return edges.reduce((y, e, i) => {
    const width = e.narrow(0, 1, shape[i]).sub(e.narrow(0, 0, shape[i]));
    return y.div(width.reshape(shape.map((n, j) => (i === j ? n : 1))));
  }, hist.div(hist.sum()));
}

/** The result of {@link histogram}. */
export interface Histogram {
  /** How many elements, or how much weight, lies in each bin. */
  hist: Tensor;
  /** One more than bins. */
  edges: Tensor;
}

/**
 * Counts elements between edges: `hist[i]` for `edges[i] <= x < edges[i + 1]`, the last bin with its upper edge; what lies
 * outside and NaN is left out. Not recorded (PyTorch: `torch.histogram`).
 *
 * @param bins their number, or a sorted vector of edges
 * @throws TensorError `dtype` unless all is floating point, `shape` for weights or edges that do not fit, `value` for a range
 * that is not finite or fewer than one bin
 *
 * @example
 * ```ts
 * import { histogram, tensor } from 'chainrule';
 * const { hist, edges } = histogram(tensor([1, 2, 1]), 4, { range: [0, 3] });
 * console.log(hist.toArray(), edges.toArray()); // [0, 2, 1, 0] [0, 0.75, 1.5, 2.25, 3]
 * ```
 */
export function histogram(x: Tensor, bins: number | Tensor, options?: HistogramOptions): Histogram {
  const op = 'histogram';
  const density = checkHistogram(op, x, checkTensor(op, x).shape, options);
  const { range, weight } = options ?? {};
  if (range !== undefined && (!Array.isArray(range) || range.length !== 2)) {
    throw new TensorError('value', op, `expected a range [low, high], got ${describe(range)}`);
  }
  const [hist, edges] = noGrad(() =>
    composites(() => {
      const e = edgesOf(op, x, bins, range);
      const y = composite(() => fill(op, binsOf(x.reshape([x.size]), e), [e], x, weight, density));
      return [y, e];
    }),
  );
  return { hist, edges };
}

/** The result of {@link histogramdd}. */
export interface HistogramDd {
  /** How many points, or how much weight, lies in each bin; one dimension for each of theirs. */
  hist: Tensor;
  /** The edges of each dimension. */
  edges: Tensor[];
}

/**
 * Counts points between edges in each of their dimensions, as {@link histogram} does in one. Not recorded (PyTorch:
 * `torch.histogramdd`).
 *
 * @param x points [..., dimensions]
 * @param bins one number for all dimensions, or for each a number or a sorted vector of edges
 * @throws TensorError `dtype` unless all is floating point, `shape` for weights or edges that do not fit, `value` for bins or a
 * range that do not fit
 *
 * @example
 * ```ts
 * import { histogramdd, tensor } from 'chainrule';
 * const { hist } = histogramdd(tensor([[0, 1], [1, 0], [2, 0], [2, 2]]), [3, 3]);
 * console.log(hist.toArray()); // [[0, 1, 0], [1, 0, 0], [1, 0, 1]]
 * ```
 */
export function histogramdd(
  x: Tensor,
  bins: number | readonly (number | Tensor)[],
  options?: HistogramOptions,
): HistogramDd {
  const op = 'histogramdd';
  if (checkTensor(op, x).ndim < 2) {
    throw new TensorError('shape', op, `expected points [..., dimensions], got ${formatShape(x.shape)}`);
  }
  const density = checkHistogram(op, x, x.shape.slice(0, -1), options);
  const { range, weight } = options ?? {};
  const count = x.shape[x.ndim - 1];
  const list = typeof bins === 'number' ? new Array<number>(count).fill(bins) : bins;
  if (!Array.isArray(list) || list.length !== count || count > 8 || count === 0) {
    throw new TensorError('value', op, `expected bins for each of ${count} dimensions, 1 to 8, got ${describe(bins)}`);
  }
  if (range !== undefined && (!Array.isArray(range) || range.length !== 2 * count)) {
    throw new TensorError('value', op, `expected a range of ${2 * count} numbers, got ${describe(range)}`);
  }
  const [hist, ...edges] = noGrad(() =>
    composites(() => {
      const points = x.reshape([x.size / count, count]);
      const columns = points.unbind(1);
      const all = columns.map((column, i) => edgesOf(op, column, list[i], range?.slice(2 * i, 2 * i + 2)));
      const total = sizeOf(
        checkShape(
          op,
          all.map((e) => e.size - 1),
        ),
      );
      if (total > 2 ** 30) throw new TensorError('value', op, `expected at most 2^30 bins, got ${total}`);
      const y = composite(() => {
        const places = columns.map((column, i) => binsOf(column, all[i]));
        const outside = places.map((p, i) => p.eq(all[i].size - 1)).reduce((a, b) => a.logicalOr(b));
        const place = places.reduce((sum, p, i) => sum.mul(all[i].size - 1).add(p));
        return fill(op, where(outside, total, place), all, x, weight, density);
      });
      return [y, ...all];
    }),
  );
  return { hist, edges };
}
