// What the optimizers share whose rule is one native kernel.
import type { CommonRule } from '../ops/optimize/crossing.js';
import { type Like, type Update, updateStep } from '../ops/optimize/update.js';
import { Optimizer, type ParamGroup } from './optimizer.js';

/** An optimizer that says for every parameter and step which kernel runs, on what and with which numbers. */
export abstract class FusedOptimizer<
  Rule extends { lr: number; maximize: boolean },
  State extends object,
> extends Optimizer<Rule, State> {
  /** What is remembered of a parameter before its first step. */
  protected abstract begin(rule: Rule, like: Like): State;
  /** Advances it by a step and says what the kernel gets. */
  protected abstract next(rule: Rule, state: State, like: Like): Update;

  /** The decay that the kernel adds to the gradient. */
  protected common(rule: Rule): CommonRule {
    return { weightDecay: (rule as { weightDecay?: number }).weightDecay ?? 0, maximize: rule.maximize };
  }

  protected update(group: ParamGroup<Rule>): void {
    // A schedule may have broken what was good when the group was made.
    this.checkRule(group);
    updateStep(this.name, group.params, this.state, this.common(group), {
      begin: (like) => this.begin(group, like),
      next: (state, like) => this.next(group, state, like),
    });
  }
}
