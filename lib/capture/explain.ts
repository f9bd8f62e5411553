// What a captured step consists of: its kernels with their time and bytes, as a table and as a trace for a browser.
import { formatShape, type Shape } from '../core/shape.js';
import { writeAtomically } from '../io/atomic.js';
import { native } from '../native.js';
import type { Argument } from './bindings.js';
import { flopsOf, isDouble, Speed } from './floor.js';
import type { RecordedCall } from './record.js';
import type { Instance } from './recorded.js';

/** Kernels of one kind on operands of the same shapes. */
export interface ExplainedKernel {
  /** The kernel, or the kernels that run together, in order. */
  readonly kernel: string;
  /** Shapes of the operands, the result first. */
  readonly shapes: readonly Shape[];
  /** How many of them a step has. */
  readonly calls: number;
  /** Milliseconds of a step, the mean of those that were profiled; 0 without one. */
  readonly ms: number;
  /** Part of the step's time, from 0 to 1. */
  readonly share: number;
  /** Bytes of the operands: what has to be read and written at least. */
  readonly bytes: number;
  /** Floating-point operations of products: matrix products, convolutions, attention, recurrent layers; 0 for other kernels. */
  readonly flops: number;
  /** Milliseconds that this machine needs now for a copy of as many bytes or for as many operations of a large product, whichever is more. */
  readonly floorMs: number;
}

/** One kernel of the last step that was profiled. */
interface Event {
  readonly kernel: string;
  readonly shapes: readonly Shape[];
  readonly bytes: number;
  readonly flops: number;
  /** Its products are of doubles. */
  readonly double: boolean;
  readonly nanoseconds: number;
}

/** The kernels of a captured step; see {@link CapturedStep.explain}. */
export class Explanation {
  /** One row for each kind of kernel and shapes, the longest first. */
  readonly rows: readonly ExplainedKernel[];
  /** Milliseconds of all kernels of a step. */
  readonly ms: number;

  /** @internal */
  constructor(
    rows: readonly ExplainedKernel[],
    private readonly events: readonly Event[],
  ) {
    this.rows = [...rows].sort((a, b) => b.ms - a.ms);
    this.ms = rows.reduce((sum, row) => sum + row.ms, 0);
  }

