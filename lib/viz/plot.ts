// Line charts as SVG text, drawn by echarts on the server: losses and accuracies over a run.
import { checkOptions, describe, TensorError } from '../errors.js';
import { checkSize, INK, render } from './chart.js';

/** One line of a chart. */
export interface PlotSeries {
  /** What the legend calls it. */
  name: string;
  /** The points of the line, in the order of x. */
  points: readonly (readonly [x: number, y: number])[];
  /** The axis it is read from, 'left' unless given. */
  axis?: 'left' | 'right';
  /** Draw every point as a dot: for few points; false unless given. */
  dots?: boolean;
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
/** Points of a training curve: the noise of single steps hides its course. */
const BUCKETS = 150;

/**
 * Draws lines over a common x axis, on one or two y axes.
 *
 * Needs the optional package echarts, which is loaded at the first call.
 *
 * @returns the text of an SVG file
 * @throws TensorError `value` without echarts, without series or for a bad size, `option` for an unknown option
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
  const width = checkSize(op, 'width', options?.width, 900);
  const height = checkSize(op, 'height', options?.height, 480);
  return render(op, width, height, chartOption(series, options ?? {}));
}

/** echarts computes powers of ten with their rounding errors: 0.0001 would read 0.00009999999999999999. */
function tickLabel(value: number): string {
  const exact = Number(value.toPrecision(6));
  return Math.abs(exact) >= 1e7 ? exact.toExponential().replace('e+', 'e') : String(exact);
}

/** The powers of ten around the values; echarts itself leaves room for several more. */
function decades(values: readonly number[]): { min?: number; max?: number } {
  const [low, high] = extent(values.filter((y) => y > 0 && y < Infinity));
  if (!(low <= high)) return {};
  return {
    min: 10 ** Math.floor(Math.log10(low)),
    max: 10 ** Math.max(Math.ceil(Math.log10(high)), Math.floor(Math.log10(low)) + 1),
  };
}

function chartOption(series: readonly PlotSeries[], options: LinePlotOptions): Parameters<typeof render>[3] {
  const hasPlace = (s: PlotSeries, x: number, y: number) =>
    !(options.xLog && x <= 0) && !(options.leftLog && s.axis !== 'right' && y <= 0);
  const twoAxes = series.some((s) => s.axis === 'right');
  const xs = series.flatMap((s) => s.points.map(([x]) => x));
  const axis = {
    type: 'value' as const,
    nameLocation: 'middle' as const,
    nameTextStyle: { color: INK, fontSize: 13 },
    axisLabel: { color: INK, fontSize: 12 },
    axisLine: { show: true, lineStyle: { color: INK } },
    axisTick: { show: true },
  };
  const left = {
    ...axis,
    name: options.leftLabel,
    nameGap: 48,
    type: options.leftLog ? ('log' as const) : ('value' as const),
    scale: options.leftLog === true,
    ...(options.leftLog && decades(series.flatMap((s) => (s.axis === 'right' ? [] : s.points.map(([, y]) => y))))),
    axisLabel: { ...axis.axisLabel, formatter: tickLabel },
    splitLine: { lineStyle: { color: FAINT } },
  };
  // The axis takes the colour of its line, which says who belongs to whom.
  const rightColor = COLORS[series.findIndex((s) => s.axis === 'right') % COLORS.length];
  const right = {
    ...axis,
    name: options.rightLabel,
    nameTextStyle: { ...axis.nameTextStyle, color: rightColor },
    axisLine: { show: true, lineStyle: { color: rightColor } },
    nameGap: 54,
    // A curve from 0.97 to 0.99 is flat on an axis from 0; the axis labels say where it starts.
    scale: true,
    min: options.rightMin,
    max: options.rightPercent ? 1 : undefined,
    axisLabel: {
      ...axis.axisLabel,
      color: rightColor,
      formatter: options.rightPercent ? (value: number) => `${Number((value * 100).toFixed(2))} %` : undefined,
    },
    splitLine: { show: false },
  };
  return {
    animation: false,
    color: COLORS,
    backgroundColor: '#ffffff',
    textStyle: { fontFamily: 'Helvetica, Arial, sans-serif' },
    title: {
      text: options.title,
      subtext: options.subtitle,
      left: 'center',
      textStyle: { color: INK, fontSize: 18 },
      subtextStyle: { color: '#666666', fontSize: 13 },
    },
    legend: { bottom: 8, itemGap: 36, icon: 'roundRect', itemHeight: 4, textStyle: { color: INK, fontSize: 13 } },
    grid: { left: 76, right: twoAxes ? 84 : 32, top: options.subtitle ? 76 : 52, bottom: 84 },
    xAxis: {
      ...axis,
      name: options.xLabel,
      nameGap: 28,
      axisLabel: { ...axis.axisLabel, formatter: tickLabel },
      type: options.xLog ? ('log' as const) : ('value' as const),
      min: options.xLog ? undefined : Math.min(0, ...extent(xs)),
      max: options.xLog ? undefined : extent(xs)[1],
      splitLine: { show: false },
    },
    yAxis: twoAxes ? [left, right] : left,
    series: series.map((s) => ({
      type: 'line' as const,
      name: s.name,
      data: s.points.filter(([x, y]) => hasPlace(s, x, y)).map(([x, y]) => [x, y]),
      yAxisIndex: s.axis === 'right' ? 1 : 0,
      showSymbol: s.dots === true,
      symbol: 'circle',
      symbolSize: 7,
      lineStyle: { width: 2 },
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
    // In steps of 5 %, so that the last tenths of a percent do not look like a leap.
    rightMin: Math.floor(Math.min(0.999, ...accuracy.map(([, y]) => y)) * 20) / 20,
  });
}
