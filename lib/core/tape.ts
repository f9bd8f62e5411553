// The tape: one node per recorded operation, and the walk back through them.
import { describe, TensorError } from '../errors.js';
import type { Tensor } from '../tensor.js';
import { checkResults, checkRoots, isAnomalyEnabled, remember } from './anomaly.js';
import type { DType } from './dtype.js';
import { consume, endLeases, isOwn } from './lease.js';
import { isGradEnabled, restoreGradEnabled, setGradEnabled } from './mode.js';
import { recording } from './recording.js';
import { HIDDEN, popFrame, pushFrame, track } from './scope.js';
import { formatShape, type Shape, sameShape } from './shape.js';

/**
 * The gradient rule of an operation: from the gradient of its output to those of its inputs, in order; null for none.
 *
 * `saved` are the tensors the operation said it needs, `needs[i]` is null where nobody asks for the gradient of input i.
 * Rules are written in operations, so that they can be differentiated again, and never mention broadcasting: a gradient
 * in the broadcast shape is summed to the input's shape by the walk.
 */
export type Rule<S extends readonly Tensor[] = readonly Tensor[]> = (
  g: Tensor,
  saved: S,
  needs: readonly (Node | null)[],
) => Tensor | readonly (Tensor | null)[];

/** Called with a gradient on its way; may return another in its place. */
// biome-ignore lint/suspicious/noConfusingVoidType: a hook that returns nothing is an ordinary function
export type GradHook = (grad: Tensor) => Tensor | void;

let nextId = 1;
let currentWalk = 0;

export class Node {
  readonly id = nextId++;
  /** The gradient collected so far in the running walk. */
  grad: Tensor | null = null;
  /** Number of the last walk that visited this node. */
  walk = 0;
  /** Whether the running walk has a use for this node. */
  wanted = true;
  hooks: GradHook[] | null = null;
  /** For a leaf: the tensor whose `.grad` collects. For others: the tensor that asked with retainGrad(). */
  target: Tensor | null = null;
  /** What the last backward pass through this leaf consumed; see core/lease.ts. */
  lease: Tensor[] | null = null;
  constructor(
    readonly op: string,
    readonly shape: Shape,
    readonly dtype: DType,
    public edges: readonly (Node | null)[],
    public saved: readonly Tensor[],
    public rule: Rule | null,
    /** Sum of the versions of what is saved; another sum at backward means that something was changed in place. */
    readonly versions: number,
    /** The output, until backward has consumed the node. */
    public out: Tensor | null,
    /** Rules that users write may keep what they see, so nothing they make is released early. */
    readonly foreign: boolean,
  ) {}
}

const NOTHING: readonly Tensor[] = [];
const NO_EDGES: readonly Node[] = [];

/** The node of a tensor that differentiation ends at, made on first use. */
export function nodeOf(x: Tensor): Node | null {
  if (x.node !== null) return x.node;
  if (!x.requiresGrad) return null;
  const node = new Node('leaf', x.shape, x.dtype, NO_EDGES, NOTHING, null, 0, null, false);
  node.target = x;
  x.node = node;
  return node;
}

/** Records that `y` came from `inputs`; does nothing where no input asks for a gradient or recording is off. */
export function record<const S extends readonly Tensor[]>(
  op: string,
  y: Tensor,
  inputs: readonly (Tensor | null)[],
  saved: S,
  rule: Rule<S>,
  foreign = false,
): Tensor {
  let edges: (Node | null)[] | null = null;
  if (isGradEnabled()) edges = edgesOf(inputs);
  if (edges === null) {
    for (let i = 0; i < saved.length; i++) if (isOwn(saved[i])) saved[i].dispose();
    return y;
  }
  let versions = 0;
  for (let i = 0; i < saved.length; i++) versions += saved[i].storage.version;
  y.requiresGrad = true;
  y.node = new Node(op, y.shape, y.dtype, edges, saved, rule as unknown as Rule, versions, y, foreign);
  if (isAnomalyEnabled()) remember(y.node);
  return y;
}

