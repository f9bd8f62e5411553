// Lazy Linear and convolutions: layers that learn the number of their inputs from the first of them.
import type { Tensor } from '../tensor.js';
import type { Pair, ParameterOptions, Single, Triple } from './check.js';
import { Conv1d, Conv2d, Conv3d, type ConvModuleOptions } from './conv.js';
import {
  ConvTranspose1d,
  ConvTranspose2d,
  ConvTranspose3d,
  type ConvTransposeModuleOptions,
} from './conv-transpose.js';
import { channels, leastChannels, postpone, settle, unseeded } from './lazy.js';
import { Linear } from './linear.js';

/**
 * A {@link Linear} that learns `inFeatures` from the first input (PyTorch: `nn.LazyLinear`). At that input, or as a state is loaded, its parameters
 * get their values; from the first input on it is a `Linear`. Optimizers are made afterwards.
 *
 * @param options `bias` true unless given
 * @throws TensorError `value` for a size that is no whole number from 1 up, and for any use of the parameters before the first input;
 * in the first forward `shape` where a state was loaded for other inputs, `capture` inside a captured function
 *
 * @example
 * ```ts
 * import { nn, ones } from 'chainrule';
 * const layer = new nn.LazyLinear(10);
 * layer.forward(ones([2, 784]));
 * console.log(layer.weight.shape, `${layer}`); // [10, 784] Linear(784, 10)
 * ```
 */
export class LazyLinear extends Linear {
  constructor(outFeatures: number, options?: ParameterOptions) {
    super(1, outFeatures, unseeded(options));
    const make = (n: number) => new Linear(n, outFeatures, options);
    postpone(this, { kind: LazyLinear, becomes: Linear, size: 'inFeatures', axis: (ndim) => ndim - 1, make });
  }

  override forward(x: Tensor): Tensor {
    settle(this, x);
    return super.forward(x);
  }
}

/**
 * A {@link Conv1d} that learns `inChannels` from the first input, `[N,C,L]` or `[C,L]`, as {@link LazyLinear} does (PyTorch: `nn.LazyConv1d`).
 *
 * @param kernelSize a number
 * @param options as of {@link Conv1d}
 * @throws TensorError `value` for sizes that are no whole numbers from 1 up, for groups that do not divide the channels, at the latest in
 * the first forward, and for any use of the parameters before it
 *
 * @example
 * ```ts
 * import { nn, ones } from 'chainrule';
 * const layer = new nn.LazyConv1d(33, 3);
 * layer.forward(ones([20, 16, 50]));
 * console.log(layer.weight.shape); // [33, 16, 3]
 * ```
 */
export class LazyConv1d extends Conv1d {
  constructor(outChannels: number, kernelSize: Single, options?: ConvModuleOptions<readonly [number]>) {
    super(leastChannels(options), outChannels, kernelSize, unseeded(options));
    const make = (n: number) => new Conv1d(n, outChannels, kernelSize, options);
    postpone(this, { kind: LazyConv1d, becomes: Conv1d, size: 'inChannels', axis: channels(1), make });
  }

  override forward(x: Tensor): Tensor {
    settle(this, x);
    return super.forward(x);
  }
}

/**
 * A {@link Conv2d} that learns `inChannels` from the first input, `[N,C,H,W]` or `[C,H,W]`, as {@link LazyLinear} does (PyTorch: `nn.LazyConv2d`).
 *
 * @param kernelSize one number or [height, width]
 * @param options as of {@link Conv2d}
 * @throws TensorError `value` for sizes that are no whole numbers from 1 up, for groups that do not divide the channels, at the latest in
 * the first forward, and for any use of the parameters before it
 *
 * @example
 * ```ts
 * import { nn, ones } from 'chainrule';
 * const layer = new nn.LazyConv2d(20, 5, { bias: false });
 * layer.forward(ones([2, 3, 28, 28]));
 * console.log(layer.weight.shape, layer.inChannels); // [20, 3, 5, 5] 3
 * ```
 */
export class LazyConv2d extends Conv2d {
  constructor(outChannels: number, kernelSize: Pair, options?: ConvModuleOptions<readonly [number, number]>) {
    super(leastChannels(options), outChannels, kernelSize, unseeded(options));
    const make = (n: number) => new Conv2d(n, outChannels, kernelSize, options);
    postpone(this, { kind: LazyConv2d, becomes: Conv2d, size: 'inChannels', axis: channels(2), make });
  }

  override forward(x: Tensor): Tensor {
    settle(this, x);
    return super.forward(x);
  }
}

/**
 * A {@link Conv3d} that learns `inChannels` from the first input, `[N,C,D,H,W]` or `[C,D,H,W]`, as {@link LazyLinear} does (PyTorch: `nn.LazyConv3d`).
 *
 * @param kernelSize one number or [depth, height, width]
 * @param options as of {@link Conv3d}
 * @throws TensorError `value` for sizes that are no whole numbers from 1 up, for groups that do not divide the channels, at the latest in
 * the first forward, and for any use of the parameters before it
 *
 * @example
 * ```ts
 * import { nn, ones } from 'chainrule';
 * const layer = new nn.LazyConv3d(8, 3);
 * layer.forward(ones([2, 3, 4, 8, 8]));
 * console.log(layer.weight.shape); // [8, 3, 3, 3, 3]
 * ```
 */
