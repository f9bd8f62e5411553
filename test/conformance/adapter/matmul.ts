// Entries of matmul.json: matmul and linear.
import * as cr from 'chainrule';
import { type Entries, op } from './entry.js';

export const matmul = {
  matmul: op([], ([a, b]) => cr.matmul(a, b)),
  linear: op([], ([x, w, b]) => cr.linear(x, w, b ?? null)),
} satisfies Entries;
