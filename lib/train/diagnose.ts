// Signs of trouble in a training run, each in plain language with what to try.
import type { Node } from '../core/tape.js';
import { checkOptions, describe, TensorError } from '../errors.js';
import { type AnyModule, Module } from '../nn/module.js';
import { Tensor } from '../tensor.js';
import type { FitEvent } from './events.js';
import { elements } from './metrics/metric.js';
import { auc } from './metrics/ranking.js';

/** What may be wrong. */
export type FindingKind =
  | 'nanLoss'
  | 'risingLoss'
  | 'flatLoss'
  | 'nanGradient'
  | 'vanishingGradient'
  | 'explodingGradient'
  | 'deadRelu';

/** A sign of trouble. */
export interface Finding {
  /** Which sign it is. */
  readonly kind: FindingKind;
  /** 'loss', the path of a parameter, or the number of a relu in the order of computation, from 0. */
  readonly where: string;
  /** The number that gave it away: a loss, a change of the loss as a share, a norm, a share of units. */
  readonly value: number;
  /** What it means and what to try. */
  readonly message: string;
}

/** What {@link diagnose} looks at. */
export interface DiagnoseOptions {
  /** Losses of the last steps, oldest first; 20 or more say whether they rise or stay. */
  losses?: ArrayLike<number>;
  /** A model after a backward pass: its gradients. */
  model?: AnyModule;
  /** A result whose graph no backward pass has consumed: the relus that it came through. */
  output?: Tensor;
}

/** Fewer losses say nothing about a trend. */
const TREND = 20;
/** A change of the mean loss from the first to the second half by less than this share is none. */
const FLAT = 1e-3;
/** Standard deviations above which losses rise. */
const SURE = 3;
/** A gradient this many times smaller than the largest of the model, by element, no longer moves its layer. */
const VANISHING = 1e-6;
/** A gradient this many times longer than its parameter (plus 1) overwrites it in a step. */
const EXPLODING = 1e3;
/** Share of units that never fire, above which a layer counts as dead. */
const DEAD = 0.5;

/**
 * Looks for signs of trouble: a loss that is NaN, rises or stays where it is, gradients per layer that vanish, explode or are NaN,
 * and relus of which half the units or more are zero for every sample.
 *
 * Rising and flat compare the second half of the losses with the first: higher by three standard deviations of a rank sum test, or means
 * different by less than 0.1 %. A gradient has vanished where its root mean square is below a millionth of the largest of
 * the model, and exploded where its norm is above `1000 (norm of the parameter + 1)`. Units of a relu are the places of dimension 1.
 *
 * @returns what was found; empty where all is well
 * @throws TensorError `value` for what is no model, tensor or list of losses
 *
 * @example
 * ```ts
 * import { train } from 'chainrule';
 * const losses = Array.from({ length: 40 }, (_, i) => 2 + i / 10);
 * console.log(train.diagnose({ losses }).map(({ kind }) => kind)); // ['risingLoss']
 * ```
 */
export function diagnose(options: DiagnoseOptions): Finding[] {
  const op = 'diagnose';
  if (options === undefined) throw new TensorError('option', op, 'expected options, got undefined');
  checkOptions(op, options, ['losses', 'model', 'output']);
  const { losses, model, output } = options;
  if (model !== undefined) checkModel(op, model);
  if (output !== undefined && !(output instanceof Tensor)) {
    throw new TensorError('value', op, `expected output to be a tensor, got ${describe(output)}`);
  }
  return [
    ...(losses === undefined ? [] : ofLosses(Array.from(elements(op, 'losses', losses)))),
    ...(model === undefined ? [] : ofGradients(model)),
    ...(output === undefined ? [] : ofRelus(output)),
  ];
}

/** Options of {@link watch}. */
export interface WatchOptions {
  /** Steps between two looks, and losses that each takes in; 50 unless given, at least 20. */
  every?: number;
}

/**
 * Makes a callback for {@link fit} that runs {@link diagnose} on the losses and gradients every so many steps and reports every
 * sign of trouble once for each place. Relus need an output of the model: diagnose one batch by hand.
 *
 * @throws TensorError `value` for fewer than 20 steps between two looks, and for what is no model or no function
 *
 * @example
 * ```ts
 * import { mseLoss, nn, ones, optim, train, zeros } from 'chainrule';
 * const model = new nn.Linear(2, 1);
 * const found: train.Finding[] = [];
 * const optimizer = new optim.SGD(model.parameters(), { lr: 0 }); // a mistake
 * const watching = train.watch(model, (finding) => found.push(finding));
 * await train.fit({ model, optimizer, loss: mseLoss, data: [[ones([4, 2]), zeros([4, 1])]], epochs: 60, callbacks: [watching] });
 * console.log(found.map(({ kind }) => kind)); // ['flatLoss']
 * ```
 */
export function watch(
  model: AnyModule,
  report: (finding: Finding) => unknown,
  options?: WatchOptions,
): (event: FitEvent) => Promise<void> {
  const op = 'watch';
  checkOptions(op, options, ['every']);
  checkModel(op, model);
  if (typeof report !== 'function') {
    throw new TensorError('value', op, `expected report to be a function of a finding, got ${describe(report)}`);
  }
  const every = options?.every ?? 50;
  if (!Number.isInteger(every) || every < TREND) {
    throw new TensorError('value', op, `expected every to be a whole number from ${TREND} up, got ${describe(every)}`);
  }
  const told = new Set<string>();
  let losses: number[] = [];
  return async (event) => {
    if (event.type !== 'step') return;
    losses.push(event.loss);
    if (losses.length < every) return;
    const findings = diagnose({ losses, model });
    losses = [];
    for (const finding of findings) {
      const name = `${finding.kind} ${finding.where}`;
      if (told.has(name)) continue;
      told.add(name);
      await report(finding);
    }
  };
}

