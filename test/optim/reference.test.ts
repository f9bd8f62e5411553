// Optimizers against PyTorch's, step by step, from test/reference/optim.json.gz.
import { nn, optim } from 'chainrule';
import { describe, it } from 'vitest';
import {
  expectClose,
  type Precision,
  referenceCases,
  type Tolerance,
  toleranceOf,
  toTensor,
} from '../support/reference.js';

const camel = (name: string) => name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
const MADE = { SGD: optim.SGD, Adam: optim.Adam, AdamW: optim.AdamW };
type Name = keyof typeof MADE;

const cases = referenceCases('optim').filter((c) => c.op === 'optim' && (c.args.name as string) in MADE);

describe.each<Precision>(['float32', 'float64'])('in %s', (precision) => {
  it.each(cases.map((c) => [c.id, c] as const))('%s', (_, c) => {
    const tolerance = toleranceOf(c, precision) as Tolerance;
    const given = Object.entries(c.args.options as Record<string, unknown>).map(([name, value]) => [
      camel(name),
      value,
    ]);
    const params = c.inputs.map((input) => new nn.Parameter(toTensor(input as NonNullable<typeof input>, precision)));
    const optimizer = new MADE[c.args.name as Name](params, Object.fromEntries(given));
    for (const [k, gradients] of c.gradSequence.entries()) {
      for (const [i, g] of gradients.entries()) params[i].grad = toTensor(g, precision);
      optimizer.step();
      for (const [i, want] of c.paramSequence[k].entries()) {
        expectClose(`parameter ${i} after step ${k}`, params[i], want, tolerance);
      }
    }
  });
});
