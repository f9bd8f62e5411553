// nn.utils.prune: weights of which a part is zero and stays zero, by a mask beside each.
import { noGrad } from '../core/mode.js';
import { scope } from '../core/scope.js';
import { onesLike, rand } from '../create.js';
import { checkOptions, describe, TensorError } from '../errors.js';
import { scatter } from '../ops/index/scatter.js';
import { vectorNorm } from '../ops/linalg/norm.js';
import { topk } from '../ops/order/sort.js';
import { cat, where } from '../ops/shape/join.js';
import { Tensor } from '../tensor.js';
import { checkChoice, checkNumber, checkSize } from './check.js';
import type { InitOptions } from './init.js';
import { type AnyModule, Module } from './module.js';
import type { Parameter } from './parameter.js';
import { attach, attributes, checkWeight, detachFrom, hasKind, knownOf } from './reparametrize.js';

/** Options of pruning by size. */
export interface ScoreOptions {
  /** How important each element is, shaped as the parameter; its own values unless given. */
  importanceScores?: Tensor;
}

/** A module, and the name of one of its parameters. */
export type ModuleParameter = readonly [module: AnyModule | Module, name: string];

/** The values there are now, and which of them count: 1, and 0 for those that are pruned. */
interface Masked {
  readonly weight: Tensor;
  readonly mask: Tensor;
}

function maskedOf(op: string, module: AnyModule | Module, name: string): Masked {
  if (module instanceof Module && knownOf(module, name)?.kind === 'prune') {
    const [original, mask] = [attributes(module)[`${name}_orig`], attributes(module)[`${name}_mask`]] as Tensor[];
    return { weight: original.detach().mul(mask), mask };
  }
  const weight = checkWeight(op, module, name).detach();
  return { weight, mask: onesLike(weight) };
}

/** Gives a parameter a mask, or another one. */
function put(op: string, module: AnyModule | Module, name: string, mask: Tensor): void {
  const own = attributes(module);
  const [original, masking] = [`${name}_orig`, `${name}_mask`];
  const how = knownOf(module, name);
  if (how?.kind === 'prune') {
    (own[masking] as Tensor).assign(mask);
    own[name] = how.compute(false).detach();
    return;
  }
  const weight = checkWeight(op, module, name);
  Reflect.deleteProperty(module, name);
  own[original] = weight;
  module.registerBuffer(masking, mask);
  const compute = () => (own[original] as Tensor).mul(own[masking] as Tensor);
  attach(module as AnyModule, name, { kind: 'prune', parts: [original, masking], compute }, compute().detach());
}

/** Works out the next mask of a parameter, and gives it that. */
function prune<M extends AnyModule | Module>(op: string, module: M, name: string, next: (now: Masked) => Tensor): M {
  const mask = noGrad(() => scope(() => next(maskedOf(op, module, name)).clone()));
  put(op, module, name, mask);
  return module;
}

/** How many of `n` are pruned: a share below 1, or a number from 1 up; halves go to the even number, as in Python. */
function countOf(op: string, amount: unknown, n: number): number {
  const given = checkNumber(op, 'the amount', amount, 0);
  if (given >= 1) {
    if (Number.isInteger(given) && given <= n) return given;
    throw new TensorError('value', op, `expected a share below 1 or a number up to ${n} to prune, got ${given}`);
  }
  const near = Math.round(given * n);
  return (given * n) % 1 === 0.5 && near % 2 === 1 ? near - 1 : near;
}

/** A flat mask without those of the lowest scores among what it has. */
function withoutLowest(op: string, mask: Tensor, scores: Tensor, amount: number): Tensor {
  const remaining = mask.ne(0);
  const count = countOf(op, amount, remaining.sum().item());
  const { indices } = topk(where(remaining, scores, Infinity), count, 0, { largest: false });
  return scatter(mask, 0, indices, 0);
}

function scoresOf(op: string, options: ScoreOptions | undefined, weight: Tensor): Tensor {
  checkOptions(op, options, ['importanceScores']);
  const scores = options?.importanceScores;
  if (scores === undefined) return weight;
  if (scores instanceof Tensor && scores.shape.join() === weight.shape.join()) return scores.detach().to(weight.dtype);
  const got = scores instanceof Tensor ? `[${scores.shape.join(', ')}]` : describe(scores);
  throw new TensorError('shape', op, `expected importanceScores of shape [${weight.shape.join(', ')}], got ${got}`);
}

