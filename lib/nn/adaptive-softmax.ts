// Adaptive softmax: many classes, of which the frequent ones cost little.
import { tensor } from '../create.js';
import { checkOptions, describe, TensorError } from '../errors.js';
import { indexSelect } from '../ops/index/index.js';
import { indexAdd } from '../ops/index/index-write.js';
import { cat } from '../ops/shape/join.js';
import type { Tensor } from '../tensor.js';
import { checkBoolean, checkNumber, checkSize, type ParameterOptions } from './check.js';
import { ModuleList, Sequential } from './container.js';
import { Linear } from './linear.js';
import { Module } from './module.js';

/** Options of {@link AdaptiveLogSoftmaxWithLoss}. */
export interface AdaptiveSoftmaxOptions extends Omit<ParameterOptions, 'bias'> {
  /** How much narrower each cluster's projection is than the one before; 4 unless given. */
  divValue?: number;
  /** Whether the head has an additive bias; false unless given. */
  headBias?: boolean;
}

/** What {@link AdaptiveLogSoftmaxWithLoss} gives: the log-probability of each target, and their mean with the sign turned. */
export interface AdaptiveSoftmaxResult {
  /** [N]: the log-probability of each target. */
  output: Tensor;
  /** []: their mean with the sign turned. */
  loss: Tensor;
}

/**
 * Log-probabilities over many classes, sorted from frequent to rare: the first `cutoffs[0]` are told apart by the head, which also
 * chooses among clusters of the others; a class of a cluster has the probability of both choices together (Grave and others 2016,
 * Efficient softmax approximation for GPUs; PyTorch: `nn.AdaptiveLogSoftmaxWithLoss`).
 *
 * Cluster i is projected to `floor(inFeatures / divValue^(i + 1))` numbers first.
 *
 * @param inFeatures numbers of an input
 * @param nClasses the classes
 * @param cutoffs the first class of each cluster, rising
 * @param options `divValue`, 4 unless given; `headBias`, false unless given
 * @throws TensorError `value` for cutoffs that do not rise from 1 to below `nClasses`
 *
 * @example
 * ```ts
 * import { nn, ones, tensor } from 'chainrule';
 * const softmax = new nn.AdaptiveLogSoftmaxWithLoss(16, 1000, [10, 100]);
 * const { output, loss } = softmax.forward(ones([2, 16]), tensor([3, 512], { dtype: 'int32' }));
 * console.log(output.shape, loss.shape, softmax.logProb(ones([2, 16])).shape); // [2] [] [2, 1000]
 * ```
 */
export class AdaptiveLogSoftmaxWithLoss extends Module<[input: Tensor, target: Tensor], AdaptiveSoftmaxResult> {
  /** Tells the frequent classes and the clusters apart. */
  head: Linear;
  /** For each cluster a projection, and what tells its classes apart. */
  tail: ModuleList<Sequential<[Linear, Linear]>>;
  /** How much narrower each projection is than the one before. */
  readonly divValue: number;
  /** Whether the head has an additive bias. */
  readonly headBias: boolean;
  /** The first class of each cluster, and the number of classes. */
  readonly cutoffs: readonly number[];

  constructor(
    readonly inFeatures: number,
    readonly nClasses: number,
    cutoffs: readonly number[],
    options?: AdaptiveSoftmaxOptions,
  ) {
    super();
    const op = 'AdaptiveLogSoftmaxWithLoss';
    checkOptions(op, options, ['divValue', 'headBias', 'dtype', 'generator']);
    checkSize(op, 'the number of inputs', inFeatures);
    checkSize(op, 'the number of classes', nClasses);
    const rises = (c: unknown, i: number) => Number.isInteger(c) && (c as number) > (i === 0 ? 0 : cutoffs[i - 1]);
    if (!Array.isArray(cutoffs) || cutoffs.length === 0 || !cutoffs.every(rises) || cutoffs.at(-1) >= nClasses) {
      const wanted = `whole numbers that rise from 1 up to ${nClasses - 1}`;
      throw new TensorError('value', op, `expected cutoffs to be ${wanted}, got ${describe(cutoffs)}`);
    }
    this.divValue = checkNumber(op, 'divValue', options?.divValue ?? 4, 0);
    this.headBias = checkBoolean(op, 'headBias', options?.headBias ?? false);
    this.cutoffs = [...cutoffs, nClasses];
    const { dtype, generator } = options ?? {};
    const shared = { dtype, generator };
    const width = (i: number) => {
      const numbers = Math.floor(inFeatures / this.divValue ** (i + 1));
      if (Number.isSafeInteger(numbers) && numbers >= 1) return numbers;
      const got = `${inFeatures} inputs over ${this.divValue}^${i + 1}`;
      throw new TensorError('value', op, `expected divValue to leave cluster ${i} at least one number, got ${got}`);
    };
    this.head = new Linear(inFeatures, cutoffs[0] + cutoffs.length, { ...shared, bias: this.headBias });
    this.tail = new ModuleList(
      cutoffs.map((low, i) => {
        const narrow = new Linear(inFeatures, width(i), { ...shared, bias: false });
        return new Sequential(narrow, new Linear(width(i), this.cutoffs[i + 1] - low, { ...shared, bias: false }));
      }),
    );
  }

