// Tensors of a case as ours, contiguous and strided.
import { cat, type Tensor, tensor, zerosLike } from 'chainrule';
import { type NumberJson, type Precision, type TensorJson, toNumber } from './cases.js';

export const LAYOUTS = ['contiguous', 'strided'] as const;
export type Layout = (typeof LAYOUTS)[number];

/** A case's tensor as ours: float64 stands for the precision under test, int64 for int32. */
export function build(json: TensorJson, precision: Precision, requiresGrad = false): Tensor {
  const dtype = json.dtype === 'float64' ? precision : json.dtype === 'int64' ? 'int32' : 'bool';
  const flat = json.data.map((v: NumberJson) => toNumber(v));
  return tensor(tensor(flat, { dtype }).reshape(json.shape), { requiresGrad });
}

/** The same values with gaps or in another order in memory; gradients flow back to `x`. */
export function strided(x: Tensor): Tensor {
  if (x.ndim === 0 || x.size === 0) return x;
  if (x.ndim === 1) return cat([x.unsqueeze(1), zerosLike(x).unsqueeze(1)], 1).at('...', 0);
  const reversed = x.shape.map((_, i) => x.ndim - 1 - i);
  return x.permute(reversed).contiguous().permute(reversed);
}
