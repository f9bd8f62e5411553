// The step of every optimizer whose rule is a line of native/kernels/optim.cc: one crossing for all parameters.
import { kernelId, native } from '../../native.js';
import type { Tensor } from '../../tensor.js';
import { type CommonRule, type Crossing, crossingOf, gradientOf, stateLike } from './crossing.js';

const G = native.geometry;
/** Slots of the numbers of a rule (native/core/args/optim.h). */
const NUMBERS = 5;
const MAX_NUMBERS = 11;

/** What one parameter brings to an update. */
export interface Update {
  /** Name of the kernel. */
  readonly kernel: string;
  /** What the rule keeps of the parameter, in the kernel's order. */
  readonly states: readonly Tensor[];
  /** The kernel's numbers of this step. */
  readonly numbers: readonly number[];
}

/** Makes a tensor of the parameter's shape and dtype, zeros unless a value is given. */
export type Like = (value?: number) => Tensor;

const ids = new Map<string, number>();
function idOf(kernel: string): number {
  let id = ids.get(kernel);
  if (id === undefined) {
    id = kernelId('update', kernel);
    ids.set(kernel, id);
  }
  return id;
}

function same(a: Update, b: Update): boolean {
  return a.kernel === b.kernel && a.numbers.every((value, i) => Object.is(value, b.numbers[i]));
}

/** What an optimizer says of its rule. */
export interface UpdateRule<State> {
  /** What is remembered of a parameter before its first step. */
  begin(like: Like): State;
  /** Advances it by a step and says what the kernel gets. */
  next(state: State, like: Like): Update;
}

/** One step in place over the parameters that have a gradient; those whose kernel and numbers agree go in one crossing. */
export function updateStep<State extends object>(
  op: string,
  params: readonly Tensor[],
  states: Map<Tensor, State>,
  common: CommonRule,
  rule: UpdateRule<State>,
): void {
  // Whatever a user can get wrong is found before the first parameter changes.
  for (const p of params) {
    if (gradientOf(op, p) === null || states.has(p)) continue;
    states.set(
      p,
      rule.begin((value) => stateLike(op, p, value)),
    );
  }
  const crossing = crossingOf(params);
  let pending: Update | null = null;
  let tag = 0;
  for (const p of params) {
    const g = p.gradient;
    if (g === null) continue;
    const update = rule.next(states.get(p) as State, (value) => stateLike(op, p, value));
    if (p.size === 0) continue;
    if (pending === null || !same(pending, update)) tag++;
    if (pending !== null && !crossing.takes(p, tag)) run(crossing, common, pending);
    pending = update;
    crossing.begin(p, tag);
    crossing.put(p);
    crossing.put(g);
    for (const state of update.states) crossing.put(state);
  }
  if (pending !== null) run(crossing, common, pending);
}

function run(crossing: Crossing, common: CommonRule, { kernel, numbers }: Update): void {
  const buffers = crossing.finish(common);
  G[2] = idOf(kernel);
  for (let i = 0; i < MAX_NUMBERS; i++) G[NUMBERS + i] = numbers[i] ?? 0;
  native.update(...buffers);
}
