// The graph that the tape recorded behind tensors: as text for Graphviz, and drawn as SVG.
import { checkBoolean, formatShape } from '../core/shape.js';
import { isConsumed, type Node, nodeOf } from '../core/tape.js';
import { checkOptions, describe, TensorError } from '../errors.js';
import { Tensor } from '../tensor.js';

/** Options of {@link graph} and {@link graphDot}. */
export interface GraphOptions {
  /** Names of leaves: `model.namedParameters()`, or tensors by name. */
  params?: Iterable<readonly [name: string, tensor: Tensor]> | Readonly<Record<string, Tensor>>;
  /** Draw also what each operation saved for its gradient; false unless given. */
  saved?: boolean;
  /** What stands above the picture. */
  title?: string;
}

type Graphviz = import('@hpcc-js/wasm-graphviz').Graphviz;

/** Graphviz lays out some thousand boxes in seconds, and then takes ever longer. */
const MOST_BOXES = 2000;
// torchviz's colours: what it all ends in, leaves, operations, saved tensors.
const [RESULT, LEAF, OPERATION, SAVED] = ['darkolivegreen1', 'lightblue', 'lightgrey', 'orange'];

/**
 * Describes the graph behind a tensor, or several, in Graphviz's DOT language: a box for every recorded operation with the shape of
 * its result, for every leaf that requires gradients, and on request for what was saved (torchviz: `make_dot`).
 *
 * Constants are not in it, as the tape does not know them. A gradient that was computed with `createGraph` has a graph as well.
 *
 * @param options `params` names leaves, `saved` shows saved tensors, `title`
 * @throws TensorError `grad` for a tensor without a graph, `consumed` after a backward pass that did not retain it, `value` for anything
 * but tensors, `option` for an unknown option
 *
 * @example
 * ```ts
 * import { tensor, viz } from 'chainrule';
 * const x = tensor([1, 2], { requiresGrad: true });
 * const dot = viz.graphDot(x.square().sum(), { params: { x } });
 * console.log(dot.match(/label="[^"]*"/g)?.join(' ')); // label="sum\n[]" label="square\n[2]" label="x\n[2]"
 * ```
 */
export function graphDot(y: Tensor | readonly Tensor[], options?: GraphOptions): string {
  return describeGraph('graphDot', y, options).dot;
}

/**
 * Draws the graph behind a tensor, or several, as SVG: see {@link graphDot}.
 *
 * Needs the optional package @hpcc-js/wasm-graphviz, Graphviz compiled to WebAssembly, which is loaded at the first call.
 *
 * @returns the text of an SVG file
 * @throws TensorError `value` without that package, or for more than 2,000 boxes; what {@link graphDot} throws
 *
 * @example
 * ```ts
 * import { ones, nn, viz } from 'chainrule';
 * const model = new nn.Sequential(new nn.Linear(2, 3), new nn.Tanh(), new nn.Linear(3, 1));
 * const svg = await viz.graph(model.forward(ones([4, 2])), { params: model.namedParameters() });
 * console.log(svg.includes('0.weight'), svg.includes('tanh')); // true true
 * ```
 */
export async function graph(y: Tensor | readonly Tensor[], options?: GraphOptions): Promise<string> {
  const op = 'graph';
  const { dot, boxes } = describeGraph(op, y, options);
  if (boxes > MOST_BOXES) {
    const remedy = 'draw a smaller part, or give the text of graphDot() to a program for large graphs';
    throw new TensorError('value', op, `expected at most ${MOST_BOXES} boxes to draw, got ${boxes}; ${remedy}`);
  }
  const svg = (await loadGraphviz(op)).dot(dot);
  // What stands before is an XML declaration, which a page would show as text.
  return svg.slice(svg.indexOf('<svg'));
}

async function loadGraphviz(op: string): Promise<Graphviz> {
  let module: typeof import('@hpcc-js/wasm-graphviz');
  try {
    module = await import('@hpcc-js/wasm-graphviz');
  } catch (cause) {
    const remedy = "add it with 'npm install @hpcc-js/wasm-graphviz', or take the text of graphDot()";
    throw new TensorError('value', op, `expected the package @hpcc-js/wasm-graphviz, which draws graphs; ${remedy}`, {
      cause,
    });
  }
  return module.Graphviz.load();
}

