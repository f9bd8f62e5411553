// Optimizer: parameter groups, state, and what all rules share.
import { prelude } from '../core/recording.js';
import { checkOptions, describe, TensorError } from '../errors.js';
import { checkParameter } from '../ops/optimize/crossing.js';
import { Tensor } from '../tensor.js';

/** Parameters that are updated with the same options. The options may be changed between steps, `lr` by a schedule for example. */
export type ParamGroup<Rule extends object> = Rule & {
  /** The parameters of the group. */
  readonly params: readonly Tensor[];
  /** The learning rate that schedules start from; the first of them puts it here. */
  initialLr?: number;
};

/** What an optimizer is made for: parameters, or groups of parameters with options of their own. */
export type Params<Rule extends object> = Iterable<Tensor> | Iterable<Partial<Rule> & { params: Iterable<Tensor> }>;

/** What {@link Optimizer.stateDict} gives: tensors and numbers by parameter number, and the options of every group. */
export interface OptimizerState {
  /** What is remembered of each parameter, by its number; parameters are counted through all groups. */
  state: Record<string, Record<string, Tensor | number>>;
  /** The options of each group, and the numbers of its parameters. */
  paramGroups: ({ params: number[] } & Record<string, unknown>)[];
}

/** Whether a field of the state is a number, a tensor, or a tensor that may be missing. */
export type StateFields = Readonly<Record<string, 'number' | 'tensor' | 'optional'>>;

/**
 * Changes parameters by their gradients; every optimizer extends it (PyTorch: `torch.optim.Optimizer`).
 *
 * @typeParam Rule the options of a group
 * @typeParam State what is remembered of a parameter
 * @throws TensorError `value` for options out of range, no parameters, or parameters that are no leaves, `option` for an unknown option
 *
 * @example
 * ```ts
 * import { noGrad, nn, optim } from 'chainrule';
 * class SignDescent extends optim.Optimizer {
 *   protected fields = {};
 *   protected checkRule() {}
 *   protected update({ params, lr }: optim.ParamGroup<{ lr: number }>) {
 *     noGrad(() => {
 *       for (const p of params) if (p.grad !== null) p.assign(p.sub(p.grad.sign().mul(lr)));
 *     });
 *   }
 * }
 * new SignDescent(new nn.Linear(2, 1).parameters(), {}, { lr: 0.01 }).step();
 * ```
 */
export abstract class Optimizer<Rule extends { lr: number } = { lr: number }, State extends object = object> {
  /** The groups; `paramGroups[0].lr` is the learning rate that schedules change. */
  readonly paramGroups: ParamGroup<Rule>[] = [];
  protected readonly state = new Map<Tensor, State>();

  /**
   * @param params tensors, `model.parameters()` for example, or groups `{ params, ...options }`
   * @param options of all groups, as the user gave them
   * @param defaults of all options
   */
  constructor(
    params: Params<Rule>,
    options: Partial<Rule> | undefined,
    private readonly defaults: Rule,
  ) {
    checkOptions(this.name, options, Object.keys(defaults));
    this.defaults = merged(defaults, options);
    this.checkRule(this.defaults);
    if (params === null || typeof params !== 'object' || !(Symbol.iterator in params)) {
      throw new TensorError('value', this.name, `expected a list of parameters or groups, got ${describe(params)}`);
    }
    const list: readonly unknown[] = [...params];
    if (list.length === 0)
      throw new TensorError('value', this.name, 'expected at least one parameter, got an empty list');
    const tensors = list.filter((item) => item instanceof Tensor);
    if (tensors.length === list.length) this.addParamGroup({ params: tensors } as Partial<Rule> & { params: Tensor[] });
    else for (const group of list) this.addParamGroup(group as Partial<Rule> & { params: Iterable<Tensor> });
  }

  /** Name in error messages. */
  protected get name(): string {
    return this.constructor.name;
  }

  /** What a group may hold besides its parameters. */
  private get known(): string[] {
    return [...Object.keys(this.defaults), 'initialLr'];
  }

  /** Throws where an option of a group is not allowed. */
  protected abstract checkRule(rule: Rule): void;
  /** The fields of the state, for state dicts. */
  protected abstract readonly fields: StateFields;
  /** Updates the parameters of a group. */
  protected abstract update(group: ParamGroup<Rule>): void;

  /**
   * Updates every parameter that has a gradient.
   *
   * @param closure computes the loss and its gradients first, where given
   * @returns what the closure returned
   */
  step(): void;
  step<T>(closure: () => T): T;
  step<T>(closure?: () => T): T | undefined {
    const loss = closure?.();
    prelude(this, () => {
      for (const group of this.paramGroups) this.update(group);
    });
    return loss;
  }

  /** Forgets the gradients; their memory is used again (PyTorch: `zero_grad`). */
  zeroGrad(): void {
    for (const { params } of this.paramGroups) for (const p of params) p.zeroGrad();
  }

