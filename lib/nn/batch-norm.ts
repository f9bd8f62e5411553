// BatchNorm and InstanceNorm: normalisation of each channel, with running statistics in buffers.
import { zeros } from '../create.js';
import { checkOptions, TensorError } from '../errors.js';
import { batchNorm, instanceNorm } from '../ops/normalize/normalization.js';
import type { Tensor } from '../tensor.js';
import { checkBoolean, checkNumber, checkSize, formatOptions, type ParameterOptions } from './check.js';
import { ones } from './init.js';
import { Module } from './module.js';
import { type Parameter, parameter } from './parameter.js';

/** Options of batch and instance normalisation layers. */
export interface RunningNormOptions {
  /** Added to the variance; 1e-5 unless given. */
  eps?: number;
  /** Share of the new statistics in an update; null for the mean over all batches; 0.1 unless given. */
  momentum?: number | null;
  /** Whether there are a weight and a bias: true for batches, false for instances unless given. */
  affine?: boolean;
  /** Whether statistics are kept for evaluation: true for batches, false for instances unless given. */
  trackRunningStats?: boolean;
  /** Element type of parameters and buffers; float32 unless given. */
  dtype?: ParameterOptions['dtype'];
}

const STATE_NAMES: Readonly<Record<string, string>> = {
  runningMean: 'running_mean',
  runningVar: 'running_var',
  numBatchesTracked: 'num_batches_tracked',
};

/** What both kinds hold: weight and bias, running statistics, and how many dimensions the input may have. */
abstract class RunningNorm extends Module {
  weight: Parameter | null = null;
  bias: Parameter | null = null;
  runningMean: Tensor | null = null;
  runningVar: Tensor | null = null;
  /** How many batches the running statistics have seen, int32. */
  numBatchesTracked: Tensor | null = null;
  readonly eps: number;
  momentum: number | null;

  constructor(
    readonly numFeatures: number,
    private readonly options: RunningNormOptions | undefined,
    private readonly dims: readonly number[],
    used: boolean,
  ) {
    super();
    const op = this.constructor.name;
    checkOptions(op, options, ['eps', 'momentum', 'affine', 'trackRunningStats', 'dtype']);
    checkSize(op, 'the number of features', numFeatures);
    this.eps = checkNumber(op, 'eps', options?.eps ?? 1e-5, 0);
    const momentum = options?.momentum;
    this.momentum = momentum === null ? null : checkNumber(op, 'momentum', momentum ?? 0.1);
    const dtype = options?.dtype ?? 'float32';
    if (checkBoolean(op, 'affine', options?.affine ?? used)) {
      this.weight = ones(parameter([numFeatures], dtype));
      this.bias = parameter([numFeatures], dtype);
    }
    if (checkBoolean(op, 'trackRunningStats', options?.trackRunningStats ?? used)) {
      this.runningMean = this.registerBuffer('runningMean', zeros([numFeatures], { dtype }));
      this.runningVar = this.registerBuffer('runningVar', ones(zeros([numFeatures], { dtype })));
      this.numBatchesTracked = this.registerBuffer('numBatchesTracked', zeros([], { dtype: 'int32' }));
    }
  }

  /** Whether there are a weight and a bias. */
  get affine(): boolean {
    return this.weight !== null;
  }

  /** Whether statistics are kept for evaluation. */
  get trackRunningStats(): boolean {
    return this.runningMean !== null;
  }

  protected override stateName(attribute: string): string {
    return STATE_NAMES[attribute] ?? attribute;
  }

  /** Throws unless the input has the dimensions that the name of the layer says. */
  protected checkInput(x: Tensor): void {
    if (this.dims.includes(x.ndim)) return;
    const wanted = this.dims.join(' or ');
    throw new TensorError('shape', this.constructor.name, `expected an input of ${wanted} dimensions, got ${x.ndim}`);
  }

  protected override summary(): string {
    return [`${this.numFeatures}`, formatOptions(this.options)].filter((part) => part !== '').join(', ');
  }
}

/** What the three batch normalisations share. */
export abstract class BatchNorm extends RunningNorm {
  constructor(numFeatures: number, options: RunningNormOptions | undefined, dims: readonly number[]) {
    super(numFeatures, options, dims, true);
  }

  forward(x: Tensor): Tensor {
    this.checkInput(x);
    const { training, weight, bias, eps, runningMean, runningVar } = this;
    const momentum = training ? this.countBatch() : 0;
    const byBatch = training || runningMean === null;
    return batchNorm(x, runningMean, runningVar, { weight, bias, eps, momentum, training: byBatch });
  }

  /** Counts a batch and gives its share in the running statistics. */
  private countBatch(): number {
    const count = this.numBatchesTracked;
    if (count === null) return 0;
    const next = count.add(1);
    count.assign(next);
    next.dispose();
    return this.momentum ?? 1 / count.item();
  }
}

/**
 * Batch normalisation of `[N, C]` or `[N, C, L]`: `(x - mean) / sqrt(variance + eps) weight + bias`, each channel by the batch
 * in training, by the running statistics in evaluation (Ioffe and Szegedy 2015; PyTorch: `nn.BatchNorm1d`).
 *
 * @param numFeatures C
 * @throws TensorError `shape` in forward for other inputs, and for one value per channel in training
 *
 * @example
 * ```ts
 * import { nn, tensor } from 'chainrule';
 * const norm = new nn.BatchNorm1d(1, { eps: 0 });
 * console.log(norm.forward(tensor([[1], [3]])).toArray()); // [[-1], [1]]
 * console.log(norm.runningMean?.item().toFixed(1)); // 0.2
 * ```
 */
