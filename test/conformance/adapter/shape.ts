// Entries of shape.json.
import * as cr from 'chainrule';
import { build } from '../build.js';
import type { NumberJson, Precision, TensorJson } from '../cases.js';
import { type Entries, given, numberOf, op } from './entry.js';

type Several = number | number[];
/** Subscripts as cases write them. */
export type Subscripts = (number | { slice: (number | null)[] } | null | '...' | TensorJson)[];
export const subscripts = (list: Subscripts, precision: Precision): cr.Subscript[] =>
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
  nonzero: op<{ as_tuple?: boolean }>(['as_tuple'], ([x], a) => {
    const places = cr.nonzero(x);
    return a.as_tuple ? x.shape.map((_, i) => places.select(1, i)) : places;
  }),
  one_hot: op<{ num_classes?: number }>(['num_classes'], ([x], { num_classes }) => x.oneHot(num_classes)),
  diagonal: op<{ offset?: number; dim1?: number; dim2?: number }>(['offset', 'dim1', 'dim2'], ([x], a) =>
    x.diagonal(a.offset, a.dim1, a.dim2),
  ),
  diag: op<{ diagonal?: number }>(['diagonal'], ([x], { diagonal }) => x.diag(diagonal)),
  masked_fill: op<{ value?: NumberJson }>(['value'], ([x, mask, filling], { value }) =>
    x.maskedFill(mask, numberOf(value) ?? filling),
  ),
  masked_select: op([], ([x, mask]) => x.maskedSelect(mask)),
  take_along_dim: op<{ dim?: number }>(['dim'], ([x, i], { dim }) => x.takeAlongDim(i, dim)),
  tril: op<{ diagonal?: number }>(['diagonal'], ([x], { diagonal }) => x.tril(diagonal)),
  triu: op<{ diagonal?: number }>(['diagonal'], ([x], { diagonal }) => x.triu(diagonal)),
  movedim: op<{ source: Several; destination: Several }>(['source', 'destination'], ([x], a) =>
    x.movedim(a.source, a.destination),
  ),
  select: op<{ dim: number; index: number }>(['dim', 'index'], ([x], { dim, index }) => x.select(dim, index)),
  flip: op<{ dims: Several }>(['dims'], ([x], { dims }) => x.flip(dims)),
  roll: op<{ shifts: Several; dims?: Several }>(['shifts', 'dims'], ([x], { shifts, dims }) => x.roll(shifts, dims)),
  tile: op<{ dims: number[] }>(['dims'], ([x], { dims }) => x.tile(dims)),
  repeat: op<{ repeats: number[] }>(['repeats'], ([x], { repeats }) => x.repeat(repeats)),
  repeat_interleave: op<{ repeats?: number; dim?: number; output_size?: number }>(
    ['repeats', 'dim', 'output_size'],
    ([x, counts], { repeats, dim, output_size }) =>
      x.repeatInterleave(repeats ?? counts, dim, given({ outputSize: output_size })),
  ),
  rot90: op<{ k?: number; dims?: [number, number] }>(['k', 'dims'], ([x], { k, dims }) => x.rot90(k, dims)),
  split: op<{ split_size_or_sections: Several; dim?: number }>(['split_size_or_sections', 'dim'], ([x], a) =>
    x.split(a.split_size_or_sections, a.dim),
  ),
  chunk: op<{ chunks: number; dim?: number }>(['chunks', 'dim'], ([x], { chunks, dim }) => x.chunk(chunks, dim)),
  meshgrid: op<{ indexing?: 'ij' | 'xy' }>(['indexing'], (xs, { indexing }) => cr.meshgrid(xs, given({ indexing }))),
} satisfies Entries;
