// Where numbers stopped being finite: looked for by a second forward pass, when the first one has failed anyway.
import { noGrad } from '../core/mode.js';
import { scope } from '../core/scope.js';
import { TensorError } from '../errors.js';
import type { AnyModule } from '../nn/module.js';
import { Tensor } from '../tensor.js';

const allFinite = (x: Tensor) => scope(() => x.isFinite().all().item() !== 0);
const tensorsIn = (value: unknown): Tensor[] =>
  value instanceof Tensor ? [value] : Array.isArray(value) ? value.flatMap(tensorsIn) : [];

/** Path of the first parameter whose gradient holds NaN or infinity, or null. */
export function locateGradient(model: AnyModule): string | null {
  const bad = ({ gradient }: Tensor) => gradient !== null && !allFinite(gradient);
  return model.namedParameters().find(([, p]) => bad(p))?.[0] ?? null;
}

/** Throws where a parameter holds NaN or infinity: no run goes on from there. */
export function checkFinite(model: AnyModule, path: string): void {
  const found = model.namedParameters().find(([, p]) => p.requiresGrad && !allFinite(p));
  if (found === undefined) return;
  const expected = `expected finite weights to save in '${path}', got NaN or infinity in '${found[0]}'`;
  const remedy = 'the file keeps an earlier state; find where they come from with detectAnomaly(), or try clipNorm';
  throw new TensorError('nan', 'fit', `${expected}; ${remedy}`);
}

/**
 * Says where a loss that is NaN or infinite comes from: the data, a parameter, the first layer whose output is not finite, or the loss
 * function itself. Buffers are as they were afterwards.
 *
 * @param inputs what the model takes
 * @param forward computes the loss again
 */
export function locateNonFinite(
  model: AnyModule,
  inputs: readonly Tensor[],
  target: Tensor,
  forward: () => void,
): string {
  const input = inputs.findIndex((x) => !allFinite(x));
  if (input >= 0) return `such values are in the data already, in input ${input} of the batch`;
  if (!allFinite(target)) return 'such values are in the data already, in the targets of the batch';
  const parameter = model.namedParameters().find(([, p]) => !allFinite(p));
  if (parameter !== undefined) return `parameter '${parameter[0]}' holds such values since an earlier step`;
  let found: string | null = null;
  const handles = model.namedModules().map(([path, module]) =>
    // Modules inside return before those around them, so the first one is the innermost.
    module.registerForwardHook((_, __, output) => {
      if (found === null && tensorsIn(output).some((x) => !allFinite(x))) {
        found = `the first layer to give such values is ${path === '' ? 'the model itself' : `'${path}'`} (${module.constructor.name})`;
      }
    }),
  );
  const buffers = model.namedBuffers().map(([, buffer]) => [buffer, buffer.clone()] as const);
  try {
    scope(() => noGrad(forward));
  } finally {
    for (const handle of handles) handle.remove();
    for (const [buffer, before] of buffers) buffer.assign(before);
  }
  return found ?? 'every layer gives finite values, so they come from the loss function';
}
