// Is a result the reference's? The rule of test/reference/README.md.
import type { Tensor } from 'chainrule';
import { type NumberJson, type Precision, type TensorJson, type Tolerance, toNumber } from './cases.js';

/** Where float32 rounds to infinity. */
const FLOAT32_INFINITE = 3.4028235677973366e38;

const KINDS: Record<TensorJson['dtype'], (precision: Precision) => string> = {
  float64: (precision) => precision,
  int64: () => 'int32',
  bool: () => 'bool',
};

export interface Difference {
  message: string;
  /** The largest |got - want| met, NaN where kinds differ. */
  error: number;
}

/** Null where `got` agrees with `want`. */
export function compare(got: Tensor, want: TensorJson, precision: Precision, tolerance: Tolerance): Difference | null {
  const dtype = KINDS[want.dtype](precision);
  const loose = want.dtype === 'int64' && got.dtype === 'uint8';
  if (got.dtype !== dtype && !loose) return { message: `dtype ${got.dtype}, want ${dtype}`, error: Number.NaN };
  if (got.shape.join() !== want.shape.join()) {
    return { message: `shape [${got.shape}], want [${want.shape}]`, error: Number.NaN };
  }
  const values = got.detach().contiguous().data;
  let worst = 0;
  let message = '';
  for (let i = 0; i < values.length; i++) {
    const error = difference(values[i], want.data[i], want.dtype === 'float64' ? precision : null, tolerance);
    if (error > worst || Number.isNaN(error)) {
      worst = error;
      message = `element ${i}: ${values[i]}, want ${want.data[i]}`;
      if (Number.isNaN(error)) break;
    }
  }
  return message === '' ? null : { message, error: worst };
}

/** 0 where the numbers agree, else how far apart they are. */
function difference(got: number, wantJson: NumberJson, precision: Precision | null, tolerance: Tolerance): number {
  let want = toNumber(wantJson);
  if (precision === null) return got === want ? 0 : Math.abs(got - want) || Number.NaN;
  if (precision === 'float32' && Math.abs(want) >= FLOAT32_INFINITE) want = Math.sign(want) * Number.POSITIVE_INFINITY;
  if (Number.isNaN(want) || Number.isNaN(got)) return Number.isNaN(want) && Number.isNaN(got) ? 0 : Number.NaN;
  if (!Number.isFinite(want) || !Number.isFinite(got)) return want === got ? 0 : Number.POSITIVE_INFINITY;
  const error = Math.abs(got - want);
  return error <= tolerance.atol + tolerance.rtol * Math.abs(want) ? 0 : error;
}
