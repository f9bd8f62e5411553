// Entries of matmul.json and linalg.json.
import * as cr from 'chainrule';
import { type Entries, op } from './entry.js';

export const matmul = {
  mm: op([], ([a, b]) => cr.matmul(a, b)),
  bmm: op([], ([a, b]) => cr.matmul(a, b)),
  matmul: op([], ([a, b]) => cr.matmul(a, b)),
  linear: op([], ([x, w, b]) => cr.linear(x, w, b ?? null)),
} satisfies Entries;
