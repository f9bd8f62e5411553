// Weights computed anew before every forward pass: weight normalisation and spectral normalisation, and how prune.ts hangs on too.
import { randn } from '../create-random.js';
import { checkOptions, describe, TensorError } from '../errors.js';
import { spectralWeight, weightAxis, weightLengths, weightOf } from '../ops/normalize/reparametrize.js';
import { normalize } from '../ops/normalize/similarity.js';
import type { Tensor } from '../tensor.js';
import { checkNumber, checkSize } from './check.js';
import { ConvTranspose1d, ConvTranspose2d, ConvTranspose3d } from './conv-transpose.js';
import type { InitOptions } from './init.js';
import { type AnyModule, Module } from './module.js';
import { Parameter } from './parameter.js';

/** How one weight of a module is computed. */
export interface Reparametrization {
  readonly kind: 'weightNorm' | 'spectralNorm' | 'prune';
  /** Attributes that stand for the weight. */
  readonly parts: readonly string[];
  /** The weight; `update` is whether what it remembers may change. */
  readonly compute: (update: boolean) => Tensor;
}

type Attributes = Record<string, Tensor | null>;
export const attributes = (module: object): Attributes => module as Attributes;
const known = new WeakMap<object, Map<string, Reparametrization>>();

/** How a weight of a module is computed, if it is. */
export function knownOf(module: object, name: string): Reparametrization | undefined {
  return known.get(module)?.get(name);
}

/** Whether some weight of a module is computed this way. */
export function hasKind(module: object, kind: Reparametrization['kind']): boolean {
  return [...(known.get(module)?.values() ?? [])].some((how) => how.kind === kind);
}

/** A parameter of a module that is still one. */
export function checkWeight(op: string, module: unknown, name: unknown): Parameter {
  if (!(module instanceof Module)) throw new TensorError('value', op, `expected a module, got ${describe(module)}`);
  if (known.get(module)?.has(name as string)) {
    throw new TensorError(
      'value',
      op,
      `expected a weight that is not computed from others yet, got '${name}'; remove what computes it first`,
    );
  }
  const weight = typeof name === 'string' ? attributes(module)[name] : null;
  if (weight instanceof Parameter) return weight;
  throw new TensorError(
    'value',
    op,
    `expected the name of a parameter of ${module.constructor.name}, got ${describe(name)}`,
  );
}

/** Has the weight computed before every forward pass from now on. */
export function attach(module: AnyModule, name: string, how: Reparametrization, weight: Tensor): void {
  let all = known.get(module);
  if (all === undefined) {
    const weights = new Map<string, Reparametrization>();
    all = weights;
    known.set(module, weights);
    const own = module.forward;
    const forward = (...inputs: unknown[]) => {
      for (const [key, { compute }] of weights) attributes(module)[key] = compute(module.training);
      return own.apply(module, inputs);
    };
    // Not enumerable: it is no part of the module's state.
    Object.defineProperty(module, 'forward', { value: forward, configurable: true, writable: true });
  }
  all.set(name, how);
  attributes(module)[name] = weight;
}

/** Takes it away again: the weight is a parameter, the one given or a new one with its present values. */
export function detachFrom(
  op: string,
  kind: Reparametrization['kind'],
  module: AnyModule,
  name: string,
  parameter?: Parameter,
): void {
  const all = known.get(module);
  const how = all?.get(name);
  if (all === undefined || how?.kind !== kind) {
    throw new TensorError('value', op, `expected a weight under ${kind}, got ${describe(name)}`);
  }
  const weight = parameter ?? new Parameter(how.compute(false).detach());
  for (const part of [name, ...how.parts]) Reflect.deleteProperty(module, part);
  all.delete(name);
  if (all.size === 0) {
    known.delete(module);
    Reflect.deleteProperty(module, 'forward');
  }
  attributes(module)[name] = weight;
}

/** Options of {@link weightNorm}. */
export interface WeightNormOptions {
  /** The parameter; `'weight'` unless given. */
  name?: string;
  /** The dimension whose parts have a length each, 0 unless given; null for one length of the whole weight. */
  dim?: number | null;
}

/**
 * Gives a weight a length and a direction, which are learned instead of it: `weight = weight_g v / |v|` with `v = weight_v`,
 * computed before every forward pass (Salimans and Kingma 2016; PyTorch: `nn.utils.weight_norm`). State dicts hold `weight_g`
 * and `weight_v`, as PyTorch's do.
 *
 * @returns the module, changed; make the optimizer afterwards
 * @throws TensorError `value` for what is no module or no parameter, or a weight that is normalised already, `axis` for a
 * dimension that is not there
 *
 * @example
 * ```ts
 * import { nn } from 'chainrule';
 * const layer = nn.utils.weightNorm(new nn.Linear(3, 2));
 * console.log(Object.keys(layer.stateDict())); // ['bias', 'weight_g', 'weight_v']
 * ```
 */
