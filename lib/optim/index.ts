// The public exports of optim, and nothing else.
export type { AdamRule, AdamState, SgdRule, SgdState } from '../ops/optimizer.js';
export { Adam, type AdamOptions, AdamW } from './adam.js';
export { Optimizer, type OptimizerState, type ParamGroup, type Params, type StateFields } from './optimizer.js';
export { SGD, type SgdOptions } from './sgd.js';
