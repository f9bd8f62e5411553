// Dropout: what training leaves out at random.
import { checkOptions } from '../errors.js';
import { type DropoutOptions, dropout } from '../ops/dropout.js';
import type { Tensor } from '../tensor.js';
import { checkNumber } from './check.js';
import { Module } from './module.js';

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
