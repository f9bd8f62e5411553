// optim.lrScheduler: learning rate schedules, under the name PyTorch users look for.

export {
  LRScheduler,
  type PerGroup,
  Schedule,
  type ScheduledGroup,
  type ScheduleOptions,
  type ScheduleState,
  type ScheduleValue,
} from './schedule.js';
export {
  CosineAnnealingLR,
  type CosineAnnealingLROptions,
  CosineAnnealingWarmRestarts,
  type CosineAnnealingWarmRestartsOptions,
} from './schedule-cosine.js';
export {
  CyclicLR,
  type CyclicLROptions,
  type MomentumOptions,
  OneCycleLR,
  type OneCycleLROptions,
} from './schedule-cycle.js';
export {
  type EpochFunction,
  ExponentialLR,
  LambdaLR,
  MultiplicativeLR,
  MultiStepLR,
  StepLR,
  type StepLROptions,
} from './schedule-decay.js';
export { ChainedScheduler, SequentialLR } from './schedule-join.js';
export { ReduceLROnPlateau, type ReduceLROnPlateauOptions } from './schedule-plateau.js';
export {
  ConstantLR,
  type ConstantLROptions,
  LinearLR,
  type LinearLROptions,
  PolynomialLR,
  type PolynomialLROptions,
} from './schedule-ramp.js';
