// Where the memory of a step lies: buffers that are not needed at the same time share a place in one arena.
import type { Bytes } from '../native.js';
import type { Group } from './fuse.js';
import type { Own } from './record.js';

const ALIGNMENT = 64;

/** Memory that lies in the arena. */
export interface Planned {
  /** Stands for the memory of the recording wherever that was named. */
  readonly bytes: Bytes;
  readonly length: number;
  /** Bytes it takes, and the calls from the first to the last that need it. */
  readonly size: number;
  readonly first: number;
  readonly last: number;
  offset: number;
}

/** The arena of a step. */
export interface Plan {
  readonly places: readonly Planned[];
  /** Bytes of the arena, and what its buffers would take without sharing. */
  readonly bytes: number;
  readonly unshared: number;
}

const aligned = (bytes: number): number => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;

/** Memory of inputs is needed from the start, that of outputs to the end; the calls of a group are one moment. */
export function plannedOf(own: Own, isOutput: boolean, calls: number, groups: readonly Group[]): Planned {
  let first = own.input >= 0 ? -1 : Math.max(own.first, 0);
  let last = isOutput ? calls : Math.max(own.last, first);
  for (const { begin, end } of groups) {
    if (first >= begin && first < end) first = begin;
    if (last >= begin && last < end) last = end - 1;
  }
  const length = own.storage.byteLength;
  return { bytes: new Uint8Array(0), length, size: aligned(length), first, last, offset: 0 };
}

/**
 * Gives every buffer the lowest place among those that are needed at the same time: the largest first, which leaves the small ones
 * the gaps (Pisarchyk and Lee 2020, "greedy by size").
 */
export function plan(buffers: readonly Planned[]): Plan {
  const bySize = [...buffers].sort((a, b) => b.size - a.size || a.first - b.first);
  const placed: Planned[] = [];
  let bytes = 0;
  let unshared = 0;
  for (const buffer of bySize) {
    const rivals = placed.filter(({ first, last }) => first <= buffer.last && buffer.first <= last);
    rivals.sort((a, b) => a.offset - b.offset);
    let end = 0;
    let best = -1;
    let room = Number.POSITIVE_INFINITY;
    for (const rival of rivals) {
      const gap = rival.offset - end;
      if (gap >= buffer.size && gap < room) {
        best = end;
        room = gap;
      }
      end = Math.max(end, rival.offset + rival.size);
    }
    buffer.offset = best >= 0 ? best : end;
    placed.push(buffer);
    bytes = Math.max(bytes, buffer.offset + buffer.size);
    unshared += buffer.size;
  }
  return { places: placed, bytes, unshared };
}
