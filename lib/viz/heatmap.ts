// Matrices as pictures: attention, images, weights; SVG text, drawn by echarts on the server.
import { checkBoolean } from '../core/shape.js';
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
  /** Red below 0, white at 0, blue above, as for weights; false unless given. */
  signed?: boolean;
  /** Pixels, 900 unless given. */
  width?: number;
  /** Pixels; such that cells are square unless given. */
  height?: number;
}

/** Pixels around the cells, with axes and without. */
const MARGIN = { left: 76, right: 32, top: 52, bottom: 64 };
const BARE = { left: 32, right: 32, top: 52, bottom: 32 };
const SHADES = ['#ffffff', '#56b4e9', '#0072b2', '#002a45'];
const SIGNED = ['#8c2d00', '#d55e00', '#ffffff', '#0072b2', '#002a45'];

/**
 * Draws a matrix `[rows, columns]`, the first row on top: white for the smallest number, dark blue for the largest; with `signed` white
 * for 0, red for what is below and blue for what is above.
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
  checkOptions(op, options, ['title', 'xLabel', 'yLabel', 'axes', 'signed', 'width', 'height']);
  if (!(values instanceof Tensor) || values.ndim !== 2 || values.size === 0)
    throw new TensorError('shape', op, `expected a matrix [rows, columns] of numbers, got ${describe(values)}`);
  const cells = values.to('float64').toArray() as number[][];
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of cells.flat()) {
    if (!Number.isFinite(value)) throw new TensorError('value', op, `expected finite numbers, got ${value}`);
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  const signed = checkBoolean(op, 'signed', options?.signed ?? false);
  if (signed) {
    high = Math.max(Math.abs(low), Math.abs(high));
    low = -high;
  }
  const white = signed ? 0 : low;
  const [rows, columns] = values.shape;
  const width = checkSize(op, 'width', options?.width, 900);
  const axes = checkBoolean(op, 'axes', options?.axes ?? true);
  const margin = axes ? MARGIN : BARE;
  const square = ((width - margin.left - margin.right) * rows) / columns + margin.top + margin.bottom;
  const height = checkSize(op, 'height', options?.height, Math.min(10_000, Math.round(square)));
  const axis = {
    show: axes,
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
    grid: margin,
    xAxis: { ...axis, data: places(columns), name: options?.xLabel, nameGap: 28 },
    yAxis: { ...axis, data: places(rows), name: options?.yLabel, nameGap: 40, inverse: true },
    visualMap: { show: false, min: low, max: high, inRange: { color: signed ? SIGNED : SHADES } },
    series: {
      type: 'heatmap',
      // White as the ground is, and pictures are mostly ground.
      data: cells.flatMap((row, i) => row.flatMap((value, j) => (value === white ? [] : [[j, i, value]]))),
      progressive: 0,
    },
  });
}
