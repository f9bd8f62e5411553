// Activations and dropout as modules.
import { checkOptions } from '../errors.js';
import { logSigmoid } from '../ops/activation.js';
import { type DropoutOptions, dropout } from '../ops/dropout.js';
import { sigmoid } from '../ops/exponential.js';
import { elu, leakyRelu, relu } from '../ops/rectifier.js';
import { logSoftmax, softmax } from '../ops/softmax.js';
import { tanh } from '../ops/trigonometric.js';
import type { Tensor } from '../tensor.js';
import { checkNumber, checkSize } from './check.js';
import { Module } from './module.js';

/**
 * `y = max(x, 0)` (PyTorch: `nn.ReLU`).
 *
 * @example
 * ```ts
 * import { nn, tensor } from 'chainrule';
 * console.log(new nn.ReLU().forward(tensor([-1, 2])).toArray()); // [0, 2]
 * ```
 */
export class ReLU extends Module {
  forward(x: Tensor): Tensor {
    return relu(x);
  }
}

/**
 * `y = 1 / (1 + e^-x)` (PyTorch: `nn.Sigmoid`).
 *
 * @example
 * ```ts
 * import { nn, tensor } from 'chainrule';
 * console.log(new nn.Sigmoid().forward(tensor(0)).item()); // 0.5
 * ```
 */
export class Sigmoid extends Module {
  forward(x: Tensor): Tensor {
    return sigmoid(x);
  }
}

/**
 * `y = tanh(x)` (PyTorch: `nn.Tanh`).
 *
 * @example
 * ```ts
 * import { nn, tensor } from 'chainrule';
 * console.log(new nn.Tanh().forward(tensor(0)).item()); // 0
 * ```
 */
export class Tanh extends Module {
  forward(x: Tensor): Tensor {
    return tanh(x);
  }
}

/**
 * `y = log(1 / (1 + e^-x))`, without overflow (PyTorch: `nn.LogSigmoid`).
 *
 * @example
 * ```ts
 * import { nn, tensor } from 'chainrule';
 * console.log(new nn.LogSigmoid().forward(tensor(-1000)).item()); // -1000
 * ```
 */
export class LogSigmoid extends Module {
  forward(x: Tensor): Tensor {
    return logSigmoid(x);
  }
}

/**
 * `y = x` above 0, `negativeSlope * x` elsewhere (PyTorch: `nn.LeakyReLU`).
 *
 * @param options `negativeSlope`, 0.01 unless given
 *
 * @example
 * ```ts
 * import { nn, tensor } from 'chainrule';
 * console.log(new nn.LeakyReLU({ negativeSlope: 0.5 }).forward(tensor([1, -2])).toArray()); // [1, -1]
 * ```
 */
export class LeakyReLU extends Module {
  readonly negativeSlope: number;

  constructor(options?: { negativeSlope?: number }) {
    super();
    checkOptions('LeakyReLU', options, ['negativeSlope']);
    this.negativeSlope = checkNumber('LeakyReLU', 'negativeSlope', options?.negativeSlope ?? 0.01);
  }

  forward(x: Tensor): Tensor {
    return leakyRelu(x, { negativeSlope: this.negativeSlope });
  }

  protected override summary(): string {
    return `{ negativeSlope: ${this.negativeSlope} }`;
  }
}

/**
 * `y = x` above 0, `alpha (e^x - 1)` elsewhere (Clevert et al. 2015; PyTorch: `nn.ELU`).
 *
 * @param options `alpha`, 1 unless given
 *
 * @example
 * ```ts
 * import { nn, tensor } from 'chainrule';
 * console.log(new nn.ELU().forward(tensor([2, 0])).toArray()); // [2, 0]
 * ```
 */
export class ELU extends Module {
  readonly alpha: number;

  constructor(options?: { alpha?: number }) {
    super();
    checkOptions('ELU', options, ['alpha']);
    this.alpha = checkNumber('ELU', 'alpha', options?.alpha ?? 1);
  }

  forward(x: Tensor): Tensor {
    return elu(x, { alpha: this.alpha });
  }

  protected override summary(): string {
    return `{ alpha: ${this.alpha} }`;
  }
}

/**
 * `y_i = e^x_i / sum_j e^x_j` along one dimension (PyTorch: `nn.Softmax`).
 *
 * @param axis the dimension whose values sum to 1
 *
 * @example
 * ```ts
 * import { nn, tensor } from 'chainrule';
 * console.log(new nn.Softmax(1).forward(tensor([[0, 0]])).toArray()); // [[0.5, 0.5]]
 * ```
 */
export class Softmax extends Module {
  constructor(readonly axis: number) {
    super();
    checkSize('Softmax', 'the axis', axis, -8);
  }

  forward(x: Tensor): Tensor {
    return softmax(x, this.axis);
  }

  protected override summary(): string {
    return `${this.axis}`;
  }
}

/**
 * `y_i = x_i - log sum_j e^x_j` along one dimension (PyTorch: `nn.LogSoftmax`).
 *
 * @param axis the dimension whose exponentials sum to 1
 *
 * @example
 * ```ts
 * import { nn, tensor } from 'chainrule';
 * console.log(new nn.LogSoftmax(0).forward(tensor([1000, 1000])).exp().toArray()); // [0.5, 0.5]
 * ```
 */
export class LogSoftmax extends Module {
  constructor(readonly axis: number) {
    super();
    checkSize('LogSoftmax', 'the axis', axis, -8);
  }

  forward(x: Tensor): Tensor {
    return logSoftmax(x, this.axis);
  }

  protected override summary(): string {
    return `${this.axis}`;
  }
}

/**
 * Zeroes elements with probability p while training and scales the others by `1 / (1 - p)`; passes everything on after
 * `eval()` (Srivastava et al. 2014; PyTorch: `nn.Dropout`).
 *
 * @param options the probability, 0.5 unless given, or `p` and `generator`
 * @throws TensorError `value` for a probability outside 0..1
 *
 * @example
 * ```ts
 * import { nn, ones } from 'chainrule';
 * console.log(new nn.Dropout(0.2).eval().forward(ones([3])).toArray()); // [1, 1, 1]
 * ```
 */
export class Dropout extends Module {
  readonly p: number;
  private readonly generator: DropoutOptions['generator'];

  constructor(options?: number | Pick<DropoutOptions, 'p' | 'generator'>) {
    super();
    const given = typeof options === 'number' ? { p: options } : options;
    checkOptions('Dropout', given, ['p', 'generator']);
    this.p = checkNumber('Dropout', 'p', given?.p ?? 0.5, 0, 1);
    this.generator = given?.generator;
  }

  forward(x: Tensor): Tensor {
    return dropout(x, { p: this.p, training: this.training, generator: this.generator });
  }

  protected override summary(): string {
    return `${this.p}`;
  }
}
