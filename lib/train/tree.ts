// Trees of tensors and plain values, what stateDict() functions return, taken apart for files and put together again.
import { describe, TensorError } from '../errors.js';
import { Tensor } from '../tensor.js';

/** Numbers, texts, tensors, and arrays and objects of them. */
export type Tree =
  | Tensor
  | number
  | string
  | boolean
  | null
  | undefined
  | readonly Tree[]
  | { readonly [key: string]: Tree };

/** Numbers that JSON has no word for. */
const WORDS: readonly [word: string, value: number][] = [
  ['NaN', Number.NaN],
  ['Infinity', Infinity],
  ['-Infinity', -Infinity],
  ['-0', -0],
];

/** Deeper than any state; what comes to this is an object that holds itself. */
const DEEPEST = 100;

/** Takes the tensors out of a tree, leaving their names; what is left is JSON. */
export function takeTensors(
  op: string,
  tree: unknown,
  name: string,
  tensors: Record<string, Tensor>,
  depth = 0,
): unknown {
  if (tree instanceof Tensor) {
    // Keys may contain dots themselves.
    let free = name;
    for (let i = 2; free in tensors; i++) free = `${name}#${i}`;
    tensors[free] = tree;
    return { $tensor: free };
  }
  if (typeof tree === 'number') {
    const word = WORDS.find(([, value]) => Object.is(value, tree))?.[0];
    return word === undefined ? tree : { $number: word };
  }
  if (tree === null || tree === undefined || typeof tree === 'string' || typeof tree === 'boolean') return tree;
  if (depth === DEEPEST) {
    const place = `${name.slice(0, 40)}...`;
    throw new TensorError(
      'value',
      op,
      `expected at most ${DEEPEST} levels, got more at '${place}': an object in a circle?`,
    );
  }
  const inner = (item: unknown, key: string) => takeTensors(op, item, join(name, key), tensors, depth + 1);
  if (Array.isArray(tree)) return tree.map((item, i) => inner(item, String(i)));
  const plain = typeof tree === 'object' && [Object.prototype, null].includes(Object.getPrototypeOf(tree));
  if (!plain || '$tensor' in tree || '$number' in tree) {
    const got = plain ? 'a key that begins with $' : describe(tree);
    throw new TensorError('value', op, `expected tensors and plain values, got ${got} at '${name}'`);
  }
  const entries = Object.entries(tree).map(([key, item]) => [key, inner(item, key)]);
  return Object.fromEntries(entries);
}

/** Puts the tensors back; `find` gives them by name. */
export function putTensors(tree: unknown, find: (name: string) => Tensor): unknown {
  if (tree === null || typeof tree !== 'object') return tree;
  if (Array.isArray(tree)) return tree.map((item) => putTensors(item, find));
  if ('$tensor' in tree) return find(String(tree.$tensor));
  if ('$number' in tree) return WORDS.find(([word]) => word === tree.$number)?.[1];
  return Object.fromEntries(Object.entries(tree).map(([key, item]) => [key, putTensors(item, find)]));
}

function join(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}
