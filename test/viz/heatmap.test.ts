// Pictures of matrices: a cell for every number above the smallest, mistakes are told.
import { describe, expect, it } from 'vitest';
import { tensor, zeros } from '../../lib/index.js';
import { heatmap } from '../../lib/viz/heatmap.js';

/** The colours of the cells, in the order they are drawn. */
const colours = (svg: string) =>
  [...svg.matchAll(/<path[^>]* fill="(rgb\([^)]*\))"(?! fill-opacity="0")/g)].map(([, colour]) => colour);

describe('heatmap', () => {
  it('draws darker what is larger and leaves white what is smallest', async () => {
    const values = [
      [0, 1, 2],
      [2, 0, 0.5],
    ];
    const svg = await heatmap(tensor(values), { title: 'A title', xLabel: 'across', yLabel: 'down' });
    for (const text of ['A title', 'across', 'down', '>0<', '>2<']) expect(svg).toContain(text);
    const [one, two, again, half] = colours(svg);
    expect(colours(svg)).toHaveLength(4);
    expect(again).toBe(two);
    expect(new Set([one, two, half]).size).toBe(3);
  });

  it('has square cells unless a height is given, takes booleans and what is the same everywhere', async () => {
    expect(await heatmap(zeros([2, 8]), { width: 308 })).toMatch(/^<svg width="308" height="166"/);
    expect(await heatmap(zeros([2, 8]), { height: 300 })).toMatch(/^<svg width="900" height="300"/);
    expect(colours(await heatmap(tensor([[true, false]])))).toHaveLength(1);
  });

  it('leaves the numbers of rows and columns out where they are not wanted', async () => {
    const image = tensor([[0, 1]]);
    expect(await heatmap(image)).toContain('>1</text>');
    const bare = await heatmap(image, { axes: false });
    expect(bare).not.toContain('</text>');
    expect(bare).toMatch(/^<svg width="900" height="502"/); // and the room they took
    await expect(heatmap(image, { axes: 'x' } as never)).rejects.toThrow('[heatmap] expected axes');
  });

  it('draws signed numbers around 0', async () => {
    const [least, small, most] = colours(await heatmap(tensor([[-2, 0, 1, 2]]), { signed: true }));
    expect(least).toBe('rgb(140,45,0)');
    expect(most).toBe('rgb(0,42,69)');
    expect(small).toBe('rgb(0,114,178)');
    expect(colours(await heatmap(tensor([[0, 1]]), { signed: true }))).toEqual([most]);
    await expect(heatmap(tensor([[0, 1]]), { signed: 1 } as never)).rejects.toThrow('[heatmap] expected signed');
  });

  it('refuses what is no matrix, NaN, bad sizes and unknown options', async () => {
    await expect(heatmap(zeros([2]))).rejects.toThrow('[heatmap] expected a matrix [rows, columns]');
    await expect(heatmap(zeros([2, 0]))).rejects.toThrow('[heatmap] expected a matrix [rows, columns]');
    await expect(heatmap([[1]] as never)).rejects.toThrow('[heatmap] expected a matrix [rows, columns]');
    await expect(heatmap(tensor([[1, Number.NaN]]))).rejects.toThrow('[heatmap] expected finite numbers, got NaN');
    await expect(heatmap(zeros([1, 1]), { width: 3 })).rejects.toThrow('[heatmap] expected width');
    await expect(heatmap(zeros([1, 1]), { titel: 'x' } as never)).rejects.toThrow("got 'titel'");
  });
});