function checkModel(op: string, model: unknown): void {
  if (model instanceof Module) return;
  throw new TensorError('value', op, `expected model to be a module, got ${describe(model)}`);
}

const percent = (share: number) => `${(100 * share).toPrecision(3)} %`;
const short = (value: number) => value.toPrecision(3);

function ofLosses(losses: readonly number[]): Finding[] {
  const where = 'loss';
  const bad = losses.findIndex((loss) => !Number.isFinite(loss));
  if (bad >= 0) {
    const message =
      `The loss became ${losses[bad]} in step ${bad} of those shown: a number has left the range of floats. ` +
      'Try a smaller learning rate or gradient clipping, and look for NaN, infinity, log(0) and 0 / 0 in data and loss.';
    return [{ kind: 'nanLoss', where, value: losses[bad], message }];
  }
  if (losses.length < TREND) return [];
  const half = Math.floor(losses.length / 2);
  const [before, after] = [meanOf(losses.slice(0, half)), meanOf(losses.slice(half))];
  const value = (after - before) / Math.max(Math.abs(before), Number.MIN_VALUE);
  if (rankTest(losses, half) > SURE && value > FLAT) {
    const message =
      `The loss rises: from ${short(before)} to ${short(after)} on average. Steps are too long, or go the wrong way. ` +
      'Try a learning rate ten times smaller; see that the loss is one to minimize and that gradients are zeroed before each step.';
    return [{ kind: 'risingLoss', where, value, message }];
  }
  if (Math.abs(value) >= FLAT || before === 0) return [];
  const message =
    `The loss stays at ${short(after)}: it changed by ${percent(Math.abs(value))}. Nothing is learned, or nothing is left to learn. ` +
    'Try a larger learning rate; see that the optimizer has the parameters of this model and that the targets belong to the inputs.';
  return [{ kind: 'flatLoss', where, value, message }];
}

function meanOf(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0) / values.length;
}

/**
 * How far the losses from `half` on lie above those before, in standard deviations of the rank sum test (Mann and Whitney 1947): a loss that
 * grows exponentially counts as one that grows, where a comparison of means would see one outlier.
 */
function rankTest(losses: readonly number[], half: number): number {
  const [n, m] = [half, losses.length - half];
  const above = auc(
    losses,
    losses.map((_, i) => (i < half ? 0 : 1)),
  );
  return (above - 0.5) / Math.sqrt((n + m + 1) / (12 * n * m));
}

/** Euclidean norm, in double precision; NaN where an element is. */
function normOf(x: Tensor): number {
  const values = elements('diagnose', 'gradients', x);
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] * values[i];
  return Math.sqrt(sum);
}

function ofGradients(model: AnyModule): Finding[] {
  const layers = model.namedParameters().flatMap(([where, p]) => {
    if (p.gradient === null || p.size === 0) return [];
    const norm = normOf(p.gradient);
    return [{ where, norm, mean: norm / Math.sqrt(p.size), weight: normOf(p) }];
  });
  const largest = Math.max(0, ...layers.map(({ mean }) => mean).filter(Number.isFinite));
  const found: Finding[] = [];
  for (const { where, norm, mean, weight } of layers) {
    if (!Number.isFinite(norm)) {
      const message =
        `The gradient of ${where} has elements that are ${norm}: a step would destroy the parameter. ` +
        'Find the operation with detectAnomaly(), and look for log(0), sqrt(0) and 0 / 0.';
      found.push({ kind: 'nanGradient', where, value: norm, message });
    } else if (norm > EXPLODING * (weight + 1)) {
      const message =
        `The gradient of ${where} explodes: its norm is ${short(norm)}, that of the parameter ${short(weight)}. ` +
        'Try clipNorm, a smaller learning rate, normalization layers, or smaller initial values.';
      found.push({ kind: 'explodingGradient', where, value: norm, message });
    } else if (largest > 0 && mean < VANISHING * largest) {
      const message =
        `The gradient of ${where} vanishes: by element it is ${short(mean)}, the largest of the model ${short(largest)}. The layer hardly learns. ` +
        'Try relu instead of sigmoid or tanh, residual connections, normalization layers, or an initialization made for the activation.';
      found.push({ kind: 'vanishingGradient', where, value: mean, message });
    }
  }
  return found;
}

/** The relus behind a result, in the order of computation. */
function relusOf(output: Tensor): Node[] {
  const seen = new Set<Node>();
  const stack = [output.node];
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (node === null || seen.has(node)) continue;
    seen.add(node);
    stack.push(...node.edges);
  }
  return [...seen].filter(({ op, saved }) => op === 'relu' && saved.length > 0).sort((a, b) => a.id - b.id);
}

function ofRelus(output: Tensor): Finding[] {
  return relusOf(output).flatMap(({ saved: [y] }, i) => {
    const units = y.ndim < 2 ? y.size : y.shape[1];
    const values = elements('diagnose', 'relus', y);
    const inner = y.shape.slice(2).reduce((a, b) => a * b, 1);
    const alive = new Uint8Array(units);
    for (let k = 0; k < values.length; k++) if (values[k] !== 0) alive[Math.floor(k / inner) % units] = 1;
    const dead = units - alive.reduce((a, b) => a + b, 0);
    if (units === 0 || values.length === 0 || dead / units < DEAD) return [];
    const where = `relu ${i}`;
    const message =
      `${dead} of ${units} units of ${where}, result [${y.shape.join(', ')}], are 0 for every sample: no gradient passes them, so they stay dead. ` +
      'Try a smaller learning rate, leakyRelu, or initial values and biases that are less negative.';
    return [{ kind: 'deadRelu' as const, where, value: dead / units, message }];
  });
}
