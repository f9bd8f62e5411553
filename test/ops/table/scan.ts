// Rows of running sums, products, extremes and logarithms of sums.
import * as cr from 'chainrule';
import { bad, drawn, type Row, valuesOf, vector } from './row.js';

const inputs = [[drawn([3, 4])], [drawn([])], [drawn([2, 5, 3])]];
const errors = (name: 'cumsum' | 'cumprod' | 'cummax' | 'cummin' | 'logcumsumexp'): Row['errors'] => [
  ['value', () => cr[name](bad(3), 0)],
  ['axis', () => cr[name](vector, 1)],
  ['axis', () => cr[name](vector, bad(undefined))],
];

export const scan: readonly Row[] = [
  ...(['cumsum', 'cumprod'] as const).map(
    (name): Row => ({
      name,
      call: (x) => cr[name](x, -1),
      inputs: [...inputs, [drawn([7, 2])]],
      reference: [name],
      grows: true,
      errors: [
        ...(errors(name) ?? []),
        ['dtype', () => cr[name](vector, 0, { dtype: bad('int64') })],
        ['option', () => cr[name](vector, 0, bad({ axis: 1 }))],
      ],
    }),
  ),
  {
    name: 'logcumsumexp',
    call: (x) => x.logcumsumexp(0),
    inputs,
    reference: ['logcumsumexp'],
    grows: true,
    errors: [...(errors('logcumsumexp') ?? []), ['dtype', () => vector.to('int32').logcumsumexp(0)]],
  },
  ...(['cummax', 'cummin'] as const).map(
    (name): Row => ({
      name,
      call: (x) => valuesOf(cr[name](x, x.ndim > 2 ? 1 : 0)),
      inputs,
      reference: name === 'cummax' ? ['cummax'] : [],
      grows: true,
      errors: errors(name),
    }),
  ),
];
