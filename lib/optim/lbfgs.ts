// L-BFGS: a quasi-Newton method that evaluates the loss as often as it needs to.
import { describe, TensorError } from '../errors.js';
import { checkChoice, checkNumber, checkSize } from '../nn/check.js';
import { gradientOf, stateLike } from '../ops/optimize/crossing.js';
import { cat, stack } from '../ops/shape/join.js';
import { Tensor } from '../tensor.js';
import { type Probe, strongWolfe } from './line-search.js';
import { Optimizer, type Params, type StateFields } from './optimizer.js';

/** The options of {@link LBFGS}. */
export interface LBFGSRule {
  /** Learning rate: the first length tried along a direction, or the length without a line search. */
  lr: number;
  /** The most iterations of a step. */
  maxIter: number;
  /** The most evaluations of a step; null for `floor(1.25 maxIter)`. */
  maxEval: number | null;
  /** A step ends where no element of the gradient is larger. */
  toleranceGrad: number;
  /** A step ends where parameters or loss change by no more. */
  toleranceChange: number;
  /** How many directions are remembered. */
  historySize: number;
  /** 'strongWolfe' for a line search. */
  lineSearchFn: 'strongWolfe' | null;
}

/** Options of {@link LBFGS}; what is left out has PyTorch's default. */
export type LBFGSOptions = Partial<LBFGSRule>;

/** What LBFGS remembers, with its first parameter; vectors are over all parameters. */
interface LBFGSState {
  funcEvals: number;
  nIter: number;
  t: number;
  hDiag: number;
  prevLoss: number;
  d: Tensor;
  prevFlatGrad: Tensor;
  oldDirs: Tensor[];
  oldSteps: Tensor[];
  ro: number[];
}

const NUMBERS = ['funcEvals', 'nIter', 't', 'hDiag', 'prevLoss'] as const;

function read(x: Tensor): number {
  const value = x.item();
  x.dispose();
  return value;
}

function dot(a: Tensor, b: Tensor): number {
  const product = a.mul(b);
  const value = read(product.sum());
  product.dispose();
  return value;
}

function largest(x: Tensor): number {
  const size = x.abs();
  const value = read(size.amax());
  size.dispose();
  return value;
}

/** y + alpha x; y is given back. */
function added(y: Tensor, x: Tensor, alpha: number): Tensor {
  const scaled = x.mul(alpha);
  const sum = y.add(scaled);
  scaled.dispose();
  y.dispose();
  return sum;
}

/** No scope around the step releases it. */
function kept(x: Tensor): Tensor {
  x.kept = true;
  return x;
}

/**
 * L-BFGS: `p = p - t H g`, H an estimate of the inverse Hessian from the last `historySize` changes of p and g, t the rate or the
 * result of a line search (Liu and Nocedal 1989; PyTorch: `torch.optim.LBFGS`). `step` needs a closure that computes the
 * loss and its gradients anew and returns the loss; full batches only, one group only.
 *
 * @param params `model.parameters()`
 * @param options `lr` 1, `maxIter` 20, `maxEval` null, `toleranceGrad` 1e-7, `toleranceChange` 1e-9, `historySize` 100,
 * `lineSearchFn` null unless given
 * @throws TensorError `value` for an option out of range, several groups, or a step without a closure
 *
 * @example
 * ```ts
 * import { nn, optim, tensor } from 'chainrule';
 * const p = new nn.Parameter(tensor([5, -3]));
 * const optimizer = new optim.LBFGS([p], { lineSearchFn: 'strongWolfe' });
 * optimizer.step(() => {
 *   optimizer.zeroGrad();
 *   const loss = p.sub(tensor([1, 2])).square().mul(tensor([1, 10])).sum();
 *   loss.backward();
 *   return loss;
 * });
 * console.log((p.toArray() as number[]).map((v) => v.toFixed(3)).join(' ')); // 1.000 2.000
 * ```
 */
export class LBFGS extends Optimizer<LBFGSRule, LBFGSState> {
  protected readonly fields: StateFields = {};

  constructor(params: Params<LBFGSRule>, options?: LBFGSOptions) {
    const rest = { historySize: 100, lineSearchFn: null };
    super(params, options, { lr: 1, maxIter: 20, maxEval: null, toleranceGrad: 1e-7, toleranceChange: 1e-9, ...rest });
    this.checkGroups();
  }

  private checkGroups(): void {
    const { length } = this.paramGroups;
    if (length !== 1) throw new TensorError('value', this.name, `expected one group of parameters, got ${length}`);
  }

