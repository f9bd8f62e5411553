// Rows of comparisons, logic and choice.
import * as cr from 'chainrule';
import { tensor } from 'chainrule';
import { binary, drawn, type Row, unary, vector } from './row.js';

const comparison = (name: keyof typeof cr & string): Row => binary(name, name, { derivatives: 0, nan: false });
const logic = (name: keyof typeof cr & string, torch: string): Row =>
  binary(name, torch, { derivatives: 0, nan: false });
const test = (name: keyof typeof cr & string, torch: string): Row => unary(name, torch, { derivatives: 0, nan: false });

export const compare: readonly Row[] = [
  comparison('eq'),
  comparison('ne'),
  comparison('lt'),
  comparison('le'),
  comparison('gt'),
  comparison('ge'),
  logic('logicalAnd', 'logical_and'),
  logic('logicalOr', 'logical_or'),
  logic('logicalXor', 'logical_xor'),
  test('logicalNot', 'logical_not'),
  test('isNan', 'isnan'),
  test('isInf', 'isinf'),
  test('isFinite', 'isfinite'),
  {
    name: 'where',
    call: (c, a, b) => cr.where(c, a, b),
    inputs: [
      [{ shape: [3, 4], bool: true }, drawn([3, 4]), drawn([3, 4])],
      [{ shape: [3, 1], bool: true }, drawn([4]), drawn([])],
    ],
    reference: ['where'],
    empty: [{ shape: [0, 2], bool: true }, drawn([2]), drawn([])],
    nan: false,
    errors: [['shape', () => cr.where(tensor([true, false]), vector, 0)]],
  },
];
