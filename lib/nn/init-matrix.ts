// Initial values that are made as matrices: the identity, Dirac's delta, orthogonal rows, columns with zeros.
import { eye as identity, randn, randperm, tensor } from '../create.js';
import { checkOptions, TensorError } from '../errors.js';
import { qr } from '../ops/linalg/factor.js';
import type { Tensor } from '../tensor.js';
import { checkFloating, checkNumber, checkSize } from './check.js';
import type { InitOptions } from './init.js';
import { isSkipped } from './skip-init.js';

/** Overwrites in place and gives the source's memory back. */
function take<T extends Tensor>(x: T, source: Tensor): T {
  x.assign(source);
  source.dispose();
  return x;
}

/** Two dimensions, or none of this works. */
function checkMatrix(op: string, x: Tensor): readonly [rows: number, columns: number] {
  checkFloating(op, x);
  const [rows, columns] = x.shape;
  if (x.ndim === 2) return [rows, columns];
  throw new TensorError('shape', op, `expected a matrix, got [${x.shape.join(', ')}]`);
}

/**
 * Ones on the diagonal of a matrix, zeros elsewhere: a linear layer that passes on what it can (PyTorch: `nn.init.eye_`).
 *
 * @throws TensorError `shape` unless there are two dimensions
 *
 * @example
 * ```ts
 * import { nn, zeros } from 'chainrule';
 * console.log(nn.init.eye(zeros([2, 3])).toArray()); // [[1, 0, 0], [0, 1, 0]]
 * ```
 */
export function eye<T extends Tensor>(x: T): T {
  const [rows, columns] = checkMatrix('eye', x);
  return take(x, identity(rows, columns));
}

/**
 * Ones in the middle of windows such that a convolution passes on as many channels as it can, in each group (PyTorch:
 * `nn.init.dirac_`).
 *
 * @param x a weight [out, in, ...window] of three to five dimensions
 * @param options `groups`, 1 unless given
 * @throws TensorError `shape` for another number of dimensions, or outputs that the groups do not divide
 *
 * @example
 * ```ts
 * import { nn, zeros } from 'chainrule';
 * console.log(nn.init.dirac(zeros([2, 2, 3])).toArray()); // [[[0, 1, 0], [0, 0, 0]], [[0, 0, 0], [0, 1, 0]]]
 * ```
 */
export function dirac<T extends Tensor>(x: T, options?: { groups?: number }): T {
  const op = 'dirac';
  checkFloating(op, x);
  checkOptions(op, options, ['groups']);
  const groups = checkSize(op, 'groups', options?.groups ?? 1);
  const [outputs, inputs, ...window] = x.shape;
  if (x.ndim < 3 || x.ndim > 5 || outputs % groups !== 0) {
    throw new TensorError(
      'shape',
      op,
      `expected a weight [out, in, ...window] whose outputs ${groups} groups divide, got [${x.shape.join(', ')}]`,
    );
  }
  const area = window.reduce((n, size) => n * size, 1);
  const middle = window.reduce((at, size) => at * size + Math.floor(size / 2), 0);
  const each = outputs / groups;
  const values = new Float32Array(x.size);
  for (let o = 0; o < outputs; o++) {
    const channel = o % each;
    if (channel < inputs && area > 0) values[(o * inputs + channel) * area + middle] = 1;
  }
  const flat = tensor(values);
  take(x, flat.reshape(x.shape));
  flat.dispose();
  return x;
}

/**
 * A matrix whose rows, or columns where they are fewer, are orthogonal and of length `gain`; drawn evenly among all: Q of a
 * matrix of normal numbers, R's diagonal made positive (Saxe et al. 2013; PyTorch: `nn.init.orthogonal_`).
 *
 * @param x [out, in], or [out, in, ...window], whose dimensions after the first count as one
 * @param options `gain`, 1 unless given; `generator`
 * @throws TensorError `shape` for fewer than two dimensions
 *
 * @example
 * ```ts
 * import { eye, nn, zeros } from 'chainrule';
 * const w = nn.init.orthogonal(zeros([2, 4]));
 * console.log(w.matmul(w.t()).sub(eye(2)).abs().amax().item() < 1e-6); // true
 * ```
 */
export function orthogonal<T extends Tensor>(x: T, options?: InitOptions & { gain?: number }): T {
  const op = 'orthogonal';
  checkFloating(op, x);
  checkOptions(op, options, ['gain', 'generator']);
  const gain = checkNumber(op, 'gain', options?.gain ?? 1);
  if (x.ndim < 2) {
    throw new TensorError('shape', op, `expected a weight [out, in, ...], got [${x.shape.join(', ')}]`);
  }
  if (x.size === 0 || isSkipped()) return x;
  const rows = x.shape[0];
  const columns = x.size / rows;
  const wide = rows < columns;
  // Of the tall of the two, as PyTorch transposes a wide matrix of the same numbers.
  const noise = randn([rows, columns], { dtype: x.dtype, generator: options?.generator });
  const { Q, R } = qr(wide ? noise.t() : noise);
  const signs = R.diagonal().sign();
  const turned = Q.mul(signs.mul(gain));
  take(x, (wide ? turned.t() : turned).reshape(x.shape));
  for (const temporary of [noise, Q, R, signs, turned]) temporary.dispose();
  return x;
}

/**
 * Normal numbers, with zeros for a part of every column (Martens 2010; PyTorch: `nn.init.sparse_`).
 *
 * @param sparsity which part, 0 to 1; of n rows `ceil(sparsity n)` are zero
 * @param options `std`, 0.01 unless given; `generator`
 * @throws TensorError `shape` unless there are two dimensions, `value` for a part outside 0..1
 *
 * @example
 * ```ts
 * import { nn, zeros } from 'chainrule';
 * console.log(nn.init.sparse(zeros([10, 3]), 0.3).eq(0).sum(0).toArray()); // [3, 3, 3]
 * ```
 */
export function sparse<T extends Tensor>(x: T, sparsity: number, options?: InitOptions & { std?: number }): T {
  const op = 'sparse';
  const [rows, columns] = checkMatrix(op, x);
  checkOptions(op, options, ['std', 'generator']);
  const count = Math.ceil(checkNumber(op, 'the sparsity', sparsity, 0, 1) * rows);
  const std = checkNumber(op, 'std', options?.std ?? 0.01, 0);
  const { generator } = options ?? {};
  const kept = new Float32Array(x.size).fill(1);
  for (let column = 0; column < columns; column++) {
    const order = randperm(rows, { generator });
    for (const row of (order.toArray() as number[]).slice(0, count)) kept[row * columns + column] = 0;
    order.dispose();
  }
  const noise = randn(x.shape, { dtype: x.dtype, generator });
  const scaled = noise.mul(std);
  const flat = tensor(kept);
  const mask = flat.reshape(x.shape);
  take(x, mask.ne(0).where(scaled, 0));
  for (const temporary of [noise, scaled, flat, mask]) temporary.dispose();
  return x;
}
