// Entries of matmul.json beyond matmul itself; trace of linalg.json.
import type { Tensor } from 'chainrule';
import * as cr from 'chainrule';
import { type Entries, given, op, unary } from './entry.js';

const two = (run: (a: Tensor, b: Tensor) => Tensor) => op([], ([a, b]) => run(a, b));
const added = (run: typeof cr.addmm) =>
  op<{ beta?: number; alpha?: number }>(['beta', 'alpha'], ([x, a, b], factors) => run(x, a, b, given(factors)));

export const product = {
  mm: two(cr.mm),
  bmm: two(cr.bmm),
  mv: two(cr.mv),
  dot: two(cr.dot),
  vdot: two(cr.vdot),
  inner: two(cr.inner),
  outer: two(cr.outer),
  ger: two(cr.outer),
  kron: two(cr.kron),
  cross: op<{ dim?: number }>(['dim'], ([a, b], { dim }) => cr.cross(a, b, dim)),
  'linalg.cross': op<{ dim?: number }>(['dim'], ([a, b], { dim }) => cr.linalg.cross(a, b, dim)),
  trace: unary(cr.trace),

  addmm: added(cr.addmm),
  addmv: added(cr.addmv),
  addr: added(cr.addr),
  addbmm: added(cr.addbmm),
  baddbmm: added(cr.baddbmm),

  tensordot: op<{ dims?: number | [number[], number[]] }>(['dims'], ([a, b], { dims }) => cr.tensordot(a, b, dims)),
  einsum: op<{ equation: string }>(['equation'], (operands, { equation }) => cr.einsum(equation, ...operands)),
  bilinear: op([], ([x1, x2, weight, bias]) => cr.bilinear(x1, x2, weight, bias ?? null)),
  cartesian_prod: op([], (tensors) => cr.cartesianProd(...tensors)),
  combinations: op<{ r?: number; with_replacement?: boolean }>(['r', 'with_replacement'], ([x], a) =>
    cr.combinations(x, a.r, given({ withReplacement: a.with_replacement })),
  ),
  chain_matmul: op([], (matrices) => cr.chainMatmul(...matrices)),
  'linalg.multi_dot': op([], (tensors) => cr.linalg.multiDot(tensors)),
} satisfies Entries;
