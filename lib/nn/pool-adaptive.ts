// Adaptive pooling as modules: as many windows as are asked for.
import { checkOptions } from '../errors.js';
import {
  type AdaptiveMaxPoolOptions,
  type AdaptivePair,
  type AdaptiveTriple,
  adaptiveAvgPool1d,
  adaptiveAvgPool2d,
  adaptiveAvgPool3d,
  adaptiveMaxPool1d,
  adaptiveMaxPool2d,
  adaptiveMaxPool3d,
} from '../ops/pool/adaptive.js';
import type { Tensor } from '../tensor.js';
import { checkBoolean, checkSizes, formatOptions, type Single } from './check.js';
import { Module } from './module.js';
import type { Pooled } from './pool.js';

/** A module of windows that cover the input, `outputSize` of them along each dimension. */
abstract class Adaptive<S, Output = Tensor> extends Module<[x: Tensor], Output> {
  constructor(
    op: string,
    n: number,
    readonly outputSize: S,
    readonly options?: AdaptiveMaxPoolOptions,
  ) {
    super();
    checkOptions(op, options, ['returnIndices']);
    checkBoolean(op, 'returnIndices', options?.returnIndices ?? false);
    // null stands for the input's size, which is not known yet.
    const sizes = Array.isArray(outputSize) ? outputSize.map((size) => size ?? 1) : (outputSize ?? 1);
    checkSizes(op, 'the output size', sizes, n, 0);
  }

  protected override summary(): string {
    const { outputSize, options } = this;
    const size = Array.isArray(outputSize) ? `[${outputSize.join(', ')}]` : `${outputSize}`;
    return [size, formatOptions(options)].filter((part) => part !== '').join(', ');
  }
}

/**
 * Means of windows that cover the input: `[N,C,L] -> [N,C,L']` (PyTorch: `nn.AdaptiveAvgPool1d`).
 *
 * @param outputSize the number of windows
 * @throws TensorError `value` for sizes that are no whole numbers
 *
 * @example
 * ```ts
 * import { nn, ones } from 'chainrule';
 * console.log(new nn.AdaptiveAvgPool1d(4).forward(ones([1, 3, 8])).shape); // [1, 3, 4]
 * ```
 */
export class AdaptiveAvgPool1d extends Adaptive<Single> {
  constructor(outputSize: Single) {
    super('AdaptiveAvgPool1d', 1, outputSize);
  }

  forward(x: Tensor): Tensor {
    return adaptiveAvgPool1d(x, this.outputSize);
  }
}

/**
 * Means of windows that cover the input: `[N,C,H,W] -> [N,C,H',W']` (PyTorch: `nn.AdaptiveAvgPool2d`).
 *
 * @param outputSize one number, or [height, width], where null keeps the input's size
 * @throws TensorError `value` for sizes that are no whole numbers
 *
 * @example
 * ```ts
 * import { nn, ones } from 'chainrule';
 * console.log(new nn.AdaptiveAvgPool2d(4).forward(ones([1, 3, 8, 8])).shape); // [1, 3, 4, 4]
 * ```
 */
export class AdaptiveAvgPool2d extends Adaptive<AdaptivePair> {
  constructor(outputSize: AdaptivePair) {
    super('AdaptiveAvgPool2d', 2, outputSize);
  }

  forward(x: Tensor): Tensor {
    return adaptiveAvgPool2d(x, this.outputSize);
  }
}

/**
 * Means of windows that cover the input: `[N,C,D,H,W] -> [N,C,D',H',W']` (PyTorch: `nn.AdaptiveAvgPool3d`).
 *
 * @param outputSize one number, or [depth, height, width], where null keeps the input's size
 * @throws TensorError `value` for sizes that are no whole numbers
 *
 * @example
 * ```ts
 * import { nn, ones } from 'chainrule';
 * console.log(new nn.AdaptiveAvgPool3d(4).forward(ones([1, 3, 8, 8, 8])).shape); // [1, 3, 4, 4, 4]
 * ```
 */
export class AdaptiveAvgPool3d extends Adaptive<AdaptiveTriple> {
  constructor(outputSize: AdaptiveTriple) {
    super('AdaptiveAvgPool3d', 3, outputSize);
  }

  forward(x: Tensor): Tensor {
    return adaptiveAvgPool3d(x, this.outputSize);
  }
}

/**
 * Largest values of windows that cover the input: `[N,C,L] -> [N,C,L']` (PyTorch: `nn.AdaptiveMaxPool1d`).
 *
 * @param outputSize the number of windows
 * @param options with `returnIndices` forward returns `{ values, indices }`
 * @throws TensorError `value` for sizes that are no whole numbers
 *
 * @example
 * ```ts
 * import { nn, ones } from 'chainrule';
 * console.log(new nn.AdaptiveMaxPool1d(4).forward(ones([1, 3, 8])).shape); // [1, 3, 4]
 * ```
 */
export class AdaptiveMaxPool1d<const O extends AdaptiveMaxPoolOptions = AdaptiveMaxPoolOptions> extends Adaptive<
  Single,
  Pooled<O>
> {
  constructor(outputSize: Single, options?: O) {
    super('AdaptiveMaxPool1d', 1, outputSize, options);
  }

  forward(x: Tensor): Pooled<O> {
    return adaptiveMaxPool1d(x, this.outputSize, this.options) as Pooled<O>;
  }
}

/**
 * Largest values of windows that cover the input: `[N,C,H,W] -> [N,C,H',W']` (PyTorch: `nn.AdaptiveMaxPool2d`).
 *
 * @param outputSize one number, or [height, width], where null keeps the input's size
 * @param options with `returnIndices` forward returns `{ values, indices }`
 * @throws TensorError `value` for sizes that are no whole numbers
 *
 * @example
 * ```ts
 * import { nn, ones } from 'chainrule';
 * console.log(new nn.AdaptiveMaxPool2d(4).forward(ones([1, 3, 8, 8])).shape); // [1, 3, 4, 4]
 * ```
 */
export class AdaptiveMaxPool2d<const O extends AdaptiveMaxPoolOptions = AdaptiveMaxPoolOptions> extends Adaptive<
  AdaptivePair,
  Pooled<O>
> {
  constructor(outputSize: AdaptivePair, options?: O) {
    super('AdaptiveMaxPool2d', 2, outputSize, options);
  }

  forward(x: Tensor): Pooled<O> {
    return adaptiveMaxPool2d(x, this.outputSize, this.options) as Pooled<O>;
  }
}

/**
 * Largest values of windows that cover the input: `[N,C,D,H,W] -> [N,C,D',H',W']` (PyTorch: `nn.AdaptiveMaxPool3d`).
 *
 * @param outputSize one number, or [depth, height, width], where null keeps the input's size
 * @param options with `returnIndices` forward returns `{ values, indices }`
 * @throws TensorError `value` for sizes that are no whole numbers
 *
 * @example
 * ```ts
 * import { nn, ones } from 'chainrule';
 * console.log(new nn.AdaptiveMaxPool3d(4).forward(ones([1, 3, 8, 8, 8])).shape); // [1, 3, 4, 4, 4]
 * ```
 */
export class AdaptiveMaxPool3d<const O extends AdaptiveMaxPoolOptions = AdaptiveMaxPoolOptions> extends Adaptive<
  AdaptiveTriple,
  Pooled<O>
> {
  constructor(outputSize: AdaptiveTriple, options?: O) {
    super('AdaptiveMaxPool3d', 3, outputSize, options);
  }

  forward(x: Tensor): Pooled<O> {
    return adaptiveMaxPool3d(x, this.outputSize, this.options) as Pooled<O>;
  }
}
