// Rows of convolutions, their transposes, and the columns they are made of.
import * as cr from 'chainrule';
import { bad, type Draw, drawn, type Row, vector } from './row.js';

const { fold, unfold } = cr.nn.functional;
const on = (...shapes: number[][]): Draw[] => shapes.map((shape) => drawn(shape));
const zeros = (...shape: number[]) => cr.zeros(shape);

export const conv: readonly Row[] = [
  {
    name: 'conv1d',
    call: (x, w, b) => cr.conv1d(x, w, b ?? null, { stride: 2, padding: 1, dilation: [2], groups: 2 }),
    inputs: [on([2, 4, 9], [6, 2, 3], [6]), on([4, 8], [2, 2, 2])],
    reference: ['conv1d'],
    empty: on([0, 4, 9], [6, 2, 3], [6]),
    errors: [
      ['shape', () => cr.conv1d(zeros(1, 2, 4), zeros(3, 1, 2))],
      ['shape', () => cr.conv1d(zeros(1, 1, 4), zeros(1, 1, 5))],
      ['shape', () => cr.conv1d(zeros(1, 1, 1, 4), zeros(1, 1, 2))],
      ['shape', () => cr.conv1d(zeros(1, 1, 0), zeros(1, 1, 2), null, { padding: 2 })],
      ['shape', () => cr.conv1d(zeros(1, 1, 4), zeros(1, 1, 0))],
      ['shape', () => cr.conv1d(zeros(1, 1, 4), zeros(0, 1, 2))],
      ['shape', () => cr.conv1d(zeros(1, 4, 4), zeros(3, 2, 2), null, { groups: 2 })],
      ['shape', () => cr.conv1d(zeros(1, 1, 4), zeros(2, 1, 2), zeros(1))],
      ['dtype', () => cr.conv1d(zeros(1, 1, 4), cr.zeros([1, 1, 2], { dtype: 'float64' }))],
      ['dtype', () => cr.conv1d(zeros(1, 1, 4).to('int32'), zeros(1, 1, 2))],
      ['value', () => cr.conv1d(zeros(1, 1, 4), zeros(1, 1, 2), null, { padding: 'same', stride: 2 })],
      ['value', () => cr.conv1d(zeros(1, 1, 4), zeros(1, 1, 2), null, { padding: bad('full') })],
      ['value', () => cr.conv1d(zeros(1, 1, 4), zeros(1, 1, 2), null, { dilation: bad([1, 1]) })],
      ['value', () => cr.conv1d(zeros(1, 1, 4), zeros(1, 1, 2), null, { dilation: 2 ** 21 })],
      ['value', () => cr.conv1d(zeros(1, 1, 4), bad(3))],
      ['option', () => cr.conv1d(zeros(1, 1, 4), zeros(1, 1, 2), null, bad({ pad: 1 }))],
    ],
  },
  {
    name: 'conv2d',
    call: (x, w, b) => cr.conv2d(x, w, b ?? null, { stride: [1, 2], padding: [1, 0], dilation: [2, 1] }),
    inputs: [on([2, 3, 7, 6], [4, 3, 3, 2], [4]), on([3, 7, 6], [4, 3, 3, 2])],
    reference: ['conv2d'],
    empty: on([0, 3, 7, 6], [4, 3, 3, 2], [4]),
    errors: [
      ['shape', () => cr.conv2d(zeros(1, 2, 4, 4), zeros(3, 1, 2, 2))],
      ['shape', () => cr.conv2d(zeros(1, 1, 2, 2), zeros(1, 1, 3, 3))],
      ['shape', () => cr.conv2d(vector, zeros(1, 1, 3, 3))],
      ['shape', () => cr.conv2d(zeros(1, 1, 4, 4), zeros(1, 1, 5, 1), null, { padding: 'same', dilation: 2 ** 19 })],
      ['value', () => cr.conv2d(zeros(1, 1, 4, 4), zeros(1, 1, 3, 3), null, { stride: 0 })],
      ['value', () => cr.conv2d(zeros(1, 1, 4, 4), zeros(1, 1, 3, 3), null, { padding: -1 })],
      ['value', () => cr.conv2d(zeros(1, 1, 4, 4), zeros(1, 1, 3, 3), null, { groups: 0 })],
      ['option', () => cr.conv2d(zeros(1, 1, 4, 4), zeros(1, 1, 3, 3), null, bad({ strides: 2 }))],
    ],
  },
  {
    name: 'conv3d',
    call: (x, w, b) => cr.conv3d(x, w, b ?? null, { stride: [2, 1, 2], padding: [1, 0, 1], dilation: [1, 2, 1] }),
    inputs: [on([2, 2, 4, 4, 3], [3, 2, 2, 2, 2], [3]), on([2, 3, 4, 3], [3, 2, 2, 2, 2])],
    reference: ['conv3d'],
    empty: on([0, 2, 4, 5, 4], [3, 2, 2, 3, 2], [3]),
    errors: [
      ['shape', () => cr.conv3d(zeros(1, 1, 2, 4, 4), zeros(1, 1, 3, 2, 2))],
      ['shape', () => cr.conv3d(zeros(4, 4), zeros(1, 1, 3, 2, 2))],
      ['value', () => cr.conv3d(zeros(1, 1, 4, 4, 4), zeros(1, 1, 3, 3, 3), null, { stride: bad([1, 2]) })],
    ],
  },
  {
    name: 'convTranspose1d',
    call: (x, w, b) =>
      cr.convTranspose1d(x, w, b ?? null, { stride: 2, padding: 1, outputPadding: 1, groups: 2, dilation: 2 }),
    inputs: [on([2, 4, 4], [4, 3, 3], [6]), on([2, 4], [2, 1, 3])],
    reference: ['conv_transpose1d'],
    empty: on([0, 4, 4], [4, 3, 3], [6]),
    errors: [
      ['shape', () => cr.convTranspose1d(zeros(1, 3, 4), zeros(4, 2, 2))],
      ['shape', () => cr.convTranspose1d(zeros(1, 4, 4), zeros(4, 2, 2), null, { groups: 3 })],
      ['shape', () => cr.convTranspose1d(zeros(1, 4, 4), zeros(4, 0, 2))],
      ['shape', () => cr.convTranspose1d(zeros(1, 4, 4), zeros(4, 2, 2), zeros(4))],
      ['shape', () => cr.convTranspose1d(zeros(1, 1, 2), zeros(1, 1, 1), null, { padding: 1 })],
      ['shape', () => cr.convTranspose1d(zeros(1, 1, 0), zeros(1, 1, 2))],
      ['dtype', () => cr.convTranspose1d(zeros(1, 1, 2).to('int32'), zeros(1, 1, 2))],
      ['value', () => cr.convTranspose1d(zeros(1, 1, 2), zeros(1, 1, 2), null, { outputPadding: 1 })],
      ['value', () => cr.convTranspose1d(zeros(1, 1, 2), zeros(1, 1, 2), null, { outputPadding: -1 })],
      ['value', () => cr.convTranspose1d(zeros(1, 1, 2), zeros(1, 1, 2), null, { padding: bad('same') })],
      ['option', () => cr.convTranspose1d(zeros(1, 1, 2), zeros(1, 1, 2), null, bad({ outputSize: 3 }))],
    ],
  },
  {
    name: 'convTranspose2d',
    call: (x, w, b) => cr.convTranspose2d(x, w, b ?? null, { stride: [2, 1], padding: [0, 1], outputPadding: [1, 0] }),
    inputs: [on([2, 3, 3, 4], [3, 2, 2, 3], [2]), on([3, 3, 4], [3, 2, 2, 3])],
    reference: ['conv_transpose2d'],
    empty: on([0, 3, 3, 4], [3, 2, 2, 3], [2]),
    errors: [
      ['shape', () => cr.convTranspose2d(zeros(1, 1, 1, 1), zeros(1, 1, 1, 1), null, { padding: 2 })],
      ['shape', () => cr.convTranspose2d(zeros(1, 1, 4), zeros(1, 1, 2))],
      [
        'value',
        () => cr.convTranspose2d(zeros(1, 1, 4, 4), zeros(1, 1, 2, 2), null, { outputPadding: 1, stride: [2, 1] }),
      ],
    ],
  },
  {
    name: 'convTranspose3d',
    call: (x, w, b) =>
      cr.convTranspose3d(x, w, b ?? null, { stride: [2, 1, 2], padding: [1, 0, 1], dilation: [1, 2, 1] }),
    inputs: [on([2, 2, 2, 3, 3], [2, 2, 3, 2, 2], [2]), on([2, 2, 2, 3], [2, 1, 2, 2, 2])],
    reference: [],
    empty: on([0, 2, 2, 3, 3], [2, 2, 3, 2, 2], [2]),
    errors: [
      ['shape', () => cr.convTranspose3d(zeros(1, 1, 4, 4), zeros(1, 1, 2, 2))],
      ['value', () => cr.convTranspose3d(zeros(1, 1, 2, 2, 2), zeros(1, 1, 2, 2, 2), null, { dilation: 0 })],
    ],
  },
  {
    name: 'unfold',
    call: (x) => unfold(x, [2, 3], { dilation: [2, 1], padding: [1, 0], stride: [1, 2] }),
    inputs: [[drawn([2, 2, 4, 5])], [drawn([2, 3, 5])]],
    reference: ['unfold'],
    errors: [
      ['shape', () => unfold(zeros(1, 1, 4, 4), 5)],
      ['shape', () => unfold(zeros(4, 4), 2)],
      ['shape', () => unfold(zeros(1, 0, 4, 4), 2)],
      ['dtype', (x) => unfold(x.to('int32'), 1)],
      ['value', () => unfold(zeros(1, 1, 4, 4), 0)],
      ['value', () => unfold(zeros(1, 1, 4, 4), 2, { stride: 0 })],
      ['option', () => unfold(zeros(1, 1, 4, 4), 2, bad({ strides: 1 }))],
    ],
  },
  {
    name: 'fold',
    call: (x) => fold(x, [4, 5], [2, 3], { dilation: [2, 1], padding: [1, 0], stride: [1, 2] }),
    inputs: [[drawn([2, 12, 8])], [drawn([6, 8])]],
    reference: ['fold'],
    errors: [
      ['shape', () => fold(zeros(1, 13, 9), 4, 2)],
      ['shape', () => fold(zeros(1, 12, 8), 4, 2)],
      ['shape', () => fold(zeros(1, 0, 9), 4, 2)],
      ['shape', () => fold(zeros(1, 1, 12, 9), 4, 2)],
      ['shape', () => fold(zeros(1, 4, 1), 1, 2)],
      ['dtype', (x) => fold(x.to('int32'), 1, 1)],
      ['value', () => fold(zeros(1, 12, 9), 0, 2)],
      ['option', () => fold(zeros(1, 12, 9), 4, 2, bad({ pad: 1 }))],
    ],
  },
];
