// The public exports of distributions, and nothing else.
export { Exponential, Normal, Uniform } from './continuous.js';
export { Bernoulli, Categorical, type DiscreteOptions } from './discrete.js';
export { Distribution, type DistributionOptions, Reparameterised } from './distribution.js';
export { klDivergence } from './kl.js';
