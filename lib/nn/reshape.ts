// Modules that pass their input on, in another shape or as it is.
import { checkOptions, describe, TensorError } from '../errors.js';
import { flatten, unflatten } from '../ops/shape/view.js';
import type { Tensor } from '../tensor.js';
import { checkSize } from './check.js';
import { Module } from './module.js';

/**
 * Gives back what it gets (PyTorch: `nn.Identity`).
 *
 * @example
 * ```ts
 * import { nn, ones } from 'chainrule';
 * const x = ones([2]);
 * console.log(new nn.Identity().forward(x) === x); // true
 * ```
 */
export class Identity extends Module {
  forward(x: Tensor): Tensor {
    return x;
  }
}

/**
 * Joins the dimensions from `start` to `end` into one: all but the batch unless told otherwise (PyTorch: `nn.Flatten`).
 *
 * @param options `start`, 1 unless given; `end`, -1 unless given
 * @throws TensorError `value` for dimensions that are no whole numbers from -8 up; in forward as `flatten`
 *
 * @example
 * ```ts
 * import { nn, ones } from 'chainrule';
 * console.log(new nn.Flatten().forward(ones([2, 3, 4])).shape); // [2, 12]
 * ```
 */
export class Flatten extends Module {
  private readonly start: number;
  private readonly end: number;

  constructor(options?: { start?: number; end?: number }) {
    super();
    checkOptions('Flatten', options, ['start', 'end']);
    this.start = checkSize('Flatten', 'start', options?.start ?? 1, -8);
    this.end = checkSize('Flatten', 'end', options?.end ?? -1, -8);
  }

  forward(x: Tensor): Tensor {
    return flatten(x, this.start, this.end);
  }

  protected override summary(): string {
    return `{ start: ${this.start}, end: ${this.end} }`;
  }
}

/**
 * Splits one dimension into several (PyTorch: `nn.Unflatten`).
 *
 * @param axis the dimension
 * @param sizes what it is split into; one may be -1, which stands for the rest
 * @throws TensorError `value` for what is no list of sizes, `shape` in forward where they do not multiply to the dimension's
 *
 * @example
 * ```ts
 * import { nn, ones } from 'chainrule';
 * console.log(new nn.Unflatten(1, [3, -1]).forward(ones([2, 12])).shape); // [2, 3, 4]
 * ```
 */
export class Unflatten extends Module {
  readonly sizes: readonly number[];

  constructor(
    readonly axis: number,
    sizes: readonly number[],
  ) {
    super();
    const op = 'Unflatten';
    checkSize(op, 'the axis', axis, -8);
    if (!Array.isArray(sizes)) throw new TensorError('value', op, `expected sizes as a list, got ${describe(sizes)}`);
    this.sizes = sizes.map((size) => checkSize(op, 'each size', size, -1));
  }

  forward(x: Tensor): Tensor {
    return unflatten(x, this.axis, this.sizes);
  }

  protected override summary(): string {
    return `${this.axis}, [${this.sizes.join(', ')}]`;
  }
}
