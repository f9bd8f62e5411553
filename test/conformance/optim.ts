// Cases of the form `optim`: gradients go in step by step, parameters are compared after each.
import { optim as library, nn, type Tensor } from 'chainrule';
import { build, strided } from './build.js';
import type { Precision, TensorJson } from './cases.js';
import { compare } from './compare.js';
import { classOf, type Form, options } from './form.js';

type Optimizer = new (params: Tensor[], options: object) => library.Optimizer;

/** An optimizer of PyTorch's name and options. */
export function optimizerOf(name: string, given: object, params: Tensor[]): library.Optimizer {
  const Made = classOf<Optimizer>(library, name, 'an optimizer');
  return new Made(params, options(given));
}

/** A parameter of a case; parameters are contiguous in every layout. */
export function parameterOf(json: TensorJson, precision: Precision): nn.Parameter {
  return new nn.Parameter(build(json, precision));
}

export const optim: Form = (c, precision, layout, tolerance) => {
  const { name, options: given } = c.args as { name: string; options: object };
  const params = c.inputs.map((json) => parameterOf(json as TensorJson, precision));
  const optimizer = optimizerOf(name, given, params);
  for (const [k, gradients] of (c.gradSequence ?? []).entries()) {
    for (const [i, json] of gradients.entries()) {
      const g = build(json, precision);
      params[i].grad = layout === 'strided' ? strided(g) : g;
    }
    optimizer.step();
    for (const [i, want] of (c.paramSequence?.[k] ?? []).entries()) {
      const wrong = compare(params[i], want, precision, tolerance);
      if (wrong !== null) return { ...wrong, message: `parameter ${i} after step ${k + 1}, ${wrong.message}` };
    }
  }
  return null;
};