export class LazyConv3d extends Conv3d {
  constructor(outChannels: number, kernelSize: Triple, options?: ConvModuleOptions<readonly [number, number, number]>) {
    super(leastChannels(options), outChannels, kernelSize, unseeded(options));
    const make = (n: number) => new Conv3d(n, outChannels, kernelSize, options);
    postpone(this, { kind: LazyConv3d, becomes: Conv3d, size: 'inChannels', axis: channels(3), make });
  }

  override forward(x: Tensor): Tensor {
    settle(this, x);
    return super.forward(x);
  }
}

/**
 * A {@link ConvTranspose1d} that learns `inChannels` from the first input, `[N,C,L]` or `[C,L]`, as {@link LazyLinear} does (PyTorch: `nn.LazyConvTranspose1d`).
 *
 * @param kernelSize a number
 * @param options as of {@link ConvTranspose1d}
 * @throws TensorError `value` for sizes that are no whole numbers from 1 up, for groups that do not divide the channels, at the latest in
 * the first forward, and for any use of the parameters before it
 *
 * @example
 * ```ts
 * import { nn, ones } from 'chainrule';
 * const layer = new nn.LazyConvTranspose1d(4, 4, { stride: 2 });
 * layer.forward(ones([2, 8, 50]));
 * console.log(layer.weight.shape); // [8, 4, 4]
 * ```
 */
export class LazyConvTranspose1d extends ConvTranspose1d {
  constructor(outChannels: number, kernelSize: Single, options?: ConvTransposeModuleOptions<readonly [number]>) {
    super(leastChannels(options), outChannels, kernelSize, unseeded(options));
    const make = (n: number) => new ConvTranspose1d(n, outChannels, kernelSize, options);
    postpone(this, {
      kind: LazyConvTranspose1d,
      becomes: ConvTranspose1d,
      size: 'inChannels',
      axis: channels(1),
      make,
    });
  }

  override forward(x: Tensor, outputSize?: readonly number[]): Tensor {
    settle(this, x);
    return super.forward(x, outputSize);
  }
}

/**
 * A {@link ConvTranspose2d} that learns `inChannels` from the first input, `[N,C,H,W]` or `[C,H,W]`, as {@link LazyLinear} does (PyTorch: `nn.LazyConvTranspose2d`).
 *
 * @param kernelSize one number or [height, width]
 * @param options as of {@link ConvTranspose2d}
 * @throws TensorError `value` for sizes that are no whole numbers from 1 up, for groups that do not divide the channels, at the latest in
 * the first forward, and for any use of the parameters before it
 *
 * @example
 * ```ts
 * import { nn, ones } from 'chainrule';
 * const layer = new nn.LazyConvTranspose2d(8, 3, { stride: 2 });
 * layer.forward(ones([1, 16, 6, 6]));
 * console.log(layer.weight.shape); // [16, 8, 3, 3]
 * ```
 */
export class LazyConvTranspose2d extends ConvTranspose2d {
  constructor(outChannels: number, kernelSize: Pair, options?: ConvTransposeModuleOptions<readonly [number, number]>) {
    super(leastChannels(options), outChannels, kernelSize, unseeded(options));
    const make = (n: number) => new ConvTranspose2d(n, outChannels, kernelSize, options);
    postpone(this, {
      kind: LazyConvTranspose2d,
      becomes: ConvTranspose2d,
      size: 'inChannels',
      axis: channels(2),
      make,
    });
  }

  override forward(x: Tensor, outputSize?: readonly number[]): Tensor {
    settle(this, x);
    return super.forward(x, outputSize);
  }
}

/**
 * A {@link ConvTranspose3d} that learns `inChannels` from the first input, `[N,C,D,H,W]` or `[C,D,H,W]`, as {@link LazyLinear} does (PyTorch: `nn.LazyConvTranspose3d`).
 *
 * @param kernelSize one number or [depth, height, width]
 * @param options as of {@link ConvTranspose3d}
 * @throws TensorError `value` for sizes that are no whole numbers from 1 up, for groups that do not divide the channels, at the latest in
 * the first forward, and for any use of the parameters before it
 *
 * @example
 * ```ts
 * import { nn, ones } from 'chainrule';
 * const layer = new nn.LazyConvTranspose3d(2, 2);
 * layer.forward(ones([1, 4, 2, 3, 3]));
 * console.log(layer.weight.shape); // [4, 2, 2, 2, 2]
 * ```
 */
export class LazyConvTranspose3d extends ConvTranspose3d {
  constructor(
    outChannels: number,
    kernelSize: Triple,
    options?: ConvTransposeModuleOptions<readonly [number, number, number]>,
  ) {
    super(leastChannels(options), outChannels, kernelSize, unseeded(options));
    const make = (n: number) => new ConvTranspose3d(n, outChannels, kernelSize, options);
    postpone(this, {
      kind: LazyConvTranspose3d,
      becomes: ConvTranspose3d,
      size: 'inChannels',
      axis: channels(3),
      make,
    });
  }

  override forward(x: Tensor, outputSize?: readonly number[]): Tensor {
    settle(this, x);
    return super.forward(x, outputSize);
  }
}
