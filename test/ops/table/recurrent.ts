// Rows of recurrent cells.
import * as cr from 'chainrule';
import { bad, drawn, type Row } from './row.js';

const cell = (gates: number, states = 1) => {
  const parts = [drawn([4 * gates, 3]), drawn([4 * gates, 4]), drawn([4 * gates]), drawn([4 * gates])];
  const of = (rows: number[]) => [drawn([...rows, 3]), ...Array(states).fill(drawn([...rows, 4])), ...parts];
  return { inputs: [of([5]), of([]), of([2]).slice(0, -2)], empty: of([0]) };
};
const x = cr.zeros([2, 3]);
const h = cr.zeros([2, 4]);
type Step = typeof cr.gruCell;

const simple = (name: 'rnnTanhCell' | 'rnnReluCell' | 'gruCell', gates: number, torch: string): Row => {
  const step: Step = cr[name];
  const weights = [cr.zeros([4 * gates, 3]), cr.zeros([4 * gates, 4])] as const;
  return {
    name,
    call: (input, state, w, u, b, v) => step(input, state, w, u, b, v),
    ...cell(gates),
    reference: [torch],
    errors: [
      ['shape', () => step(cr.zeros([2, 5]), h, ...weights)],
      ['shape', () => step(cr.zeros([1, 2, 3]), h, ...weights)],
      ['shape', () => step(x, cr.zeros([3, 4]), ...weights)],
      ['shape', () => step(x, h, cr.zeros([4 * gates + 1, 3]), weights[1])],
      ['shape', () => step(x, h, weights[0], cr.zeros([4 * gates, 5]))],
      ['shape', () => step(x, h, ...weights, cr.zeros([1]))],
      ['dtype', () => step(x.to('float64'), h, ...weights)],
      ['dtype', () => step(x.to('int32'), h, ...weights)],
      ['value', () => step(bad(3), h, ...weights)],
      ['value', () => step(x, bad(null), ...weights)],
    ],
  };
};

export const recurrent: readonly Row[] = [
  simple('rnnTanhCell', 1, 'rnn_cell'),
  simple('rnnReluCell', 1, 'rnn_cell'),
  simple('gruCell', 3, 'gru_cell'),
  {
    name: 'lstmCell',
    call: (input, state, c, w, u, b, v) => cr.scope(() => cr.stack(cr.lstmCell(input, [state, c], w, u, b, v))),
    ...cell(4, 2),
    reference: ['lstm_cell'],
    errors: [
      ['shape', () => cr.lstmCell(x, [h, cr.zeros([2, 3])], cr.zeros([16, 3]), cr.zeros([16, 4]))],
      ['shape', () => cr.lstmCell(x, [h, h], cr.zeros([12, 3]), cr.zeros([12, 4]))],
      ['dtype', () => cr.lstmCell(x, [h, h.to('float64')], cr.zeros([16, 3]), cr.zeros([16, 4]))],
      ['value', () => cr.lstmCell(x, bad(h), cr.zeros([16, 3]), cr.zeros([16, 4]))],
      ['value', () => cr.lstmCell(x, bad([h, null]), cr.zeros([16, 3]), cr.zeros([16, 4]))],
    ],
  },
];
