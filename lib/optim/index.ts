// The public exports of optim, and nothing else.
export type { AdamRule, AdamState, SgdRule, SgdState } from '../ops/optimize/optimizer.js';
export {
  Adadelta,
  type AdadeltaOptions,
  type AdadeltaRule,
  type AdadeltaState,
  Adagrad,
  type AdagradOptions,
  type AdagradRule,
  type AdagradState,
} from './adagrad.js';
export { Adam, type AdamOptions, AdamW } from './adam.js';
export {
  Adamax,
  type AdamaxOptions,
  type AdamaxRule,
  type AdamaxState,
  NAdam,
  type NAdamOptions,
  type NAdamRule,
  type NAdamState,
  RAdam,
  type RAdamOptions,
  type RAdamState,
} from './adam-variants.js';
export { ASGD, type ASGDOptions, type ASGDRule, type ASGDState } from './asgd.js';
export { LBFGS, type LBFGSOptions, type LBFGSRule } from './lbfgs.js';
export * as lrScheduler from './lr-scheduler.js';
export { Optimizer, type OptimizerState, type ParamGroup, type Params, type StateFields } from './optimizer.js';
export { RMSprop, type RMSpropOptions, type RMSpropRule, type RMSpropState } from './rmsprop.js';
export { SGD, type SgdOptions } from './sgd.js';
export {
  Lion,
  type LionOptions,
  type LionRule,
  type LionState,
  Rprop,
  type RpropOptions,
  type RpropRule,
  type RpropState,
} from './sign.js';
export * as swaUtils from './swa-utils.js';
