// Line charts as SVG text, drawn by echarts on the server: losses and accuracies over a run.
import { checkOptions, describe, TensorError } from '../errors.js';
import { checkSize, INK, render } from './chart.js';

/** One line of a chart. */
export interface PlotSeries {
  /** What the legend calls it. */
  name: string;
  /** The points, in the order in which a line joins them; NaN and infinities leave a gap. */
  points: readonly (readonly [x: number, y: number])[];
  /** The axis it is read from, 'left' unless given. */
  axis?: 'left' | 'right';
  /** Draw every point as a dot: for few points; false unless given. */
  dots?: boolean;
  /** Join the points by a line; true unless given. Without one they are drawn as dots. */
  line?: boolean;
  /** Thin and grey, for what stands behind the others; false unless given. */
  faint?: boolean;
}

/** Options of {@link linePlot}. */
export interface LinePlotOptions {
  title?: string;
  /** A smaller line under the title. */
  subtitle?: string;
  xLabel?: string;
  leftLabel?: string;
  rightLabel?: string;
  /** Show the right axis in percent of 1; false unless given. */
  rightPercent?: boolean;
  /** Draw the left axis in powers of ten, which leaves out what is not above 0; false unless given. */
  leftLog?: boolean;
  /** Draw the x axis in powers of ten, which leaves out what is not above 0; false unless given. */
  xLog?: boolean;
  /** Where the right axis starts; at the smallest value unless given. */
  rightMin?: number;
  /** Pixels, 900 unless given. */
  width?: number;
  /** Pixels, 480 unless given. */
  height?: number;
}

/** What a training run recorded, for {@link lossPlot}. */
export interface TrainingHistory {
  /** Loss of every step, in order. */
  losses: ArrayLike<number>;
  /** Steps an epoch. */
  stepsPerEpoch: number;
  /** What was measured at some points of the run; `epoch` counts from 0 and may be a fraction. */
  tests?: readonly { epoch: number; accuracy?: number; loss?: number }[];
}

/** Options of {@link lossPlot}. */
export type LossPlotOptions = Pick<LinePlotOptions, 'title' | 'subtitle' | 'width' | 'height'>;

const SERIES_OPTIONS = ['name', 'points', 'axis', 'dots', 'line', 'faint'];
const LINE_OPTIONS = [
  'title',
  'subtitle',
  'xLabel',
  'leftLabel',
  'rightLabel',
  'rightPercent',
  'leftLog',
  'xLog',
  'rightMin',
  'width',
  'height',
];
// Colours of Okabe and Ito (2008), which colour-blind readers can tell apart.
const COLORS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9'];
const FAINT = '#e3e3e3';
const GREY = '#b0b0b0';
/** Points of a training curve: the noise of single steps hides its course. */
const BUCKETS = 150;
/** Pixels of the legend: a symbol with its space, between two entries, from line to line. */
const LEGEND = { icon: 32, gap: 28, line: 42 };

/**
 * Draws lines over a common x axis, on one or two y axes.
 *
 * Needs the optional package echarts, which is loaded at the first call.
 *
 * @returns the text of an SVG file
 * @throws TensorError `value` without echarts, without series, for series without a name or points, and for a bad size, `option` for
 * an unknown option of the plot or of a series
 *
 * @example
 * ```ts
 * import { viz } from 'chainrule';
 * const svg = await viz.linePlot([{ name: 'square', points: [[0, 0], [1, 1], [2, 4]] }], { title: 'x squared' });
 * console.log(svg.startsWith('<svg')); // true
 * ```
 */
export async function linePlot(series: readonly PlotSeries[], options?: LinePlotOptions): Promise<string> {
  const op = 'linePlot';
  checkOptions(op, options, LINE_OPTIONS);
  if (!Array.isArray(series) || series.length === 0) {
    throw new TensorError('value', op, `expected an array of series to draw, got ${describe(series)}`);
  }
  for (const [i, one] of series.entries()) checkSeries(op, i, one);
  const width = checkSize(op, 'width', options?.width, 900);
  const height = checkSize(op, 'height', options?.height, 480);
  return render(op, width, height, chartOption(series, options ?? {}, width));
}

function checkSeries(op: string, i: number, series: PlotSeries): void {
  checkOptions(op, series, SERIES_OPTIONS);
  const { name, points } = series ?? {};
  if (typeof name !== 'string') {
    throw new TensorError('value', op, `expected series ${i} to have a name, got ${describe(name)}`);
  }
  const pair = (point: unknown) =>
    Array.isArray(point) && point.length === 2 && point.every((v) => typeof v === 'number');
  const wrong = Array.isArray(points) ? points.find((point) => !pair(point)) : points;
  if (!Array.isArray(points) || wrong !== undefined) {
    throw new TensorError('value', op, `expected points [x, y] in series '${name}', got ${describe(wrong)}`);
  }
}