export function weightNorm<M extends AnyModule | Module>(module: M, options?: WeightNormOptions): M {
  const op = 'weightNorm';
  checkOptions(op, options, ['name', 'dim']);
  const name = options?.name ?? 'weight';
  const weight = checkWeight(op, module, name);
  const axis = weightAxis(op, weight, options?.dim === undefined ? 0 : options.dim);
  const g = new Parameter(weightLengths(weight, axis));
  const v = new Parameter(weight.detach());
  Reflect.deleteProperty(module, name);
  const parts = [`${name}_g`, `${name}_v`] as const;
  Object.assign(module, { [parts[0]]: g, [parts[1]]: v });
  const compute = () => {
    const [length, direction] = parts.map((part) => attributes(module)[part] as Tensor);
    return weightOf(length, direction, axis);
  };
  attach(module as AnyModule, name, { kind: op, parts, compute }, compute());
  return module;
}

/**
 * Makes the weight of {@link weightNorm} a parameter again, with its present values (PyTorch:
 * `nn.utils.remove_weight_norm`).
 *
 * @returns the module, changed
 * @throws TensorError `value` where the weight is not normalised
 *
 * @example
 * ```ts
 * import { nn } from 'chainrule';
 * const layer = nn.utils.removeWeightNorm(nn.utils.weightNorm(new nn.Linear(3, 2)));
 * console.log(Object.keys(layer.stateDict())); // ['bias', 'weight']
 * ```
 */
export function removeWeightNorm<M extends AnyModule | Module>(module: M, name = 'weight'): M {
  detachFrom('removeWeightNorm', 'weightNorm', module as AnyModule, name);
  return module;
}

/** Options of {@link spectralNorm}. */
export interface SpectralNormOptions {
  /** The parameter; `'weight'` unless given. */
  name?: string;
  /** Steps of power iteration before every forward pass in training, at least 1; 1 unless given. */
  nPowerIterations?: number;
  /** Least length to divide by; 1e-12 unless given. */
  eps?: number;
  /** The dimension of outputs, the rows of the matrix; 1 for transposed convolutions, 0 for others unless given. */
  dim?: number;
  /** Where the first vectors come from; the default generator unless given. */
  generator?: InitOptions['generator'];
}

/**
 * Divides a weight by its largest singular value, which power iteration follows while training: `weight = weight_orig / s`
 * with `s = u^T W v` (Miyato et al. 2018; PyTorch: `nn.utils.spectral_norm`). Weights of more than two dimensions count as
 * matrices [outputs, the rest]. State dicts hold `weight_orig`, `weight_u` and `weight_v`, as PyTorch's do.
 *
 * @returns the module, changed; make the optimizer afterwards
 * @throws TensorError `value` for what is no module or no parameter, a weight that is normalised already, or fewer than one
 * step, `axis` for a dimension that is not there
 *
 * @example
 * ```ts
 * import { nn } from 'chainrule';
 * const layer = nn.utils.spectralNorm(new nn.Linear(3, 2));
 * console.log(Object.keys(layer.stateDict())); // ['bias', 'weight_orig', 'weight_u', 'weight_v']
 * ```
 */
export function spectralNorm<M extends AnyModule | Module>(module: M, options?: SpectralNormOptions): M {
  const op = 'spectralNorm';
  checkOptions(op, options, ['name', 'nPowerIterations', 'eps', 'dim', 'generator']);
  const name = options?.name ?? 'weight';
  const weight = checkWeight(op, module, name);
  const steps = checkSize(op, 'nPowerIterations', options?.nPowerIterations ?? 1);
  const eps = checkNumber(op, 'eps', options?.eps ?? 1e-12, 0);
  const transposed = [ConvTranspose1d, ConvTranspose2d, ConvTranspose3d].some((kind) => module instanceof kind);
  const axis = weightAxis(op, weight, options?.dim ?? (transposed ? 1 : 0)) as number;
  const vector = (n: number) => {
    const noise = randn([n], { dtype: weight.dtype, ...(options?.generator && { generator: options.generator }) });
    const unit = normalize(noise, { dim: 0, eps });
    noise.dispose();
    return unit;
  };
  const rows = weight.shape[axis];
  Reflect.deleteProperty(module, name);
  const parts = [`${name}_orig`, `${name}_u`, `${name}_v`] as const;
  Object.assign(module, { [parts[0]]: weight });
  module.registerBuffer(parts[1], vector(rows));
  module.registerBuffer(parts[2], vector(weight.size / rows));
  const compute = (update: boolean) => {
    const [w, u, v] = parts.map((part) => attributes(module)[part] as Tensor);
    return spectralWeight(w, u, v, axis, update ? steps : 0, eps);
  };
  attach(module as AnyModule, name, { kind: op, parts, compute }, weight.detach());
  return module;
}

/**
 * Makes the weight of {@link spectralNorm} a parameter again, with its present values (PyTorch:
 * `nn.utils.remove_spectral_norm`).
 *
 * @returns the module, changed
 * @throws TensorError `value` where the weight is not normalised
 *
 * @example
 * ```ts
 * import { nn } from 'chainrule';
 * const layer = nn.utils.removeSpectralNorm(nn.utils.spectralNorm(new nn.Linear(3, 2)));
 * console.log(Object.keys(layer.stateDict())); // ['bias', 'weight']
 * ```
 */
export function removeSpectralNorm<M extends AnyModule | Module>(module: M, name = 'weight'): M {
  detachFrom('removeSpectralNorm', 'spectralNorm', module as AnyModule, name);
  return module;
}
