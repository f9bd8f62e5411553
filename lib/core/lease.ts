// What becomes of a graph that backward() has consumed: hidden memory at once, values of its nodes with the next pass.
import type { Tensor } from '../tensor.js';
import { SMALL_BYTES } from './storage.js';
import type { Node } from './tape.js';

const NOTHING: readonly Tensor[] = [];
const NO_EDGES: readonly Node[] = [];

/** Whether only the tape holds a tensor; gradients nobody has looked at yet are hidden too, but belong to their leaf. */
export function isOwn(x: Tensor): boolean {
  return x.hidden && !x.attached;
}

/** Drops what the nodes saved; memory that only the tape could reach goes back to the pool. */
export function consume(nodes: readonly Node[]): void {
  const leased: Tensor[] = [];
  for (const node of nodes) {
    if (node.rule === null || !node.wanted) continue;
    node.rule = null;
    for (const t of node.saved) if (isOwn(t)) t.dispose();
    node.saved = NOTHING;
    const out = node.out;
    node.out = null;
    if (out === null || out.kept || out.attached || node.target !== null) continue;
    if (out.storage.byteLength > SMALL_BYTES) leased.push(out);
  }
  leaseGraph(nodes, leased);
  for (const node of nodes) if (node.rule === null) node.edges = NO_EDGES;
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

export function endLeases(nodes: readonly Node[]): void {
  for (const node of nodes) {
    const lease = node.lease;
    if (lease === null) continue;
    node.lease = null;
    for (const t of lease) t.endLease();
    lease.length = 0;
  }
}
