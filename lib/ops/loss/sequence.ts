// The loss of sequences without alignment: connectionist temporal classification.
import { checkFloat, checkTensor, dense, dropCopy, hidden, make, offsetOf } from '../../core/dispatch.js';
import { DTYPES } from '../../core/dtype.js';
import { fused } from '../../core/fused.js';
import { isGradEnabled } from '../../core/mode.js';
import { checkPlace } from '../../core/recording.js';
import { composite } from '../../core/scope.js';
import { checkBoolean, checkInteger, formatShape } from '../../core/shape.js';
import { record } from '../../core/tape.js';
import { checkOptions, describe, TensorError } from '../../errors.js';
import { type Bytes, native } from '../../native.js';
import type { Tensor } from '../../tensor.js';
import { checkReduction, type LossOptions, reduce } from './loss.js';

const G = native.geometry;
const NO_BYTES: Bytes = new Uint8Array(0);

/** Options of {@link ctcLoss}. */
export interface CtcOptions extends LossOptions {
  /** The class that stands for no label; 0 unless given. */
  blank?: number;
  /** Losses of labels that do not fit into the steps count as 0, with no gradient, instead of Infinity; false unless given. */
  zeroInfinity?: boolean;
}

/** Lengths of the samples: whole numbers, or an integer tensor of them; one number for a single unbatched sample. */
export type Lengths = number | readonly number[] | Tensor;

function readLengths(op: string, name: string, value: unknown, batch: number): number[] {
  let list: unknown[];
  if (typeof value === 'number') list = [value];
  else if (Array.isArray(value)) list = value;
  else {
    const x = checkTensor(op, value, `${name}, a list of numbers or a tensor`);
    if (x.dtype !== 'int32' && x.dtype !== 'uint8') {
      throw new TensorError('dtype', op, `expected ${name} of dtype int32, got ${x.dtype}`);
    }
    const flat = dense(op, x);
    list = [...flat.typed()];
    dropCopy(flat, x);
  }
  if (list.length !== batch) {
    throw new TensorError('shape', op, `expected ${name} for each of ${batch} samples, got ${list.length}`);
  }
  return list.map((n) => checkInteger(op, name, n, 0));
}

/** What the kernel is told of every sample. */
interface Samples {
  readonly steps: readonly number[];
  readonly labels: readonly number[];
  /** Place of the first label in the targets. */
  readonly starts: readonly number[];
}

function checkSamples(
  op: string,
  logp: Tensor,
  targets: Tensor,
  inputLengths: Lengths,
  targetLengths: Lengths,
): Samples {
  const [most, batch] = logp.shape;
  const steps = readLengths(op, 'an input length', inputLengths, batch);
  const labels = readLengths(op, 'a target length', targetLengths, batch);
  const long = steps.find((n) => n > most);
  if (long !== undefined) {
    throw new TensorError('value', op, `expected input lengths of at most the ${most} steps there are, got ${long}`);
  }
  if (targets.size >= 2 ** 31)
    throw new TensorError('shape', op, `expected fewer than 2^31 labels, got ${targets.size}`);
  if (targets.ndim === 2) {
    const [rows, width] = targets.shape;
    const wide = labels.find((n) => n > width);
    if (rows !== batch || wide !== undefined) {
      throw new TensorError(
        wide === undefined ? 'shape' : 'value',
        op,
        `expected targets [${batch}, ${Math.max(width, ...labels)}] for these target lengths, got ${formatShape(targets.shape)}`,
      );
    }
    return { steps, labels, starts: labels.map((_, i) => i * width) };
  }
  let next = 0;
  const starts = labels.map((n) => {
    next += n;
    return next - n;
  });
  if (next !== targets.size) {
    throw new TensorError(
      'value',
      op,
      `expected target lengths that add up to the ${targets.size} labels given, got ${describe(labels)}`,
    );
  }
  return { steps, labels, starts };
}

function intTensor(op: string, values: readonly number[]): Tensor {
  const y = make(op, [values.length], 'int32');
  y.typed().set(values);
  return y;
}

/** The loss of every sample, and its derivative where it is wanted; not recorded. */
function ctcRaw(
  op: string,
  logp: Tensor,
  targets: Tensor,
  samples: Samples,
  blank: number,
  zeroInfinity: boolean,
  wanted: boolean,
): { losses: Tensor; grads: Tensor | null } {
  const [steps, batch, classes] = logp.shape;
  const room = Math.max(0, ...samples.labels.map((n, i) => samples.steps[i] * (2 * n + 1)));
  const slots = Math.max(1, Math.min(native.numThreads(), batch));
  const losses = make(op, [batch], logp.dtype);
  const grads = wanted ? hidden(make(op, logp.shape, logp.dtype)) : null;
  const work = wanted ? make(op, [slots, room], 'float64') : null;
  const plan = intTensor(
    op,
    samples.steps.flatMap((n, i) => [n, samples.labels[i], samples.starts[i]]),
  );
  const x = dense(op, logp);
  const t = dense(op, targets);
  G[0] = DTYPES[x.dtype].code;
  G[1] = steps;
  G[2] = batch;
  G[3] = classes;
  G[4] = blank;
  G[5] = offsetOf(losses);
  G[6] = grads === null ? -1 : offsetOf(grads);
  G[7] = offsetOf(x);
  G[8] = offsetOf(t);
  G[9] = t.size;
  G[10] = offsetOf(plan);
  G[11] = work === null ? -1 : offsetOf(work);
  G[12] = slots;
  G[13] = room;
  G[14] = Number(zeroInfinity);
  const bad = native.ctc(
    losses.storage.bytes,
    grads?.storage.bytes ?? NO_BYTES,
    x.storage.bytes,
    t.storage.bytes,
    plan.storage.bytes,
    work?.storage.bytes ?? NO_BYTES,
  );
  work?.dispose();
  plan.dispose();
  dropCopy(x, logp);
  checkPlace(
    bad,
    t,
    (place) =>
      new TensorError(
        'index',
        op,
        `expected labels between 0 and ${classes - 1}, got ${t.read(place)} at place ${place} of the targets`,
      ),
  );
  dropCopy(t, targets);
  return { losses, grads };
}