/** The dimension whose parts are pruned, from 0 up. */
function checkDim(op: string, weight: Tensor, dim: unknown): number {
  if (weight.ndim < 2) {
    const shape = `[${weight.shape.join(', ')}]`;
    throw new TensorError(
      'shape',
      op,
      `expected a parameter of several dimensions, got ${shape}; prune single elements`,
    );
  }
  const at = checkSize(op, 'the dimension', dim, -weight.ndim);
  if (at < weight.ndim) return at < 0 ? at + weight.ndim : at;
  throw new TensorError('axis', op, `expected a dimension below ${weight.ndim}, got ${at}`);
}

/** A mask without the parts along a dimension that have the lowest scores among those that are not pruned whole. */
function withoutParts(op: string, { weight, mask }: Masked, dim: number, amount: number, scores: Tensor): Tensor {
  const others = weight.shape.map((_, i) => i).filter((i) => i !== dim);
  const alive = mask.amax(others);
  const kept = withoutLowest(op, alive, scores, amount);
  return mask.mul(kept.reshape(weight.shape.map((n, i) => (i === dim ? n : 1))));
}

/**
 * Prunes nothing, but gives a parameter its mask: `weight = weight_orig weight_mask`, computed before every forward pass. State dicts
 * hold `weight_orig` and `weight_mask`, as PyTorch's do (PyTorch: `nn.utils.prune.identity`).
 *
 * @returns the module, changed
 * @throws TensorError `value` for what is no module or no parameter
 *
 * @example
 * ```ts
 * import { nn } from 'chainrule';
 * const layer = nn.utils.prune.identity(new nn.Linear(3, 2), 'weight');
 * console.log(Object.keys(layer.stateDict())); // ['bias', 'weight_orig', 'weight_mask']
 * ```
 */
export function identity<M extends AnyModule | Module>(module: M, name: string): M {
  return prune('identity', module, name, ({ mask }) => mask);
}

/**
 * Prunes the smallest elements of a parameter, by size; again, the smallest of those that remain (PyTorch:
 * `nn.utils.prune.l1_unstructured`). See {@link identity} for what it leaves.
 *
 * @param amount a share below 1 of what remains, or a number of elements from 1 up
 * @param options `importanceScores`
 * @returns the module, changed
 * @throws TensorError `value` for what is no module or no parameter, or more elements than remain, `shape` for other scores
 *
 * @example
 * ```ts
 * import { nn, tensor } from 'chainrule';
 * const layer = new nn.Linear(4, 1, { bias: false });
 * layer.weight.assign(tensor([[1, -4, 3, 2]]));
 * nn.utils.prune.l1Unstructured(layer, 'weight', 0.5);
 * console.log(layer.weight.toArray()); // [[0, -4, 3, 0]]
 * ```
 */
export function l1Unstructured<M extends AnyModule | Module>(
  module: M,
  name: string,
  amount: number,
  options?: ScoreOptions,
): M {
  const op = 'l1Unstructured';
  return prune(op, module, name, ({ weight, mask }) => {
    const scores = scoresOf(op, options, weight).abs();
    return withoutLowest(op, mask.flatten(), scores.flatten(), amount).reshape([...weight.shape]);
  });
}

/**
 * Prunes elements of a parameter by chance; again, some of those that remain (PyTorch: `nn.utils.prune.random_unstructured`). See
 * {@link identity} for what it leaves.
 *
 * @param amount a share below 1 of what remains, or a number of elements from 1 up
 * @param options `generator`
 * @returns the module, changed
 * @throws TensorError `value` for what is no module or no parameter, or more elements than remain
 *
 * @example
 * ```ts
 * import { nn } from 'chainrule';
 * const layer = nn.utils.prune.randomUnstructured(new nn.Linear(4, 5), 'weight', 0.25);
 * console.log(layer.weight.eq(0).sum().item()); // 5
 * ```
 */
export function randomUnstructured<M extends AnyModule | Module>(
  module: M,
  name: string,
  amount: number,
  options?: InitOptions,
): M {
  const op = 'randomUnstructured';
  checkOptions(op, options, ['generator']);
  return prune(op, module, name, ({ weight, mask }) => {
    const scores = rand([weight.size], { dtype: weight.dtype, generator: options?.generator });
    return withoutLowest(op, mask.flatten(), scores, amount).reshape([...weight.shape]);
  });
}

