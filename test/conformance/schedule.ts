// Cases of the form `schedule`: the learning rate after construction and after every step.
import { optim as library, nn, zeros } from 'chainrule';
import { classOf, compareNumber, type Form, failure, positional } from './form.js';

const { ReduceLROnPlateau, LRScheduler, SequentialLR, ChainedScheduler } = library.lrScheduler;

interface Call {
  name: string;
  options: Record<string, unknown>;
}

/** What PyTorch lets be named is positional here. */
const POSITIONAL: Readonly<Record<string, readonly string[]>> = {
  StepLR: ['step_size'],
  MultiStepLR: ['milestones'],
  ExponentialLR: ['gamma'],
  CosineAnnealingLR: ['T_max'],
  CosineAnnealingWarmRestarts: ['T_0'],
  CyclicLR: ['base_lr', 'max_lr'],
  OneCycleLR: ['max_lr'],
};

type Made = new (optimizer: library.Optimizer, ...rest: unknown[]) => library.lrScheduler.Schedule;

/** A schedule of PyTorch's name and options. */
export function scheduleOf(optimizer: library.Optimizer, { name, options }: Call): library.lrScheduler.Schedule {
  if (name === 'SequentialLR' || name === 'ChainedScheduler') {
    const { schedulers, milestones, ...rest } = options as { schedulers: Call[]; milestones: number[] };
    const unknown = Object.keys(rest);
    if (unknown.length > 0) throw new Error(`the runner does not know the option '${unknown[0]}' of ${name}`);
    const parts = schedulers.map((part) => scheduleOf(optimizer, part) as InstanceType<typeof LRScheduler>);
    return name === 'SequentialLR' ? new SequentialLR(optimizer, parts, milestones) : new ChainedScheduler(parts);
  }
  const Class = classOf<Made>(library.lrScheduler, name, 'a schedule');
  return new Class(optimizer, ...positional(POSITIONAL[name] ?? [], options));
}

/** Goes on by one step, with what is watched where the schedule watches something. */
export function stepOf(schedule: library.lrScheduler.Schedule, metric: number | undefined): void {
  if (schedule instanceof ReduceLROnPlateau) schedule.step(metric as number);
  else (schedule as InstanceType<typeof LRScheduler>).step();
}

export const schedule: Form = (c, precision, _, tolerance) => {
  const { name, options, baseLr, metrics } = c.args as unknown as Call & { baseLr: number; metrics?: number[] };
  const [first, ...later] = c.lrs ?? [];
  if (first === undefined) return failure('the case has no rates');
  const optimizer = new library.SGD([new nn.Parameter(zeros([1], { dtype: precision }))], { lr: baseLr });
  const made = scheduleOf(optimizer, { name, options });
  const [group] = optimizer.paramGroups;
  const wrong = compareNumber('the first rate', group.lr, first, tolerance);
  if (wrong !== null) return wrong;
  for (const [k, want] of later.entries()) {
    stepOf(made, metrics?.[k]);
    const difference =
      compareNumber(`the rate after step ${k + 1}`, group.lr, want, tolerance) ??
      compareNumber(`getLastLr() after step ${k + 1}`, made.getLastLr()[0], want, tolerance);
    if (difference !== null) return difference;
  }
  return null;
};
