// Pooling and flattening: modules without parameters that change shapes.
import { checkOptions } from '../errors.js';
import { type AvgPool2dOptions, avgPool2d } from '../ops/pool-average.js';
import { type MaxPool2dOptions, maxPool2d } from '../ops/pool-max.js';
import { flatten } from '../ops/view.js';
import type { Tensor } from '../tensor.js';
import { checkBoolean, checkPair, checkSize, formatOptions, type Pair } from './check.js';
import { Module } from './module.js';

function checkWindow(op: string, size: Pair, options: MaxPool2dOptions & AvgPool2dOptions): void {
  const window = checkPair(op, 'the kernel size', size);
  checkPair(op, 'stride', options.stride ?? window);
  checkPair(op, 'dilation', options.dilation ?? 1);
  checkPair(op, 'padding', options.padding ?? 0, 0);
  checkBoolean(op, 'ceilMode', options.ceilMode ?? false);
  checkBoolean(op, 'countIncludePad', options.countIncludePad ?? true);
  checkSize(op, 'divisorOverride', options.divisorOverride ?? 1);
}

function summaryOf(size: Pair, options: object | undefined): string {
  const text = typeof size === 'number' ? `${size}` : `[${size.join(', ')}]`;
  const rest = formatOptions(options);
  return rest === '' ? text : `${text}, ${rest}`;
}

/**
 * Largest value of each window: `[N,C,H,W] -> [N,C,H',W']` (PyTorch: `nn.MaxPool2d`).
 *
 * @param kernelSize one number or [height, width]; also the stride unless given
 * @throws TensorError `value` for sizes that are no whole numbers from 1 up
 *
 * @example
 * ```ts
 * import { nn, ones } from 'chainrule';
 * console.log(new nn.MaxPool2d(2).forward(ones([1, 3, 8, 8])).shape); // [1, 3, 4, 4]
 * ```
 */
export class MaxPool2d extends Module {
  constructor(
    readonly kernelSize: Pair,
    readonly options?: MaxPool2dOptions,
  ) {
    super();
    checkOptions('MaxPool2d', options, ['stride', 'padding', 'dilation', 'ceilMode']);
    checkWindow('MaxPool2d', kernelSize, options ?? {});
  }

  forward(x: Tensor): Tensor {
    return maxPool2d(x, this.kernelSize, this.options);
  }

  protected override summary(): string {
    return summaryOf(this.kernelSize, this.options);
  }
}

/**
 * Mean of each window: `[N,C,H,W] -> [N,C,H',W']` (PyTorch: `nn.AvgPool2d`).
 *
 * @param kernelSize one number or [height, width]; also the stride unless given
 * @throws TensorError `value` for sizes that are no whole numbers from 1 up
 *
 * @example
 * ```ts
 * import { nn, ones } from 'chainrule';
 * console.log(new nn.AvgPool2d(2).forward(ones([1, 3, 8, 8])).shape); // [1, 3, 4, 4]
 * ```
 */
export class AvgPool2d extends Module {
  constructor(
    readonly kernelSize: Pair,
    readonly options?: AvgPool2dOptions,
  ) {
    super();
    const known = ['stride', 'padding', 'ceilMode', 'countIncludePad', 'divisorOverride'];
    checkOptions('AvgPool2d', options, known);
    checkWindow('AvgPool2d', kernelSize, options ?? {});
  }

  forward(x: Tensor): Tensor {
    return avgPool2d(x, this.kernelSize, this.options);
  }

  protected override summary(): string {
    return summaryOf(this.kernelSize, this.options);
  }
}

/**
 * Joins the dimensions from `start` to `end` into one: all but the batch unless told otherwise (PyTorch: `nn.Flatten`).
 *
 * @param options `start`, 1 unless given; `end`, -1 unless given
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
}