/**
 * Prunes the parts of a parameter along a dimension whose norm is lowest, whole channels for example; again, those of the parts that remain
 * (PyTorch: `nn.utils.prune.ln_structured`). See {@link identity} for what it leaves.
 *
 * @param amount a share below 1 of the parts that remain, or a number of them from 1 up
 * @param n the norm: 1, 2, Infinity ...
 * @param dim the dimension; negative ones count from the end
 * @param options `importanceScores`
 * @returns the module, changed
 * @throws TensorError `value` for what is no module or no parameter, or more parts than remain, `shape` for a parameter of one dimension or
 * other scores, `axis` for a dimension that is not there
 *
 * @example
 * ```ts
 * import { nn, tensor } from 'chainrule';
 * const layer = new nn.Linear(2, 2, { bias: false });
 * layer.weight.assign(tensor([[1, 2], [-3, 4]]));
 * nn.utils.prune.lnStructured(layer, 'weight', 1, 2, 0);
 * console.log(layer.weight.toArray()); // [[0, 0], [-3, 4]]
 * ```
 */
export function lnStructured<M extends AnyModule | Module>(
  module: M,
  name: string,
  amount: number,
  n: number,
  dim: number,
  options?: ScoreOptions,
): M {
  const op = 'lnStructured';
  return prune(op, module, name, (now) => {
    const at = checkDim(op, now.weight, dim);
    const others = now.weight.shape.map((_, i) => i).filter((i) => i !== at);
    return withoutParts(op, now, at, amount, vectorNorm(scoresOf(op, options, now.weight), n, others));
  });
}

/**
 * Prunes parts of a parameter along a dimension by chance; again, some of the parts that remain (PyTorch:
 * `nn.utils.prune.random_structured`). See {@link identity} for what it leaves.
 *
 * @param amount a share below 1 of the parts that remain, or a number of them from 1 up
 * @param dim the dimension; negative ones count from the end
 * @param options `generator`
 * @returns the module, changed
 * @throws TensorError as {@link lnStructured}
 *
 * @example
 * ```ts
 * import { nn } from 'chainrule';
 * const layer = nn.utils.prune.randomStructured(new nn.Linear(4, 5), 'weight', 2, 0);
 * console.log(layer.weight.eq(0).all(1).sum().item()); // 2
 * ```
 */
export function randomStructured<M extends AnyModule | Module>(
  module: M,
  name: string,
  amount: number,
  dim: number,
  options?: InitOptions,
): M {
  const op = 'randomStructured';
  checkOptions(op, options, ['generator']);
  return prune(op, module, name, (now) => {
    const at = checkDim(op, now.weight, dim);
    const { dtype, shape } = now.weight;
    return withoutParts(op, now, at, amount, rand([shape[at]], { dtype, generator: options?.generator }));
  });
}

/**
 * Prunes where a mask is 0, besides what is pruned already (PyTorch: `nn.utils.prune.custom_from_mask`). See {@link identity} for what it
 * leaves.
 *
 * @param mask shaped as the parameter
 * @returns the module, changed
 * @throws TensorError `value` for what is no module or no parameter, `shape` for another mask
 *
 * @example
 * ```ts
 * import { nn, tensor } from 'chainrule';
 * const layer = nn.utils.prune.customFromMask(new nn.Linear(1, 3), 'bias', tensor([0, 1, 0]));
 * console.log(layer.bias?.eq(0).toArray()); // [true, false, true]
 * ```
 */
export function customFromMask<M extends AnyModule | Module>(module: M, name: string, mask: Tensor): M {
  const op = 'customFromMask';
  return prune(op, module, name, (now) => {
    if (mask instanceof Tensor && mask.shape.join() === now.weight.shape.join()) {
      return now.mask.mul(mask.detach().to(now.mask.dtype));
    }
    const got = mask instanceof Tensor ? `[${mask.shape.join(', ')}]` : describe(mask);
    throw new TensorError('shape', op, `expected a mask of shape [${now.weight.shape.join(', ')}], got ${got}`);
  });
}

