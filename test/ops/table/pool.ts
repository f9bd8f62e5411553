// Rows of pooling, adaptive pooling and unpooling.
import * as cr from 'chainrule';
import { bad, drawn, ints, type Row, vector } from './row.js';

const row = (
  name: string,
  reference: readonly string[],
  shape: readonly number[],
  call: Row['call'],
  errors: Row['errors'],
): Row => ({
  name,
  call,
  inputs: [[drawn(shape)], [drawn(shape.slice(1))]],
  empty: [drawn([0, ...shape.slice(1)])],
  reference,
  errors,
});

const line = cr.zeros([1, 1, 4]);
const plane = cr.zeros([1, 1, 4, 4]);
const volume = cr.zeros([1, 1, 4, 4, 4]);

export const pool: readonly Row[] = [
  row('maxPool1d', ['max_pool1d'], [2, 2, 7], (x) => cr.maxPool1d(x, 3, { stride: 2, padding: 1, ceilMode: true }), [
    ['shape', () => cr.maxPool1d(line, 5)],
    ['shape', () => cr.maxPool1d(vector, 2)],
    ['value', () => cr.maxPool1d(line, 2, { padding: 2 })],
    ['value', () => cr.maxPool1d(line, bad([2, 2]))],
  ]),
  row('maxPool2d', ['max_pool2d'], [2, 2, 5, 4], (x) => cr.maxPool2d(x, 2, { stride: 1, padding: 1 }), [
    ['shape', () => cr.maxPool2d(plane, 5)],
    ['shape', () => cr.maxPool2d(cr.zeros([1, 1, 0, 4]), 1)],
    ['value', () => cr.maxPool2d(plane, 2, { padding: 2 })],
    ['value', () => cr.maxPool2d(plane, 2, { stride: 0 })],
    ['value', () => cr.maxPool2d(plane, 2, { returnIndices: bad(1) })],
    ['dtype', () => cr.maxPool2d(cr.zeros([1, 1, 4, 4], { dtype: 'int32' }), 2)],
    ['option', () => cr.maxPool2d(plane, 2, bad({ ceil: true }))],
  ]),
  row(
    'maxPool3d',
    ['max_pool3d'],
    [2, 2, 4, 5, 3],
    (x) => cr.maxPool3d(x, [2, 3, 2], { stride: [1, 2, 1], padding: 1, dilation: [1, 2, 1] }),
    [
      ['shape', () => cr.maxPool3d(volume, 5)],
      ['shape', () => cr.maxPool3d(vector, 2)],
      ['value', () => cr.maxPool3d(volume, 2, { padding: [0, 0, 2] })],
    ],
  ),
  row('avgPool1d', ['avg_pool1d'], [2, 2, 7], (x) => cr.avgPool1d(x, 3, { stride: 2, padding: 1, ceilMode: true }), [
    ['shape', () => cr.avgPool1d(line, 5)],
    ['option', () => cr.avgPool1d(line, 2, bad({ divisorOverride: 2 }))],
  ]),
  row(
    'avgPool2d',
    ['avg_pool2d'],
    [2, 2, 5, 4],
    (x) => cr.avgPool2d(x, [2, 3], { stride: 1, padding: [1, 0], countIncludePad: false }),
    [
      ['shape', () => cr.avgPool2d(plane, 5)],
      ['value', () => cr.avgPool2d(plane, 2, { divisorOverride: 0 })],
      ['value', () => cr.avgPool2d(plane, 3, { padding: 2 })],
    ],
  ),
  row(
    'avgPool3d',
    [],
    [2, 2, 4, 5, 3],
    (x) => cr.avgPool3d(x, [2, 3, 2], { stride: [2, 2, 1], padding: 1, ceilMode: true, countIncludePad: false }),
    [
      ['shape', () => cr.avgPool3d(volume, 5)],
      ['value', () => cr.avgPool3d(volume, 2, { divisorOverride: 0 })],
    ],
  ),
  {
    ...row('lpPool1d', [], [2, 2, 7], (x) => cr.lpPool1d(x, 3, 3, { stride: 2, ceilMode: true }), [
      ['value', () => cr.lpPool1d(line, 0, 2)],
      ['value', () => cr.lpPool1d(line, Infinity, 2)],
      ['option', () => cr.lpPool1d(line, 2, 2, bad({ padding: 1 }))],
    ]),
    inputs: [[drawn([2, 2, 7], [0.5, 2])]],
  },
  row('lpPool2d', ['lp_pool2d'], [2, 2, 5, 4], (x) => cr.lpPool2d(x, 2, [2, 3], { stride: 1 }), [
    ['shape', () => cr.lpPool2d(plane, 2, 5)],
    ['value', () => cr.lpPool2d(plane, Number.NaN, 2)],
  ]),
  row('adaptiveAvgPool1d', ['adaptive_avg_pool1d'], [2, 2, 7], (x) => cr.adaptiveAvgPool1d(x, 3), [
    ['shape', () => cr.adaptiveAvgPool1d(cr.zeros([1, 1, 0]), 2)],
    ['value', () => cr.adaptiveAvgPool1d(line, -1)],
  ]),
  row('adaptiveAvgPool2d', ['adaptive_avg_pool2d'], [2, 2, 5, 4], (x) => cr.adaptiveAvgPool2d(x, [3, null]), [
    ['value', () => cr.adaptiveAvgPool2d(plane, bad([1, 2, 3]))],
    ['shape', () => cr.adaptiveAvgPool2d(vector, 1)],
  ]),
  row('adaptiveAvgPool3d', [], [2, 2, 4, 5, 3], (x) => cr.adaptiveAvgPool3d(x, [3, 2, 2]), [
    ['value', () => cr.adaptiveAvgPool3d(volume, bad('2'))],
  ]),
  row('adaptiveMaxPool1d', [], [2, 2, 7], (x) => cr.adaptiveMaxPool1d(x, 3), [
    ['shape', () => cr.adaptiveMaxPool1d(cr.zeros([1, 1, 0]), 2)],
    ['option', () => cr.adaptiveMaxPool1d(line, 2, bad({ indices: true }))],
  ]),
  row('adaptiveMaxPool2d', ['adaptive_max_pool2d'], [2, 2, 5, 4], (x) => cr.adaptiveMaxPool2d(x, [3, 2]), [
    ['value', () => cr.adaptiveMaxPool2d(plane, 1.5)],
  ]),
  row('adaptiveMaxPool3d', [], [2, 2, 4, 5, 3], (x) => cr.adaptiveMaxPool3d(x, [3, null, 2]), [
    ['shape', () => cr.adaptiveMaxPool3d(vector, 2)],
  ]),
  {
    name: 'maxUnpool1d',
    call: (x) => cr.scope(() => cr.maxUnpool1d(x, ints([4, 0, 5, 2]).reshape([2, 2]), 3, { outputSize: [6] })),
    inputs: [[drawn([2, 2])]],
    empty: null,
    errors: [
      ['index', () => cr.maxUnpool1d(cr.ones([1, 1]), ints([2]).reshape([1, 1]), 2)],
      ['index', () => cr.maxUnpool1d(cr.ones([1, 1]), ints([-1]).reshape([1, 1]), 2)],
      ['shape', () => cr.maxUnpool1d(cr.ones([1, 2]), ints([1]).reshape([1, 1]), 2)],
      ['dtype', () => cr.maxUnpool1d(cr.ones([1, 1]), cr.ones([1, 1]), 2)],
      ['value', () => cr.maxUnpool1d(cr.ones([1, 1]), ints([1]).reshape([1, 1]), 2, { outputSize: [4] })],
    ],
  },
  {
    name: 'maxUnpool2d',
    call: (x) => cr.scope(() => cr.maxUnpool2d(x, ints([5, 3, 15, 10]).reshape([1, 2, 2]), 2)),
    inputs: [[drawn([1, 2, 2])]],
    empty: null,
    errors: [['shape', () => cr.maxUnpool2d(vector, vector, 2)]],
  },
  {
    name: 'maxUnpool3d',
    call: (x) => cr.scope(() => cr.maxUnpool3d(x, ints([31, 0]).reshape([1, 1, 2, 1, 1]), [1, 4, 4])),
    inputs: [[drawn([1, 1, 2, 1, 1])]],
    empty: null,
    errors: [['value', () => cr.maxUnpool3d(volume, volume.to('int32'), 2, { outputSize: [8, 8] })]],
  },
];