function edgesOf(inputs: readonly (Tensor | null)[]): (Node | null)[] | null {
  let i = 0;
  while (i < inputs.length && inputs[i]?.requiresGrad !== true) i++;
  if (i === inputs.length) return null;
  const edges: (Node | null)[] = [];
  for (i = 0; i < inputs.length; i++) {
    const x = inputs[i];
    // A frozen leaf may still have the node of earlier passes.
    edges.push(x?.requiresGrad === true ? nodeOf(x) : null);
  }
  return edges;
}

/** Operations the walk itself needs; ops/ hands them over at load, so that core/ never imports ops/. */
export interface WalkOps {
  /** A second tensor on the same memory. */
  alias(x: Tensor): Tensor;
  sumTo(x: Tensor, shape: Shape): Tensor;
  cast(x: Tensor, dtype: DType): Tensor;
  add(a: Tensor, b: Tensor): Tensor;
  /** a += b in place. */
  accumulate(a: Tensor, b: Tensor): void;
  copy(x: Tensor): Tensor;
  hasNaN(x: Tensor): boolean;
}
let ops: WalkOps;
export function provideWalkOps(given: WalkOps): void {
  ops = given;
}

export interface WalkOptions {
  retainGraph: boolean;
  createGraph: boolean;
  /** Gradients are wanted for these nodes only and are returned, not added to `.grad`. */
  targets: readonly Node[] | null;
}

function visit(node: Node, walk: number, wanted: boolean, nodes: Node[]): void {
  if (node.walk === walk) return;
  node.walk = walk;
  node.wanted = wanted;
  nodes.push(node);
}

/** All nodes behind the roots, latest first: creation order is a topological order. */
function reach(roots: readonly Node[], targets: readonly Node[] | null): Node[] {
  const walk = ++currentWalk;
  const nodes: Node[] = [];
  const wanted = targets === null;
  for (const root of roots) visit(root, walk, wanted, nodes);
  // What is found is looked behind in turn.
  for (let at = 0; at < nodes.length; at++) {
    const { edges } = nodes[at];
    for (let i = 0; i < edges.length; i++) {
      const edge = edges[i];
      if (edge !== null) visit(edge, walk, wanted, nodes);
    }
  }
  nodes.sort((a, b) => b.id - a.id);
  if (targets !== null) {
    for (const node of targets) node.wanted = true;
    for (let i = nodes.length - 1; i >= 0; i--) {
      const node = nodes[i];
      if (!node.wanted) node.wanted = node.edges.some((edge) => edge?.wanted && edge.walk === walk);
    }
  }
  return nodes;
}

export function isConsumed(node: Node): boolean {
  return node.rule === null && node.op !== 'leaf';
}

function checkConsumed(op: string, node: Node): void {
  if (node.wanted && isConsumed(node)) throw consumed(op, node);
}

/** Behind a consumed node nothing is known any more: a target that was not reached may have been there. */
function checkReached(op: string, nodes: readonly Node[], targets: readonly Node[]): void {
  const reached = new Set(nodes);
  if (targets.every((target) => reached.has(target))) return;
  const node = nodes.find(isConsumed);
  if (node !== undefined) throw consumed(op, node);
}

function consumed(op: string, node: Node): TensorError {
  return new TensorError(
    'consumed',
    op,
    `expected a graph not yet used, but an earlier backward pass consumed the node of '${node.op}' ${formatShape(node.shape)}. ` +
      'Pass { retainGraph: true } to the earlier pass, or compute the value again',
  );
}

function checkVersions(op: string, node: Node): void {
  let versions = 0;
  for (const t of node.saved) {
    if (t.released) t.check(`backward of ${node.op}`);
    versions += t.storage.version;
  }
  if (versions !== node.versions) {
    throw new TensorError(
      'version',
      op,
      `expected the tensors saved by '${node.op}' ${formatShape(node.shape)} to be unchanged since the forward pass, but one was modified in place. ` +
        'Update parameters after backward(), or clone() the tensor before modifying it',
    );
  }
}

