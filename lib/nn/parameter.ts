// Parameter: a tensor that modules own and optimizers change.
import { zeros } from '../create.js';
import { checkOptions, describe, TensorError } from '../errors.js';
import { Tensor } from '../tensor.js';
import { checkBoolean, type ParameterOptions } from './check.js';
import { type InitOptions, kaimingUniform, uniform } from './init.js';

/**
 * A tensor that a {@link Module} finds among its attributes and an optimizer changes (PyTorch: `nn.Parameter`).
 *
 * It shares memory with the tensor it is made of, is a leaf that requires gradients, and outlives every `scope`.
 *
 * @param data float32 or float64 values of any shape; copied only where they are not contiguous
 * @throws TensorError `dtype` for integers that would require gradients
 *
 * @example
 * ```ts
 * import { nn, ones, type Tensor } from 'chainrule';
 * class Scale extends nn.Module {
 *   factor = new nn.Parameter(ones([3]));
 *   forward(x: Tensor) { return x.mul(this.factor); }
 * }
 * console.log(new Scale().parameters().length); // 1
 * ```
 */
export class Parameter extends Tensor {
  constructor(data: Tensor, options?: { requiresGrad?: boolean }) {
    const op = 'Parameter';
    checkOptions(op, options, ['requiresGrad']);
    const requiresGrad = checkBoolean(op, 'requiresGrad', options?.requiresGrad ?? true);
    if (!(data instanceof Tensor)) throw new TensorError('value', op, `expected a tensor, got ${describe(data)}`);
    data.check(op);
    if (requiresGrad && data.dtype !== 'float32' && data.dtype !== 'float64') {
      throw new TensorError(
        'dtype',
        op,
        `expected float32 or float64, got ${data.dtype}; pass { requiresGrad: false }`,
      );
    }
    const source = data.isContiguous ? data : data.clone();
    super(source.storage, source.shape, source.strides, source.offset, source.dtype, true, 'parameter');
    this.storage.refs++;
    if (source !== data) source.dispose();
    this.requiresGrad = requiresGrad;
    this.kept = true;
  }
}

/** A parameter of zeros with memory of its own, for modules to initialise. */
export function parameter(shape: readonly number[], dtype: ParameterOptions['dtype']): Parameter {
  const data = zeros(shape, { dtype: dtype ?? 'float32' });
  const made = new Parameter(data);
  data.dispose();
  return made;
}

/** How PyTorch begins Linear and the convolutions: weight and bias uniform within `1 / sqrt(fanIn)`. */
export function linearDefaults(weight: Tensor, bias: Tensor | null, generator: InitOptions['generator']): void {
  kaimingUniform(weight, { a: Math.sqrt(5), generator });
  const b = 1 / Math.sqrt(weight.size / weight.shape[0]);
  if (bias !== null) uniform(bias, { a: -b, b, generator });
}
