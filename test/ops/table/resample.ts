// Rows of interpolation, sampling on grids, and shuffles.
import * as cr from 'chainrule';
import { bad, drawn, type Row, vector } from './row.js';

const plane = cr.zeros([1, 1, 4, 4]);
const grid = cr.zeros([1, 2, 2, 2]);
const [image, volume] = [drawn([2, 2, 5, 4]), drawn([1, 2, 3, 4, 3])];
// Inside and outside, and never on the lines where neighbours change.
const points = drawn([2, 2, 3, 2], [-1.4, 1.4]);

const interpolated = (
  name: string,
  options: cr.InterpolateOptions,
  inputs: Row['inputs'],
  more: Partial<Row> = {},
): Row => ({
  name,
  call: (x) => cr.interpolate(x, options),
  inputs,
  ...more,
});

const sampled = (name: string, options: cr.GridSampleOptions, more: Partial<Row> = {}): Row => ({
  name,
  call: (x, points) => cr.gridSample(x, points, options),
  inputs: [[image, points]],
  empty: [drawn([0, 2, 5, 4]), drawn([0, 2, 3, 2])],
  ...more,
});

export const resample: readonly Row[] = [
  interpolated('interpolate', { scaleFactor: [1.7, 0.6] }, [[image]], {
    reference: ['interpolate'],
    errors: [
      ['value', () => cr.interpolate(plane, {})],
      ['value', () => cr.interpolate(plane, { size: 2, scaleFactor: 2 })],
      ['value', () => cr.interpolate(plane, { size: 0 })],
      ['value', () => cr.interpolate(plane, { scaleFactor: 0.1 })],
      ['value', () => cr.interpolate(plane, { size: [1, 2, 3] })],
      ['value', () => cr.interpolate(plane, { size: 2, mode: 'linear' })],
      ['value', () => cr.interpolate(plane, { size: 2, mode: bad('cubic') })],
      ['value', () => cr.interpolate(plane, { size: 2, alignCorners: true })],
      ['value', () => cr.interpolate(plane, { size: 2, antialias: true })],
      ['value', () => cr.interpolate(plane, { size: 2, recomputeScaleFactor: true })],
      ['shape', () => cr.interpolate(vector, { size: 2 })],
      ['shape', () => cr.interpolate(cr.zeros([1, 1, 0, 4]), { size: 2 })],
      ['dtype', () => cr.interpolate(plane.to('int32'), { size: 2 })],
      ['option', () => cr.interpolate(plane, bad({ scale: 2 }))],
    ],
  }),
  interpolated('interpolate (nearest-exact)', { size: 7, mode: 'nearest-exact' }, [[drawn([2, 2, 5])], [image]]),
  interpolated('interpolate (linear)', { size: 7, mode: 'linear' }, [[drawn([2, 2, 5])]]),
  interpolated('interpolate (bilinear)', { size: [3, 7], mode: 'bilinear', alignCorners: true }, [[image]]),
  interpolated('interpolate (trilinear)', { scaleFactor: 1.5, mode: 'trilinear' }, [[volume]]),
  interpolated('interpolate (bicubic)', { size: [3, 7], mode: 'bicubic' }, [[image]]),
  interpolated('interpolate (antialias)', { size: [3, 7], mode: 'bicubic', antialias: true }, [[image]]),
  interpolated('interpolate (area)', { size: [3, 7], mode: 'area' }, [[image]]),
  sampled(
    'gridSample',
    {},
    {
      reference: ['grid_sample'],
      errors: [
        ['shape', () => cr.gridSample(plane, cr.zeros([2, 2, 2, 2]))],
        ['shape', () => cr.gridSample(plane, cr.zeros([1, 2, 2, 3]))],
        ['shape', () => cr.gridSample(cr.zeros([1, 1, 0, 4]), grid)],
        ['shape', () => cr.gridSample(vector, grid)],
        ['dtype', () => cr.gridSample(plane, grid.to('float64'))],
        ['value', () => cr.gridSample(plane, grid, { mode: bad('linear') })],
        ['value', () => cr.gridSample(plane, grid, { paddingMode: bad('wrap') })],
        ['value', () => cr.gridSample(cr.zeros([1, 1, 2, 2, 2]), cr.zeros([1, 1, 1, 1, 3]), { mode: 'bicubic' })],
        ['option', () => cr.gridSample(plane, grid, bad({ padding: 'zeros' }))],
      ],
    },
  ),
  sampled('gridSample (border)', { paddingMode: 'border' }),
  sampled('gridSample (reflection)', { paddingMode: 'reflection', alignCorners: true }),
  sampled('gridSample (bicubic)', { mode: 'bicubic', paddingMode: 'reflection' }),
  {
    name: 'gridSample (nearest)',
    call: (x, points) => cr.gridSample(x, points, { mode: 'nearest', paddingMode: 'border' }),
    inputs: [[image, points]],
    derivatives: 0,
  },
  {
    name: 'gridSample (volume)',
    call: (x, points) => cr.gridSample(x, points),
    inputs: [[volume, drawn([1, 1, 2, 2, 3], [-1.3, 1.3])]],
    empty: [drawn([0, 2, 3, 4, 3]), drawn([0, 1, 2, 2, 3])],
  },
  {
    name: 'affineGrid',
    call: (theta) => cr.affineGrid(theta, [theta.shape[0], 1, 3, 4]),
    inputs: [[drawn([2, 2, 3])]],
    reference: ['affine_grid'],
    errors: [
      ['shape', () => cr.affineGrid(cr.zeros([2, 2, 3]), [1, 1, 3, 4])],
      ['shape', () => cr.affineGrid(cr.zeros([1, 3, 4]), [1, 1, 3, 4])],
      ['dtype', () => cr.affineGrid(cr.zeros([1, 2, 3], { dtype: 'int32' }), [1, 1, 3, 4])],
    ],
  },
  {
    name: 'pixelShuffle',
    call: (x) => cr.pixelShuffle(x, 2),
    inputs: [[drawn([2, 8, 2, 3])], [drawn([4, 2, 1])]],
    reference: ['pixel_shuffle'],
    errors: [
      ['shape', () => cr.pixelShuffle(cr.zeros([3, 2, 2]), 2)],
      ['shape', () => cr.pixelShuffle(vector, 1)],
      ['value', () => cr.pixelShuffle(plane, 0)],
    ],
  },
  {
    name: 'pixelUnshuffle',
    call: (x) => cr.pixelUnshuffle(x, 2),
    inputs: [[drawn([2, 2, 4, 6])], [drawn([3, 2, 2])]],
    reference: ['pixel_unshuffle'],
    errors: [
      ['shape', () => cr.pixelUnshuffle(cr.zeros([1, 3, 2]), 2)],
      ['value', () => cr.pixelUnshuffle(plane, 1.5)],
    ],
  },
  {
    name: 'channelShuffle',
    call: (x) => cr.channelShuffle(x, 3),
    inputs: [[drawn([2, 6, 2])], [drawn([1, 6, 2, 2])]],
    errors: [
      ['shape', () => cr.channelShuffle(plane, 2)],
      ['value', () => cr.channelShuffle(plane, 0)],
    ],
  },
];
