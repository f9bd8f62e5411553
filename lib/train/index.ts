// The public exports of train, and nothing else.
export { accuracyOf, confusionTable, formatConfusion } from './confusion.js';
export * as metrics from './metrics/index.js';
