// Activations that apply one function to every element, without parameters or numbers of their own.
import { checkOptions } from '../errors.js';
import { gelu, logSigmoid, mish, silu, softsign, tanhshrink } from '../ops/elementwise/activation.js';
import { sigmoid } from '../ops/elementwise/exponential.js';
import { hardsigmoid, hardswish, relu, relu6, selu } from '../ops/elementwise/rectifier.js';
import { tanh } from '../ops/elementwise/trigonometric.js';
import type { Tensor } from '../tensor.js';
import { checkChoice } from './check.js';
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
 * `y = min(max(x, 0), 6)` (PyTorch: `nn.ReLU6`).
 *
 * @example
 * ```ts
 * import { nn, tensor } from 'chainrule';
 * console.log(new nn.ReLU6().forward(tensor([-1, 3, 8])).toArray()); // [0, 3, 6]
 * ```
 */
export class ReLU6 extends Module {
  forward(x: Tensor): Tensor {
    return relu6(x);
  }
}

/**
 * Self-normalising exponential linear unit: `y = scale elu(x, alpha)` with the constants of Klambauer et al. 2017 (PyTorch:
 * `nn.SELU`).
 *
 * @example
 * ```ts
 * import { nn, tensor } from 'chainrule';
 * console.log(new nn.SELU().forward(tensor([0, 1])).at(1).item().toFixed(4)); // 1.0507
 * ```
 */
export class SELU extends Module {
  forward(x: Tensor): Tensor {
    return selu(x);
  }
}

/**
 * Sigmoid linear unit, or swish: `y = x sigmoid(x)` (Elfwing et al. 2017; PyTorch: `nn.SiLU`).
 *
 * @example
 * ```ts
 * import { nn, tensor } from 'chainrule';
 * console.log(new nn.SiLU().forward(tensor(0)).item()); // 0
 * ```
 */
export class SiLU extends Module {
  forward(x: Tensor): Tensor {
    return silu(x);
  }
}

/**
 * `y = x tanh(softplus(x))` (Misra 2019; PyTorch: `nn.Mish`).
 *
 * @example
 * ```ts
 * import { nn, tensor } from 'chainrule';
 * console.log(new nn.Mish().forward(tensor(0)).item()); // 0
 * ```
 */
export class Mish extends Module {
  forward(x: Tensor): Tensor {
    return mish(x);
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
 * `y = x - tanh(x)` (PyTorch: `nn.Tanhshrink`).
 *
 * @example
 * ```ts
 * import { nn, tensor } from 'chainrule';
 * console.log(new nn.Tanhshrink().forward(tensor(0)).item()); // 0
 * ```
 */
export class Tanhshrink extends Module {
  forward(x: Tensor): Tensor {
    return tanhshrink(x);
  }
}

/**
 * `y = x / (1 + |x|)` (PyTorch: `nn.Softsign`).
 *
 * @example
 * ```ts
 * import { nn, tensor } from 'chainrule';
 * console.log(new nn.Softsign().forward(tensor([1, -3])).toArray()); // [0.5, -0.75]
 * ```
 */
export class Softsign extends Module {
  forward(x: Tensor): Tensor {
    return softsign(x);
  }
}

/**
 * Logistic function made of straight lines: `y = relu6(x + 3) / 6` (PyTorch: `nn.Hardsigmoid`).
 *
 * @example
 * ```ts
 * import { nn, tensor } from 'chainrule';
 * console.log(new nn.Hardsigmoid().forward(tensor([-3, 0, 3])).toArray()); // [0, 0.5, 1]
 * ```
 */
export class Hardsigmoid extends Module {
  forward(x: Tensor): Tensor {
    return hardsigmoid(x);
  }
}

/**
 * Silu made of straight lines: `y = x relu6(x + 3) / 6` (Howard et al. 2019; PyTorch: `nn.Hardswish`).
 *
 * @example
 * ```ts
 * import { nn, tensor } from 'chainrule';
 * console.log(new nn.Hardswish().forward(tensor([0, 3, 8])).toArray()); // [0, 3, 8]
 * ```
 */
export class Hardswish extends Module {
  forward(x: Tensor): Tensor {
    return hardswish(x);
  }
}

/**
 * Gaussian error linear unit: `y = x (1 + erf(x / sqrt(2))) / 2`, or with `tanh`
 * `y = x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2` (Hendrycks and Gimpel 2016; PyTorch: `nn.GELU`).
 *
 * @param options `approximate`: 'none' unless given, or 'tanh'
 * @throws TensorError `value` for another word
 *
 * @example
 * ```ts
 * import { nn, tensor } from 'chainrule';
 * console.log(new nn.GELU({ approximate: 'tanh' }).forward(tensor(0)).item()); // 0
 * ```
 */
export class GELU extends Module {
  readonly approximate: 'none' | 'tanh';

  constructor(options?: { approximate?: 'none' | 'tanh' }) {
    super();
    checkOptions('GELU', options, ['approximate']);
    this.approximate = checkChoice('GELU', 'approximate', options?.approximate ?? 'none', ['none', 'tanh']);
  }

  forward(x: Tensor): Tensor {
    return gelu(x, { approximate: this.approximate });
  }

  protected override summary(): string {
    return `{ approximate: '${this.approximate}' }`;
  }
}