export class BatchNorm1d extends BatchNorm {
  constructor(numFeatures: number, options?: RunningNormOptions) {
    super(numFeatures, options, [2, 3]);
  }
}

/**
 * Batch normalisation of `[N, C, H, W]`, each channel by the batch in training, by the running statistics in evaluation
 * (Ioffe and Szegedy 2015; PyTorch: `nn.BatchNorm2d`).
 *
 * @param numFeatures C
 * @throws TensorError `shape` in forward for other inputs, and for one value per channel in training
 *
 * @example
 * ```ts
 * import { nn, ones } from 'chainrule';
 * console.log(Object.keys(new nn.BatchNorm2d(3).stateDict()).join(' ')); // weight bias running_mean running_var num_batches_tracked
 * console.log(new nn.BatchNorm2d(3).forward(ones([2, 3, 4, 4])).shape); // [2, 3, 4, 4]
 * ```
 */
export class BatchNorm2d extends BatchNorm {
  constructor(numFeatures: number, options?: RunningNormOptions) {
    super(numFeatures, options, [4]);
  }
}

/**
 * Batch normalisation of `[N, C, D, H, W]`, each channel by the batch in training, by the running statistics in evaluation
 * (Ioffe and Szegedy 2015; PyTorch: `nn.BatchNorm3d`).
 *
 * @param numFeatures C
 * @throws TensorError `shape` in forward for other inputs, and for one value per channel in training
 *
 * @example
 * ```ts
 * import { nn, ones } from 'chainrule';
 * console.log(new nn.BatchNorm3d(2).forward(ones([2, 2, 1, 2, 2])).shape); // [2, 2, 1, 2, 2]
 * ```
 */
export class BatchNorm3d extends BatchNorm {
  constructor(numFeatures: number, options?: RunningNormOptions) {
    super(numFeatures, options, [5]);
  }
}

abstract class InstanceNorm extends RunningNorm {
  constructor(
    numFeatures: number,
    options: RunningNormOptions | undefined,
    /** Dimensions behind the channels. */
    private readonly places: number,
  ) {
    super(numFeatures, options, [places + 1, places + 2], false);
  }

  forward(x: Tensor): Tensor {
    this.checkInput(x);
    const { training, weight, bias, eps, runningMean, runningVar } = this;
    const options = { weight, bias, eps, runningMean, runningVar, momentum: this.momentum ?? 0 };
    const call = (images: Tensor) =>
      instanceNorm(images, { ...options, useInputStats: training || runningMean === null });
    return x.ndim === this.places + 1 ? call(x.unsqueeze(0)).squeeze(0) : call(x);
  }
}

/**
 * Instance normalisation of `[N, C, L]` or `[C, L]`: each channel of each sample by its own positions (Ulyanov et al. 2016;
 * PyTorch: `nn.InstanceNorm1d`).
 *
 * @param numFeatures C
 * @throws TensorError `shape` in forward for other inputs, and for one position per channel
 *
 * @example
 * ```ts
 * import { nn, tensor } from 'chainrule';
 * console.log(new nn.InstanceNorm1d(1, { eps: 0 }).forward(tensor([[[1, 3]]])).toArray()); // [[[-1, 1]]]
 * ```
 */
export class InstanceNorm1d extends InstanceNorm {
  constructor(numFeatures: number, options?: RunningNormOptions) {
    super(numFeatures, options, 1);
  }
}

/**
 * Instance normalisation of `[N, C, H, W]` or `[C, H, W]`: each channel of each sample by its own positions (Ulyanov et al.
 * 2016; PyTorch: `nn.InstanceNorm2d`).
 *
 * @param numFeatures C
 * @throws TensorError `shape` in forward for other inputs, and for one position per channel
 *
 * @example
 * ```ts
 * import { nn, rand } from 'chainrule';
 * console.log(new nn.InstanceNorm2d(3).forward(rand([2, 3, 4, 4])).shape); // [2, 3, 4, 4]
 * ```
 */
export class InstanceNorm2d extends InstanceNorm {
  constructor(numFeatures: number, options?: RunningNormOptions) {
    super(numFeatures, options, 2);
  }
}

/**
 * Instance normalisation of `[N, C, D, H, W]` or `[C, D, H, W]`: each channel of each sample by its own positions (Ulyanov et
 * al. 2016; PyTorch: `nn.InstanceNorm3d`).
 *
 * @param numFeatures C
 * @throws TensorError `shape` in forward for other inputs, and for one position per channel
 *
 * @example
 * ```ts
 * import { nn, rand } from 'chainrule';
 * console.log(new nn.InstanceNorm3d(2).forward(rand([2, 2, 2, 2, 2])).shape); // [2, 2, 2, 2, 2]
 * ```
 */
export class InstanceNorm3d extends InstanceNorm {
  constructor(numFeatures: number, options?: RunningNormOptions) {
    super(numFeatures, options, 3);
  }
}