function describeGraph(op: string, y: unknown, options: GraphOptions | undefined): { dot: string; boxes: number } {
  checkOptions(op, options, ['params', 'saved', 'title']);
  const withSaved = checkBoolean(op, 'saved', options?.saved ?? false);
  const { title } = options ?? {};
  if (title !== undefined && typeof title !== 'string') {
    throw new TensorError('value', op, `expected title to be text, got ${describe(title)}`);
  }
  const names = namesOf(op, options?.params);
  const roots = rootsOf(op, y);
  const nodes = nodesBehind(op, roots);
  const ids = new Map([...nodes].map((node, i) => [node, `n${i}`]));
  const results = new Set(roots);
  const saved = new Map<Tensor, string>();
  const lines: string[] = [];
  for (const [node, id] of ids) {
    const leaf = node.op === 'leaf';
    const name = leaf ? node.target && names.get(node.target) : node.op;
    const colour = results.has(node) ? RESULT : leaf ? LEAF : OPERATION;
    lines.push(box(id, name ?? 'leaf', node, colour));
    for (const edge of node.edges) if (edge !== null) lines.push(`  ${ids.get(edge)} -> ${id};`);
    if (!withSaved) continue;
    for (const tensor of node.saved) {
      let place = saved.get(tensor);
      if (place === undefined) {
        place = `s${saved.size}`;
        saved.set(tensor, place);
        lines.push(box(place, names.get(tensor) ?? 'saved', tensor, SAVED));
      }
      lines.push(`  ${place} -> ${id} [style=dashed, dir=none];`);
    }
  }
  const heading = title === undefined ? [] : [`  label=${quote(title)}; labelloc=t;`];
  // Graphviz knows how wide Courier is; of other monospaced fonts it does not, and text would leave its box.
  const style = '  node [shape=box, style=filled, fontname=Courier, fontsize=10, height=0.2]; fontname=Helvetica;';
  const dot = ['digraph {', style, ...heading, ...lines, '}', ''].join('\n');
  return { dot, boxes: nodes.size + saved.size };
}

function box(id: string, name: string, { shape, dtype }: Pick<Tensor, 'shape' | 'dtype'>, colour: string): string {
  const size = dtype === 'float32' ? formatShape(shape) : `${formatShape(shape)} ${dtype}`;
  return `  ${id} [label=${quote(`${name}\n${size}`)}, fillcolor=${colour}];`;
}

function quote(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`;
}

function rootsOf(op: string, y: unknown): Node[] {
  const tensors: unknown[] = Array.isArray(y) ? y : [y];
  if (tensors.length === 0) throw new TensorError('value', op, 'expected a tensor or several, got an empty array');
  return tensors.map((x) => {
    if (!(x instanceof Tensor)) throw new TensorError('value', op, `expected a tensor or several, got ${describe(x)}`);
    const node = nodeOf(x);
    if (node !== null) return node;
    const remedy = 'it is a constant, or was computed in noGrad()';
    throw new TensorError(
      'grad',
      op,
      `expected a tensor that requires gradients, got the result of '${x.op}'; ${remedy}`,
    );
  });
}

/** What the tape recorded, results before what they were computed from. */
function nodesBehind(op: string, roots: readonly Node[]): Set<Node> {
  const found = new Set<Node>();
  const open = [...roots].reverse();
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (found.has(node)) continue;
    if (isConsumed(node)) {
      const remedy = 'draw it before backward(), or pass { retainGraph: true } to that';
      const got = `'${node.op}' ${formatShape(node.shape)}, which a backward pass consumed`;
      throw new TensorError('consumed', op, `expected a graph that is still there, got ${got}; ${remedy}`);
    }
    found.add(node);
    for (const edge of node.edges.toReversed()) if (edge !== null) open.push(edge);
  }
  return found;
}

function namesOf(op: string, params: GraphOptions['params']): Map<Tensor, string> {
  if (params === undefined) return new Map();
  if (params === null || typeof params !== 'object' || params instanceof Tensor) {
    throw new TensorError('value', op, `expected params to be tensors by name, got ${describe(params)}`);
  }
  const entries = Symbol.iterator in params ? [...params] : Object.entries(params);
  return new Map(
    entries.map((entry) => {
      const [name, tensor] = Array.isArray(entry) ? entry : [];
      if (typeof name === 'string' && tensor instanceof Tensor) return [tensor, name];
      throw new TensorError('value', op, `expected params to be tensors by name, got ${describe(entry)}`);
    }),
  );
}
