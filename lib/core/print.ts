// Tensors as text: PyTorch's layout, used by toString(), print() and util.inspect.
import type { Tensor } from '../tensor.js';
import { isFloat } from './dtype.js';
import { formatShape } from './shape.js';

/** More elements than this are summarised by the first and last of each dimension. */
const SUMMARY = 1000;
const EDGE = 3;

function formatter(x: Tensor): (value: number) => string {
  if (x.dtype === 'bool') return (v) => (v === 0 ? 'false' : 'true');
  if (!isFloat(x.dtype)) return String;
  const values = Array.from(sample(x)).filter(Number.isFinite).map(Math.abs);
  const largest = Math.max(0, ...values);
  const smallest = Math.min(...values.filter((v) => v > 0), Number.POSITIVE_INFINITY);
  if (values.every(Number.isInteger) && largest < 1e8) return (v) => (Number.isFinite(v) ? `${v}.` : special(v));
  const scientific = largest >= 1e8 || smallest < 1e-4 || largest / smallest > 1000;
  return (v) => (!Number.isFinite(v) ? special(v) : scientific ? v.toExponential(4) : v.toFixed(4));
}

function special(v: number): string {
  return Number.isNaN(v) ? 'nan' : v > 0 ? 'inf' : '-inf';
}

/** The elements that will be shown. */
function* sample(x: Tensor): Generator<number> {
  const n = x.size;
  if (n <= SUMMARY) for (let i = 0; i < n; i++) yield x.read(i);
  else for (const place of shownPlaces(x)) yield x.read(place);
}

function* shownPlaces(x: Tensor, axis = 0, base = 0): Generator<number> {
  if (axis === x.ndim) {
    yield base;
    return;
  }
  for (const i of shownIndices(x.shape[axis], true)) yield* shownPlaces(x, axis + 1, base * x.shape[axis] + i);
}

function shownIndices(n: number, summarise: boolean): number[] {
  if (!summarise || n <= 2 * EDGE) return Array.from({ length: n }, (_, i) => i);
  return Array.from({ length: 2 * EDGE }, (_, i) => (i < EDGE ? i : n - 2 * EDGE + i));
}

function body(x: Tensor, format: (value: number) => string, indent: number): string {
  if (x.size === 0) return '[]';
  const summarise = x.size > SUMMARY;
  const width = Math.max(...Array.from(sample(x), (v) => format(v).length));
  const level = (axis: number, base: number): string => {
    if (axis === x.ndim) return format(x.read(base)).padStart(x.ndim === 0 ? 0 : width);
    const n = x.shape[axis];
    const parts = shownIndices(n, summarise).map((i) => level(axis + 1, base * n + i));
    if (summarise && n > 2 * EDGE) parts.splice(EDGE, 0, '...');
    const last = axis === x.ndim - 1;
    const gap = last ? ', ' : `,${'\n'.repeat(x.ndim - axis - 1)}${' '.repeat(indent + axis + 1)}`;
    if (!last) return `[${parts.join(gap)}]`;
    return `[${wrapLine(parts, indent + axis + 1)}]`;
  };
  return level(0, 0);
}

/** Breaks a long row at 80 columns. */
function wrapLine(parts: readonly string[], indent: number): string {
  const perLine = Math.max(1, Math.floor((80 - indent) / ((parts[0]?.length ?? 1) + 2)));
  const lines: string[] = [];
  for (let i = 0; i < parts.length; i += perLine) lines.push(parts.slice(i, i + perLine).join(', '));
  return lines.join(`,\n${' '.repeat(indent)}`);
}

/** `tensor([[1., 2.]], shape [1, 2], float32, from add)`. */
export function formatTensor(x: Tensor): string {
  if (x.released) return `tensor(released, shape ${formatShape(x.shape)}, ${x.dtype}, from ${x.op})`;
  const notes = [`shape ${formatShape(x.shape)}`, x.dtype];
  if (x.op !== 'tensor') notes.push(`from ${x.op}`);
  if (x.requiresGrad) notes.push('requiresGrad');
  return `tensor(${body(x, formatter(x), 7)}, ${notes.join(', ')})`;
}