  /** The rows as a table. */
  toString(): string {
    const head = ['kernel', 'shapes', 'calls', 'us', 'share', 'KB', 'MFLOP', 'GFLOP/s', 'floor us'];
    const body = this.rows.map((row) => [
      row.kernel,
      row.shapes.map(formatShape).join(' '),
      `${row.calls}`,
      (row.ms * 1e3).toFixed(1),
      `${(row.share * 100).toFixed(0)}%`,
      (row.bytes / 1024).toFixed(1),
      row.flops === 0 ? '' : (row.flops / 1e6).toFixed(1),
      row.flops === 0 || row.ms === 0 ? '' : (row.flops / row.ms / 1e6).toFixed(1),
      (row.floorMs * 1e3).toFixed(1),
    ]);
    const calls = this.rows.reduce((sum, row) => sum + row.calls, 0);
    const total = ['all', '', `${calls}`, (this.ms * 1e3).toFixed(1), '', '', '', '', ''];
    const lines = [head, ...body, total].map((line) => line.map((cell) => shortened(cell)));
    const widths = head.map((_, i) => Math.max(...lines.map((line) => line[i].length)));
    const text = lines.map((line) =>
      line.map((cell, i) => (i < 2 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join('  '),
    );
    return text.map((line) => line.trimEnd()).join('\n');
  }

  /**
   * Writes the last profiled step as a trace, for `chrome://tracing` or Perfetto; an older file of that name is replaced as a whole.
   *
   * @throws TensorError `io` where the file cannot be written
   */
  async chromeTrace(path: string): Promise<void> {
    let ts = 0;
    const traceEvents = this.events.map(({ kernel, shapes, bytes, flops, nanoseconds }) => {
      const dur = nanoseconds / 1e3;
      const args = { shapes: shapes.map(formatShape).join(' '), bytes, flops };
      const event = { name: kernel, cat: 'kernel', ph: 'X', ts, dur, pid: 1, tid: 1, args };
      ts += dur;
      return event;
    });
    const text = JSON.stringify({ displayTimeUnit: 'ns', traceEvents });
    await writeAtomically(path, (file) => file.writeFile(text), 'chromeTrace');
  }
}

const MOST = 72;
const shortened = (cell: string): string => (cell.length > MOST ? `${cell.slice(0, MOST - 3)}...` : cell);

/** The kernel of a call as its family names it. */
function nameOf({ name, geometry }: RecordedCall): string {
  const names = native.names[name];
  const number = name === 'update' ? geometry[2] : geometry[0];
  const kernel = names?.[number ?? 0];
  return kernel === undefined || name === kernel
    ? name
    : name === 'unary' || name === 'binary'
      ? kernel
      : `${name} ${kernel}`;
}

/** Times of the native calls of an instance, added up over steps. */
export class Profile {
  private readonly total: Float64Array;
  /** The last step. */
  readonly times: Float64Array;
  private steps = 0;

  constructor(private readonly instance: Instance) {
    const calls = instance.starts[instance.starts.length - 1];
    this.total = new Float64Array(calls);
    this.times = new Float64Array(calls);
  }

  /** A step was profiled. */
  add(): void {
    this.steps++;
    for (let i = 0; i < this.total.length; i++) this.total[i] += this.times[i];
  }

  explain(): Explanation {
    const events = this.events();
    const rows = new Map<string, { event: Event; calls: number; ms: number }>();
    for (const [i, event] of events.entries()) {
      const key = `${event.kernel} ${event.shapes.map(formatShape).join(' ')} ${event.bytes}`;
      const row = rows.get(key) ?? { event, calls: 0, ms: 0 };
      row.calls++;
      row.ms += this.steps === 0 ? 0 : this.total[this.places[i]] / this.steps / 1e6;
      rows.set(key, row);
    }
    const all = Array.from(rows.values()).reduce((sum, { ms }) => sum + ms, 0);
    const speed = new Speed();
    const explained = Array.from(rows.values(), ({ event: { kernel, shapes, bytes, flops, double }, calls, ms }) => {
      const share = all === 0 ? 0 : ms / all;
      const floorMs = calls * Math.max(speed.bytes(bytes), speed.flops(flops, double));
      return { kernel, shapes, calls, ms, share, bytes: bytes * calls, flops: flops * calls, floorMs };
    });
    return new Explanation(explained, events);
  }

  /** The native call of each event. */
  private readonly places: number[] = [];

  private events(): Event[] {
    const { recorded, starts } = this.instance;
    const { calls, groups, tiled } = recorded;
    const lengths = new Map<Argument, number>(tiled.map((tile) => [tile.bytes, tile.length]));
    const events: Event[] = [];
    this.places.length = 0;
    for (let i = 0; i < calls.length; ) {
      const group = groups.find(({ begin }) => begin === i);
      const end = group?.end ?? i + 1;
      const place = starts[i];
      const members = calls.slice(i, end).filter(({ skipped }) => !skipped);
      i = end;
      if (starts[end] === place) continue;
      const kernel = members.map(nameOf).join(' + ');
      const shapes =
        group === undefined ? members[0].operands.map(({ shape }) => shape) : [members[0].operands[0].shape];
      let bytes = members.reduce((sum, { operands }) => operands.reduce((all, operand) => all + operand.bytes, sum), 0);
      for (const { args } of members) {
        for (const arg of args) if (group?.tiles.has(arg)) bytes -= lengths.get(arg) ?? 0;
      }
      this.places.push(place);
      const flops = members.reduce((sum, call) => sum + flopsOf(call), 0);
      events.push({ kernel, shapes, bytes, flops, double: isDouble(members[0]), nanoseconds: this.times[place] });
    }
    return events;
  }
}
