// What the hardware needs at least: products at the speed of a large one, a copy or a search of as many bytes.
import { zeros } from 'chainrule';
import { values } from './work/work.js';

/** A product of this size runs at full speed. */
const SIDE = 768;
const FLOPS = 2 * SIDE ** 3;

/** Ways to do a thing; the fastest of them counts, times `scale`. */
export interface Part {
  readonly ways: readonly (() => void)[];
  readonly scale: number;
}

/** As many floating-point operations of products at full speed. */
export function productsAtFullSpeed(flops: number): Part {
  const [a, b] = [values([SIDE, SIDE], 1, 'float32'), values([SIDE, SIDE], 2, 'float32')];
  return { ways: [() => a.matmul(b).dispose()], scale: flops / FLOPS };
}

/** A copy that reads and writes as many bytes in all, by chainrule's threads or by the C library. */
export function copyOf(bytes: number): Part {
  const x = zeros([Math.ceil(bytes / 8)]);
  const [from, to] = [Buffer.alloc(bytes / 2), Buffer.alloc(bytes / 2)];
  return { ways: [() => x.clone().dispose(), () => from.copy(to)], scale: 1 };
}

/** Reading as many bytes once: a search of the C library for a byte that is not there, on one of the threads. */
export function readingOf(bytes: number, threads: number): Part {
  const x = Buffer.alloc(bytes);
  return { ways: [() => x.indexOf(1)], scale: 1 / threads };
}

/** The same product called otherwise: with the roles swapped, in two halves of the rows, in four parts of the columns. */
export function otherCalls(m: number, k: number, n: number): Part {
  const a = values([m, k], 1, 'float32');
  const b = values([k, n], 2, 'float32');
  const [at, bt] = [a.t(), b.t()];
  const halves = a.chunk(2, 0);
  const quarters = b.chunk(4, 1);
  return {
    ways: [
      () => a.matmul(b).dispose(),
      () => bt.matmul(at).dispose(),
      () => {
        for (const part of halves) part.matmul(b).dispose();
      },
      () => {
        for (const part of quarters) a.matmul(part).dispose();
      },
    ],
    scale: 1,
  };
}
