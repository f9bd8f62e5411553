// State dicts: tensors by name, and how they are copied into a module.
import { describe, TensorError } from '../errors.js';
import { Tensor } from '../tensor.js';
import { isUninitialized, materialize } from './uninitialized.js';

/** Tensors by name, as `stateDict()` gives them. */
export type StateDict = Record<string, Tensor>;

/** What came of comparing a state with that of a module: names only one of both has, and the tensors both have. */
interface Match {
  missing: string[];
  unexpected: string[];
  pairs: [own: Tensor, given: Tensor][];
}

/** Lays a state dict beside the tensors of a module; throws where anything does not fit, with a list of all of it. */
export function match(
  op: string,
  kind: string,
  own: ReadonlyMap<string, Tensor>,
  dict: Readonly<StateDict> | ReadonlyMap<string, Tensor>,
  strict: boolean,
  sameDType = false,
): Match {
  if (dict === null || typeof dict !== 'object' || dict instanceof Tensor) {
    throw new TensorError('value', op, `expected tensors by name, got ${describe(dict)}`);
  }
  const given = dict instanceof Map ? new Map<string, Tensor>(dict) : new Map(Object.entries(dict as StateDict));
  const missing = [...own.keys()].filter((name) => !given.has(name));
  const unexpected = [...given.keys()].filter((name) => !own.has(name));
  const pairs: [Tensor, Tensor][] = [];
  const problems: string[] = [];
  if (strict && missing.length > 0) problems.push(`missing ${missing.join(', ')}`);
  if (strict && unexpected.length > 0) problems.push(`unexpected ${unexpected.join(', ')}`);
  for (const [name, tensor] of own) {
    const source = given.get(name);
    if (source === undefined && !given.has(name)) continue;
    if (!(source instanceof Tensor)) problems.push(`${name} is ${describe(source)} and no tensor`);
    else if (source.released) source.check(op);
    else if (isUninitialized(tensor)) pairs.push([tensor, source]);
    else if (source.shape.join() !== tensor.shape.join()) {
      problems.push(`${name} of shape [${source.shape.join(', ')}] instead of [${tensor.shape.join(', ')}]`);
    } else if (sameDType && source.dtype !== tensor.dtype) {
      problems.push(`${name} of dtype ${source.dtype} instead of ${tensor.dtype}`);
    } else pairs.push([tensor, source]);
  }
  if (problems.length > 0) {
    const remedy =
      strict && missing.length + unexpected.length > 0 ? '. Pass { strict: false } to load what is there' : '';
    const message = `expected the state of ${kind}, got ${problems.join('; ')}${remedy}`;
    throw new TensorError('value', op, message);
  }
  return { missing, unexpected, pairs };
}

/**
 * Copies values into the tensors of a module, or nothing where anything does not fit.
 *
 * @param kind the module's class, for the error
 * @param own the tensors of the module by path
 */
export function load(
  kind: string,
  own: ReadonlyMap<string, Tensor>,
  dict: Readonly<StateDict> | ReadonlyMap<string, Tensor>,
  strict: boolean,
): { missing: string[]; unexpected: string[] } {
  const { missing, unexpected, pairs } = match('loadStateDict', kind, own, dict, strict);
  for (const [tensor, source] of pairs) {
    if (isUninitialized(tensor)) materialize(tensor, source.detach().clone());
    else tensor.assign(source);
  }
  return { missing, unexpected };
}