  protected checkRule(rule: LBFGSRule): void {
    const op = this.name;
    for (const name of ['lr', 'toleranceGrad', 'toleranceChange'] as const) checkNumber(op, name, rule[name], 0);
    checkSize(op, 'maxIter', rule.maxIter);
    if (rule.maxEval !== null) checkSize(op, 'maxEval', rule.maxEval);
    checkSize(op, 'historySize', rule.historySize);
    if (rule.lineSearchFn !== null) checkChoice(op, 'lineSearchFn', rule.lineSearchFn, ['strongWolfe']);
  }

  /** Everything happens in {@link step}, which has the closure. */
  protected update(): void {}

  private get params(): readonly Tensor[] {
    return this.paramGroups[0].params;
  }

  private flatGradient(): Tensor {
    const parts = this.params.map((p) =>
      (gradientOf(this.name, p) ?? stateLike(this.name, p)).detach().reshape([p.size]),
    );
    return cat(parts);
  }

  /** p = p + t d. */
  private move(t: number, d: Tensor): void {
    let start = 0;
    for (const p of this.params) {
      const part = d.narrow(0, start, p.size).reshape(p.shape);
      const values = added(p.detach(), part, t);
      p.assign(values);
      values.dispose();
      start += p.size;
    }
  }

  /** The direction -H g by the two loops over what is remembered. */
  private direction(state: LBFGSState, g: Tensor): Tensor {
    const { oldDirs, oldSteps, ro } = state;
    const al: number[] = [];
    let q = g.neg();
    for (let i = oldDirs.length - 1; i >= 0; i--) {
      al[i] = dot(oldSteps[i], q) * ro[i];
      q = added(q, oldDirs[i], -al[i]);
    }
    let r = q.mul(state.hDiag);
    q.dispose();
    for (let i = 0; i < oldDirs.length; i++) r = added(r, oldSteps[i], al[i] - dot(oldDirs[i], r) * ro[i]);
    return r;
  }

  /** Takes in how the gradient changed along the last step. */
  private remember(state: LBFGSState, g: Tensor, historySize: number): void {
    const y = g.sub(state.prevFlatGrad);
    const s = state.d.mul(state.t);
    const ys = dot(y, s);
    if (!(ys > 1e-10)) return;
    if (state.oldDirs.length >= historySize) {
      for (const list of [state.oldDirs, state.oldSteps]) list.shift()?.dispose();
      state.ro.shift();
    }
    state.oldDirs.push(kept(y));
    state.oldSteps.push(kept(s));
    state.ro.push(1 / ys);
    state.hDiag = ys / dot(y, y);
  }

  /**
   * Goes on until it arrives, or has iterated or evaluated as often as it may.
   *
   * @param closure forgets the gradients, computes the loss and its gradients, and returns the loss; called several times
   * @returns what the closure returned the first time
   * @throws TensorError `value` without a closure, and for one that returns no number
   */
  override step(): void;
  override step<T>(closure: () => T): T;
  override step<T>(closure?: () => T): T | undefined {
    if (typeof closure !== 'function') {
      throw new TensorError('value', this.name, `expected a closure that returns the loss, got ${describe(closure)}`);
    }
    this.checkGroups();
    const [rule] = this.paramGroups;
    this.checkRule(rule);
    const { lr, maxIter, toleranceGrad, toleranceChange } = rule;
    const maxEval = rule.maxEval ?? Math.floor((maxIter * 5) / 4);
    const evaluate = (): [loss: number, result: T] => {
      const result = closure();
      const loss = result instanceof Tensor ? result.item() : result;
      if (typeof loss === 'number') return [loss, result];
      throw new TensorError('value', this.name, `expected the closure to return the loss, got ${describe(result)}`);
    };
    let [loss, original] = evaluate();
    let g = this.flatGradient();
    const [first] = this.params;
    const known = this.state.get(first);
    const fresh = { funcEvals: 0, nIter: 0, t: 0, hDiag: 1, prevLoss: loss, d: g, prevFlatGrad: g };
    const state: LBFGSState = known ?? { ...fresh, oldDirs: [], oldSteps: [], ro: [] };
    let evaluations = 1;
    state.funcEvals++;
    if (largest(g) <= toleranceGrad) return original;
    this.state.set(first, state);
    for (let n = 1; n <= maxIter; n++) {
      state.nIter++;
      if (state.nIter > 1) this.remember(state, g, rule.historySize);
      state.d = kept(state.nIter === 1 ? g.neg() : this.direction(state, g));
      state.prevFlatGrad = kept(g);
      state.prevLoss = loss;
      const { d } = state;
      state.t = state.nIter === 1 ? Math.min(1, 1 / dot(g, g.sign())) * lr : lr;
      const slope = dot(g, d);
      if (slope > -toleranceChange) break;
      let more = 0;
      if (rule.lineSearchFn === 'strongWolfe') {
        const { best, evaluations: tried } = this.search(
          evaluate,
          { t: 0, f: loss, slope, gradient: g },
          state,
          toleranceChange,
        );
        loss = best.f;
        g = best.gradient;
        state.t = best.t;
        more = tried;
        this.move(best.t, d);
      } else {
        this.move(state.t, d);
        if (n !== maxIter) {
          [loss] = evaluate();
          g = this.flatGradient();
          more = 1;
        }
      }
      evaluations += more;
      state.funcEvals += more;
      if (n === maxIter || evaluations >= maxEval || largest(g) <= toleranceGrad) break;
      if (largest(d) * Math.abs(state.t) <= toleranceChange || Math.abs(loss - state.prevLoss) < toleranceChange) break;
    }
    return original;
  }

