// Entries of norm.json.
import * as cr from 'chainrule';
import { type Entries, op } from './entry.js';

export const norm = {
  softmax: op<{ dim: number }>(['dim'], ([x], { dim }) => cr.softmax(x, dim)),
  log_softmax: op<{ dim: number }>(['dim'], ([x], { dim }) => cr.logSoftmax(x, dim)),
} satisfies Entries;
