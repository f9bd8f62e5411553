// What all distributions share: their parameters, their shapes, and drawing from them.
import { checkFloat, checkTensor, isTensor } from '../core/dispatch.js';
import { type DType, isFloat, promote } from '../core/dtype.js';
import { noGrad } from '../core/mode.js';
import { composite } from '../core/scope.js';
import { broadcastShapes, checkBoolean, checkNumber, checkShape, type Shape } from '../core/shape.js';
import { tensor } from '../create.js';
import { checkOptions, TensorError } from '../errors.js';
import type { SampleOptions } from '../sample.js';
import type { Tensor } from '../tensor.js';

/** Options of every distribution. */
export interface DistributionOptions {
  /** Whether parameters, and values asked about, are checked; true unless given. */
  validateArgs?: boolean;
}

/** A family of random variables, one for each element of its batch. */
export abstract class Distribution {
  /** @internal */ readonly validateArgs: boolean;

  constructor(
    /** Shape of the parameters: that many independent variables. */
    readonly batchShape: Shape,
    options: DistributionOptions | undefined,
  ) {
    this.validateArgs = options?.validateArgs ?? true;
  }

  /** Expected value of every variable. */
  abstract get mean(): Tensor;
  /** Expected squared distance from the mean. */
  abstract get variance(): Tensor;

  /** Square root of the variance. */
  get stddev(): Tensor {
    return composite(() => this.variance.sqrt());
  }

  /** Logarithm of the probability, or of its density, at a value that broadcasts with the batch. */
  abstract logProb(value: Tensor | number): Tensor;
  /** Expected `-logProb`, in nats. */
  abstract entropy(): Tensor;

  /** @internal Draws of this shape, in which the parameters broadcast. */
  protected abstract draw(shape: Shape, options: SampleOptions | undefined): Tensor;

  /** Independent draws [...shape, ...batch], outside the graph. */
  sample(shape: Shape = [], options?: SampleOptions): Tensor {
    return noGrad(() => this.checkedDraw('sample', shape, options));
  }

  /** @internal */
  protected checkedDraw(method: string, shape: Shape, options: SampleOptions | undefined): Tensor {
    const op = `${this.constructor.name}.${method}`;
    checkOptions(op, options, ['generator']);
    const full = checkShape(op, [...checkShape(op, shape), ...this.batchShape]);
    return composite(() => this.draw(full, options));
  }

  /** @internal The value as a tensor; `inside` says where it may lie. */
  protected checkValue(value: Tensor | number, expectation: string, inside: (x: Tensor) => Tensor): Tensor {
    const op = `${this.constructor.name}.logProb`;
    const x =
      typeof value === 'number' ? tensor(checkNumber(op, 'the value', value)) : checkTensor(op, value, 'a value');
    if (this.validateArgs) demand(op, () => inside(x), expectation);
    return x;
  }
}

/** A distribution whose draws gradients flow through, to its parameters. */
export abstract class Reparameterised extends Distribution {
  /** Independent draws [...shape, ...batch] as functions of the parameters: gradients flow through (Kingma and Welling 2014). */
  rsample(shape: Shape = [], options?: SampleOptions): Tensor {
    return this.checkedDraw('rsample', shape, options);
  }
}

/** Throws unless everything asked for is true. */
export function demand(op: string, ask: () => Tensor, expectation: string): void {
  const all = noGrad(() => composite(() => ask().all()));
  const holds = all.item() !== 0;
  all.dispose();
  if (!holds) throw new TensorError('value', op, `expected ${expectation}, got a value outside`);
}

/** A parameter as a tensor; numbers take the dtype given. */
export function parameterOf(op: string, name: string, value: Tensor | number, dtype: DType = 'float32'): Tensor {
  if (typeof value === 'number') return tensor(checkNumber(op, name, value), { dtype });
  return checkFloat(op, checkTensor(op, value, `${name}, a tensor or a number`), name);
}

export function checkValidate(op: string, options: DistributionOptions | undefined): boolean {
  checkOptions(op, options, ['validateArgs']);
  return checkBoolean(op, 'validateArgs', options?.validateArgs ?? true);
}

/** Two parameters in the shape and dtype they meet in. */
export function together(
  op: string,
  names: readonly [string, string],
  values: readonly [Tensor | number, Tensor | number],
): [Tensor, Tensor] {
  const dtypes = values.flatMap((value) => (isTensor(value) && isFloat(value.dtype) ? [value.dtype] : []));
  const dtype = dtypes.length === 0 ? 'float32' : dtypes.reduce(promote);
  const [a, b] = values.map((value, i) => parameterOf(op, names[i], value, dtype));
  const shape = broadcastShapes(op, a.shape, b.shape);
  return [a.to(dtype).expand(shape), b.to(dtype).expand(shape)];
}
