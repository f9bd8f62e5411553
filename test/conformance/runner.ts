// Runs one case in one precision and one memory layout.
import { grad, type Tensor, zerosLike } from 'chainrule';
import { adapter } from './adapter.js';
import { build, type Layout, strided } from './build.js';
import type { Case, Precision, Reference, TensorJson, Tolerance } from './cases.js';
import { compare, type Difference } from './compare.js';
import { type Form, failure } from './form.js';
import { optim } from './optim.js';
import { schedule } from './schedule.js';
import { training } from './training.js';

export { build, LAYOUTS, type Layout } from './build.js';

/** Cases that are no call of one function. */
const FORMS: Readonly<Record<string, Form>> = { optim, schedule, training };

function toleranceOf(c: Case, reference: Reference, precision: Precision): Tolerance | null {
  const own = c.tolerance?.[precision];
  if (own !== undefined) return own;
  return reference.tolerances[c.op]?.[precision] ?? { rtol: 1e-5, atol: 1e-6 };
}

/** Null where the case passes or does not apply to the precision. */
export function runCase(c: Case, reference: Reference, precision: Precision, layout: Layout): Difference | null {
  const tolerance = toleranceOf(c, reference, precision);
  const form = FORMS[c.op];
  if (form !== undefined) return tolerance === null ? null : form(c, precision, layout, tolerance);
  const entry = adapter[c.op];
  if (entry === undefined) return failure(`the adapter does not know the op '${c.op}'`);
  // None stands for the default throughout PyTorch's functions.
  const { permute_inputs: permutes = [], ...named } = c.args as { permute_inputs?: (number[] | null)[] };
  const args = Object.fromEntries(Object.entries(named).filter(([, value]) => value !== null));
  const unknown = Object.keys(named).find((name) => !entry.args.includes(name));
  if (unknown !== undefined) return failure(`the adapter does not know the argument '${unknown}' of ${c.op}`);
  if (tolerance === null) return null;
  const leaves = c.inputs.map((json, i) => json && build(json, precision, (c.grads?.[i] ?? null) !== null));
  const inputs = leaves.map((x, i) => {
    const y = x !== null && permutes[i] ? x.permute(permutes[i]) : x;
    return y !== null && layout === 'strided' ? strided(y) : y;
  });
  const result = entry.run(inputs as Tensor[], args as never, precision);
  const outputs = Array.isArray(result) ? result : [result];
  if (outputs.length !== c.outputs.length) return failure(`${outputs.length} outputs, want ${c.outputs.length}`);
  for (const [i, want] of c.outputs.entries()) {
    const wrong =
      ofIntegers(c, want) && (outputs[i].dtype === 'float32' || outputs[i].dtype === 'float64')
        ? compare(outputs[i], want, outputs[i].dtype, toleranceOf(c, reference, 'float32') ?? tolerance)
        : compare(outputs[i], want, precision, tolerance);
    if (wrong !== null) return { ...wrong, message: `output ${i}, ${wrong.message}` };
  }
  return c.grads === undefined ? null : checkGrads(c, leaves, outputs, precision, tolerance);
}

/**
 * A floating result of integers: PyTorch's default dtype, in which they meet, was float64 when the cases were made; ours is float32,
 * and so is the tolerance of what comes of it.
 */
const ofIntegers = (c: Case, y: TensorJson) => y.dtype === 'float64' && !c.inputs.some((x) => x?.dtype === 'float64');

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
  const inputs = wanted.map(({ i }) => leaves[i] as Tensor);
  // An output that asks for no gradient changes with no input: all gradients have to be zero.
  const found = roots.length === 0 ? [] : grad(roots, inputs, { gradOutputs: given, allowUnused: true });
  for (const [k, { json, i }] of wanted.entries()) {
    const got = found[k] ?? zerosLike(inputs[k]);
    const wrong = compare(got, json as TensorJson, precision, tolerance);
    if (wrong !== null) return { ...wrong, message: `gradient ${i}, ${wrong.message}` };
  }
  return null;
}
