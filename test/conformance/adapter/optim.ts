// Entries of optim.json that are calls of one function: the inputs are gradients, changed in place.
import { nn, type Tensor, zerosLike } from 'chainrule';
import { type NumberJson, toNumber } from '../cases.js';
import { type Entries, given, numberOf, op } from './entry.js';

/** Parameters that have these gradients. */
function holders(gradients: Tensor[]): nn.Parameter[] {
  return gradients.map((g) => {
    const p = new nn.Parameter(zerosLike(g));
    p.grad = g;
    return p;
  });
}

const gradients = (params: nn.Parameter[]) => params.map((p) => p.grad as Tensor);

export const optim = {
  clip_grad_norm_: op<{ max_norm: NumberJson; norm_type?: NumberJson | 'inf'; error_if_nonfinite?: boolean }>(
    ['max_norm', 'norm_type', 'error_if_nonfinite'],
    (inputs, a) => {
      const params = holders(inputs);
      const normType = a.norm_type === 'inf' ? Number.POSITIVE_INFINITY : numberOf(a.norm_type);
      const options = given({ normType, errorIfNonfinite: a.error_if_nonfinite });
      const total = nn.utils.clipGradNorm(params, toNumber(a.max_norm), options);
      return [total, ...gradients(params)];
    },
  ),
  clip_grad_value_: op<{ clip_value: NumberJson }>(['clip_value'], (inputs, a) => {
    const params = holders(inputs);
    nn.utils.clipGradValue(params, toNumber(a.clip_value));
    return gradients(params);
  }),
} satisfies Entries;
