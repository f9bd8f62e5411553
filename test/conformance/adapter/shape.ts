// Entries of shape.json.
import * as cr from 'chainrule';
import type { Precision, TensorJson } from '../cases.js';
import { build } from '../runner.js';
import { type Entries, op, unary } from './entry.js';

type Subscripts = (number | { slice: (number | null)[] } | null | '...' | TensorJson)[];
const subscripts = (list: Subscripts, precision: Precision): cr.Subscript[] =>
  list.map((s) => {
    if (s === null || typeof s === 'number' || s === '...') return s;
    if ('slice' in s) return cr.slice(s.slice[0], s.slice[1], s.slice[2] ?? 1);
    return build(s, precision);
  });

export const shape = {
  reshape: op<{ shape: number[] }>(['shape'], ([x], { shape }) => x.reshape(shape)),
  transpose: op<{ dim0: number; dim1: number }>(['dim0', 'dim1'], ([x], { dim0, dim1 }) => x.transpose(dim0, dim1)),
  permute: op<{ dims: number[] }>(['dims'], ([x], { dims }) => x.permute(dims)),
  squeeze: op<{ dim?: number }>(['dim'], ([x], { dim }) => x.squeeze(dim)),
  unsqueeze: op<{ dim: number }>(['dim'], ([x], { dim }) => x.unsqueeze(dim)),
  expand: op<{ size: number[] }>(['size'], ([x], { size }) => x.expand(size)),
  flatten: op<{ start_dim?: number; end_dim?: number }>(['start_dim', 'end_dim'], ([x], a) =>
    x.flatten(a.start_dim, a.end_dim),
  ),
  unflatten: op<{ dim: number; sizes: number[] }>(['dim', 'sizes'], ([x], { dim, sizes }) => x.unflatten(dim, sizes)),
  narrow: op<{ dim: number; start: number; length: number }>(['dim', 'start', 'length'], ([x], a) =>
    x.narrow(a.dim, a.start, a.length),
  ),
  cat: op<{ dim?: number }>(['dim'], (xs, { dim = 0 }) => cr.cat(xs, dim)),
  stack: op<{ dim?: number }>(['dim'], (xs, { dim = 0 }) => cr.stack(xs, dim)),
  index: op<{ index: Subscripts }>(['index'], ([x], { index }, precision) => x.at(...subscripts(index, precision))),
  gather: op<{ dim: number }>(['dim'], ([x, i], { dim }) => cr.gather(x, dim, i)),
  index_select: op<{ dim: number }>(['dim'], ([x, i], { dim }) => cr.indexSelect(x, dim, i)),
  nonzero: unary(cr.nonzero),
} satisfies Entries;
