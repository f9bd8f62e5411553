// Fused steps of SGD, Adam and AdamW: one crossing for all parameters that have a gradient.
import { checkBoolean, checkNumber } from '../../core/shape.js';
import { describe, TensorError } from '../../errors.js';
import { native } from '../../native.js';
import type { Tensor } from '../../tensor.js';
import { type Crossing, crossingOf, gradientOf, stateLike } from './crossing.js';

const G = native.geometry;

/** The options of stochastic gradient descent for one group of parameters. */
export interface SgdRule {
  /** Learning rate. */
  lr: number;
  /** Share of the previous step that is kept. */
  momentum: number;
  /** Share of the gradient that does not enter the momentum. */
  dampening: number;
  /** Look ahead along the momentum (Sutskever et al. 2013). */
  nesterov: boolean;
  /** Factor of the parameter added to its gradient. */
  weightDecay: number;
  /** Climb instead of descend. */
  maximize: boolean;
}

/** What SGD remembers of a parameter. */
export interface SgdState {
  momentumBuffer: Tensor;
  /** Whether the buffer is still empty; the first gradient enters it undamped. */
  first?: boolean;
}

/** The options of Adam and AdamW for one group of parameters. */
export interface AdamRule {
  /** Learning rate. */
  lr: number;
  /** Decay of the means of the gradient and of its square. */
  betas: readonly [number, number];
  /** Added to the root of the second mean, against division by 0. */
  eps: number;
  /** Factor of the parameter added to its gradient; in AdamW taken from the parameter itself. */
  weightDecay: number;
  /** Divide by the largest second mean so far (Reddi et al. 2018). */
  amsgrad: boolean;
  /** Climb instead of descend. */
  maximize: boolean;
}

/** What Adam remembers of a parameter. */
export interface AdamState {
  step: number;
  expAvg: Tensor;
  expAvgSq: Tensor;
  maxExpAvgSq?: Tensor;
}

export function checkSgdRule(op: string, rule: SgdRule): void {
  checkNumber(op, 'lr', rule.lr, 0);
  checkNumber(op, 'momentum', rule.momentum, 0);
  checkNumber(op, 'dampening', rule.dampening);
  checkNumber(op, 'weightDecay', rule.weightDecay, 0);
  checkBoolean(op, 'maximize', rule.maximize);
  if (checkBoolean(op, 'nesterov', rule.nesterov) && (rule.momentum <= 0 || rule.dampening !== 0)) {
    const got = `momentum ${rule.momentum} and dampening ${rule.dampening}`;
    throw new TensorError('value', op, `expected a momentum above 0 and no dampening with nesterov, got ${got}`);
  }
}

export function checkAdamRule(op: string, rule: AdamRule): void {
  checkNumber(op, 'lr', rule.lr, 0);
  checkNumber(op, 'eps', rule.eps, 0);
  checkNumber(op, 'weightDecay', rule.weightDecay, 0);
  checkBoolean(op, 'amsgrad', rule.amsgrad);
  checkBoolean(op, 'maximize', rule.maximize);
  checkBetas(op, rule.betas);
}

export function checkBetas(op: string, betas: unknown): void {
  const good =
    Array.isArray(betas) && betas.length === 2 && betas.every((b) => typeof b === 'number' && b >= 0 && b < 1);
  if (!good)
    throw new TensorError('value', op, `expected betas to be two numbers from 0 to below 1, got ${describe(betas)}`);
}

/**
 * One step of stochastic gradient descent, in place: `b = momentum b + (1 - dampening) g`, `p = p - lr b`.
 * Parameters without a gradient stay as they are; `states` gets a buffer for those that need one.
 */
export function sgdStep(op: string, params: readonly Tensor[], states: Map<Tensor, SgdState>, rule: SgdRule): void {
  checkNumber(op, 'lr', rule.lr, 0);
  const momentum = rule.momentum !== 0;
  for (const p of params) {
    if (gradientOf(op, p) === null || !momentum || states.has(p)) continue;
    states.set(p, { momentumBuffer: stateLike(op, p), first: true });
  }
  const crossing = crossingOf(params);
  let first = 0;
  for (const p of params) {
    if (p.gradient === null || p.size === 0) continue;
    const state = momentum ? states.get(p) : undefined;
    const own = state?.first ? 1 : 0;
    if (!crossing.takes(p, own)) runSgd(crossing, rule, first);
    first = own;
    crossing.begin(p, own);
    crossing.put(p);
    crossing.put(p.gradient);
    crossing.put(state === undefined ? null : state.momentumBuffer);
    if (state !== undefined) state.first = false;
  }
  runSgd(crossing, rule, first);
}

function runSgd(crossing: Crossing, rule: SgdRule, first: number): void {
  if (crossing.count === 0) return;
  const buffers = crossing.finish(rule);
  G[2] = rule.lr;
  G[5] = rule.momentum;
  G[6] = rule.dampening;
  G[7] = rule.nesterov ? 1 : 0;
  G[8] = first;
  native.sgd(...buffers);
}

/**
 * One step of Adam, in place: `m = b1 m + (1 - b1) g`, `v = b2 v + (1 - b2) g^2`,
 * `p = p - lr (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + eps)`; with `decoupled`, weight decay acts on p itself (AdamW).
 * Parameters without a gradient stay as they are; `states` gets the means of those that are new.
 */
export function adamStep(
  op: string,
  params: readonly Tensor[],
  states: Map<Tensor, AdamState>,
  rule: AdamRule,
  decoupled: boolean,
): void {
  checkNumber(op, 'lr', rule.lr, 0);
  const { amsgrad } = rule;
  for (const p of params) {
    if (gradientOf(op, p) === null) continue;
    let state = states.get(p);
    if (state === undefined) {
      state = { step: 0, expAvg: stateLike(op, p), expAvgSq: stateLike(op, p), maxExpAvgSq: undefined };
      states.set(p, state);
    }
    if (amsgrad) state.maxExpAvgSq ??= stateLike(op, p);
    state.step++;
  }
  const crossing = crossingOf(params);
  let step = 0;
  for (const p of params) {
    if (p.gradient === null || p.size === 0) continue;
    const state = states.get(p) as AdamState;
    // The corrections of the means depend on the step count, so those that began later go by themselves.
    if (!crossing.takes(p, state.step)) runAdam(crossing, rule, step, decoupled);
    step = state.step;
    crossing.begin(p, step);
    crossing.put(p);
    crossing.put(p.gradient);
    crossing.put(state.expAvg);
    crossing.put(state.expAvgSq);
    crossing.put(amsgrad ? (state.maxExpAvgSq as Tensor) : null);
  }
  runAdam(crossing, rule, step, decoupled);
}

function runAdam(crossing: Crossing, rule: AdamRule, step: number, decoupled: boolean): void {
  if (crossing.count === 0) return;
  const buffers = crossing.finish(rule);
  G[2] = rule.lr;
  G[5] = rule.betas[0];
  G[6] = rule.betas[1];
  G[7] = rule.eps;
  G[8] = step;
  G[9] = decoupled ? 1 : 0;
  G[10] = rule.amsgrad ? 1 : 0;
  native.adam(...buffers);
}
