// Entries of stacking, splitting, broadcasting and making tensors.
import type { Tensor } from 'chainrule';
import * as cr from 'chainrule';
import { dtypeOf, type Entries, type Entry, given, op, unary } from './entry.js';

const stack = (run: (tensors: Tensor[]) => Tensor): Entry => op([], (xs) => run(xs));

type Sections = { indices_or_sections?: number | number[]; sections?: number; indices?: number[]; dim?: number };
const sectionsOf = (a: Sections) => (a.indices_or_sections ?? a.sections ?? a.indices) as number | number[];
const SECTIONS = ['indices_or_sections', 'sections', 'indices'] as const;
const along = (run: (x: Tensor, sections: number | number[]) => Tensor[]) =>
  op<Sections>(SECTIONS, ([x], a) => run(x, sectionsOf(a)));

type Window = { window_length: number; periodic?: boolean; alpha?: number; beta?: number; dtype?: string };
const window = <O extends cr.WindowOptions>(run: (length: number, options?: O) => Tensor, more: ('alpha' | 'beta')[]) =>
  op<Window>(['window_length', 'periodic', 'dtype', ...more], (_, a, precision) => {
    const { periodic, alpha, beta } = a;
    const dtype = dtypeOf(a.dtype, precision) ?? precision;
    return run(a.window_length, given({ periodic, alpha, beta, dtype }) as unknown as O);
  });

type Triangle = { row: number; col: number; offset?: number; dtype?: string };
const triangle = (run: typeof cr.trilIndices) =>
  op<Triangle>(['row', 'col', 'offset', 'dtype'], (_, { row, col, offset }) => run(row, col, offset));

export const stacking = {
  hstack: stack(cr.hstack),
  vstack: stack(cr.vstack),
  row_stack: stack(cr.vstack),
  dstack: stack(cr.dstack),
  column_stack: stack(cr.columnStack),
  block_diag: stack((xs) => cr.blockDiag(...xs)),
  atleast_1d: op([], (xs) => cr.atleast1d(xs)),
  atleast_2d: op([], (xs) => cr.atleast2d(xs)),
  atleast_3d: op([], (xs) => cr.atleast3d(xs)),
  unbind: op<{ dim?: number }>(['dim'], ([x], { dim }) => cr.unbind(x, dim)),
  tensor_split: op<Sections & { dim?: number }>([...SECTIONS, 'dim'], ([x, tensor], a) =>
    cr.tensorSplit(x, tensor ?? sectionsOf(a), a.dim),
  ),
  hsplit: along(cr.hsplit),
  vsplit: along(cr.vsplit),
  dsplit: along(cr.dsplit),
  broadcast_tensors: op([], (xs) => cr.broadcastTensors(...xs)),
  broadcast_to: op<{ size?: number[]; shape?: number[] }>(['size', 'shape'], ([x], { size, shape }) =>
    cr.broadcastTo(x, (size ?? shape) as number[]),
  ),
  'Tensor.view': op<{ size: number[] }>(['size'], ([x], { size }) => x.contiguous().view(size)),
  'Tensor.expand_as': op([], ([x, other]) => x.expandAs(other)),
  'Tensor.view_as': op([], ([x, other]) => x.contiguous().viewAs(other)),
  'Tensor.reshape_as': op([], ([x, other]) => x.reshapeAs(other)),
  'Tensor.type_as': op([], ([x, other]) => x.typeAs(other)),
  diag_embed: op<{ offset?: number; dim1?: number; dim2?: number }>(['offset', 'dim1', 'dim2'], ([x], a) =>
    cr.diagEmbed(x, a.offset, a.dim1, a.dim2),
  ),
  diagflat: op<{ offset?: number }>(['offset'], ([x], { offset }) => cr.diagflat(x, offset)),
  argwhere: unary(cr.nonzero),

  full_like: op<{ fill_value: number | boolean; dtype?: string }>(
    ['fill_value', 'dtype'],
    ([x], { fill_value, dtype }, precision) => cr.fullLike(x, fill_value, given({ dtype: dtypeOf(dtype, precision) })),
  ),
  logspace: op<{ start: number; end: number; steps: number; base?: number; dtype?: string }>(
    ['start', 'end', 'steps', 'base', 'dtype'],
    (_, { start, end, steps, base, dtype }, precision) =>
      cr.logspace(start, end, steps, given({ base, dtype: dtypeOf(dtype, precision) ?? precision })),
  ),
  bartlett_window: window(cr.bartlettWindow, []),
  blackman_window: window(cr.blackmanWindow, []),
  hann_window: window(cr.hannWindow, []),
  hamming_window: window(cr.hammingWindow, ['alpha', 'beta']),
  kaiser_window: window(cr.kaiserWindow, ['beta']),
  tril_indices: triangle(cr.trilIndices),
  triu_indices: triangle(cr.triuIndices),
} satisfies Entries;
