// Lazy normalisations: batch and instance normalisation that learn the number of features from the first input.
import type { Tensor } from '../tensor.js';
import {
  BatchNorm1d,
  BatchNorm2d,
  BatchNorm3d,
  InstanceNorm1d,
  InstanceNorm2d,
  InstanceNorm3d,
  type RunningNormOptions,
} from './batch-norm.js';
import { channels, postpone, settle } from './lazy.js';

/**
 * A {@link BatchNorm1d} that learns `numFeatures` from the first input, `[N,C]` or `[N,C,L]`, as {@link LazyLinear} does (PyTorch: `nn.LazyBatchNorm1d`).
 *
 * @param options as of {@link BatchNorm1d}
 * @throws TensorError `value` for any use of the parameters before the first input, `shape` in forward as {@link BatchNorm1d}
 *
 * @example
 * ```ts
 * import { nn, ones } from 'chainrule';
 * const norm = new nn.LazyBatchNorm1d();
 * norm.forward(ones([2, 3, 4]));
 * console.log(norm.weight?.shape, norm.numFeatures); // [3] 3
 * ```
 */
export class LazyBatchNorm1d extends BatchNorm1d {
  constructor(options?: RunningNormOptions) {
    super(1, options);
    const make = (n: number) => new BatchNorm1d(n, options);
    postpone(this, {
      kind: LazyBatchNorm1d,
      becomes: BatchNorm1d,
      size: 'numFeatures',
      axis: (ndim) => (ndim === 2 || ndim === 3 ? 1 : -1),
      make,
    });
  }

  override forward(x: Tensor): Tensor {
    settle(this, x);
    return super.forward(x);
  }
}

/**
 * A {@link BatchNorm2d} that learns `numFeatures` from the first input, `[N,C,H,W]`, as {@link LazyLinear} does (PyTorch: `nn.LazyBatchNorm2d`).
 *
 * @param options as of {@link BatchNorm2d}
 * @throws TensorError `value` for any use of the parameters before the first input, `shape` in forward as {@link BatchNorm2d}
 *
 * @example
 * ```ts
 * import { nn, ones } from 'chainrule';
 * const norm = new nn.LazyBatchNorm2d();
 * norm.forward(ones([2, 3, 4, 4]));
 * console.log(norm.weight?.shape, norm.numFeatures); // [3] 3
 * ```
 */
export class LazyBatchNorm2d extends BatchNorm2d {
  constructor(options?: RunningNormOptions) {
    super(1, options);
    const make = (n: number) => new BatchNorm2d(n, options);
    postpone(this, {
      kind: LazyBatchNorm2d,
      becomes: BatchNorm2d,
      size: 'numFeatures',
      axis: (ndim) => (ndim === 4 ? 1 : -1),
      make,
    });
  }

  override forward(x: Tensor): Tensor {
    settle(this, x);
    return super.forward(x);
  }
}

/**
 * A {@link BatchNorm3d} that learns `numFeatures` from the first input, `[N,C,D,H,W]`, as {@link LazyLinear} does (PyTorch: `nn.LazyBatchNorm3d`).
 *
 * @param options as of {@link BatchNorm3d}
 * @throws TensorError `value` for any use of the parameters before the first input, `shape` in forward as {@link BatchNorm3d}
 *
 * @example
 * ```ts
 * import { nn, ones } from 'chainrule';
 * const norm = new nn.LazyBatchNorm3d();
 * norm.forward(ones([2, 3, 2, 2, 2]));
 * console.log(norm.weight?.shape, norm.numFeatures); // [3] 3
 * ```
 */
export class LazyBatchNorm3d extends BatchNorm3d {
  constructor(options?: RunningNormOptions) {
    super(1, options);
    const make = (n: number) => new BatchNorm3d(n, options);
    postpone(this, {
      kind: LazyBatchNorm3d,
      becomes: BatchNorm3d,
      size: 'numFeatures',
      axis: (ndim) => (ndim === 5 ? 1 : -1),
      make,
    });
  }