  /**
   * @param input [N, in], or [in] for one
   * @param target int32 [N], or [] for one
   * @returns `output` [N] and `loss` []
   */
  forward(input: Tensor, target: Tensor): AdaptiveSoftmaxResult {
    const op = 'AdaptiveLogSoftmaxWithLoss';
    if (input.ndim === 1 && target.ndim === 0) {
      const { output, loss } = this.forward(input.unsqueeze(0), target.unsqueeze(0));
      return { output: output.squeeze(0), loss };
    }
    if (input.ndim !== 2 || target.ndim !== 1 || input.shape[0] !== target.shape[0]) {
      const got = `${describe(input)} and ${describe(target)}`;
      throw new TensorError('shape', op, `expected an input [N, in] and a target [N], or [in] and [], got ${got}`);
    }
    if (target.dtype !== 'int32') {
      const remedy = "convert them with target.to('int32')";
      throw new TensorError('dtype', op, `expected class numbers of dtype int32, got ${target.dtype}; ${remedy}`);
    }
    const classes = target.toArray() as number[];
    const bad = classes.findIndex((c) => c < 0 || c >= this.nClasses);
    if (bad >= 0) {
      const got = `${classes[bad]} at place ${bad} of the target`;
      throw new TensorError('index', op, `expected class numbers between 0 and ${this.nClasses - 1}, got ${got}`);
    }
    const [shortlist] = this.cutoffs;
    const clusterOf = (c: number) => this.cutoffs.findIndex((end) => c < end) - 1;
    const clusters = classes.map(clusterOf);
    const ints = (values: number[]) => tensor(values, { dtype: 'int32' });
    const chosen = ints(classes.map((c, n) => (clusters[n] < 0 ? c : shortlist + clusters[n])));
    let output = this.head.forward(input).logSoftmax(1).gather(1, chosen.unsqueeze(1)).squeeze(1);
    for (const [i, cluster] of [...this.tail].entries()) {
      const rows = clusters.flatMap((own, n) => (own === i ? [n] : []));
      if (rows.length === 0) continue;
      const places = ints(rows);
      const inside = ints(rows.map((n) => classes[n] - this.cutoffs[i])).unsqueeze(1);
      const within = cluster
        .forward(indexSelect(input, 0, places))
        .logSoftmax(1)
        .gather(1, inside)
        .squeeze(1);
      output = indexAdd(output, 0, places, within);
    }
    return { output, loss: output.mean().neg() };
  }

  /** Log-probabilities of all classes: [N, in] -> [N, nClasses] (PyTorch: `log_prob`). */
  logProb(input: Tensor): Tensor {
    const [shortlist] = this.cutoffs;
    const head = this.head.forward(input).logSoftmax(1);
    const clusters = [...this.tail].map((cluster, i) =>
      cluster
        .forward(input)
        .logSoftmax(1)
        .add(head.narrow(1, shortlist + i, 1)),
    );
    return cat([head.narrow(1, 0, shortlist), ...clusters], 1);
  }

  /** The most probable class of each input: [N, in] -> int32 [N]. */
  predict(input: Tensor): Tensor {
    return this.logProb(input).argmax(1);
  }
}
