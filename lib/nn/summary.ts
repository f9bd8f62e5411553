// summary: what a model consists of, as a table of its layers with output shapes, parameters and multiplications.
import { noGrad } from '../core/mode.js';
import { scope } from '../core/scope.js';
import { zeros } from '../create.js';
import { describe, TensorError } from '../errors.js';
import { Tensor } from '../tensor.js';
import { MultiheadAttention } from './attention.js';
import { Convolution } from './conv.js';
import { ConvTranspose1d, ConvTranspose2d, ConvTranspose3d } from './conv-transpose.js';
import type { HookHandle } from './hooks.js';
import { Bilinear, Linear } from './linear.js';
import { type AnyModule, Module } from './module.js';
import { Recurrent } from './recurrent-base.js';
import { GRUCell, LSTMCell, RNNCell } from './recurrent-cell.js';
import { isUninitialized } from './uninitialized.js';

/** One module that the inputs came through. */
export interface SummaryLayer {
  /** Its path, '' for the model itself. */
  readonly name: string;
  /** Its class. */
  readonly kind: string;
  /** How many modules are around it. */
  readonly depth: number;
  /** Shapes of all tensors in its first result. */
  readonly outputShapes: readonly (readonly number[])[];
  /** Elements of all parameters in it. */
  readonly parameters: number;
  /** Multiplications that are added up in its own products with parameters, and in attention; those of modules inside not. */
  readonly multiplyAdds: number;
  /** How often it ran. */
  readonly calls: number;
}

/** What {@link summary} finds; as text, a table. */
export interface Summary {
  /** In the order they were reached. */
  readonly layers: readonly SummaryLayer[];
  /** Elements of all parameters, shared ones once. */
  readonly parameters: number;
  /** Elements of those that require gradients. */
  readonly trainable: number;
  /** Sum over all layers. */
  readonly multiplyAdds: number;
  /** Two for every multiplication that is added up. */
  readonly flops: number;
  /** Memory of the parameters. */
  readonly parameterBytes: number;
  toString(): string;
}

const sizes = (tensors: Iterable<Tensor>) => Array.from(tensors).reduce((sum, t) => sum + t.size, 0);

/** All tensors in a value, inside arrays and plain objects too. */
function tensorsIn(value: unknown): Tensor[] {
  if (value instanceof Tensor) return [value];
  if (Array.isArray(value)) return value.flatMap(tensorsIn);
  if (value === null || typeof value !== 'object' || value instanceof Module) return [];
  return Object.values(value).flatMap(tensorsIn);
}

/** Multiplications of one call that are added up in the module's own products. */
function countProducts(module: AnyModule, inputs: readonly Tensor[], outputs: readonly Tensor[]): number {
  const [x] = inputs;
  const [y] = outputs;
  if (x === undefined || y === undefined) return 0;
  if (module instanceof Linear) return y.size * module.inFeatures;
  if (module instanceof Bilinear) return y.size * module.in1Features * (module.in2Features + 1);
  if (module instanceof ConvTranspose1d || module instanceof ConvTranspose2d || module instanceof ConvTranspose3d) {
    return (x.size / module.inChannels) * module.weight.size;
  }
  if (module instanceof Convolution) return (y.size / module.outChannels) * module.weight.size;
  const cell = module instanceof RNNCell || module instanceof LSTMCell || module instanceof GRUCell;
  if (cell || module instanceof Recurrent) {
    // Every step multiplies with every matrix once.
    const steps = x.size / x.shape[x.ndim - 1];
    return steps * sizes(module.parameters().filter((p) => p.ndim === 2));
  }
  if (module instanceof MultiheadAttention) return countAttention(module, inputs);
  return 0;
}

/** The four projections, then scores and their products with the values. */
function countAttention(module: MultiheadAttention, [query, key, value]: readonly Tensor[]): number {
  const [rows, keys, values] = [query, key, value].map((t) => t.size / t.shape[t.ndim - 1]);
  const e = module.embedDim;
  const features = [e, key.shape[key.ndim - 1], value.shape[value.ndim - 1]];
  const projections = e * (rows * features[0] + keys * features[1] + values * features[2] + rows * e);
  const length = key.shape[module.batchFirst && key.ndim === 3 ? 1 : 0];
  return projections + 2 * rows * length * e;
}

/** Inputs from a shape, a tensor, or an array of what forward takes. */
function inputsOf(op: string, model: AnyModule, given: unknown): unknown[] {
  if (given instanceof Tensor) return [given];
  if (!Array.isArray(given)) {
    throw new TensorError('value', op, `expected a shape, a tensor or an array of inputs, got ${describe(given)}`);
  }
  if (given.length === 0 || given.some((item) => typeof item !== 'number')) return given;
  const dtype = model.parameters().some((p) => p.dtype === 'float64') ? 'float64' : 'float32';
  return [zeros(given as number[], { dtype })];
}

