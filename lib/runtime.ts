// What the native side runs on: threads, CPU capability, BLAS core.
import { checkInteger } from './core/shape.js';
import { native } from './native.js';

/** Threads an operation may use, the calling one among them (PyTorch: `torch.get_num_threads`). */
export function numThreads(): number {
  return native.numThreads();
}

/**
 * Sets the threads an operation may use; results do not depend on it. The default is `CHAINRULE_NUM_THREADS`, else the
 * CPUs this process is granted (PyTorch: `torch.set_num_threads`).
 *
 * @throws TensorError `value` unless n is a whole number from 1 to 1024
 *
 * @example
 * ```ts
 * import { numThreads, setNumThreads } from 'chainrule';
 * setNumThreads(1);
 * console.log(numThreads()); // 1
 * ```
 */
export function setNumThreads(n: number): void {
  native.setNumThreads(checkInteger('setNumThreads', 'the number of threads', n, 1, 1024));
}

/** The kernels in use: `baseline`, `avx2`, `avx512` or `neon`; `CHAINRULE_CPU` forces one. */
export function capability(): string {
  return native.capability();
}

/** The core OpenBLAS chose its kernels for, such as `Haswell` or `Cooperlake`. */
export function openblasCore(): string {
  return native.openblasCore();
}
