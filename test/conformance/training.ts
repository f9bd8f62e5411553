// Cases of the form `training`: every loss of a run, the state at its end, and what the model gives then.
import { nn, noGrad, type Tensor } from 'chainrule';
import { build, strided } from './build.js';
import type { TensorJson } from './cases.js';
import { compare } from './compare.js';
import { compareNumber, type Form, failure } from './form.js';
import { type Call, moduleOf } from './modules.js';
import { optimizerOf } from './optim.js';
import { scheduleOf, stepOf } from './schedule.js';

interface Args {
  model: Call;
  loss: Call;
  optimizer: [name: string, options?: object];
  scheduler?: [name: string, options?: object] | { name: string; options?: object };
  clip_grad_norm?: number;
  steps: number;
  evalRows: number;
  batches?: [from: number, to: number][];
}

export const training: Form = (c, precision, layout, tolerance) => {
  const args = c.args as unknown as Args;
  const known = ['model', 'loss', 'optimizer', 'scheduler', 'clip_grad_norm', 'steps', 'evalRows', 'batches'];
  const unknown = Object.keys(args).find((name) => !known.includes(name));
  if (unknown !== undefined) return failure(`the runner does not know the argument '${unknown}' of a training case`);
  const tensors = c.inputs.map((json) => {
    const x = build(json as TensorJson, precision);
    return layout === 'strided' ? strided(x) : x;
  });
  const model = moduleOf(args.model, precision) as nn.Module;
  const state = Object.entries(c.initialState ?? {}).map(([name, json]) => [name, build(json, precision)] as const);
  const names = Object.keys(model.stateDict()).sort().join();
  const wanted = state.map(([name]) => name).sort();
  if (names !== wanted.join()) return failure(`the state has ${names}, want ${wanted}`);
  model.loadStateDict(new Map(state));
  const loss = moduleOf(args.loss, precision) as nn.Module<Tensor[]>;
  const optimizer = optimizerOf(args.optimizer[0], args.optimizer[1] ?? {}, model.parameters());
  const called = args.scheduler;
  const [name, options] = Array.isArray(called) ? called : [called?.name, called?.options];
  const schedule = name === undefined ? null : scheduleOf(optimizer, { name, options: { ...options } });
  const { batches } = args;
  for (let k = 0; k < args.steps; k++) {
    const [from, to] = batches?.[k % batches.length] ?? [0, tensors[0].shape[0]];
    const [x, ...targets] = tensors.map((t) => t.narrow(0, from, to - from));
    optimizer.zeroGrad();
    const value = loss.forward(model.forward(x), ...targets);
    value.backward();
    const wrong = compareNumber(`loss ${k}`, value.item(), c.losses?.[k] ?? Number.NaN, tolerance);
    if (wrong !== null) return wrong;
    if (args.clip_grad_norm !== undefined) nn.utils.clipGradNorm(model.parameters(), args.clip_grad_norm);
    optimizer.step();
    if (schedule !== null) stepOf(schedule, value.item());
  }
  const final = model.stateDict();
  for (const [path, want] of Object.entries(c.finalState ?? {})) {
    const wrong = compare(final[path], want, precision, tolerance);
    if (wrong !== null) return { ...wrong, message: `${path} at the end, ${wrong.message}` };
  }
  model.eval();
  const output = noGrad(() => model.forward(tensors[0].narrow(0, 0, args.evalRows)));
  const wrong = compare(output, c.outputs[0], precision, tolerance);
  return wrong === null ? null : { ...wrong, message: `output at the end, ${wrong.message}` };
};
