// The public exports of train, and nothing else.
export type { Batch, Batches } from './batches.js';
export { loadCheckpoint, saveCheckpoint } from './checkpoint.js';
export { accuracyOf, confusionTable, formatConfusion } from './confusion.js';
export {
  type DiagnoseOptions,
  diagnose,
  type Finding,
  type FindingKind,
  type WatchOptions,
  watch,
} from './diagnose.js';
export type { EpochRecord, FitEnd, FitEvent, FitHistory } from './events.js';
export { FitRun, fit } from './fit.js';
export * as metrics from './metrics/index.js';
export type {
  AverageOptions,
  CheckpointOptions,
  EarlyStopOptions,
  FitOptions,
  FitSchedule,
} from './options.js';
export type { Tree } from './tree.js';
