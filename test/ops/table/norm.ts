// Rows of softmax, normalisation and dropout.
import * as cr from 'chainrule';
import { Generator } from 'chainrule';
import { bad, drawn, type Row, vector } from './row.js';

export const norm: readonly Row[] = [
  {
    name: 'softmax',
    call: (x) => cr.softmax(x, -1),
    inputs: [[drawn([3, 4])], [drawn([2, 3, 4])]],
    reference: ['softmax'],
    errors: [['axis', () => cr.softmax(vector, 1)]],
  },
  {
    name: 'logSoftmax',
    call: (x) => cr.logSoftmax(x, 0),
    inputs: [[drawn([3, 4])], [drawn([2, 3, 4])]],
    reference: ['log_softmax'],
    errors: [['axis', () => cr.logSoftmax(vector, bad(undefined))]],
  },
  {
    name: 'dropout',
    call: (x) => cr.dropout(x, { p: 0.4, generator: new Generator(3) }),
    inputs: [[drawn([6, 5])]],
    errors: [['value', () => cr.dropout(vector, { p: 1.5 })]],
    nan: false,
  },
];
