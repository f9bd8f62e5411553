// Borders around signals, images and volumes.
import { type PadMode, pad } from '../ops/shape/pad.js';
import type { Tensor } from '../tensor.js';
import { checkNumber, checkSizes } from './check.js';
import { Module } from './module.js';

/** One number for all sides, or [left, right]. */
export type Sides1d = number | readonly [number, number];
/** One number for all sides, or [left, right, top, bottom]. */
export type Sides2d = number | readonly [number, number, number, number];
/** One number for all sides, or [left, right, top, bottom, front, back]. */
export type Sides3d = number | readonly [number, number, number, number, number, number];

/** A module that pads the last `n` dimensions. */
abstract class Pad<S> extends Module {
  private readonly sides: readonly number[];

  constructor(
    op: string,
    n: number,
    readonly padding: S,
    readonly mode: PadMode,
    readonly value = 0,
  ) {
    super();
    // Negative sides take away, as in PyTorch.
    this.sides = checkSizes(op, 'the padding', padding, 2 * n, -(2 ** 40));
    checkNumber(op, 'the value', value);
  }

  forward(x: Tensor): Tensor {
    return pad(x, this.sides, { mode: this.mode, value: this.value });
  }

  protected override summary(): string {
    const { padding, mode, value } = this;
    const sides = Array.isArray(padding) ? `[${padding.join(', ')}]` : `${padding}`;
    return mode === 'constant' ? `${sides}, ${value}` : sides;
  }
}

/**
 * Adds a border of one value to `[N,C,L]` (PyTorch: `nn.ConstantPad1d`).
 *
 * @param padding one number for all sides, or [left, right]
 * @param value what is added
 * @throws TensorError `value` for a padding of another form
 *
 * @example
 * ```ts
 * import { nn, ones } from 'chainrule';
 * console.log(new nn.ConstantPad1d(1, 7).forward(ones([1, 2, 4])).shape); // [1, 2, 6]
 * ```
 */
export class ConstantPad1d extends Pad<Sides1d> {
  constructor(padding: Sides1d, value: number) {
    super('ConstantPad1d', 1, padding, 'constant', value);
  }
}

/**
 * Adds a border of one value to `[N,C,H,W]` (PyTorch: `nn.ConstantPad2d`).
 *
 * @param padding one number for all sides, or [left, right, top, bottom]
 * @param value what is added
 * @throws TensorError `value` for a padding of another form
 *
 * @example
 * ```ts
 * import { nn, ones } from 'chainrule';
 * console.log(new nn.ConstantPad2d(1, 7).forward(ones([1, 2, 4, 4])).shape); // [1, 2, 6, 6]
 * ```
 */
export class ConstantPad2d extends Pad<Sides2d> {
  constructor(padding: Sides2d, value: number) {
    super('ConstantPad2d', 2, padding, 'constant', value);
  }
}

/**
 * Adds a border of one value to `[N,C,D,H,W]` (PyTorch: `nn.ConstantPad3d`).
 *
 * @param padding one number for all sides, or [left, right, top, bottom, front, back]
 * @param value what is added
 * @throws TensorError `value` for a padding of another form
 *
 * @example
 * ```ts
 * import { nn, ones } from 'chainrule';
 * console.log(new nn.ConstantPad3d(1, 7).forward(ones([1, 2, 4, 4, 4])).shape); // [1, 2, 6, 6, 6]
 * ```
 */
export class ConstantPad3d extends Pad<Sides3d> {
  constructor(padding: Sides3d, value: number) {
    super('ConstantPad3d', 3, padding, 'constant', value);
  }
}

/**
 * Adds a border of zeros to `[N,C,L]` (PyTorch 2: `nn.ZeroPad1d`).
 *
 * @param padding one number for all sides, or [left, right]
 * @throws TensorError `value` for a padding of another form
 *
 * @example
 * ```ts
 * import { nn, ones } from 'chainrule';
 * console.log(new nn.ZeroPad1d(1).forward(ones([1, 2, 4])).shape); // [1, 2, 6]
 * ```
 */
export class ZeroPad1d extends Pad<Sides1d> {
  constructor(padding: Sides1d) {
    super('ZeroPad1d', 1, padding, 'constant');
  }
}

/**
 * Adds a border of zeros to `[N,C,H,W]` (PyTorch: `nn.ZeroPad2d`).
 *
 * @param padding one number for all sides, or [left, right, top, bottom]
 * @throws TensorError `value` for a padding of another form
 *
 * @example
 * ```ts
 * import { nn, ones } from 'chainrule';
 * console.log(new nn.ZeroPad2d(1).forward(ones([1, 2, 4, 4])).shape); // [1, 2, 6, 6]
 * ```
 */
export class ZeroPad2d extends Pad<Sides2d> {
  constructor(padding: Sides2d) {
    super('ZeroPad2d', 2, padding, 'constant');
  }
}

