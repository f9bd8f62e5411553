// Plots: the SVG holds what was asked for, mistakes are told.
import { afterEach, describe, expect, it, vi } from 'vitest';
import { TensorError } from '../../lib/errors.js';
import { linePlot, lossPlot } from '../../lib/viz/plot.js';

const losses = Array.from({ length: 600 }, (_, i) => 2.3 * Math.exp(-i / 60));

describe('linePlot', () => {
  it('draws titles, labels, legend and a path for every series', async () => {
    const svg = await linePlot(
      [
        {
          name: 'first',
          points: [
            [0, 1],
            [1, 2],
            [2, 4],
          ],
        },
        {
          name: 'second',
          points: [
            [0, 0.5],
            [2, 0.75],
          ],
          axis: 'right',
        },
      ],
      {
        title: 'A title',
        subtitle: 'below it',
        xLabel: 'across',
        leftLabel: 'up',
        rightLabel: 'down',
        rightPercent: true,
        width: 640,
        height: 320,
      },
    );
    expect(svg).toMatch(/^<svg width="640" height="320"/);
    for (const text of ['A title', 'below it', 'across', 'up', 'down', 'first', 'second', '90 %'])
      expect(svg).toContain(text);
    expect(svg).not.toContain('NaN');
  });

  it('draws sizes in powers of ten and leaves out what has no place there', async () => {
    const points = [0, 1, 1000].map((x) => [x, x + 1] as const);
    const [log, plain] = await Promise.all(
      [true, false].map((xLog) => linePlot([{ name: 'cost', points, dots: true }], { xLog })),
    );
    expect(log).toContain('>100<');
    expect(plain).not.toContain('>100<');
    const dots = (svg: string) => svg.match(/<path d="M1 0A1 1/g)?.length ?? 0;
    expect([dots(log), dots(plain)]).toEqual([2, 3]);
  });

  it('has a left axis of the powers of ten around its values', async () => {
    const svg = await linePlot(
      [
        {
          name: 'size',
          points: [
            [0, 3e-12],
            [1, 5e9],
          ],
        },
      ],
      { leftLog: true },
    );
    const labels = [...svg.matchAll(/>(\d[^<]*)<\/text>/g)].map(([, text]) => text);
    expect(labels).toContain('1e-12');
    expect(labels).toContain('1e10');
    expect(labels.filter((text) => Number(text) < 1e-12 && Number(text) > 0)).toEqual([]);
  });

  it('draws points without a line as dots, and what is faint in grey, which takes no colour', async () => {
    const points = [0, 1, 2].map((x) => [x, x] as const);
    const svg = await linePlot([
      { name: 'behind', points, faint: true },
      { name: 'scattered', points, line: false },
    ]);
    expect(svg.match(/<path d="M1 0A1 1/g)).toHaveLength(3);
    const lines = [...svg.matchAll(/<path d="M\S+ \S+L[^>]*stroke="(#\w+)"[^>]*>/g)].map(([, colour]) => colour);
    expect(lines.filter((colour) => colour === '#b0b0b0')).toHaveLength(1);
    expect(lines).not.toContain('#0072b2');
    expect(svg).toContain('#0072b2'); // the dots have the first colour
    expect(svg).not.toContain('#d55e00');
  });

  it('leaves a gap where a point is NaN', async () => {
    const parts = async (middle: number) => {
      const svg = await linePlot([{ name: 'a', points: [0, 1, middle, 3, 4].map((x) => [x, x] as const) }]);
      expect(svg).not.toMatch(/NaN|Infinity/);
      return /<path d="(M[^"]*)"[^>]*stroke="#0072b2"/.exec(svg)?.[1].match(/M/g)?.length;
    };
    expect([await parts(2), await parts(Number.NaN), await parts(Infinity)]).toEqual([1, 2, 2]);
  });

  it('makes room for a legend of several lines', async () => {
    const points = [0, 1].map((x) => [x, x] as const);
    const plot = (count: number) =>
      linePlot(Array.from({ length: count }, (_, k) => ({ name: `a rather long name of series ${k}`, points })));
    const heights = (svg: string, text: RegExp) =>
      [...svg.matchAll(/translate\(\S+ ([\d.]+)\)"[^>]*>([^<]*)<\/text>/g)].flatMap(([, y, found]) =>
        text.test(found) ? Number(y) : [],
      );
    const svg = await plot(9);
    const axis = Math.max(...heights(svg, /^[\d.]+$/));
    const legend = heights(svg, /name of series/);
    expect(legend).toHaveLength(9);
    expect(new Set(legend).size).toBe(3);
    expect(Math.min(...legend)).toBeGreaterThan(axis + 20);
    expect(axis).toBeLessThan(Math.max(...heights(await plot(2), /^[\d.]+$/)));
  });

  it('escapes what would be markup', async () => {
    const svg = await linePlot([{ name: 'a < b & c', points: [[0, 0]] }]);
    expect(svg).toContain('a &lt; b &amp; c');
  });

  it('refuses nothing to draw, bad sizes and unknown options', async () => {
    await expect(linePlot([])).rejects.toThrow('[linePlot] expected an array of series');
    for (const [series, message] of [
      [undefined, 'expected series 0 to have a name, got undefined'],
      [{ points: [] }, 'expected series 0 to have a name, got undefined'],
      [{ name: 'a' }, "expected points [x, y] in series 'a', got undefined"],
      [{ name: 'a', points: [[1, 2], [3]] }, "expected points [x, y] in series 'a', got [3]"],
      [{ name: 'a', points: [[1, '2']] }, "expected points [x, y] in series 'a', got"],
      [{ name: 'a', points: [], dot: true }, "got 'dot'"],
    ] as const)
      await expect(linePlot([series as never])).rejects.toThrow(message);
    await expect(linePlot([{ name: 'a', points: [] }], { width: 3 })).rejects.toThrow('[linePlot] expected width');
    await expect(linePlot([{ name: 'a', points: [] }], { titel: 'x' } as never)).rejects.toThrow("got 'titel'");
  });
});

describe('without echarts', () => {
  afterEach(() => {
    vi.doUnmock('echarts');
    vi.resetModules();
  });

  it('says what to install', async () => {
    vi.resetModules();
    vi.doMock('echarts', () => {
      throw new Error('Cannot find package');
    });
    const plot = await import('../../lib/viz/plot.js');
    await expect(plot.linePlot([{ name: 'a', points: [] }])).rejects.toThrow("add it with 'npm install echarts'");
  });
});

describe('lossPlot', () => {
  it('draws losses and accuracy', async () => {
    const svg = await lossPlot(
      {
        losses,
        stepsPerEpoch: 200,
        tests: [
          { epoch: 1, loss: 0.3, accuracy: 0.9 },
          { epoch: 3, loss: 0.1, accuracy: 0.98 },
        ],
      },
      { title: 'Run' },
    );
    for (const text of ['Run', 'training loss', 'test loss', 'test accuracy', 'epoch', 'loss'])
      expect(svg).toContain(text);
    const percents = [...svg.matchAll(/>(\d+) %</g)].map(([, text]) => Number(text));
    expect(percents).toEqual([90, 92, 94, 96, 98, 100]);
  });

  it('thins long runs and takes short ones', async () => {
    const long = await lossPlot({ losses: new Float32Array(100_000).fill(1), stepsPerEpoch: 1000 });
    expect(long.length).toBeLessThan(30_000);
    const short = await lossPlot({ losses: [1], stepsPerEpoch: 1 });
    expect(short).toContain('training loss');
    expect(short).not.toContain('test accuracy');
  });

  it('writes powers of ten as such, and takes losses of 0', async () => {
    const falling = Array.from({ length: 600 }, (_, i) => (i === 599 ? 0 : 10 ** (-i / 100)));
    const svg = await lossPlot({ losses: falling, stepsPerEpoch: 100 });
    for (const label of ['>0.0001<', '>0.01<', '>1<']) expect(svg).toContain(label);
    expect(svg).not.toMatch(/9999|NaN|Infinity/);
  });

  it('refuses an empty history', async () => {
    await expect(lossPlot({ losses: [], stepsPerEpoch: 1 })).rejects.toThrow(TensorError);
    await expect(lossPlot({ losses: [1], stepsPerEpoch: 0 })).rejects.toThrow(
      '[lossPlot] expected stepsPerEpoch above 0',
    );
  });
});