  override forward(x: Tensor): Tensor {
    settle(this, x);
    return super.forward(x);
  }
}

/**
 * A {@link InstanceNorm1d} that learns `numFeatures` from the first input, `[N,C,L]` or `[C,L]`, as {@link LazyLinear} does (PyTorch: `nn.LazyInstanceNorm1d`).
 *
 * @param options as of {@link InstanceNorm1d}
 * @throws TensorError `value` for any use of the parameters before the first input, `shape` in forward as {@link InstanceNorm1d}
 *
 * @example
 * ```ts
 * import { nn, ones } from 'chainrule';
 * const norm = new nn.LazyInstanceNorm1d({ affine: true });
 * norm.forward(ones([2, 3, 4]));
 * console.log(norm.weight?.shape, norm.numFeatures); // [3] 3
 * ```
 */
export class LazyInstanceNorm1d extends InstanceNorm1d {
  constructor(options?: RunningNormOptions) {
    super(1, options);
    const make = (n: number) => new InstanceNorm1d(n, options);
    postpone(this, {
      kind: LazyInstanceNorm1d,
      becomes: InstanceNorm1d,
      size: 'numFeatures',
      axis: channels(1),
      make,
    });
  }

  override forward(x: Tensor): Tensor {
    settle(this, x);
    return super.forward(x);
  }
}

/**
 * A {@link InstanceNorm2d} that learns `numFeatures` from the first input, `[N,C,H,W]` or `[C,H,W]`, as {@link LazyLinear} does (PyTorch: `nn.LazyInstanceNorm2d`).
 *
 * @param options as of {@link InstanceNorm2d}
 * @throws TensorError `value` for any use of the parameters before the first input, `shape` in forward as {@link InstanceNorm2d}
 *
 * @example
 * ```ts
 * import { nn, ones } from 'chainrule';
 * const norm = new nn.LazyInstanceNorm2d({ affine: true });
 * norm.forward(ones([2, 3, 4, 4]));
 * console.log(norm.weight?.shape, norm.numFeatures); // [3] 3
 * ```
 */
export class LazyInstanceNorm2d extends InstanceNorm2d {
  constructor(options?: RunningNormOptions) {
    super(1, options);
    const make = (n: number) => new InstanceNorm2d(n, options);
    postpone(this, {
      kind: LazyInstanceNorm2d,
      becomes: InstanceNorm2d,
      size: 'numFeatures',
      axis: channels(2),
      make,
    });
  }

  override forward(x: Tensor): Tensor {
    settle(this, x);
    return super.forward(x);
  }
}

/**
 * A {@link InstanceNorm3d} that learns `numFeatures` from the first input, `[N,C,D,H,W]` or `[C,D,H,W]`, as {@link LazyLinear} does (PyTorch: `nn.LazyInstanceNorm3d`).
 *
 * @param options as of {@link InstanceNorm3d}
 * @throws TensorError `value` for any use of the parameters before the first input, `shape` in forward as {@link InstanceNorm3d}
 *
 * @example
 * ```ts
 * import { nn, ones } from 'chainrule';
 * const norm = new nn.LazyInstanceNorm3d({ affine: true });
 * norm.forward(ones([2, 3, 2, 2, 2]));
 * console.log(norm.weight?.shape, norm.numFeatures); // [3] 3
 * ```
 */
export class LazyInstanceNorm3d extends InstanceNorm3d {
  constructor(options?: RunningNormOptions) {
    super(1, options);
    const make = (n: number) => new InstanceNorm3d(n, options);
    postpone(this, {
      kind: LazyInstanceNorm3d,
      becomes: InstanceNorm3d,
      size: 'numFeatures',
      axis: channels(3),
      make,
    });
  }

  override forward(x: Tensor): Tensor {
    settle(this, x);
    return super.forward(x);
  }
}
