// Activations over groups of values: softmax and its relatives, gates, maxima.
import { checkOptions, TensorError } from '../errors.js';
import { glu, maxout, softmin } from '../ops/elementwise/activation.js';
import { logSoftmax, softmax } from '../ops/reduce/softmax.js';
import type { Tensor } from '../tensor.js';
import { checkSize } from './check.js';
import { Module } from './module.js';

/** An activation along one dimension. */
abstract class Along extends Module {
  constructor(
    op: string,
    readonly axis: number,
  ) {
    super();
    checkSize(op, 'the axis', axis, -8);
  }

  protected override summary(): string {
    return `${this.axis}`;
  }
}

/**
 * `y_i = e^x_i / sum_j e^x_j` along one dimension (PyTorch: `nn.Softmax`).
 *
 * @param axis the dimension whose values sum to 1
 * @throws TensorError `axis` in forward for a dimension that is not there
 *
 * @example
 * ```ts
 * import { nn, tensor } from 'chainrule';
 * console.log(new nn.Softmax(1).forward(tensor([[0, 0]])).toArray()); // [[0.5, 0.5]]
 * ```
 */
export class Softmax extends Along {
  constructor(axis: number) {
    super('Softmax', axis);
  }

  forward(x: Tensor): Tensor {
    return softmax(x, this.axis);
  }
}

/**
 * `y_i = x_i - log sum_j e^x_j` along one dimension (PyTorch: `nn.LogSoftmax`).
 *
 * @param axis the dimension whose exponentials sum to 1
 * @throws TensorError `axis` in forward for a dimension that is not there
 *
 * @example
 * ```ts
 * import { nn, tensor } from 'chainrule';
 * console.log(new nn.LogSoftmax(0).forward(tensor([1000, 1000])).exp().toArray()); // [0.5, 0.5]
 * ```
 */
export class LogSoftmax extends Along {
  constructor(axis: number) {
    super('LogSoftmax', axis);
  }

  forward(x: Tensor): Tensor {
    return logSoftmax(x, this.axis);
  }
}

/**
 * `y_i = e^-x_i / sum_j e^-x_j` along one dimension (PyTorch: `nn.Softmin`).
 *
 * @param axis the dimension whose values sum to 1
 * @throws TensorError `axis` in forward for a dimension that is not there
 *
 * @example
 * ```ts
 * import { nn, tensor } from 'chainrule';
 * console.log(new nn.Softmin(0).forward(tensor([0, 0])).toArray()); // [0.5, 0.5]
 * ```
 */
export class Softmin extends Along {
  constructor(axis: number) {
    super('Softmin', axis);
  }

  forward(x: Tensor): Tensor {
    return softmin(x, this.axis);
  }
}

/**
 * {@link Softmax} over the channels of images [N, C, H, W] or [C, H, W], at every place (PyTorch: `nn.Softmax2d`).
 *
 * @throws TensorError `shape` in forward for another number of dimensions
 *
 * @example
 * ```ts
 * import { nn, zeros } from 'chainrule';
 * console.log(new nn.Softmax2d().forward(zeros([1, 2, 1, 1])).toArray()); // [[[[0.5]], [[0.5]]]]
 * ```
 */
export class Softmax2d extends Module {
  forward(x: Tensor): Tensor {
    if (x.ndim !== 3 && x.ndim !== 4) {
      throw new TensorError(
        'shape',
        'Softmax2d',
        `expected images [N, C, H, W] or [C, H, W], got [${x.shape.join(', ')}]`,
      );
    }
    return softmax(x, -3);
  }
}

/**
 * Gated linear unit: `y = a sigmoid(b)` for the two halves a and b of a dimension (Dauphin et al. 2016; PyTorch: `nn.GLU`).
 *
 * @param options `axis`: the dimension that is halved, the last unless given
 * @throws TensorError `shape` in forward where its size is odd
 *
 * @example
 * ```ts
 * import { nn, tensor } from 'chainrule';
 * console.log(new nn.GLU().forward(tensor([4, 0])).toArray()); // [2]
 * ```
 */
export class GLU extends Along {
  constructor(options?: { axis?: number }) {
    checkOptions('GLU', options, ['axis']);
    super('GLU', options?.axis ?? -1);
  }

  forward(x: Tensor): Tensor {
    return glu(x, this.axis);
  }

  protected override summary(): string {
    return `{ axis: ${this.axis} }`;
  }
}

/**
 * The largest of each group of neighbours along a dimension: [N, C, ...] becomes [N, C / groups, ...] (Goodfellow et al. 2013;
 * PaddlePaddle: `nn.Maxout`).
 *
 * @param groups how many neighbours make one value
 * @param options `axis`: their dimension, 1 unless given
 * @throws TensorError `value` for groups that are no whole number from 1 up, `shape` in forward where the size is no multiple of it
 *
 * @example
 * ```ts
 * import { nn, tensor } from 'chainrule';
 * console.log(new nn.Maxout(2).forward(tensor([[1, 4, 3, 2]])).toArray()); // [[4, 3]]
 * ```
 */
export class Maxout extends Along {
  constructor(
    readonly groups: number,
    options?: { axis?: number },
  ) {
    checkOptions('Maxout', options, ['axis']);
    super('Maxout', options?.axis ?? 1);
    checkSize('Maxout', 'groups', groups);
  }

  forward(x: Tensor): Tensor {
    return maxout(x, this.groups, this.axis);
  }

  protected override summary(): string {
    return `${this.groups}, { axis: ${this.axis} }`;
  }
}
