// Anomaly mode: remembers where each recorded operation was called, and names the one where a NaN was born.
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, TensorError } from '../errors.js';
import type { Tensor } from '../tensor.js';
import { formatShape } from './shape.js';
import type { Node } from './tape.js';

let always = false;
let running = 0;
const places = new WeakMap<Node, string>();

/** Everything in the folder above this one is the library, before and after bundling. */
const LIBRARY = dirname(dirname(fileURLToPath(import.meta.url)));

/** Whether anomaly mode is on. */
export function isAnomalyEnabled(): boolean {
  return always || running > 0;
}

/** Notes the user's lines that led to a node. */
export function remember(node: Node): void {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 50;
  const { stack = '' } = new Error();
  Error.stackTraceLimit = limit;
  const lines = stack.split('\n').slice(1);
  const own = lines.filter((line) => !line.includes(LIBRARY) && !line.includes('(node:') && !line.includes('at node:'));
  places.set(node, own.slice(0, 5).join('\n'));
}

function called(node: Node): string {
  const place = places.get(node);
  return place === undefined || place === ''
    ? 'recorded before anomaly mode was on'
    : `called\n${place.replace(/^ {4}/gm, '  ')}`;
}

type HasNaN = (x: Tensor) => boolean;

/** The first node of the forward pass whose result has NaN; `nodes` are latest first. */
function birth(nodes: readonly Node[], hasNaN: HasNaN): Node | undefined {
  return nodes.findLast(({ out }) => out !== null && !out.released && hasNaN(out));
}

function anomaly(node: Node, where: string): TensorError {
  return new TensorError('nan', 'backward', `expected numbers, got NaN in ${where}, ${called(node)}`);
}

/** Throws where what is to be differentiated is NaN already. */
export function checkRoots(roots: readonly Node[], nodes: readonly Node[], hasNaN: HasNaN): void {
  if (birth(roots, hasNaN) === undefined) return;
  const born = birth(nodes, hasNaN) as Node;
  throw anomaly(born, `the forward pass at '${born.op}' ${formatShape(born.shape)}`);
}

/** Throws where a rule made NaN: because of the forward pass, or in the gradient of this very operation. */
export function checkResults(
  node: Node,
  results: readonly (Tensor | null)[],
  nodes: readonly Node[],
  hasNaN: HasNaN,
): void {
  const input = results.findIndex((r, i) => r !== null && node.edges[i] !== null && !r.released && hasNaN(r));
  if (input < 0) return;
  const born = birth(nodes, hasNaN);
  if (born !== undefined) throw anomaly(born, `the forward pass at '${born.op}' ${formatShape(born.shape)}`);
  throw anomaly(node, `the gradient of '${node.op}' ${formatShape(node.shape)} with respect to its input ${input}`);
}

/**
 * Runs a function in anomaly mode: a backward pass inside it that begins with NaN or meets one fails with an error that names the
 * operation where it was born, in the forward pass or in a gradient, and the line of the program that called it (PyTorch:
 * `torch.autograd.detect_anomaly`, which looks at gradients only). Slow; for finding mistakes.
 *
 * @param fn may be asynchronous; the mode lasts until its promise settles
 * @returns what `fn` returns
 * @throws TensorError `nan` from backward() or grad() inside
 *
 * @example
 * ```ts
 * import { detectAnomaly, tensor, TensorError } from 'chainrule';
 * const x = tensor([0, 4], { requiresGrad: true });
 * try {
 *   detectAnomaly(() => x.sqrt().mul(x).sub(x.mul(0).div(x)).sum().backward());
 * } catch (error) {
 *   if (error instanceof TensorError) console.log(error.code, error.message.slice(0, 71)); // nan [backward] expected numbers, got NaN in the forward pass at 'div' [2],
 * }
 * ```
 */
export function detectAnomaly<T>(fn: () => T): T {
  if (typeof fn !== 'function')
    throw new TensorError('value', 'detectAnomaly', `expected a function, got ${describe(fn)}`);
  running++;
  let result: T;
  try {
    result = fn();
  } catch (error) {
    running--;
    throw error;
  }
  if (!(result instanceof Promise)) {
    running--;
    return result;
  }
  return result.finally(() => {
    running--;
  }) as T;
}

/**
 * Switches anomaly mode on or off for everything that follows; see {@link detectAnomaly} (PyTorch:
 * `torch.autograd.set_detect_anomaly`).
 *
 * @example
 * ```ts
 * import { setDetectAnomaly } from 'chainrule';
 * setDetectAnomaly(true);
 * setDetectAnomaly(false);
 * ```
 */
export function setDetectAnomaly(mode: boolean): void {
  if (typeof mode !== 'boolean') {
    throw new TensorError('value', 'setDetectAnomaly', `expected true or false, got ${describe(mode)}`);
  }
  always = mode;
}
