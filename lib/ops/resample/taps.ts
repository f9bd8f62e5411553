// Weighted sums of neighbours along dimensions: tables that say which, and the kernel that adds them up. Linear in its
// input, with itself as its gradient: the same kernel with the tables transposed.
import { dense, dropCopy, make, offsetOf } from '../../core/dispatch.js';
import { DTYPES } from '../../core/dtype.js';
import { composite } from '../../core/scope.js';
import { type Shape, sizeOf } from '../../core/shape.js';
import { record } from '../../core/tape.js';
import { native } from '../../native.js';
import type { Tensor } from '../../tensor.js';

/** What each place of an output axis is made of; see `resample` in lib/native.ts. */
export interface Taps {
  readonly from: number;
  readonly to: number;
  /** The first input place of every output place, then how many there are. */
  readonly spans: Int32Array;
  readonly weights: Float64Array;
  /** The most taps of one output place. */
  readonly width: number;
}

/** The most places an output may have along one dimension: a table is made in JavaScript, an entry for each. */
export const MAX_PLACES = 2 ** 24;

/** A table of `to` places, each made of the taps that `at` gives. */
export function tapsOf(
  from: number,
  to: number,
  at: (i: number) => { start: number; weights: readonly number[] },
): Taps {
  const rows = Array.from({ length: to }, (_, i) => at(i));
  const width = rows.reduce((most, row) => Math.max(most, row.weights.length), 1);
  const spans = new Int32Array(2 * to);
  const weights = new Float64Array(width * to);
  rows.forEach((row, i) => {
    spans[i] = row.start;
    spans[to + i] = row.weights.length;
    weights.set(row.weights, i * width);
  });
  return { from, to, spans, weights, width };
}

/** Where each input place goes, with the same weights; neighbouring outputs share neighbouring inputs in every table. */
function transposed({ from, to, spans, weights, width }: Taps): Taps {
  const first = new Int32Array(from).fill(to);
  const end = new Int32Array(from);
  for (let i = 0; i < to; i++) {
    for (let j = spans[i]; j < spans[i] + spans[to + i]; j++) {
      first[j] = Math.min(first[j], i);
      end[j] = Math.max(end[j], i + 1);
    }
  }
  return tapsOf(to, from, (j) => {
    if (end[j] === 0) return { start: 0, weights: [] };
    const column = Array.from({ length: end[j] - first[j] }, (_, k) => {
      const i = first[j] + k;
      const tap = j - spans[i];
      return tap >= 0 && tap < spans[to + i] ? weights[i * width + tap] : 0;
    });
    return { start: first[j], weights: column };
  });
}

/** Applies one table to each of the last dimensions of x; null leaves a dimension as it is. */
export function resample(op: string, x: Tensor, tables: readonly (Taps | null)[]): Tensor {
  const lead = x.shape.slice(0, x.ndim - tables.length);
  const size = x.shape.slice(x.ndim - tables.length);
  const out = tables.map((taps, i) => taps?.to ?? size[i]);
  if (tables.length === 1) return overPlanes(op, x, [1, ...size], [...lead, ...out], null, tables[0]);
  if (tables.length === 2) return overPlanes(op, x, size, [...lead, ...out], tables[0], tables[1]);
  return composite(() => {
    const flat = overPlanes(op, x, size.slice(1), [...lead, size[0], out[1], out[2]], tables[1], tables[2]);
    return overPlanes(op, flat, [size[0], out[1] * out[2]], [...lead, ...out], tables[0], null);
  });
}

const G = native.geometry;

function overPlanes(op: string, x: Tensor, from: Shape, shape: Shape, rows: Taps | null, columns: Taps | null): Tensor {
  if (rows === null && columns === null) return x;
  const to = [rows?.to ?? from[0], columns?.to ?? from[1]];
  const y = make(op, shape, x.dtype);
  const input = dense(op, x);
  if (y.size > 0) {
    G[0] = DTYPES[x.dtype].code;
    G[1] = y.size / sizeOf(to);
    for (let i = 0; i < 2; i++) {
      G[2 + i] = from[i];
      G[4 + i] = to[i];
    }
    G[6] = rows?.width ?? 0;
    G[7] = columns?.width ?? 0;
    G[8] = offsetOf(y);
    G[9] = offsetOf(input);
    native.resample(
      y.storage.bytes,
      input.storage.bytes,
      rows?.spans ?? null,
      rows?.weights ?? null,
      columns?.spans ?? null,
      columns?.weights ?? null,
    );
  }
  dropCopy(input, x);
  const before = x.shape;
  return record(op, y, [x], [], (g) =>
    overPlanes(`${op} backward`, g, to, before, rows && transposed(rows), columns && transposed(columns)),
  );
}
