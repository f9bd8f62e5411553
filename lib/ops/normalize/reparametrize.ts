// What weight normalisation and spectral normalisation compute; the modules that are changed live in lib/nn.
import { noGrad } from '../../core/mode.js';
import { composite } from '../../core/scope.js';
import { normalizeAxis } from '../../core/shape.js';
import type { Tensor } from '../../tensor.js';
import { norm } from '../reduce/statistics.js';
import { normalize } from './similarity.js';

/** A dimension of the weight, counted from 0; null where there is none. */
export function weightAxis(op: string, weight: Tensor, dim: number | null): number | null {
  return dim === null ? null : normalizeAxis(op, dim, weight.ndim);
}

/** Lengths of the parts along a dimension, which stays; of the whole for null. */
function lengths(v: Tensor, axis: number | null): Tensor {
  if (axis === null) return norm(v, 2);
  const others = v.shape.map((_, i) => i).filter((i) => i !== axis);
  return others.length === 0 ? v.abs() : norm(v, 2, others, { keepdim: true });
}

/** {@link lengths}, not recorded. */
export function weightLengths(v: Tensor, axis: number | null): Tensor {
  return noGrad(() => composite(() => lengths(v, axis)));
}

/** `g v / |v|`. */
export function weightOf(g: Tensor, v: Tensor, axis: number | null): Tensor {
  return composite(() => v.mul(g.div(lengths(v, axis))));
}

/** `W / (u^T W v)` for W as a matrix with dimension `axis` as its rows; u and v take `steps` of power iteration first. */
export function spectralWeight(w: Tensor, u: Tensor, v: Tensor, axis: number, steps: number, eps: number): Tensor {
  return composite(() => {
    const matrix = w.movedim(axis, 0).reshape([u.size, v.size]);
    noGrad(() => {
      for (let i = 0; i < steps; i++) {
        v.assign(normalize(matrix.t().matmul(u), { dim: 0, eps }));
        u.assign(normalize(matrix.matmul(v), { dim: 0, eps }));
      }
    });
    // Copies, so that a graph through this pass outlives the next one, which changes the vectors.
    const value = u.clone().mul(matrix.matmul(v.clone())).sum();
    return w.div(value);
  });
}