/**
 * A table of the layers that an input comes through: shapes of their outputs, parameters, multiply-adds (as of the package
 * torchinfo). The model runs once, in evaluation mode and unrecorded, and is left as it was.
 *
 * @param inputs shape of the input, which is then zeros, or the tensor, or an array of all that `forward` takes
 * @returns the layers and totals; `toString()` is the table
 * @throws TensorError `value` for what is no module or no input, and whatever the model throws
 *
 * @example
 * ```ts
 * import { nn } from 'chainrule';
 * const model = new nn.Sequential(new nn.Conv2d(1, 8, 3), new nn.ReLU(), new nn.Flatten(), new nn.Linear(288, 10));
 * const found = nn.summary(model, [1, 1, 8, 8]);
 * console.log(found.parameters, found.multiplyAdds); // 2970 5472
 * ```
 */
export function summary(model: AnyModule, inputs: readonly number[] | Tensor | readonly unknown[]): Summary {
  const op = 'summary';
  if (!(model instanceof Module)) throw new TensorError('value', op, `expected a module, got ${describe(model)}`);
  const layers = new Map<AnyModule, { -readonly [K in keyof SummaryLayer]: SummaryLayer[K] }>();
  const modes = new Map(model.modules().map((module) => [module, module.training]));
  const handles: HookHandle[] = [];
  let depth = 0;
  for (const [name, module] of model.namedModules()) {
    handles.push(
      module.registerForwardPreHook(() => {
        if (!layers.has(module)) {
          layers.set(module, { name, kind: '', depth, outputShapes: [], parameters: 0, multiplyAdds: 0, calls: 0 });
        }
        depth++;
      }),
      module.registerForwardHook((_, given, output) => {
        depth--;
        const layer = layers.get(module);
        if (layer === undefined) return;
        const outputs = tensorsIn(output);
        layer.multiplyAdds += countProducts(module, tensorsIn(given), outputs);
        if (layer.calls++ > 0) return;
        layer.outputShapes = outputs.map((y) => [...y.shape]);
        // Only now: a lazy module becomes what it is at its first input.
        layer.kind = module.constructor.name;
        layer.parameters = sizes(module.parameters());
      }),
    );
  }
  try {
    model.eval();
    noGrad(() => scope(() => void model.forward(...inputsOf(op, model, inputs))));
  } finally {
    for (const handle of handles) handle.remove();
    for (const [module, training] of modes) module.training = training;
  }
  const all = model.parameters();
  const found = [...layers.values()];
  const multiplyAdds = found.reduce((sum, layer) => sum + layer.multiplyAdds, 0);
  const totals = {
    layers: found,
    parameters: sizes(all),
    trainable: sizes(all.filter((p) => p.requiresGrad)),
    multiplyAdds,
    flops: 2 * multiplyAdds,
    parameterBytes: all.reduce((sum, p) => sum + (isUninitialized(p) ? 0 : p.typed().byteLength), 0),
  };
  return { ...totals, toString: () => format(totals) };
}

const grouped = (n: number) => n.toLocaleString('en-US');
const count = (n: number) => (n === 0 ? '-' : grouped(n));

function format(found: Omit<Summary, 'toString'>): string {
  const rows = found.layers.map((layer) => {
    const last = layer.name.slice(layer.name.lastIndexOf('.') + 1);
    const title = `${'  '.repeat(layer.depth)}${layer.kind}${last === '' ? '' : ` (${last})`}`;
    const shapes = layer.outputShapes.map((shape) => `[${shape.join(', ')}]`).join(' ');
    const calls = layer.calls > 1 ? ` x${layer.calls}` : '';
    return [title, `${shapes}${calls}`, count(layer.parameters), count(layer.multiplyAdds)];
  });
  const table = [['Layer', 'Output', 'Parameters', 'Multiply-adds'], ...rows];
  const widths = table[0].map((_, i) => Math.max(...table.map((row) => row[i].length)));
  const lines = table.map((row) =>
    row.map((cell, i) => (i < 2 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join('  '),
  );
  const rule = '-'.repeat(widths.reduce((sum, n) => sum + n + 2, -2));
  const frozen = found.parameters - found.trainable;
  const mebibytes = (found.parameterBytes / 2 ** 20).toFixed(2);
  return [
    lines[0],
    rule,
    ...lines.slice(1),
    rule,
    `Parameters: ${grouped(found.parameters)} (${grouped(found.trainable)} trainable, ${grouped(frozen)} frozen), ${mebibytes} MiB`,
    `Multiply-adds: ${grouped(found.multiplyAdds)}`,
  ].join('\n');
}