  /** Searches along d; the parameters are where they were afterwards. */
  private search(
    evaluate: () => [number, unknown],
    start: Probe<Tensor>,
    { d, t }: LBFGSState,
    toleranceChange: number,
  ): { best: Probe<Tensor>; evaluations: number } {
    const before = this.params.map((p) => p.detach().clone());
    const probe = (length: number): Probe<Tensor> => {
      this.move(length, d);
      const [f] = evaluate();
      const gradient = this.flatGradient();
      for (const [i, p] of this.params.entries()) p.assign(before[i]);
      return { t: length, f, slope: dot(gradient, d), gradient };
    };
    const found = strongWolfe(probe, start, t, largest(d), toleranceChange);
    for (const x of before) x.dispose();
    return found;
  }

  protected override shown(own: LBFGSState): Record<string, Tensor | number> {
    const numbers = Object.fromEntries(NUMBERS.map((name) => [name, own[name]]));
    const vectors = { d: own.d.detach(), prevFlatGrad: own.prevFlatGrad.detach() };
    if (own.oldDirs.length === 0) return { ...numbers, ...vectors };
    return { ...numbers, ...vectors, oldDirs: stack(own.oldDirs), oldSteps: stack(own.oldSteps) };
  }

  protected override checkFields(op: string, number: string, _: Tensor, fields: Record<string, Tensor | number>): void {
    const n = this.params.reduce((sum, p) => sum + p.size, 0);
    const { oldDirs } = fields;
    const count = oldDirs instanceof Tensor ? oldDirs.shape[0] : 0;
    const rows: Record<string, string> = { d: `${n}`, prevFlatGrad: `${n}` };
    if ('oldDirs' in fields || 'oldSteps' in fields)
      Object.assign(rows, { oldDirs: `${count},${n}`, oldSteps: `${count},${n}` });
    for (const name of NUMBERS) {
      if (typeof fields[name] === 'number') continue;
      throw new TensorError('value', op, `expected ${name} to be a number, got ${describe(fields[name])}`);
    }
    const known = [...NUMBERS, ...Object.keys(rows)];
    const other = Object.keys(fields).find((name) => !known.includes(name));
    if (other !== undefined || number !== '0') {
      throw new TensorError('option', op, `expected only ${known.join(', ')} of parameter 0, got ${other ?? number}`);
    }
    for (const [name, shape] of Object.entries(rows)) {
      const value = fields[name];
      if (value instanceof Tensor && value.shape.join() === shape) continue;
      throw new TensorError('shape', op, `expected ${name} to be a tensor [${shape}], got ${describe(value)}`);
    }
  }

  protected override restored(_: Tensor, fields: Record<string, Tensor | number>): LBFGSState {
    const copy = (x: Tensor) => kept(x.detach().clone());
    const rows = (x: Tensor | number | undefined) =>
      x instanceof Tensor ? Array.from({ length: x.shape[0] }, (_row, i) => copy(x.select(0, i))) : [];
    const [oldDirs, oldSteps] = [rows(fields.oldDirs), rows(fields.oldSteps)];
    const numbers = Object.fromEntries(NUMBERS.map((name) => [name, fields[name]])) as Pick<LBFGSState, 't'>;
    return {
      ...(numbers as LBFGSState),
      d: copy(fields.d as Tensor),
      prevFlatGrad: copy(fields.prevFlatGrad as Tensor),
      oldDirs,
      oldSteps,
      ro: oldDirs.map((y, i) => 1 / dot(y, oldSteps[i])),
    };
  }
}