/** The loss of every sample, [N], of log-probabilities [T, N, C]. */
function ctc(
  op: string,
  logp: Tensor,
  targets: Tensor,
  samples: Samples,
  blank: number,
  zeroInfinity: boolean,
): Tensor {
  const wanted = logp.requiresGrad && isGradEnabled();
  const { losses, grads } = ctcRaw(op, logp, targets, samples, blank, zeroInfinity, wanted);
  if (grads === null) return losses;
  return record(op, losses, [logp], [grads, logp], (g, [each, x]) => {
    const scaled = () => each.mul(g.unsqueeze(1));
    if (!isGradEnabled()) return scaled();
    return fused(`${op} backward`, [g, x], [each], scaled, (gg, [saved], needs) => {
      if (needs[1]) throw new TensorError('grad', op, 'expected first derivatives only; there is no second one here');
      return [gg.mul(saved).sum([0, 2]), null];
    });
  });
}

/**
 * Connectionist temporal classification: `-log p(labels)`, p the sum over all ways to spell the labels in the steps, with
 * repetitions and blanks between (Graves et al. 2006; PyTorch: `F.ctc_loss`). A mean divides each loss by its number of labels
 * first.
 *
 * The gradient is that of the log-probabilities themselves. PyTorch's has `exp(logProbs)` added to it, which `logSoftmax`
 * cancels: behind it both are the same. There are no second derivatives.
 *
 * @param logProbs log-probabilities, as `logSoftmax` gives them: [T, N, C], or [T, C] for a single sample
 * @param targets labels, int32: [N, S], where what is behind a target length does not count, or all labels one after the other,
 * 1-d
 * @param inputLengths steps of each sample, at most T
 * @param targetLengths labels of each sample
 * @returns a number, or with `reduction: 'none'` [N], or [] for a single sample
 * @throws TensorError `index` for a label outside 0..C-1, `value` for lengths that lie, `shape` where shapes do not go together
 *
 * @example
 * ```ts
 * import { ctcLoss, tensor } from 'chainrule';
 * const logProbs = tensor([[0.5, 0.5], [0.5, 0.5]]).log();
 * const labels = tensor([1], { dtype: 'int32' });
 * console.log(ctcLoss(logProbs, labels, 2, 1).exp().item().toFixed(4)); // 1.3333
 * ```
 */
export function ctcLoss(
  logProbs: Tensor,
  targets: Tensor,
  inputLengths: Lengths,
  targetLengths: Lengths,
  options?: CtcOptions,
): Tensor {
  const op = 'ctcLoss';
  checkOptions(op, options, ['reduction', 'blank', 'zeroInfinity']);
  checkFloat(op, checkTensor(op, logProbs, 'log-probabilities'), 'the log-probabilities');
  checkTensor(op, targets, 'a target tensor');
  const single = logProbs.ndim === 2;
  if ((!single && logProbs.ndim !== 3) || targets.ndim < 1 || targets.ndim > 2) {
    throw new TensorError(
      'shape',
      op,
      `expected log-probabilities [T, N, C] or [T, C] and targets [N, S] or 1-d, got ${formatShape(logProbs.shape)} and ${formatShape(targets.shape)}`,
    );
  }
  if (targets.dtype !== 'int32' && targets.dtype !== 'uint8') {
    throw new TensorError(
      'dtype',
      op,
      `expected labels of dtype int32, got ${targets.dtype}; convert them with targets.to('int32')`,
    );
  }
  const blank = checkInteger(op, 'blank', options?.blank ?? 0, 0, logProbs.shape[logProbs.ndim - 1] - 1);
  const zeroInfinity = checkBoolean(op, 'zeroInfinity', options?.zeroInfinity ?? false);
  const reduction = checkReduction(op, options);
  return composite(() => {
    const x = single ? logProbs.unsqueeze(1) : logProbs;
    const samples = checkSamples(op, x, targets, inputLengths, targetLengths);
    const losses = ctc(op, x, targets.to('int32'), samples, blank, zeroInfinity);
    if (reduction !== 'mean') return single ? losses.sum() : reduce(losses, reduction);
    const lengths = intTensor(
      op,
      samples.labels.map((n) => Math.max(n, 1)),
    );
    return losses.div(lengths).mean();
  });
}
