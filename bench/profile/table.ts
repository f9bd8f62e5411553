// The tables of the profile: steps, their kernels, their functions of JavaScript; and the work that other tables say missed its goal.
import { formatMs, type Table } from '../compare/table.js';
import { NATIVE } from './javascript.js';
import type { Anatomy } from './measure.js';

const percent = (share: number): string => `${(share * 100).toFixed(0)} %`;
const orDash = (ms: number | null): string => (ms === null ? '-' : formatMs(ms));
/** The part of a step that the tables list. */
const LISTED = 0.9;
const FUNCTIONS = 8;
/** Steps that spend more in native code are not listed with their functions. */
const MOSTLY_NATIVE = 0.8;

/** What the hardware needs for all kernels of a step. */
const floorOf = ({ kernels }: Anatomy): number => kernels.reduce((sum, { floorMs }) => sum + floorMs, 0);

/** A step in one line. */
export function summary(step: Anatomy): string {
  const { name, threads, eagerMs, capturedMs, kernelsMs, refusal } = step;
  const head = `${name}, ${threads} thread${threads > 1 ? 's' : ''}: eager ${formatMs(eagerMs)}`;
  if (capturedMs === null || kernelsMs === null) return `${head}; not captured: ${refusal}`;
  return `${head}, captured ${formatMs(capturedMs)}, its kernels ${formatMs(kernelsMs)}, their floor ${formatMs(floorOf(step))}`;
}

export function summaryTable(steps: readonly Anatomy[]): Table {
  const lines = steps.map((step) => {
    const { name, threads, eagerMs, capturedMs, kernelsMs } = step;
    const floor = kernelsMs === null ? '-' : formatMs(floorOf(step));
    return [name, String(threads), formatMs(eagerMs), orDash(capturedMs), orDash(kernelsMs), floor];
  });
  return [['work', 'threads', 'eager', 'captured', 'kernels', 'floor'], ...lines];
}

/** The longest kernels of every step, until they make up most of it; the name stands in its first line. */
export function kernelTable(steps: readonly Anatomy[]): Table {
  const lines = steps.flatMap(({ name, kernels }) => {
    let listed = 0;
    return kernels.flatMap(({ kernel, shapes, calls, ms, share, bytes, flops, floorMs }, i) => {
      if (listed >= LISTED) return [];
      listed += share;
      const speed = flops === 0 ? `${(bytes / ms / 1e6).toFixed(0)} GB/s` : `${(flops / ms / 1e6).toFixed(0)} GFLOP/s`;
      const cells = [i === 0 ? name : '', shortened(kernel), operandsOf(shapes), `${calls}`, formatMs(ms)];
      return [[...cells, percent(share), speed, formatMs(floorMs), (ms / floorMs).toFixed(2)]];
    });
  });
  return [['work', 'kernel', 'operands', 'calls', 'time', 'share', 'speed', 'floor', 'ratio'], ...lines];
}

/** The functions of JavaScript that take most, of every step that is not nearly all kernels. */
export function functionTable(steps: readonly Anatomy[]): Table {
  const lines = steps.flatMap(({ name, functions }) => {
    const native = functions.find((f) => f.name === NATIVE)?.share ?? 0;
    if (functions.length === 0 || native > MOSTLY_NATIVE) return [];
    const listed = functions.slice(0, FUNCTIONS).map((f) => `${f.name} ${percent(f.share)}`);
    return [[name, listed.join(', ')]];
  });
  return [['work', 'functions'], ...lines];
}

const OPERANDS = 4;
/** The first operands of a kernel, the result among them; optimizers have dozens. */
function operandsOf(shapes: readonly (readonly number[])[]): string {
  const first = shapes.slice(0, OPERANDS).map((shape) => `[${shape.join(', ')}]`);
  return [...first, ...(shapes.length > OPERANDS ? ['...'] : [])].join(' ');
}

const MOST = 60;
/** Groups of elementwise kernels have long names. */
const shortened = (text: string): string => (text.length > MOST ? `${text.slice(0, MOST - 3)}...` : text);

/** Work that missed its goal: its name, and on how many threads. */
export interface Missed {
  readonly name: string;
  readonly threads: number;
}

/** The rows of Markdown tables that end with MISSED: the threads stand in the second cell, or at the end of the name. */
export function missedIn(text: string): Missed[] {
  return text.split('\n').flatMap((line) => {
    const cells = line.split('|').map((cell) => cell.trim());
    if (cells.at(-2) !== 'MISSED') return [];
    const [, name, second] = cells;
    const written = /^(.*), (\d+) threads?$/.exec(name);
    if (written !== null) return [{ name: written[1], threads: Number(written[2]) }];
    return /^\d+$/.test(second) ? [{ name, threads: Number(second) }] : [];
  });
}
