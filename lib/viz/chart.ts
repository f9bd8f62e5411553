// What all charts share: echarts, asked for at the first drawing, sizes in pixels and the colour of text.
import { describe, TensorError } from '../errors.js';

type Echarts = typeof import('echarts');
type Chart = ReturnType<Echarts['init']>;

/** Colour of text and axes. */
export const INK = '#333333';

async function loadEcharts(op: string): Promise<Echarts> {
  try {
    return await import('echarts');
  } catch (cause) {
    throw new TensorError(
      'value',
      op,
      "expected the package echarts, which draws plots; add it with 'npm install echarts'",
      { cause },
    );
  }
}

/** A width or height. */
export function checkSize(op: string, name: string, value: number | undefined, otherwise: number): number {
  if (value === undefined) return otherwise;
  if (Number.isInteger(value) && value >= 100 && value <= 10_000) return value;
  throw new TensorError(
    'value',
    op,
    `expected ${name} to be a whole number of pixels from 100 to 10000, got ${describe(value)}`,
  );
}

/** Draws a chart of echarts as SVG text. */
export async function render(
  op: string,
  width: number,
  height: number,
  option: Parameters<Chart['setOption']>[0],
): Promise<string> {
  const echarts = await loadEcharts(op);
  const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, width, height });
  try {
    chart.setOption(option);
    return chart.renderToSVGString();
  } finally {
    chart.dispose();
  }
}
