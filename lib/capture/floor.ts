// What a kernel needs at least: the operations of its products, and the milliseconds this machine takes for those or for the bytes.
import { copyInto, make } from '../core/dispatch.js';
import { codeOf } from '../core/dtype.js';
import { ones } from '../create.js';
import { matmul } from '../ops/product/matmul.js';
import type { RecordedCall } from './record.js';

type Slots = (place: number) => number;

function product(slot: Slots, from: number, to: number): number {
  let n = 1;
  for (let i = from; i < to; i++) n *= slot(i);
  return n;
}

/** Every place of the output, for every channel that its group sees, at every tap. */
const ofConv = (slot: Slots): number => product(slot, 6, 13) * slot(1) * (slot(2) / slot(22));

/** Pairs of a query and a key, of all heads; with `causal` those up to the diagonal. */
function pairs(slot: Slots): number {
  const [causal, l, s] = [slot(1), slot(2), slot(3)];
  const below = l <= s ? (l * (l + 1)) / 2 : (s * (s + 1)) / 2 + (l - s) * s;
  return product(slot, 9, 9 + slot(8)) * (causal ? below : l * s);
}

const GATES = [1, 1, 4, 3];
/** The product of the state with the weights, of every row. */
const ofRecurrent = (slot: Slots): number => slot(7) * GATES[slot(1)] * slot(6) ** 2;

/** Multiplications of the kernels that are products, from their numbers (see lib/native.ts). */
const MULTIPLICATIONS: Readonly<Partial<Record<string, (slot: Slots) => number>>> = {
  gemm: (slot) => product(slot, 3, 6) * product(slot, 15, 15 + slot(14)),
  conv: ofConv,
  convBackwardInput: ofConv,
  convBackwardWeight: ofConv,
  attention: (slot) => pairs(slot) * (slot(4) + slot(5)),
  // The scores again, and four products of their size.
  attentionBackward: (slot) => pairs(slot) * (3 * slot(4) + 2 * slot(5)),
  recurrent: ofRecurrent,
  recurrentBackward: ofRecurrent,
};

/** Floating-point operations of a call that is a product, 0 for any other: a multiplication and its addition count as two. */
export function flopsOf({ name, geometry }: RecordedCall): number {
  return 2 * (MULTIPLICATIONS[name]?.((place) => geometry[place] ?? 0) ?? 0);
}

/** Whether a call works on doubles; of products the first number is the dtype. */
export const isDouble = ({ geometry }: RecordedCall): boolean => geometry[0] === codeOf('float64');

/** Milliseconds of the fastest call of a few. */
function fastest(tries: number, fn: () => void): number {
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < tries; i++) {
    const start = performance.now();
    fn();
    best = Math.min(best, performance.now() - start);
  }
  return best;
}

/** The call of a smaller copy takes longer than the copy. */
const LEAST = 2 ** 17;
/** A product of this size runs at full speed. */
const SIDE = 768;

/** The speed of this machine, each measured when it is first asked for. */
export class Speed {
  private readonly products = new Map<boolean, number>();

  /** Milliseconds of a copy that reads and writes as many bytes together; of few bytes their part of a larger copy, without its call. */
  bytes(bytes: number): number {
    if (bytes === 0) return 0;
    const half = Math.ceil(Math.max(bytes, LEAST) / 2);
    const x = make('explain', [half], 'uint8');
    const y = make('explain', [half], 'uint8');
    const ms = fastest(half > 2 ** 20 ? 3 : 10, () => copyInto(y, x));
    x.dispose();
    y.dispose();
    return ms * Math.min(1, bytes / LEAST);
  }

  /** Milliseconds of as many operations in a large product. */
  flops(flops: number, double: boolean): number {
    if (flops === 0) return 0;
    let ms = this.products.get(double);
    if (ms === undefined) {
      const a = ones([SIDE, SIDE], { dtype: double ? 'float64' : 'float32' });
      ms = fastest(4, () => matmul(a, a).dispose());
      a.dispose();
      this.products.set(double, ms);
    }
    return (flops / (2 * SIDE ** 3)) * ms;
  }
}