/** echarts computes powers of ten with their rounding errors: 0.0001 would read 0.00009999999999999999. */
function tickLabel(value: number): string {
  const exact = Number(value.toPrecision(6));
  const size = Math.abs(exact);
  return size >= 1e7 || (size < 1e-4 && size > 0) ? exact.toExponential().replace('e+', 'e') : String(exact);
}

/** An axis of the powers of ten around the values. Of its own logarithmic axes echarts labels one power, or each tenth. */
function logAxis(values: readonly number[]) {
  const positive = values.filter((v) => v > 0 && v < Infinity);
  const [low, high] = extent(positive.map(Math.log10));
  const min = Math.floor(low);
  return { min, max: Math.max(Math.ceil(high), min + 1), minInterval: 1 };
}

/** Names of the series in the lines of the legend. A letter of 13 pixels is at most 7 wide on average. */
function legendLines(series: readonly PlotSeries[], width: number): string[][] {
  const room = width - 2 * LEGEND.gap;
  const wide = (name: string) => LEGEND.icon + 7 * name.length + LEGEND.gap;
  let left = room;
  const lines: string[][] = [[]];
  for (const { name } of series) {
    if (left < wide(name) && left < room) {
      lines.push([]);
      left = room;
    }
    lines[lines.length - 1].push(name);
    left -= wide(name);
  }
  return lines;
}

function chartOption(
  series: readonly PlotSeries[],
  options: LinePlotOptions,
  width: number,
): Parameters<typeof render>[3] {
  const hasPlace = (s: PlotSeries, x: number, y: number) =>
    !(options.xLog && x <= 0) && !(options.leftLog && s.axis !== 'right' && y <= 0);
  // Faint series take none of the colours.
  const colours = series.map((_, i) => COLORS[series.slice(0, i).filter((s) => !s.faint).length % COLORS.length]);
  const legend = legendLines(series, width);
  const twoAxes = series.some((s) => s.axis === 'right');
  const xs = series.flatMap((s) => s.points.map(([x]) => x)).filter(Number.isFinite);
  const ys = series.flatMap((s) => (s.axis === 'right' ? [] : s.points.map(([, y]) => y)));
  const place = (value: number, log: boolean | undefined) => {
    const at = log ? Math.log10(value) : value;
    return Number.isFinite(at) ? at : Number.NaN;
  };
  const label = (log: boolean | undefined) => (value: number) => tickLabel(log ? 10 ** value : value);
  const axis = {
    type: 'value' as const,
    nameLocation: 'middle' as const,
    nameTextStyle: { color: INK, fontSize: 13 },
    axisLabel: { color: INK, fontSize: 12 },
    axisLine: { show: true, onZero: false, lineStyle: { color: INK } },
    axisTick: { show: true },
  };
  const left = {
    ...axis,
    name: options.leftLabel,
    nameGap: 48,
    ...(options.leftLog && logAxis(ys)),
    axisLabel: { ...axis.axisLabel, formatter: label(options.leftLog) },
    splitLine: { lineStyle: { color: FAINT } },
  };
  // The axis takes the colour of its line, which says who belongs to whom.
  const rightColor = colours[series.findIndex((s) => s.axis === 'right')];
  const right = {
    ...axis,
    name: options.rightLabel,
    nameTextStyle: { ...axis.nameTextStyle, color: rightColor },
    axisLine: { ...axis.axisLine, lineStyle: { color: rightColor } },
    nameGap: 54,
    // A curve from 0.97 to 0.99 is flat on an axis from 0; the axis labels say where it starts.
    scale: true,
    min: options.rightMin,
    max: options.rightPercent ? 1 : undefined,
    interval: options.rightPercent && options.rightMin !== undefined ? (1 - options.rightMin) / 5 : undefined,
    axisLabel: {
      ...axis.axisLabel,
      color: rightColor,
      formatter: options.rightPercent ? (value: number) => `${Number((value * 100).toFixed(2))} %` : undefined,
    },
    splitLine: { show: false },
  };
  return {
    animation: false,
    backgroundColor: '#ffffff',
    textStyle: { fontFamily: 'Helvetica, Arial, sans-serif' },
    title: {
      text: options.title,
      subtext: options.subtitle,
      left: 'center',
      textStyle: { color: INK, fontSize: 18 },
      subtextStyle: { color: '#666666', fontSize: 13 },
    },
    legend: {
      bottom: 8,
      itemGap: LEGEND.gap,
      data: legend.flatMap((line, i) => (i > 0 ? ['\n', ...line] : line)),
      icon: 'roundRect',
      itemHeight: 4,
      textStyle: { color: INK, fontSize: 13 },
    },
    grid: {
      left: 76,
      right: twoAxes ? 84 : 32,
      top: options.subtitle ? 76 : 52,
      bottom: 84 + LEGEND.line * (legend.length - 1),
    },
    xAxis: {
      ...axis,
      name: options.xLabel,
      nameGap: 28,
      axisLabel: {
        ...axis.axisLabel,
        // The axis ends where the points do, which needs no label where that is between two ticks.
        formatter: (value: number) =>
          Number(value.toPrecision(3)) === Number(value.toPrecision(6)) ? label(options.xLog)(value) : '',
      },
      ...(options.xLog ? logAxis(xs) : { min: Math.min(0, ...extent(xs)), max: extent(xs)[1] }),
      splitLine: { show: false },
    },
    yAxis: twoAxes ? [left, right] : left,
    series: series.map((s, i) => ({
      type: s.line === false ? ('scatter' as const) : ('line' as const),
      name: s.name,
      data: s.points
        .filter(([x, y]) => hasPlace(s, x, y))
        .map(([x, y]) => [place(x, options.xLog), place(y, options.leftLog && s.axis !== 'right')]),
      yAxisIndex: s.axis === 'right' ? 1 : 0,
      showSymbol: s.dots === true,
      symbol: 'circle',
      symbolSize: s.line === false ? 4 : 7,
      color: s.faint ? GREY : colours[i],
      lineStyle: { width: s.faint ? 1 : 2 },
    })),
  };
}

