// The numbers the work is done on: the same on every side, so that results can be held against each other. values.py has them too.
const PRIME = 2147483647;

export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}

/** Numbers between `low` and `high` that look random: products of places modulo a prime, exact in every language. */
export function numbers(size: number, seed: number, low = -1, high = 1): Float32Array {
  const data = new Float32Array(size);
  for (let i = 0; i < size; i++) {
    const h = (i * 48271 + seed * 7919 + 1) % PRIME;
    data[i] = low + ((high - low) * ((h * (h % 65536)) % PRIME)) / PRIME;
  }
  return data;
}

/** Whole numbers from 0 to n - 1. */
export function wholeNumbers(size: number, seed: number, n: number): Int32Array {
  return Int32Array.from(numbers(size, seed, 0, n), (v) => Math.min(n - 1, Math.floor(v)));
}

/** Initial values of a parameter lie within 1 / sqrt(fan-in), those of a vector within 0.1. */
export function boundOf(shape: readonly number[]): number {
  return shape.length > 1 ? 1 / Math.sqrt(sizeOf(shape) / shape[0]) : 0.1;
}

/** Initial values of the parameters of these shapes, in this order. */
export function parameters(shapes: readonly (readonly number[])[]): Float32Array[] {
  return shapes.map((shape, k) => numbers(sizeOf(shape), k + 1, -boundOf(shape), boundOf(shape)));
}

/** Weight [out, in] and bias [out] of linear layers, in turn. */
export function linearShapes(sizes: readonly number[]): number[][] {
  return sizes.slice(1).flatMap((out, i) => [[out, sizes[i]], [out]]);
}
