// Tensors as text: PyTorch's layout, used by toString(), print() and util.inspect.
import type { Tensor } from '../tensor.js';
import { isFloat } from './dtype.js';
import { formatShape } from './shape.js';

/** More elements than this are summarised by the first and last of each dimension. */
const SUMMARY = 1000;
const EDGE = 3;
const COLUMNS = 80;
const HEAD = 'tensor(';

/** How every element is written: as short as the largest and the smallest of them allow, alike for all. */
function formatter(x: Tensor, shown: readonly number[]): (value: number) => string {
  if (x.dtype === 'bool') return (v) => (v === 0 ? 'false' : 'true');
  if (!isFloat(x.dtype)) return String;
  let [largest, smallest, whole] = [0, Number.POSITIVE_INFINITY, true];
  for (const value of shown) {
    if (!Number.isFinite(value)) continue;
    const size = Math.abs(value);
    largest = Math.max(largest, size);
    if (size > 0) smallest = Math.min(smallest, size);
    whole &&= Number.isInteger(value);
  }
  if (whole && largest < 1e8) return (v) => special(v) ?? `${Object.is(v, -0) ? '-0' : v}.`;
  const scientific = largest >= 1e8 || smallest < 1e-4 || largest / smallest > 1000;
  return (v) => special(v) ?? (scientific ? exponential(v) : v.toFixed(4));
}

function special(v: number): string | null {
  if (Number.isFinite(v)) return null;
  return Number.isNaN(v) ? 'nan' : v > 0 ? 'inf' : '-inf';
}

/** 1.5000e+03 with two digits of exponent at least, as C and Python write it. */
function exponential(v: number): string {
  return v.toExponential(4).replace(/e([+-])(\d)$/, 'e$10$2');
}

/** The indices of a dimension that are shown; null stands for those left out. */
function shownIndices(n: number, summarise: boolean): (number | null)[] {
  const all = Array.from({ length: n }, (_, i) => i);
  return summarise && n > 2 * EDGE ? [...all.slice(0, EDGE), null, ...all.slice(n - EDGE)] : all;
}

function body(x: Tensor): string {
  if (x.size === 0) return '[]';
  const indices = x.shape.map((n) => shownIndices(n, x.size > SUMMARY));
  const shown: number[] = [];
  const collect = (axis: number, base: number): void => {
    if (axis === x.ndim) shown.push(x.read(base));
    else for (const i of indices[axis]) if (i !== null) collect(axis + 1, base * x.shape[axis] + i);
  };
  collect(0, 0);
  const format = formatter(x, shown);
  if (x.ndim === 0) return format(shown[0]);
  const width = shown.reduce((w, v) => Math.max(w, format(v).length), 0);
  let next = 0;
  const level = (axis: number): string => {
    const indent = HEAD.length + axis + 1;
    if (axis === x.ndim - 1) {
      return `[${wrapLine(
        indices[axis].map((i) => (i === null ? ' ...' : format(shown[next++]).padStart(width))),
        width,
        indent,
      )}]`;
    }
    const gap = `,${'\n'.repeat(x.ndim - axis - 1)}${' '.repeat(indent)}`;
    return `[${indices[axis].map((i) => (i === null ? '...' : level(axis + 1))).join(gap)}]`;
  };
  return level(0);
}

/** Breaks a long row at 80 columns. */
function wrapLine(parts: readonly string[], width: number, indent: number): string {
  const perLine = Math.max(1, Math.floor((COLUMNS - indent) / (width + 2)));
  const lines: string[] = [];
  for (let i = 0; i < parts.length; i += perLine) lines.push(parts.slice(i, i + perLine).join(', '));
  return lines.join(`,\n${' '.repeat(indent)}`);
}

/** `tensor([[1., 2.]], shape [1, 2], float32, from add)`. */
export function formatTensor(x: Tensor): string {
  if (x.released) return `${HEAD}released, shape ${formatShape(x.shape)}, ${x.dtype}, from ${x.op})`;
  const notes = [`shape ${formatShape(x.shape)}`, x.dtype];
  if (x.op !== 'tensor') notes.push(`from ${x.op}`);
  if (x.requiresGrad) notes.push('requiresGrad');
  const text = `${HEAD}${body(x)},`;
  const tail = `${notes.join(', ')})`;
  const last = text.length - text.lastIndexOf('\n') - 1;
  return last + 1 + tail.length <= COLUMNS ? `${text} ${tail}` : `${text}\n${' '.repeat(HEAD.length)}${tail}`;
}

/** What stands for a tensor too deep inside another object to be shown. */
export function formatBriefly(x: Tensor): string {
  return `[Tensor ${formatShape(x.shape)} ${x.dtype}]`;
}
