// Unfold and Fold: sliding windows as columns, and back.
import { checkOptions } from '../errors.js';
import { type FoldOptions, fold, unfold } from '../ops/conv/fold.js';
import type { Tensor } from '../tensor.js';
import { checkSizes, formatOptions, type Pair } from './check.js';
import { Module } from './module.js';

function check(op: string, kernelSize: Pair, options: FoldOptions | undefined): void {
  checkOptions(op, options, ['dilation', 'padding', 'stride']);
  checkSizes(op, 'the kernel size', kernelSize, 2);
  checkSizes(op, 'dilation', options?.dilation ?? 1, 2);
  checkSizes(op, 'padding', options?.padding ?? 0, 2, 0);
  checkSizes(op, 'stride', options?.stride ?? 1, 2);
}

function summaryOf(sizes: readonly Pair[], options: FoldOptions | undefined): string {
  const parts = sizes.map((size) => (typeof size === 'number' ? `${size}` : `[${size.join(', ')}]`));
  return [...parts, formatOptions(options)].filter((part) => part !== '').join(', ');
}

/**
 * Sliding windows as columns: `[N,C,H,W]` to `[N, C kh kw, L]` (PyTorch: `nn.Unfold`).
 *
 * @param kernelSize of the window, one number or [height, width]
 * @param options `dilation` 1, `padding` 0, `stride` 1 unless given
 * @throws TensorError `value` for sizes that are no whole numbers from 1 up
 *
 * @example
 * ```ts
 * import { nn, ones } from 'chainrule';
 * console.log(new nn.Unfold([2, 3]).forward(ones([2, 5, 3, 4])).shape); // [2, 30, 4]
 * ```
 */
export class Unfold extends Module {
  constructor(
    readonly kernelSize: Pair,
    readonly options?: FoldOptions,
  ) {
    super();
    check('Unfold', kernelSize, options);
  }

  forward(x: Tensor): Tensor {
    return unfold(x, this.kernelSize, this.options);
  }

  protected override summary(): string {
    return summaryOf([this.kernelSize], this.options);
  }
}

/**
 * Columns added back to where they came from: `[N, C kh kw, L]` to `[N,C,H,W]` (PyTorch: `nn.Fold`).
 *
 * @param outputSize [height, width] of the result, or one number for both
 * @param kernelSize of the window, one number or [height, width]
 * @param options `dilation` 1, `padding` 0, `stride` 1 unless given
 * @throws TensorError `value` for sizes that are no whole numbers from 1 up
 *
 * @example
 * ```ts
 * import { nn, ones } from 'chainrule';
 * console.log(new nn.Fold([4, 5], [2, 2]).forward(ones([1, 12, 12])).shape); // [1, 3, 4, 5]
 * ```
 */
export class Fold extends Module {
  constructor(
    readonly outputSize: Pair,
    readonly kernelSize: Pair,
    readonly options?: FoldOptions,
  ) {
    super();
    checkSizes('Fold', 'the output size', outputSize, 2);
    check('Fold', kernelSize, options);
  }

  forward(x: Tensor): Tensor {
    return fold(x, this.outputSize, this.kernelSize, this.options);
  }

  protected override summary(): string {
    return summaryOf([this.outputSize, this.kernelSize], this.options);
  }
}
