// What products for one number of dimensions ask of their operands.
import { checkTensor } from '../../core/dispatch.js';
import { formatShape } from '../../core/shape.js';
import { TensorError } from '../../errors.js';
import type { Tensor } from '../../tensor.js';

const LAYOUTS = ['[]', '[n]', '[n, m]', '[b, n, m]'];

function checkOperand(op: string, x: Tensor, ndim: number, name: string): void {
  if (checkTensor(op, x, name).ndim === ndim) return;
  throw new TensorError('shape', op, `expected ${name} of shape ${LAYOUTS[ndim]}, got ${formatShape(x.shape)}`);
}

/** Both operands, each with the number of dimensions it must have, and one size inside. */
export function checkFactors(op: string, a: Tensor, ndimA: number, b: Tensor, ndimB: number): void {
  checkOperand(op, a, ndimA, 'a first tensor');
  checkOperand(op, b, ndimB, 'a second tensor');
  if (a.shape[ndimA - 1] === b.shape[Math.max(ndimB - 2, 0)]) return;
  const second = ndimB === 1 ? 'the size' : 'the second to last';
  throw new TensorError(
    'shape',
    op,
    `expected the last size of ${formatShape(a.shape)} to equal ${second} of ${formatShape(b.shape)}`,
  );
}

/** Two stacks of matrices, as many in one as in the other. */
export function checkStacks(op: string, a: Tensor, b: Tensor): void {
  checkFactors(op, a, 3, b, 3);
  if (a.shape[0] === b.shape[0]) return;
  throw new TensorError(
    'shape',
    op,
    `expected as many matrices on both sides, got ${formatShape(a.shape)} and ${formatShape(b.shape)}`,
  );
}

export function checkVector(op: string, x: Tensor, name: string): void {
  checkOperand(op, x, 1, name);
}
