// Runs one case in one precision and one memory layout.
import { cat, grad, type Tensor, tensor, zerosLike } from 'chainrule';
import { adapter } from './adapter.js';
import {
  type Case,
  type NumberJson,
  type Precision,
  type Reference,
  type TensorJson,
  type Tolerance,
  toNumber,
} from './cases.js';
import { compare, type Difference } from './compare.js';

export const LAYOUTS = ['contiguous', 'strided'] as const;
export type Layout = (typeof LAYOUTS)[number];

/** A case's tensor as ours: float64 stands for the precision under test, int64 for int32. */
export function build(json: TensorJson, precision: Precision, requiresGrad = false): Tensor {
  const dtype = json.dtype === 'float64' ? precision : json.dtype === 'int64' ? 'int32' : 'bool';
  const flat = json.data.map((v: NumberJson) => toNumber(v));
  return tensor(tensor(flat, { dtype }).reshape(json.shape), { requiresGrad });
}

/** The same values with gaps or in another order in memory; gradients flow back to `x`. */
function strided(x: Tensor): Tensor {
  if (x.ndim === 0 || x.size === 0) return x;
  if (x.ndim === 1) return cat([x.unsqueeze(1), zerosLike(x).unsqueeze(1)], 1).at('...', 0);
  const reversed = x.shape.map((_, i) => x.ndim - 1 - i);
  return x.permute(reversed).contiguous().permute(reversed);
}

function toleranceOf(c: Case, reference: Reference, precision: Precision): Tolerance | null {
  const own = c.tolerance?.[precision];
  if (own !== undefined) return own;
  return reference.tolerances[c.op]?.[precision] ?? { rtol: 1e-5, atol: 1e-6 };
}

/** Null where the case passes or does not apply to the precision. */
export function runCase(c: Case, reference: Reference, precision: Precision, layout: Layout): Difference | null {
  const entry = adapter[c.op];
  if (entry === undefined) return { message: `the adapter does not know the op '${c.op}'`, error: Number.NaN };
  const unknown = Object.keys(c.args).find((name) => name !== 'permute_inputs' && !entry.args.includes(name));
  if (unknown !== undefined)
    return { message: `the adapter does not know the argument '${unknown}' of ${c.op}`, error: Number.NaN };
  const tolerance = toleranceOf(c, reference, precision);
  if (tolerance === null) return null;
  const leaves = c.inputs.map((json, i) => json && build(json, precision, (c.grads?.[i] ?? null) !== null));
  const permutes = (c.args.permute_inputs ?? []) as (number[] | null)[];
  const inputs = leaves.map((x, i) => {
    const y = x !== null && permutes[i] ? x.permute(permutes[i]) : x;
    return y !== null && layout === 'strided' ? strided(y) : y;
  });
  const result = entry.run(inputs as Tensor[], c.args as never, precision);
  const outputs = Array.isArray(result) ? result : [result];
  if (outputs.length !== c.outputs.length)
    return { message: `${outputs.length} outputs, want ${c.outputs.length}`, error: Number.NaN };
  for (const [i, want] of c.outputs.entries()) {
    const wrong = compare(outputs[i], want, precision, tolerance);
    if (wrong !== null) return { ...wrong, message: `output ${i}, ${wrong.message}` };
  }
  return c.grads === undefined ? null : checkGrads(c, leaves, outputs, precision, tolerance);
}

function checkGrads(
  c: Case,
  leaves: (Tensor | null)[],
  outputs: Tensor[],
  precision: Precision,
  tolerance: Tolerance,
): Difference | null {
  const wanted = (c.grads ?? []).map((json, i) => ({ json, i })).filter(({ json }) => json !== null);
  if (wanted.length === 0) return null;
  const seeds = (c.gradOutputs ?? []).map((json) => json && build(json, precision));
  const roots = outputs.filter((y, i) => seeds[i] !== null && y.requiresGrad);
  const given = seeds.filter((s, i) => s !== null && outputs[i].requiresGrad);
  if (roots.length === 0) return { message: 'no output requires a gradient', error: Number.NaN };
  const inputs = wanted.map(({ i }) => leaves[i] as Tensor);
  const found = grad(roots, inputs, { gradOutputs: given, allowUnused: true });
  for (const [k, { json, i }] of wanted.entries()) {
    const got = found[k] ?? zerosLike(inputs[k]);
    const wrong = compare(got, json as TensorJson, precision, tolerance);
    if (wrong !== null) return { ...wrong, message: `gradient ${i}, ${wrong.message}` };
  }
  return null;
}
