// The tape: one node per recorded operation, and the walk back through them.
import { TensorError } from '../errors.js';
import type { Tensor } from '../tensor.js';
import type { DType } from './dtype.js';
import { isGradEnabled, setGradEnabled } from './mode.js';
import { popFrame, pushFrame } from './scope.js';
import { formatShape, type Shape, sameShape } from './shape.js';
import { SMALL_BYTES } from './storage.js';

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
  /** What the last backward pass through this leaf consumed; see {@link leaseGraph}. */
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
    for (let i = 0; i < saved.length; i++) if (saved[i].hidden) saved[i].dispose();
    return y;
  }
  let versions = 0;
  for (let i = 0; i < saved.length; i++) versions += saved[i].storage.version;
  y.requiresGrad = true;
  y.node = new Node(op, y.shape, y.dtype, edges, saved, rule as unknown as Rule, versions, y, foreign);
  return y;
}

function edgesOf(inputs: readonly (Tensor | null)[]): (Node | null)[] | null {
  let edges: (Node | null)[] | null = null;
  for (let i = 0; i < inputs.length; i++) {
    const x = inputs[i];
    if (x === null || !x.requiresGrad) continue;
    edges ??= new Array<Node | null>(inputs.length).fill(null);
    edges[i] = nodeOf(x);
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

/** All nodes behind the roots, latest first: creation order is a topological order. */
function reach(roots: readonly Node[], targets: readonly Node[] | null): Node[] {
  const walk = ++currentWalk;
  const nodes: Node[] = [];
  const stack: Node[] = [];
  const visit = (node: Node | null) => {
    if (node === null || node.walk === walk) return;
    node.walk = walk;
    node.wanted = targets === null;
    nodes.push(node);
    stack.push(node);
  };
  for (const root of roots) visit(root);
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    for (let i = 0; i < node.edges.length; i++) visit(node.edges[i]);
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

function checkConsumed(op: string, nodes: readonly Node[]): void {
  for (const node of nodes) {
    if (node.wanted && node.rule === null && node.target === null && node.op !== 'leaf') {
      throw new TensorError(
        'consumed',
        op,
        `expected a graph not yet used, but an earlier backward pass consumed the node of '${node.op}' ${formatShape(node.shape)}. ` +
          'Pass { retainGraph: true } to the earlier pass, or compute the value again',
      );
    }
  }
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

/** Adds a gradient that this walk owns to what an edge has collected. */
function deposit(edge: Node, r: Tensor, createGraph: boolean): void {
  if (edge.dtype !== r.dtype) r = replace(r, ops.cast(r, edge.dtype), createGraph);
  if (!sameShape(edge.shape, r.shape)) r = replace(r, ops.sumTo(r, edge.shape), createGraph);
  const sum = edge.grad;
  if (sum === null) {
    edge.grad = r;
  } else if (!createGraph && sum.storage.refs === 1 && sum.isContiguous && !sum.storage.pinned) {
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
  const outer = pushFrame(frame);
  let result: Tensor | readonly (Tensor | null)[];
  try {
    result = (node.rule as Rule)(g, node.saved, node.edges);
  } finally {
    popFrame(outer);
  }
  const edges = node.edges;
  const results = Array.isArray(result) ? (result as readonly (Tensor | null)[]) : [result as Tensor];
  for (let i = 0; i < edges.length; i++) {
    const edge = edges[i];
    const r = results[i] ?? null;
    if (edge === null || r === null || !edge.wanted) continue;
    // Each edge owns what it gets: something this rule made or was given, once; a second handle otherwise.
    const own = createGraph || (results.indexOf(r) === i && (r === g || frame?.includes(r)));
    deposit(edge, own ? r : ops.alias(r), createGraph);
  }
  if (createGraph) return;
  const handedOn = (t: Tensor) => {
    const i = results.indexOf(t);
    return i >= 0 && edges[i] !== null && (edges[i] as Node).wanted;
  };
  if (frame !== null) for (const t of frame) if (!t.kept && !handedOn(t)) t.dispose();
  if (node.hooks === null && !node.foreign && !handedOn(g)) g.dispose();
}

/** Adds to a leaf's `.grad`; the walk's own tensor becomes the gradient where nobody else shares it. */
function accumulateLeaf(leaf: Tensor, g: Tensor, createGraph: boolean): void {
  const before = leaf.gradient;
  if (before === null) {
    const own = createGraph || (g.isContiguous && g.storage.refs === 1) ? g : ops.copy(g);
    if (own !== g) g.dispose();
    own.kept = true;
    own.hidden = !createGraph;
    leaf.gradient = own;
  } else if (createGraph) {
    leaf.gradient = ops.add(before, g);
  } else {
    ops.accumulate(before, g);
    g.dispose();
  }
}

function runHooks(node: Node, g: Tensor): Tensor {
  for (const hook of node.hooks as GradHook[]) {
    const changed = hook(g);
    if (changed === undefined || changed === null) continue;
    if (!sameShape(changed.shape, node.shape)) {
      throw new TensorError('shape', 'hook', `expected a gradient of shape ${formatShape(node.shape)}, got ${formatShape(changed.shape)}`);
    }
    g = changed;
  }
  return g;
}

/**
 * Walks from the roots to the leaves. The gradients handed in belong to the walk.
 *
 * @returns the gradients of the targets, in order, or an empty array
 */
export function walk(op: string, roots: readonly Node[], grads: readonly Tensor[], options: WalkOptions): (Tensor | null)[] {
  const { retainGraph, createGraph, targets } = options;
  const nodes = reach(roots, targets);
  checkConsumed(op, nodes);
  endLeases(nodes);
  const before = setGradEnabled(createGraph);
  const outer = pushFrame(null);
  const targetSet = targets === null ? null : new Set(targets);
  const found = new Map<Node, Tensor>();
  try {
    for (let i = 0; i < roots.length; i++) deposit(roots[i], grads[i], createGraph);
    for (const node of nodes) {
      let g = node.grad;
      if (g === null) continue;
      node.grad = null;
      if (node.hooks !== null) g = runHooks(node, g);
      if (targetSet?.has(node)) found.set(node, createGraph || node.rule === null ? g : ops.alias(g));
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
    setGradEnabled(before);
    popFrame(outer);
    for (const node of nodes) node.grad = null;
  }
  if (!retainGraph) consume(nodes);
  return targets === null ? [] : targets.map((node) => found.get(node) ?? null);
}

/** Drops what the nodes saved; memory that only the tape could reach goes back to the pool. */
function consume(nodes: readonly Node[]): void {
  const leased: Tensor[] = [];
  for (const node of nodes) {
    if (node.rule === null || !node.wanted) continue;
    node.rule = null;
    for (const t of node.saved) if (t.hidden) t.dispose();
    node.saved = NOTHING;
    const out = node.out;
    if (out !== null && out.storage.byteLength > SMALL_BYTES && !out.kept && node.target === null) leased.push(out);
    node.out = null;
  }
  leaseGraph(nodes, leased);
  for (const node of nodes) if (node.target === null) node.edges = NO_EDGES;
}

/**
 * Graph lease: large values of a consumed graph stay readable until the next backward pass through the same leaf, then
 * their memory goes back to the pool. A training loop that never yields runs in constant memory this way, and PyTorch's
 * habit of reading the logits after backward() still works.
 */
function leaseGraph(nodes: readonly Node[], leased: Tensor[]): void {
  if (leased.length === 0) return;
  for (const node of nodes) if (node.op === 'leaf') node.lease = leased;
}

function endLeases(nodes: readonly Node[]): void {
  for (const node of nodes) {
    const lease = node.lease;
    if (lease === null) continue;
    node.lease = null;
    for (const t of lease) t.endLease();
    lease.length = 0;
  }
}
