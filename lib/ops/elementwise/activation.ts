// Smooth activations, and those over groups of values. Every export is also a method of Tensor.
import { checkTensor, unary, unaryOp } from '../../core/dispatch.js';
import { fused } from '../../core/fused.js';
import { isGradEnabled } from '../../core/mode.js';
import { composite } from '../../core/scope.js';
import { checkInteger, checkNumber, formatShape, normalizeAxis } from '../../core/shape.js';
import { checkOptions, describe, TensorError } from '../../errors.js';
import type { Tensor } from '../../tensor.js';
import { geluBackward, sigmoidBackward, siluBackward } from './backward.js';
import { sigmoid } from './exponential.js';

const LOG_SIGMOID = unaryOp('logSigmoid', 'x', (g, x) => g.mul(x.neg().sigmoid()));
/**
 * `y = log(1 / (1 + e^-x))`, without overflow at either end; `dx = g sigmoid(-x)` (PyTorch: `F.logsigmoid`).
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([-1000]).logSigmoid().item()); // -1000
 * ```
 */
export function logSigmoid(x: Tensor): Tensor {
  return unary(LOG_SIGMOID, x);
}

const SOFTPLUS = unaryOp('softplus', 'x', (g, x, beta, threshold) => {
  const z = x.mul(beta);
  return z.gt(threshold).where(g, sigmoid(z).mul(g));
});
/**
 * Smooth relu: `y = log(1 + e^(beta x)) / beta`, `dx = g sigmoid(beta x)`; `y = x` where `beta x > threshold` (PyTorch:
 * `F.softplus`).
 *
 * @param options `beta`, 1 unless given, not 0; `threshold`, 20 unless given
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([1000]).softplus().item()); // 1000
 * ```
 */
export function softplus(x: Tensor, options?: { beta?: number; threshold?: number }): Tensor {
  checkOptions('softplus', options, ['beta', 'threshold']);
  const beta = checkNumber('softplus', 'beta', options?.beta ?? 1);
  if (beta === 0) throw new TensorError('value', 'softplus', 'expected beta to be a number other than 0, got 0');
  return unary(SOFTPLUS, x, beta, checkNumber('softplus', 'threshold', options?.threshold ?? 20));
}

/**
 * Binomial normal log likelihood: `y = log(1 + e^x)`, without overflow; `dx = g sigmoid(x)` (Caffe: BNLL).
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([1000]).bnll().item()); // 1000
 * ```
 */
export function bnll(x: Tensor): Tensor {
  checkTensor('bnll', x);
  return composite(() => x.neg().logSigmoid().neg());
}

const SILU = unaryOp('silu', 'x', (g, x) => {
  if (!isGradEnabled()) return siluBackward(g, x);
  const s = sigmoid(x);
  return g.mul(s.add(sigmoidBackward(x, s)));
});
/**
 * Sigmoid linear unit, or swish: `y = x sigmoid(x)` (Elfwing et al. 2017; PyTorch: `F.silu`).
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([0]).silu().item()); // 0
 * ```
 */
export function silu(x: Tensor): Tensor {
  return unary(SILU, x);
}

const GELU = unaryOp('gelu', 'x', (g, x, form) => {
  // One pass instead of ten: bench/cases/gelu.ts.
  if (!isGradEnabled()) return geluBackward(g, x, form);
  if (form === 0) {
    // The distribution function of the normal distribution, and x times its density.
    const area = x.mul(Math.SQRT1_2).erf().add(1).mul(0.5);
    const density = x
      .square()
      .mul(-0.5)
      .exp()
      .mul(1 / Math.sqrt(2 * Math.PI));
    return g.mul(area.add(x.mul(density)));
  }
  // y = x sigmoid(2 u) with u = sqrt(2 / pi) (x + 0.044715 x^3).
  const c = 2 * Math.sqrt(2 / Math.PI);
  const square = x.square();
  const s = sigmoid(square.mul(0.044715).add(1).mul(x).mul(c));
  return g.mul(
    s.add(
      sigmoidBackward(x, s).mul(
        square
          .mul(3 * 0.044715)
          .add(1)
          .mul(c),
      ),
    ),
  );
});
/**
 * Gaussian error linear unit: `y = x (1 + erf(x / sqrt(2))) / 2`, or with `tanh`
 * `y = x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2` (Hendrycks and Gimpel 2016; PyTorch: `F.gelu`).
 *
 * @param options `approximate`: 'none' unless given, or 'tanh'
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([0]).gelu().item()); // 0
 * ```
 */