  /**
   * Adds parameters with options of their own, later thawed layers for example (PyTorch: `add_param_group`).
   *
   * @throws TensorError `value` for a parameter that is there already
   */
  addParamGroup(group: Partial<Rule> & { params: Iterable<Tensor> }): void {
    const op = this.name;
    checkOptions(op, group, ['params', ...this.known]);
    const { params } = group;
    if (params === null || typeof params !== 'object' || !(Symbol.iterator in params)) {
      throw new TensorError('value', op, `expected a group to have a list of params, got ${describe(params)}`);
    }
    const list = Array.from(params, (p) => checkParameter(op, p));
    const taken = new Set(this.paramGroups.flatMap((other) => other.params));
    for (const [i, p] of list.entries()) {
      if (taken.has(p))
        throw new TensorError('value', op, `expected every parameter once, but parameter ${i} is there twice`);
      taken.add(p);
    }
    const rule = merged<Rule>(this.defaults, { ...group, params: undefined });
    this.checkRule(rule);
    this.paramGroups.push({ ...rule, params: list });
  }

  /** Everything needed to go on later: the options, and what is remembered of each parameter, as views on the live memory. */
  stateDict(): OptimizerState {
    const state: OptimizerState['state'] = {};
    let next = 0;
    const paramGroups = this.paramGroups.map(({ params, ...rule }) => {
      const numbers = params.map((p) => {
        const own = this.state.get(p);
        if (own !== undefined) state[next] = this.shown(own);
        return next++;
      });
      return { ...structuredClone(rule), params: numbers };
    });
    return { state, paramGroups };
  }

  /** A state as state dicts show it. */
  protected shown(own: State): Record<string, Tensor | number> {
    const entries = Object.entries(own).filter(([field, value]) => field in this.fields && value !== undefined);
    return Object.fromEntries(
      entries.map(([field, value]) => [field, value instanceof Tensor ? value.detach() : value]),
    );
  }

  /**
   * Goes back to a state of {@link stateDict}, of an optimizer over equally many parameters in the same groups; values
   * are copied. Where anything does not fit, nothing is changed.
   *
   * @throws TensorError `value` for other groups, numbers or fields, `shape` for a tensor of another shape
   */
  loadStateDict(saved: OptimizerState): void {
    const op = `${this.name}.loadStateDict`;
    const groups = saved?.paramGroups;
    if (!Array.isArray(groups) || saved.state === null || typeof saved.state !== 'object') {
      throw new TensorError('value', op, `expected { state, paramGroups } from stateDict(), got ${describe(saved)}`);
    }
    const sizes = groups.map((group) => group.params?.length).join(', ');
    const own = this.paramGroups.map((group) => group.params.length).join(', ');
    if (sizes !== own)
      throw new TensorError('value', op, `expected groups of ${own} parameters, got groups of ${sizes}`);
    const rules = groups.map(({ params: _, ...rule }) => {
      checkOptions(op, rule, this.known);
      const full = merged(this.defaults, structuredClone(rule) as Partial<Rule>);
      this.checkRule(full);
      return full;
    });
    const byNumber = new Map(groups.flatMap((g, i) => g.params.map((n, j) => [`${n}`, this.paramGroups[i].params[j]])));
    const states = Object.entries(saved.state).map(([number, fields]) => {
      const p = byNumber.get(number);
      if (p === undefined)
        throw new TensorError('value', op, `expected parameter numbers of the groups, got ${number}`);
      this.checkFields(op, number, p, fields);
      return [p, fields] as const;
    });
    for (const [i, rule] of rules.entries()) Object.assign(this.paramGroups[i], rule);
    this.state.clear();
    for (const [p, fields] of states) {
      this.state.set(p, this.restored(p, fields));
    }
  }

  /** A state from what {@link shown} gave, with memory of its own. */
  protected restored(p: Tensor, fields: Record<string, Tensor | number>): State {
    const copy = (value: Tensor | number) => (value instanceof Tensor ? copyFor(p, value) : value);
    return Object.fromEntries(Object.entries(fields).map(([field, value]) => [field, copy(value)])) as State;
  }

  /** Throws unless these are the fields of a parameter's state. */
  protected checkFields(op: string, number: string, p: Tensor, fields: Record<string, Tensor | number>): void {
    checkOptions(op, fields, Object.keys(this.fields));
    for (const [field, kind] of Object.entries(this.fields)) {
      const value = fields[field];
      if (kind === 'optional' && value === undefined) continue;
      if (kind === 'number' ? typeof value !== 'number' : !(value instanceof Tensor)) {
        const wanted = kind === 'number' ? 'a number' : 'a tensor';
        throw new TensorError(
          'value',
          op,
          `expected ${field} of parameter ${number} to be ${wanted}, got ${describe(value)}`,
        );
      }
      if (value instanceof Tensor && value.shape.join() !== p.shape.join()) {
        const shapes = `[${p.shape.join(', ')}], got [${value.shape.join(', ')}]`;
        throw new TensorError('shape', op, `expected ${field} of parameter ${number} of shape ${shapes}`);
      }
    }
  }
}

/** Defaults with what was given in their place. */
function merged<Rule extends object>(defaults: Rule, given: Partial<Rule> | undefined): Rule {
  const set = Object.entries(given ?? {}).filter(([, value]) => value !== undefined);
  return { ...defaults, ...Object.fromEntries(set) };
}

/** A copy of a state tensor with memory of its own, in the parameter's dtype; no scope releases it. */
function copyFor(p: Tensor, value: Tensor): Tensor {
  const copy = value.detach().to(p.dtype).clone();
  copy.kept = true;
  return copy;
}