function extent(values: readonly number[]): [number, number] {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return values.length === 0 ? [0, 1] : [low, high];
}

/** Means of equal stretches of the steps, each at the middle of its stretch, in epochs. */
function smooth(losses: ArrayLike<number>, stepsPerEpoch: number): [number, number][] {
  const points: [number, number][] = [];
  const width = Math.max(1, Math.ceil(losses.length / BUCKETS));
  for (let from = 0; from < losses.length; from += width) {
    const to = Math.min(losses.length, from + width);
    let sum = 0;
    for (let i = from; i < to; i++) sum += losses[i];
    points.push([(from + to) / 2 / stepsPerEpoch, sum / (to - from)]);
  }
  return points;
}

/**
 * Draws the course of a training run over its epochs: losses on the left axis, accuracy on the right.
 *
 * @returns the text of an SVG file
 * @throws TensorError `value` without echarts or for a history without steps, `option` for an unknown option
 *
 * @example
 * ```ts
 * import { viz } from 'chainrule';
 * const svg = await viz.lossPlot({ losses: [2.3, 1.1, 0.6, 0.5], stepsPerEpoch: 2, tests: [{ epoch: 2, accuracy: 0.9 }] });
 * console.log(svg.includes('test accuracy')); // true
 * ```
 */
export async function lossPlot(history: TrainingHistory, options?: LossPlotOptions): Promise<string> {
  const op = 'lossPlot';
  checkOptions(op, options, ['title', 'subtitle', 'width', 'height']);
  const { losses, stepsPerEpoch, tests = [] } = history ?? {};
  if (typeof losses?.length !== 'number' || losses.length === 0) {
    throw new TensorError('value', op, `expected the loss of at least one step, got ${describe(losses)}`);
  }
  if (!(stepsPerEpoch > 0))
    throw new TensorError('value', op, `expected stepsPerEpoch above 0, got ${describe(stepsPerEpoch)}`);
  const series: PlotSeries[] = [{ name: 'training loss', points: smooth(losses, stepsPerEpoch) }];
  const pick = (key: 'loss' | 'accuracy') =>
    tests.flatMap((test) => (test[key] === undefined ? [] : [[test.epoch, test[key]] as const]));
  const [testLoss, accuracy] = [pick('loss'), pick('accuracy')];
  if (testLoss.length > 0) series.push({ name: 'test loss', points: testLoss, dots: true });
  if (accuracy.length > 0) series.push({ name: 'test accuracy', points: accuracy, axis: 'right', dots: true });
  return linePlot(series, {
    ...options,
    xLabel: 'epoch',
    leftLabel: 'loss',
    // Losses fall by orders of magnitude; on a straight axis all but the first epoch would lie on the ground.
    leftLog: true,
    rightLabel: accuracy.length > 0 ? 'accuracy' : undefined,
    rightPercent: accuracy.length > 0,
    // At least the last 5 %, so that tenths of a percent do not look like a leap; a fifth of each is a round number.
    rightMin: [0.95, 0.9, 0.75, 0.5].find((start) => accuracy.every(([, y]) => y >= start)) ?? 0,
  });
}