/**
 * Adds a border of zeros to `[N,C,D,H,W]` (PyTorch 2: `nn.ZeroPad3d`).
 *
 * @param padding one number for all sides, or [left, right, top, bottom, front, back]
 * @throws TensorError `value` for a padding of another form
 *
 * @example
 * ```ts
 * import { nn, ones } from 'chainrule';
 * console.log(new nn.ZeroPad3d(1).forward(ones([1, 2, 4, 4, 4])).shape); // [1, 2, 6, 6, 6]
 * ```
 */
export class ZeroPad3d extends Pad<Sides3d> {
  constructor(padding: Sides3d) {
    super('ZeroPad3d', 3, padding, 'constant');
  }
}

/**
 * Adds a border that mirrors `[N,C,L]` at its outermost elements (PyTorch: `nn.ReflectionPad1d`).
 *
 * @param padding one number for all sides, or [left, right]
 * @throws TensorError `value` for a padding of another form
 *
 * @example
 * ```ts
 * import { nn, ones } from 'chainrule';
 * console.log(new nn.ReflectionPad1d(1).forward(ones([1, 2, 4])).shape); // [1, 2, 6]
 * ```
 */
export class ReflectionPad1d extends Pad<Sides1d> {
  constructor(padding: Sides1d) {
    super('ReflectionPad1d', 1, padding, 'reflect');
  }
}

/**
 * Adds a border that mirrors `[N,C,H,W]` at its outermost elements (PyTorch: `nn.ReflectionPad2d`).
 *
 * @param padding one number for all sides, or [left, right, top, bottom]
 * @throws TensorError `value` for a padding of another form
 *
 * @example
 * ```ts
 * import { nn, ones } from 'chainrule';
 * console.log(new nn.ReflectionPad2d(1).forward(ones([1, 2, 4, 4])).shape); // [1, 2, 6, 6]
 * ```
 */
export class ReflectionPad2d extends Pad<Sides2d> {
  constructor(padding: Sides2d) {
    super('ReflectionPad2d', 2, padding, 'reflect');
  }
}

/**
 * Adds a border that mirrors `[N,C,D,H,W]` at its outermost elements (PyTorch: `nn.ReflectionPad3d`).
 *
 * @param padding one number for all sides, or [left, right, top, bottom, front, back]
 * @throws TensorError `value` for a padding of another form
 *
 * @example
 * ```ts
 * import { nn, ones } from 'chainrule';
 * console.log(new nn.ReflectionPad3d(1).forward(ones([1, 2, 4, 4, 4])).shape); // [1, 2, 6, 6, 6]
 * ```
 */
export class ReflectionPad3d extends Pad<Sides3d> {
  constructor(padding: Sides3d) {
    super('ReflectionPad3d', 3, padding, 'reflect');
  }
}

/**
 * Adds a border that repeats the outermost elements of `[N,C,L]` (PyTorch: `nn.ReplicationPad1d`).
 *
 * @param padding one number for all sides, or [left, right]
 * @throws TensorError `value` for a padding of another form
 *
 * @example
 * ```ts
 * import { nn, ones } from 'chainrule';
 * console.log(new nn.ReplicationPad1d(1).forward(ones([1, 2, 4])).shape); // [1, 2, 6]
 * ```
 */
export class ReplicationPad1d extends Pad<Sides1d> {
  constructor(padding: Sides1d) {
    super('ReplicationPad1d', 1, padding, 'replicate');
  }
}

/**
 * Adds a border that repeats the outermost elements of `[N,C,H,W]` (PyTorch: `nn.ReplicationPad2d`).
 *
 * @param padding one number for all sides, or [left, right, top, bottom]
 * @throws TensorError `value` for a padding of another form
 *
 * @example
 * ```ts
 * import { nn, ones } from 'chainrule';
 * console.log(new nn.ReplicationPad2d(1).forward(ones([1, 2, 4, 4])).shape); // [1, 2, 6, 6]
 * ```
 */
export class ReplicationPad2d extends Pad<Sides2d> {
  constructor(padding: Sides2d) {
    super('ReplicationPad2d', 2, padding, 'replicate');
  }
}

/**
 * Adds a border that repeats the outermost elements of `[N,C,D,H,W]` (PyTorch: `nn.ReplicationPad3d`).
 *
 * @param padding one number for all sides, or [left, right, top, bottom, front, back]
 * @throws TensorError `value` for a padding of another form
 *
 * @example
 * ```ts
 * import { nn, ones } from 'chainrule';
 * console.log(new nn.ReplicationPad3d(1).forward(ones([1, 2, 4, 4, 4])).shape); // [1, 2, 6, 6, 6]
 * ```
 */
export class ReplicationPad3d extends Pad<Sides3d> {
  constructor(padding: Sides3d) {
    super('ReplicationPad3d', 3, padding, 'replicate');
  }
}
