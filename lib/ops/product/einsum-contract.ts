// Sums of products over labelled dimensions: diagonals and sums first, then pair after pair as matrix products.
import { formatShape, type Shape, sizeOf } from '../../core/shape.js';
import { TensorError } from '../../errors.js';
import type { Tensor } from '../../tensor.js';
import { matmul } from './matmul.js';

/** A tensor whose dimensions carry labels, each once. */
export interface Labelled {
  readonly x: Tensor;
  readonly labels: readonly number[];
}

/** The size of every label: all operands agree, or have size 1, which stretches. */
export function sizesOf(
  op: string,
  shapes: readonly Shape[],
  labels: readonly (readonly number[])[],
  name: (label: number) => string,
): Map<number, number> {
  const sizes = new Map<number, number>();
  for (const [i, shape] of shapes.entries()) {
    const own = new Map<number, number>();
    for (const [d, n] of shape.entries()) {
      const label = labels[i][d];
      const met = sizes.get(label) ?? 1;
      const before = own.get(label);
      if ((met !== n && met !== 1 && n !== 1) || (before !== undefined && before !== n)) {
        throw new TensorError(
          'shape',
          op,
          `expected one size for the label ${name(label)}, got ${before ?? met} and ${n} at operand ${i} of shape ${formatShape(shape)}`,
        );
      }
      own.set(label, n);
      sizes.set(label, met === 1 ? n : met);
    }
  }
  return sizes;
}

/** Takes the diagonal of labels that stand twice. */
function withoutRepeats({ x, labels }: Labelled): Labelled {
  const second = labels.findIndex((label, i) => labels.indexOf(label) !== i);
  if (second < 0) return { x, labels };
  const label = labels[second];
  const first = labels.indexOf(label);
  const rest = labels.filter((_, i) => i !== first && i !== second);
  return withoutRepeats({ x: x.diagonal(0, first, second), labels: [...rest, label] });
}

/** Drops dimensions of size 1 that another operand stretches: a factor counts once for all of its places. */
function withoutStretched({ x, labels }: Labelled, sizes: ReadonlyMap<number, number>): Labelled {
  const kept = labels.filter((label, i) => x.shape[i] === sizes.get(label));
  if (kept.length === labels.length) return { x, labels };
  return { x: x.reshape(kept.map((label) => sizes.get(label) as number)), labels: kept };
}

/** Sums over the labels that nothing else needs. */
function withoutUnneeded({ x, labels }: Labelled, needed: (label: number) => boolean): Labelled {
  const axes = labels.flatMap((label, i) => (needed(label) ? [] : [i]));
  return axes.length === 0 ? { x, labels } : { x: x.sum(axes), labels: labels.filter(needed) };
}

/** The dimensions in the order of `order`, which holds all labels of `a`; others have size 1. */
function aligned({ x, labels }: Labelled, order: readonly number[]): Tensor {
  const present = order.filter((label) => labels.includes(label));
  const sorted = x.permute(present.map((label) => labels.indexOf(label)));
  let next = 0;
  return sorted.reshape(order.map((label) => (labels.includes(label) ? sorted.shape[next++] : 1)));
}

/** The operand with its dimensions in three groups, each as one dimension. */
function grouped({ x, labels }: Labelled, groups: readonly (readonly number[])[]): Tensor {
  const at = (label: number) => labels.indexOf(label);
  return x
    .permute(groups.flat().map(at))
    .reshape(groups.map((group) => sizeOf(group.map((label) => x.shape[at(label)]))));
}

/** Both operands in one: labels that nothing else needs are summed over. */
function pair(op: string, a: Labelled, b: Labelled, needed: (label: number) => boolean): Labelled {
  const shared = a.labels.filter((label) => b.labels.includes(label));
  const batch = shared.filter(needed);
  const summed = shared.filter((label) => !needed(label));
  const left = a.labels.filter((label) => !shared.includes(label));
  const right = b.labels.filter((label) => !shared.includes(label));
  const labels = [...batch, ...left, ...right];
  if (labels.length > 8) {
    throw new TensorError(
      'shape',
      op,
      `expected products of at most 8 dimensions, got ${labels.length} from ${formatShape(a.x.shape)} and ${formatShape(b.x.shape)}`,
    );
  }
  if (summed.length === 0) return { x: aligned(a, labels).mul(aligned(b, labels)), labels };
  const size = (label: number) => {
    const i = a.labels.indexOf(label);
    return i >= 0 ? a.x.shape[i] : b.x.shape[b.labels.indexOf(label)];
  };
  const product = matmul(grouped(a, [batch, left, summed]), grouped(b, [batch, summed, right]));
  return { x: product.reshape(labels.map(size)), labels };
}

/** The pair whose product costs least, the first of equal ones: multiplications are the sizes of all its labels together. */
function cheapest(operands: readonly Labelled[], sizes: ReadonlyMap<number, number>): [number, number] {
  let best: [number, number] = [0, 1];
  let least = Infinity;
  for (let j = 1; j < operands.length; j++) {
    for (let i = 0; i < j; i++) {
      const all = new Set([...operands[i].labels, ...operands[j].labels]);
      const cost = sizeOf([...all].map((label) => sizes.get(label) as number));
      if (cost < least) {
        least = cost;
        best = [i, j];
      }
    }
  }
  return best;
}

/** The sum of products of the operands over all labels that are not in the output; to be called inside composite(). */
export function contract(
  op: string,
  given: readonly Labelled[],
  output: readonly number[],
  sizes: ReadonlyMap<number, number>,
): Tensor {
  let operands = given.map((operand) => withoutStretched(withoutRepeats(operand), sizes));
  const neededBeside = (others: readonly Labelled[]) => (label: number) =>
    output.includes(label) || others.some(({ labels }) => labels.includes(label));
  operands = operands.map((operand, i) => withoutUnneeded(operand, neededBeside(operands.filter((_, j) => j !== i))));
  while (operands.length > 1) {
    const [i, j] = cheapest(operands, sizes);
    const others = operands.filter((_, k) => k !== i && k !== j);
    const product = pair(op, operands[i], operands[j], neededBeside(others));
    operands = [...operands.slice(0, i), product, ...operands.slice(i + 1).filter((o) => others.includes(o))];
  }
  const [{ x, labels }] = operands;
  return x.permute(output.map((label) => labels.indexOf(label)));
}
