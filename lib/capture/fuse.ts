// Which recorded calls run together, tile by tile: neighbours that do elementwise work on equally many elements.
import { DTYPES } from '../core/dtype.js';
import type { Bytes } from '../native.js';
import type { Argument } from './bindings.js';
import type { Own, RecordedCall } from './record.js';

/** What a native group holds at most (native/core/args/fused.h). */
const MOST_CALLS = 16;
const MOST_TILES = 8;

/** Calls [begin, end) that run together. */
export interface Group {
  readonly begin: number;
  readonly end: number;
  /** Memory that no call outside of the group sees, with the tile that takes its place. */
  readonly tiles: ReadonlyMap<Argument, number>;
}

/** How one call uses one buffer. */
interface Access {
  readonly bytes: Argument;
  readonly low: number;
  readonly high: number;
  readonly width: number;
  /** Whether it is one value that repeats. */
  readonly repeated: boolean;
  readonly written: boolean;
}

const WIDTHS: ReadonlyMap<number, number> = new Map(Object.values(DTYPES).map(({ code, bytes }) => [code, bytes]));
const OPERANDS: Readonly<Record<string, number>> = { unary: 1, test: 1, binary: 2, compare: 2, where: 3, copy: 1 };

/** Bytes an element of y and of each operand. */
function widthsOf({ name, geometry }: RecordedCall): (number | undefined)[] {
  const width = WIDTHS.get(geometry[1]);
  if (name === 'copy') return [WIDTHS.get(geometry[2] ?? 0), width];
  if (name === 'where') return [width, 1, width, width];
  return [name === 'test' || name === 'compare' ? 1 : width, width, width];
}

/** Elements and accesses of a call that is all runs of memory and single values; null for any other. */
function flat(call: RecordedCall): { n: number; accesses: Access[] } | null {
  const operands = OPERANDS[call.name];
  if (operands === undefined || call.prelude >= 0) return null;
  const slot = (i: number) => call.geometry[i] ?? 0;
  const ndim = slot(5);
  const shape = Array.from({ length: ndim }, (_, d) => slot(13 + d));
  const n = shape.reduce((product, size) => product * size, 1);
  const widths = widthsOf(call);
  const accesses: Access[] = [];
  for (let k = 0; k <= operands; k++) {
    const offset = slot(6 + k);
    if (k > 0 && offset === -1) continue;
    let run = 1;
    let contiguous = true;
    let repeated = true;
    for (let d = ndim - 1; d >= 0; d--) {
      const stride = slot(13 + ndim * (1 + k) + d);
      if (shape[d] !== 1 && stride !== run) contiguous = false;
      if (shape[d] !== 1 && stride !== 0) repeated = false;
      run *= shape[d];
    }
    if (k === 0 ? !contiguous : !contiguous && !repeated) return null;
    const width = widths[k] ?? 0;
    const once = k > 0 && repeated;
    const high = offset + width * (once ? 1 : n);
    accesses.push({ bytes: call.args[k], low: offset, high, width, repeated: once, written: k === 0 });
  }
  // Of one element, a run cannot be told from a value that repeats.
  return n <= 1 ? null : { n, accesses };
}

type Memory = ReadonlyMap<Bytes, Own>;

/** Whether two accesses by different calls may be made tile by tile. */
function independent(a: Access, b: Access, own: Memory): boolean {
  if (!a.written && !b.written) return true;
  const [x, y] = [a.bytes as Bytes, b.bytes as Bytes];
  if (x === y && a.low === b.low && a.width === b.width && !a.repeated && !b.repeated) return true;
  // Memory of the step gets places of its own; where it lay while it was recorded says nothing.
  if (x !== y && (own.has(x) || own.has(y))) return true;
  const [from, to] = [x.byteOffset, y.byteOffset];
  return x.buffer !== y.buffer || from + a.high <= to + b.low || to + b.high <= from + a.low;
}

/** The groups of a step; `internal` says which memory nobody else reads. */
export function groups(calls: readonly RecordedCall[], own: Memory, internal: (own: Own) => boolean): Group[] {
  const found: Group[] = [];
  for (let begin = 0; begin < calls.length; ) {
    const first = flat(calls[begin]);
    let end = begin + 1;
    if (first === null || calls[begin].skipped) {
      begin = end;
      continue;
    }
    const accesses = [first.accesses];
    for (; end < calls.length && accesses.length < MOST_CALLS; end++) {
      const next = calls[end].skipped ? null : flat(calls[end]);
      if (next === null || next.n !== first.n) break;
      const fits = accesses.every((before) => before.every((a) => next.accesses.every((b) => independent(a, b, own))));
      if (!fits) break;
      accesses.push(next.accesses);
    }
    if (accesses.length > 1) found.push({ begin, end, tiles: tilesOf(begin, accesses, own, internal) });
    begin = end;
  }
  return found;
}

/** Tiles for memory that lives and dies inside a group, as many at a time as there are. */
function tilesOf(
  begin: number,
  accesses: readonly (readonly Access[])[],
  own: Memory,
  internal: (own: Own) => boolean,
): Map<Argument, number> {
  const tiles = new Map<Argument, number>();
  const end = begin + accesses.length;
  const busyUntil: number[] = new Array(MOST_TILES).fill(-1);
  for (const [i, group] of accesses.entries()) {
    for (const { bytes, low, high, repeated } of group) {
      const memory = own.get(bytes as Bytes);
      if (memory === undefined || tiles.has(bytes) || !internal(memory)) continue;
      if (memory.first !== begin + i || memory.last >= end || repeated) continue;
      if (low !== 0 || high !== memory.storage.byteLength) continue;
      const whole = accesses.every((others) =>
        others.every((other) => other.bytes !== bytes || (!other.repeated && other.low === 0 && other.high === high)),
      );
      const tile = busyUntil.findIndex((until) => until < begin + i);
      if (!whole || tile < 0) continue;
      busyUntil[tile] = memory.last;
      tiles.set(bytes, tile);
    }
  }
  return tiles;
}
