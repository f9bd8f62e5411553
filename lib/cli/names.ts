// The words the command line takes; without imports, so that --help needs nothing else.

export const DATASETS = ['digits', 'mnist'] as const;
export type DatasetName = (typeof DATASETS)[number];

export const MODELS = ['linear', 'mlp', 'lenet'] as const;
export type ModelName = (typeof MODELS)[number];

export const OPTIMIZERS = ['sgd', 'adam'] as const;
export type OptimizerName = (typeof OPTIMIZERS)[number];
