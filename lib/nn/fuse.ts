// Batch normalisation taken into the layer before it, for models that are trained.
import { noGrad } from '../core/mode.js';
import { scope } from '../core/scope.js';
import { describe, TensorError } from '../errors.js';
import type { Tensor } from '../tensor.js';
import { BatchNorm } from './batch-norm.js';
import { Conv1d, Conv2d, Conv3d } from './conv.js';
import { ConvTranspose1d, ConvTranspose2d, ConvTranspose3d } from './conv-transpose.js';
import { Linear } from './linear.js';
import type { Module } from './module.js';
import { Parameter } from './parameter.js';

/** A convolution, transposed or not. */
export type AnyConvolution = Conv1d | Conv2d | Conv3d | ConvTranspose1d | ConvTranspose2d | ConvTranspose3d;

const PLAIN = [Conv1d, Conv2d, Conv3d];
const TRANSPOSED = [ConvTranspose1d, ConvTranspose2d, ConvTranspose3d];
const isOne = (kinds: readonly (abstract new (...args: never[]) => unknown)[], value: unknown) =>
  kinds.some((kind) => value instanceof kind);

function checkNorm(op: string, layer: Module<never>, norm: BatchNorm, channels: number): void {
  if (!(norm instanceof BatchNorm)) {
    throw new TensorError('value', op, `expected a batch normalisation, got ${describe(norm)}`);
  }
  if (layer.training || norm.training) {
    throw new TensorError('value', op, 'expected modules in evaluation, got some in training; call eval() first');
  }
  if (norm.runningMean === null || norm.runningVar === null) {
    throw new TensorError('value', op, 'expected running statistics, got a normalisation that does not track them');
  }
  if (norm.numFeatures !== channels) {
    throw new TensorError('shape', op, `expected a normalisation of ${channels} features, got ${norm.numFeatures}`);
  }
}

/** `y = scale x + shift` for each channel, as the normalisation computes it in evaluation. */
function affineOf({ runningMean, runningVar, eps, weight, bias }: BatchNorm): [scale: Tensor, shift: Tensor] {
  const deviation = (runningVar as Tensor).add(eps).sqrt();
  const scale = weight === null ? deviation.reciprocal() : weight.div(deviation);
  const moved = (runningMean as Tensor).mul(scale);
  return [scale, bias === null ? moved.neg() : bias.sub(moved)];
}

/** The layer again, with the scale in its weight and the shift in its bias. */
function fused<L extends AnyConvolution | Linear>(layer: L, norm: BatchNorm, scaled: (scale: Tensor) => Tensor): L {
  const copy: AnyConvolution | Linear = layer.clone();
  noGrad(() =>
    scope(() => {
      const [scale, shift] = affineOf(norm);
      const bias = layer.bias === null ? shift : layer.bias.mul(scale).add(shift);
      const { requiresGrad } = layer.weight;
      copy.weight = new Parameter(scaled(scale), { requiresGrad });
      copy.bias = new Parameter(bias.clone(), { requiresGrad });
    }),
  );
  return copy as L;
}

/**
 * A convolution that computes what this one and the batch normalisation behind it do in evaluation: `W' = W s`, `b' = (b - mean) s + beta`,
 * `s = gamma / sqrt(variance + eps)` for each channel (PyTorch: `nn.utils.fuse_conv_bn_eval`).
 *
 * @param conv a convolution, transposed or not, of as many channels as `norm` has features
 * @param norm a batch normalisation with running statistics
 * @returns a new module; those given stay as they are
 * @throws TensorError `value` for other modules, modules in training, or a normalisation without running statistics, `shape` for another number
 * of features
 *
 * @example
 * ```ts
 * import { nn, randn } from 'chainrule';
 * const [conv, norm] = [new nn.Conv2d(3, 8, 3, { bias: false }).eval(), new nn.BatchNorm2d(8).eval()];
 * const fused = nn.utils.fuseConvBnEval(conv, norm);
 * const x = randn([1, 3, 6, 6]);
 * console.log(fused.forward(x).allclose(norm.forward(conv.forward(x)), { atol: 1e-5 })); // true
 * ```
 */
export function fuseConvBnEval<C extends AnyConvolution>(conv: C, norm: BatchNorm): C {
  const op = 'fuseConvBnEval';
  const transposed = isOne(TRANSPOSED, conv);
  if (!transposed && !isOne(PLAIN, conv)) {
    throw new TensorError('value', op, `expected a convolution, got ${describe(conv)}`);
  }
  checkNorm(op, conv as Module<never>, norm, conv.outChannels);
  const { weight, groups } = conv;
  const window = weight.shape.slice(2).map(() => 1);
  return fused(conv, norm, (scale) => {
    if (!transposed) return weight.mul(scale.reshape([-1, 1, ...window]));
    // [C, O / groups, ...]: every group of inputs has outputs of its own.
    const [inputs, outputs, ...taps] = weight.shape;
    const byGroup = weight.reshape([groups, inputs / groups, outputs, ...taps]);
    return byGroup.mul(scale.reshape([groups, 1, outputs, ...window])).reshape([...weight.shape]);
  });
}

/**
 * A linear layer that computes what this one and the batch normalisation behind it do in evaluation, as {@link fuseConvBnEval} (PyTorch 2:
 * `nn.utils.fuse_linear_bn_eval`).
 *
 * @returns a new module; those given stay as they are
 * @throws TensorError as {@link fuseConvBnEval}
 *
 * @example
 * ```ts
 * import { nn, randn } from 'chainrule';
 * const [linear, norm] = [new nn.Linear(3, 8).eval(), new nn.BatchNorm1d(8).eval()];
 * const fused = nn.utils.fuseLinearBnEval(linear, norm);
 * const x = randn([4, 3]);
 * console.log(fused.forward(x).allclose(norm.forward(linear.forward(x)), { atol: 1e-5 })); // true
 * ```
 */
export function fuseLinearBnEval(linear: Linear, norm: BatchNorm): Linear {
  const op = 'fuseLinearBnEval';
  if (!(linear instanceof Linear)) {
    throw new TensorError('value', op, `expected a linear layer, got ${describe(linear)}`);
  }
  checkNorm(op, linear, norm, linear.outFeatures);
  return fused(linear, norm, (scale) => linear.weight.mul(scale.unsqueeze(1)));
}
