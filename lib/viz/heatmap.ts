// Matrices as pictures: attention, images, weights; SVG text, drawn by echarts on the server.
import { checkOptions, describe, TensorError } from '../errors.js';
import { Tensor } from '../tensor.js';
import { checkSize, INK, render } from './chart.js';

/** Options of {@link heatmap}. */
export interface HeatmapOptions {
  title?: string;
  xLabel?: string;
  yLabel?: string;
  /** Number the rows and columns; true unless given. For images false. */
  axes?: boolean;
  /** Pixels, 900 unless given. */
  width?: number;
  /** Pixels; such that cells are square unless given. */
  height?: number;
}

/** Pixels around the cells: to the left, to the right, above and below. */
const MARGIN = { left: 76, right: 32, top: 52, bottom: 64 };

/**
 * Draws a matrix `[rows, columns]`, the first row on top: white for the smallest number, dark blue for the largest.
 *
 * Needs the optional package echarts, which is loaded at the first call.
 *
 * @returns the text of an SVG file
 * @throws TensorError `shape` for other than a matrix with at least one number, `value` without echarts, for NaN, infinities or a
 * bad size, `option` for an unknown option
 *
 * @example
 * ```ts
 * import { tensor, viz } from 'chainrule';
 * const svg = await viz.heatmap(tensor([[0, 1], [1, 0]]), { title: 'exclusive or' });
 * console.log(svg.startsWith('<svg')); // true
 * ```
 */
export async function heatmap(values: Tensor, options?: HeatmapOptions): Promise<string> {
  const op = 'heatmap';
  checkOptions(op, options, ['title', 'xLabel', 'yLabel', 'axes', 'width', 'height']);
  if (!(values instanceof Tensor) || values.ndim !== 2 || values.size === 0)
    throw new TensorError('shape', op, `expected a matrix [rows, columns] of numbers, got ${describe(values)}`);
  const cells = values.to('float64').toArray() as number[][];
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of cells.flat()) {
    if (!Number.isFinite(value)) throw new TensorError('value', op, `expected finite numbers, got ${value}`);
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  const [rows, columns] = values.shape;
  const width = checkSize(op, 'width', options?.width, 900);
  const square = ((width - MARGIN.left - MARGIN.right) * rows) / columns + MARGIN.top + MARGIN.bottom;
  const height = checkSize(op, 'height', options?.height, Math.min(10_000, Math.round(square)));
  const axis = {
    show: options?.axes ?? true,
    type: 'category' as const,
    nameLocation: 'middle' as const,
    nameTextStyle: { color: INK, fontSize: 13 },
    axisLabel: { color: INK, fontSize: 12 },
    axisLine: { show: true, onZero: false, lineStyle: { color: INK } },
    axisTick: { show: false },
    splitLine: { show: false },
  };
  const places = (count: number) => Array.from({ length: count }, (_, i) => i);
  return render(op, width, height, {
    animation: false,
    backgroundColor: '#ffffff',
    textStyle: { fontFamily: 'Helvetica, Arial, sans-serif' },
    title: { text: options?.title, left: 'center', textStyle: { color: INK, fontSize: 18 } },
    grid: MARGIN,
    xAxis: { ...axis, data: places(columns), name: options?.xLabel, nameGap: 28 },
    yAxis: { ...axis, data: places(rows), name: options?.yLabel, nameGap: 40, inverse: true },
    visualMap: { show: false, min: low, max: high, inRange: { color: ['#ffffff', '#56b4e9', '#0072b2', '#002a45'] } },
    series: {
      type: 'heatmap',
      // The smallest are white as the ground is: pictures are mostly ground.
      data: cells.flatMap((row, i) => row.flatMap((value, j) => (value === low ? [] : [[j, i, value]]))),
      progressive: 0,
    },
  });
}