/** Whether a gradient may be overwritten: nobody else looks at its memory, and nothing is recorded. */
export function isSole(g: Tensor): boolean {
  return !isGradEnabled() && g.storage.refs === 1 && g.isContiguous && !g.storage.pinned;
}

/** Adds a gradient that this walk owns to what an edge has collected. */
function deposit(edge: Node, r: Tensor, createGraph: boolean): void {
  if (edge.dtype !== r.dtype) r = replace(r, ops.cast(r, edge.dtype), createGraph);
  if (!sameShape(edge.shape, r.shape)) r = replace(r, ops.sumTo(r, edge.shape), createGraph);
  const sum = edge.grad;
  if (sum === null) {
    edge.grad = r;
  } else if (isSole(sum)) {
    ops.accumulate(sum, r);
    r.dispose();
  } else {
    edge.grad = ops.add(sum, r);
    if (!createGraph) {
      sum.dispose();
      r.dispose();
    }
  }
}

function replace(old: Tensor, made: Tensor, createGraph: boolean): Tensor {
  if (made !== old && !createGraph) old.dispose();
  return made;
}

/** Runs a node's rule and hands its results on; temporaries of library rules go back to the pool at once. */
function propagate(node: Node, g: Tensor, createGraph: boolean): void {
  const frame: Tensor[] | null = createGraph || node.foreign ? null : [];
  const outer = pushFrame(frame ?? HIDDEN);
  // An op of the rule that records nothing gives back what it would have saved: what this node saved is not the op's own.
  let own: Tensor[] | null = null;
  for (const t of node.saved) {
    if (!isOwn(t)) continue;
    t.hidden = false;
    own ??= [];
    own.push(t);
  }
  let result: Tensor | readonly (Tensor | null)[];
  try {
    result = (node.rule as Rule)(g, node.saved, node.edges);
  } finally {
    popFrame(outer);
    for (const t of own ?? NOTHING) t.hidden = true;
  }
  const edges = node.edges;
  const results = Array.isArray(result) ? (result as readonly (Tensor | null)[]) : [result as Tensor];
  if (isAnomalyEnabled()) checkResults(node, results, running ?? [], ops.hasNaN);
  // Each edge owns what it gets: something this rule made or was given, once; a second handle otherwise, and of all that a
  // user's rule saw. All handles are made before the first is handed on, because its memory may be given back right then.
  const handles: (Tensor | null)[] = [];
  for (let i = 0; i < edges.length; i++) {
    const r = results[i] ?? null;
    if (edges[i] === null || r === null || !(edges[i] as Node).wanted) handles.push(null);
    else if (createGraph || (frame !== null && results.indexOf(r) === i && (r === g || frame.includes(r)))) {
      handles.push(r);
    } else handles.push(ops.alias(r));
  }
  for (let i = 0; i < edges.length; i++) {
    const handle = handles[i];
    if (handle !== null) deposit(edges[i] as Node, handle, createGraph);
  }
  if (createGraph) return;
  if (frame !== null) for (const t of frame) if (!t.kept && !handles.includes(t)) t.dispose();
  if (!node.foreign && !handles.includes(g)) g.dispose();
}

/** Adds to a leaf's `.grad`; the walk's own tensor becomes the gradient where nobody else shares it. */
function accumulateLeaf(leaf: Tensor, g: Tensor, createGraph: boolean): void {
  // The leaf was converted in place after it was used.
  if (g.dtype !== leaf.dtype) g = replace(g, ops.cast(g, leaf.dtype), createGraph);
  if (recording !== null) recording.gradient(leaf, false);
  const before = leaf.gradient;
  if (before === null) {
    const own = createGraph || (g.isContiguous && g.storage.refs === 1) ? g : ops.copy(g);
    if (own !== g) g.dispose();
    own.hidden = !createGraph;
    attach(leaf, own);
    return;
  }
  before.check('backward');
  if (createGraph) {
    before.attached = false;
    attach(leaf, ops.add(before, g));
  } else {
    ops.accumulate(before, g);
    g.dispose();
  }
}

/** Gradients that became `.grad` in the running walk: the scope around it releases those that are forgotten inside it. */
let attached: Tensor[] = [];