/**
 * Prunes elements of several parameters together: the smallest of all, or some of all by chance (PyTorch:
 * `nn.utils.prune.global_unstructured`).
 *
 * @param parameters pairs of a module and a name
 * @param method as the function of that name
 * @param amount a share below 1 of all that remain, or a number of elements from 1 up
 * @param options `generator`
 * @throws TensorError `value` for an empty list, what is no module or no parameter, or more elements than remain; nothing is changed then
 *
 * @example
 * ```ts
 * import { nn, tensor } from 'chainrule';
 * const [a, b] = [new nn.Linear(2, 1), new nn.Linear(2, 1)];
 * a.weight.assign(tensor([[1, 2]]));
 * b.weight.assign(tensor([[3, 4]]));
 * nn.utils.prune.globalUnstructured([[a, 'weight'], [b, 'weight']], 'l1Unstructured', 3);
 * console.log(a.weight.toArray(), b.weight.toArray()); // [[0, 0]] [[0, 4]]
 * ```
 */
export function globalUnstructured(
  parameters: Iterable<ModuleParameter>,
  method: 'l1Unstructured' | 'randomUnstructured',
  amount: number,
  options?: InitOptions,
): void {
  const op = 'globalUnstructured';
  checkOptions(op, options, ['generator']);
  checkChoice(op, 'the method', method, ['l1Unstructured', 'randomUnstructured']);
  const pairs = [...parameters];
  if (pairs.length === 0) throw new TensorError('value', op, 'expected at least one parameter, got an empty list');
  const masks = noGrad(() =>
    scope(() => {
      const now = pairs.map(([module, name]) => maskedOf(op, module, name));
      const weights = cat(now.map(({ weight }) => weight.flatten()));
      const { dtype, size } = weights;
      const byChance = method === 'randomUnstructured';
      const scores = byChance ? rand([size], { dtype, generator: options?.generator }) : weights.abs();
      const mask = withoutLowest(op, cat(now.map((each) => each.mask.flatten())), scores, amount);
      let start = 0;
      return now.map(({ weight }) => {
        start += weight.size;
        return mask
          .narrow(0, start - weight.size, weight.size)
          .reshape([...weight.shape])
          .to(weight.dtype)
          .clone();
      });
    }),
  );
  for (const [i, [module, name]] of pairs.entries()) put(op, module, name, masks[i]);
}

/**
 * Makes what is pruned final: the parameter is one again, the same as before, with zeros where its mask has them (PyTorch:
 * `nn.utils.prune.remove`).
 *
 * @returns the module, changed
 * @throws TensorError `value` where the parameter is not pruned
 *
 * @example
 * ```ts
 * import { nn } from 'chainrule';
 * const { prune } = nn.utils;
 * const layer = prune.remove(prune.randomUnstructured(new nn.Linear(3, 2), 'weight', 4), 'weight');
 * console.log(Object.keys(layer.stateDict()), layer.weight.eq(0).sum().item()); // ['bias', 'weight'] 4
 * ```
 */
export function remove<M extends AnyModule | Module>(module: M, name: string): M {
  const op = 'remove';
  const how = module instanceof Module ? knownOf(module, name) : undefined;
  if (how?.kind !== 'prune') {
    throw new TensorError('value', op, `expected a parameter that is pruned, got ${describe(name)}`);
  }
  const original = attributes(module)[`${name}_orig`] as Parameter;
  noGrad(() => scope(() => void original.assign(how.compute(false))));
  detachFrom(op, 'prune', module as AnyModule, name, original);
  return module;
}

/**
 * Whether any parameter of a module, or of one inside it, is pruned (PyTorch: `nn.utils.prune.is_pruned`).
 *
 * @throws TensorError `value` for what is no module
 *
 * @example
 * ```ts
 * import { nn } from 'chainrule';
 * const layer = new nn.Linear(3, 2);
 * const model = new nn.Sequential(layer, new nn.ReLU());
 * nn.utils.prune.l1Unstructured(layer, 'weight', 0.5);
 * console.log(nn.utils.prune.isPruned(model), nn.utils.prune.isPruned(new nn.ReLU())); // true false
 * ```
 */
export function isPruned(module: AnyModule | Module): boolean {
  if (!(module instanceof Module))
    throw new TensorError('value', 'isPruned', `expected a module, got ${describe(module)}`);
  return module.modules().some((inner: object) => hasKind(inner, 'prune'));
}
