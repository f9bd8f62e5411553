// For rows that make a tensor of their own beside the op: it ends with the call unless a graph holds it.
import { scope, type Tensor, tensor } from 'chainrule';

/** Runs `use` on what `make` gives, and releases that where nothing is recorded. */
export function own(make: () => Tensor, use: (made: Tensor) => Tensor): Tensor {
  const made = scope(make);
  const y = use(made);
  if (!y.requiresGrad) made.dispose();
  return y;
}

/** 0 and 1 as -1 and 1. */
export const signs = (bits: Tensor, use: (signs: Tensor) => Tensor): Tensor => own(() => bits.mul(2).sub(1), use);

/** The weights 1 to 4. */
export const weights = (x: Tensor, use: (weight: Tensor) => Tensor): Tensor =>
  own(() => tensor([1, 2, 3, 4]).to(x.dtype), use);