function attach(leaf: Tensor, g: Tensor): void {
  g.attached = true;
  leaf.gradient = g;
  attached.push(g);
}

/** The gradient as the hooks leave it, as a second handle: they may have kept what they saw, or return what is theirs. */
function runHooks(node: Node, g: Tensor): Tensor {
  for (const hook of node.hooks as GradHook[]) {
    const changed = hook(g);
    if (changed === undefined || changed === null) continue;
    const { shape, dtype } = changed;
    if (!Array.isArray(shape) || !sameShape(shape, node.shape) || dtype !== node.dtype) {
      const got = Array.isArray(shape) ? `${formatShape(shape)} ${dtype}` : describe(changed);
      throw new TensorError(
        'shape',
        'hook',
        `expected a gradient of shape ${formatShape(node.shape)} and dtype ${node.dtype}, got ${got}`,
      );
    }
    g = changed;
  }
  return ops.alias(g);
}

/** The nodes of the walk that is running; another one begins inside it when a hook or a user's rule differentiates. */
let running: readonly Node[] | null = null;
interface Paused {
  readonly nodes: readonly Node[];
  readonly grads: readonly (Tensor | null)[];
  readonly wanted: readonly boolean[];
}

/** Sets the running walk aside, so that one inside it does not take its gradients. */
function pause(): Paused | null {
  if (running === null) return null;
  const nodes = running;
  const paused = { nodes, grads: nodes.map((node) => node.grad), wanted: nodes.map((node) => node.wanted) };
  for (const node of nodes) node.grad = null;
  return paused;
}

function resume(paused: Paused | null): void {
  running = paused?.nodes ?? null;
  paused?.nodes.forEach((node, i) => {
    node.grad = paused.grads[i];
    node.wanted = paused.wanted[i];
  });
}

/**
 * Walks from the roots to the leaves. The gradients handed in belong to the walk.
 *
 * @returns the gradients of the targets, in order, or an empty array
 */
export function walk(
  op: string,
  roots: readonly Node[],
  grads: readonly Tensor[],
  options: WalkOptions,
): (Tensor | null)[] {
  const { retainGraph, createGraph, targets } = options;
  const targetSet = targets === null ? null : new Set(targets);
  const found = targets === null ? null : new Map<Node, Tensor>();
  let nodes: readonly Node[] = [];
  const paused = pause();
  const before = setGradEnabled(createGraph);
  const outer = pushFrame(HIDDEN);
  try {
    nodes = reach(roots, targets);
    running = nodes;
    for (const node of nodes) checkConsumed(op, node);
    if (targets !== null) checkReached(op, nodes, targets);
    if (isAnomalyEnabled()) checkRoots(roots, nodes, ops.hasNaN);
    endLeases(nodes);
    for (let i = 0; i < roots.length; i++) deposit(roots[i], grads[i], createGraph);
    for (const node of nodes) {
      let g = node.grad;
      if (g === null) continue;
      node.grad = null;
      // A hook that runs a walk of its own may have consumed what this one still needs.
      checkConsumed(op, node);
      if (node.hooks !== null) g = runHooks(node, g);
      if (targetSet?.has(node)) found?.set(node, createGraph || node.rule === null ? g : ops.alias(g));
      if (node.rule === null) {
        if (targetSet === null) accumulateLeaf(node.target as Tensor, g, createGraph);
        else if (!targetSet.has(node) && !createGraph) g.dispose();
        continue;
      }
      if (node.target !== null && targetSet === null) accumulateLeaf(node.target, ops.alias(g), createGraph);
      checkVersions(op, node);
      propagate(node, g, createGraph);
    }
  } finally {
    restoreGradEnabled(before);
    popFrame(outer);
    for (const node of nodes) node.grad = null;
    resume(paused);
    for (const g of attached) track(g);
    attached = [];
  }
  if (!retainGraph) consume(nodes);
  if (targets === null || found === null) return [];
  for (const g of found.values()) track(g);
  return targets.map((node) => found.get(node) ?? null);
}