export function gelu(x: Tensor, options?: { approximate?: 'none' | 'tanh' }): Tensor {
  checkOptions('gelu', options, ['approximate']);
  const form = ['none', 'tanh'].indexOf(options?.approximate ?? 'none');
  if (form < 0) {
    throw new TensorError(
      'value',
      'gelu',
      `expected approximate to be 'none' or 'tanh', got ${describe(options?.approximate)}`,
    );
  }
  return unary(GELU, x, form);
}

/**
 * `y = x tanh(softplus(x))` (Misra 2019; PyTorch: `F.mish`).
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([0]).mish().item()); // 0
 * ```
 */
export function mish(x: Tensor): Tensor {
  checkTensor('mish', x);
  return composite(() => x.mul(x.softplus().tanh()));
}

/**
 * `y = x / (1 + |x|)`, `dx = g / (1 + |x|)^2` (PyTorch: `F.softsign`).
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([1, -3]).softsign().toArray()); // [0.5, -0.75]
 * ```
 */
export function softsign(x: Tensor): Tensor {
  checkTensor('softsign', x);
  return fused(
    'softsign',
    [x],
    [x],
    () => x.div(x.abs().add(1)),
    (g, [x]) => g.div(x.abs().add(1).square()),
  );
}

/**
 * `y = x - tanh(x)` (PyTorch: `F.tanhshrink`).
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([0]).tanhshrink().item()); // 0
 * ```
 */
export function tanhshrink(x: Tensor): Tensor {
  checkTensor('tanhshrink', x);
  return composite(() => x.sub(x.tanh()));
}

/**
 * Gated linear unit: `y = a sigmoid(b)` for the two halves a and b of a dimension (Dauphin et al. 2016; PyTorch: `F.glu`).
 *
 * @param axis the dimension that is halved, the last unless given
 * @throws TensorError `shape` where its size is odd
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([4, 0]).glu().toArray()); // [2]
 * ```
 */
export function glu(x: Tensor, axis = -1): Tensor {
  const at = normalizeAxis('glu', axis, checkTensor('glu', x).ndim);
  const half = (x.shape[at] ?? 1) / 2;
  if (!Number.isInteger(half)) {
    throw new TensorError('shape', 'glu', `expected an even size in dimension ${at}, got ${formatShape(x.shape)}`);
  }
  return composite(() => x.narrow(at, 0, half).mul(x.narrow(at, half, half).sigmoid()));
}

/**
 * The largest of each group of neighbours along a dimension: [N, C, ...] becomes [N, C / groups, ...]; the gradient goes to
 * the largest, in equal parts where several are (Goodfellow et al. 2013; PaddlePaddle: `F.maxout`).
 *
 * @param groups how many neighbours make one value
 * @param axis the dimension, 1 unless given
 * @throws TensorError `shape` where the size is not a multiple of groups
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([[1, 4, 3, 2]]).maxout(2).toArray()); // [[4, 3]]
 * ```
 */
export function maxout(x: Tensor, groups: number, axis = 1): Tensor {
  const at = normalizeAxis('maxout', axis, checkTensor('maxout', x).ndim);
  checkInteger('maxout', 'groups', groups, 1);
  const n = (x.shape[at] ?? 1) / groups;
  if (!Number.isInteger(n)) {
    throw new TensorError(
      'shape',
      'maxout',
      `expected a multiple of ${groups} in dimension ${at}, got ${formatShape(x.shape)}`,
    );
  }
  return composite(() => x.reshape(x.shape.toSpliced(at, 1, n, groups)).amax(at + 1));
}

/**
 * Softmax of the negated values: `y_i = e^-x_i / sum_j e^-x_j` along one dimension (PyTorch: `F.softmin`).
 *
 * @throws TensorError `axis` for an axis outside the tensor
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([0, 0]).softmin(0).toArray()); // [0.5, 0.5]
 * ```
 */
export function softmin(x: Tensor, axis: number): Tensor {
  normalizeAxis('softmin', axis, checkTensor('softmin', x).ndim);
  return composite(() => x.neg().softmax(axis));
}
