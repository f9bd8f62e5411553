// Number formats that exist in files only, whole arrays at a time: float16, bfloat16, float8, integers of other widths.
import { TensorError } from '../errors.js';

// Floats are converted as bit patterns: passing a NaN through a JavaScript number may lose its payload.

function checkRoom(op: string, count: number, room: number): void {
  if (room !== count) {
    throw new TensorError('shape', op, `expected a target of ${count} elements, got ${room}`);
  }
}

function bitsOf(values: Float32Array): Uint32Array {
  return new Uint32Array(values.buffer, values.byteOffset, values.length);
}

/** Bits of the float32 equal to a float16; every float16 has one. */
function widenFloat16(half: number): number {
  const sign = (half & 0x8000) << 16;
  const exponent = (half >>> 10) & 0x1f;
  const mantissa = half & 0x3ff;
  if (exponent === 0x1f) return sign | 0x7f800000 | (mantissa << 13);
  if (exponent !== 0) return sign | ((exponent + 112) << 23) | (mantissa << 13);
  if (mantissa === 0) return sign;
  // A denormal float16 is a normal float32: shift the leading 1 to the place where it is implied.
  const shift = Math.clz32(mantissa) - 21;
  return sign | ((113 - shift) << 23) | (((mantissa << shift) & 0x3ff) << 13);
}

/** Bits of the float16 nearest to a float32, ties to even. */
function narrowToFloat16(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) {
    // A NaN keeps the payload bits that fit; with none left it would read as infinity, so it becomes the quiet NaN.
    return sign | 0x7c00 | ((magnitude >>> 13) & 0x3ff || 0x200);
  }
  // 65520 is half way between the largest float16, 65504, and the next power of two.
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  if (magnitude >= 0x38800000) {
    const rebiased = magnitude - (112 << 23);
    return sign | ((rebiased + 0xfff + ((rebiased >>> 13) & 1)) >>> 13);
  }
  // Below 2^-25 everything rounds to zero; 2^-25 itself is the tie with the smallest denormal, 2^-24.
  if (magnitude < 0x33000000) return sign;
  const mantissa = (magnitude & 0x7fffff) | 0x800000;
  const shift = 126 - (magnitude >>> 23);
  return sign | ((mantissa + (1 << (shift - 1)) - 1 + ((mantissa >>> shift) & 1)) >>> shift);
}

/** Bits of the bfloat16 nearest to a float32, ties to even. */
function narrowToBfloat16(bits: number): number {
  if ((bits & 0x7fffffff) > 0x7f800000) {
    const top = bits >>> 16;
    return top & 0x7f ? top : top | 0x40;
  }
  return (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
}

/**
 * Widens float16 bit patterns (IEEE 754 binary16) to float32; every value is exact, NaN payloads included.
 *
 * Fills and returns `target`, a new array unless given; throws a TensorError 'shape' if its length differs.
 *
 * @example
 * ```ts
 * float16ToFloat32(Uint16Array.of(0x3c00, 0x0001)); // Float32Array [1, 5.960464477539063e-8]
 * ```
 */
export function float16ToFloat32(
  source: Uint16Array,
  target: Float32Array = new Float32Array(source.length),
): Float32Array {
  checkRoom('float16ToFloat32', source.length, target.length);
  const bits = bitsOf(target);
  for (let i = 0; i < source.length; i++) bits[i] = widenFloat16(source[i]);
  return target;
}

/**
 * Rounds float32 to float16 bit patterns (IEEE 754 binary16), nearest with ties to even, as PyTorch's `x.half()` does.
 *
 * From 65520 on a value becomes infinity; up to 2^-25 it becomes zero. Float16 patterns that were widened come back
 * unchanged. Fills and returns `target`, a new array unless given; throws a TensorError 'shape' if its length differs.
 *
 * @example
 * ```ts
 * float32ToFloat16(Float32Array.of(1, 65520)); // Uint16Array [0x3c00, 0x7c00]
 * ```
 */
export function float32ToFloat16(
  source: Float32Array,
  target: Uint16Array = new Uint16Array(source.length),
): Uint16Array {
  checkRoom('float32ToFloat16', source.length, target.length);
  const bits = bitsOf(source);
  for (let i = 0; i < bits.length; i++) target[i] = narrowToFloat16(bits[i]);
  return target;
}

/**
 * Widens bfloat16 bit patterns, the upper halves of float32, to float32; every value is exact, NaN payloads included.
 *
 * Fills and returns `target`, a new array unless given; throws a TensorError 'shape' if its length differs.
 *
 * @example
 * ```ts
 * bfloat16ToFloat32(Uint16Array.of(0x3f80, 0x4049)); // Float32Array [1, 3.140625]
 * ```
 */
export function bfloat16ToFloat32(
  source: Uint16Array,
  target: Float32Array = new Float32Array(source.length),
): Float32Array {
  checkRoom('bfloat16ToFloat32', source.length, target.length);
  const bits = bitsOf(target);
  for (let i = 0; i < source.length; i++) bits[i] = source[i] << 16;
  return target;
}

/**
 * Rounds float32 to bfloat16 bit patterns, nearest with ties to even, as PyTorch's `x.bfloat16()` does.
 *
 * Fills and returns `target`, a new array unless given; throws a TensorError 'shape' if its length differs.
 *
 * @example
 * ```ts
 * float32ToBfloat16(Float32Array.of(Math.PI)); // Uint16Array [0x4049]
 * ```
 */
export function float32ToBfloat16(
  source: Float32Array,
  target: Uint16Array = new Uint16Array(source.length),
): Uint16Array {
  checkRoom('float32ToBfloat16', source.length, target.length);
  const bits = bitsOf(source);
  for (let i = 0; i < bits.length; i++) target[i] = narrowToBfloat16(bits[i]);
  return target;
}

/**
 * Widens float8 E5M2 bit patterns (2 mantissa bits, infinities, as PyTorch's `float8_e5m2`) to float32, exactly.
 *
 * Fills and returns `target`, a new array unless given; throws a TensorError 'shape' if its length differs.
 * Source: Micikevicius et al., FP8 Formats for Deep Learning, 2022.
 *
 * @example
 * ```ts
 * float8E5M2ToFloat32(Uint8Array.of(0x3c, 0x7b)); // Float32Array [1, 57344]
 * ```
 */
export function float8E5M2ToFloat32(
  source: Uint8Array,
  target: Float32Array = new Float32Array(source.length),
): Float32Array {
  checkRoom('float8E5M2ToFloat32', source.length, target.length);
  const bits = bitsOf(target);
  // E5M2 is a float16 without its lower byte.
  for (let i = 0; i < source.length; i++) bits[i] = widenFloat16(source[i] << 8);
  return target;
}

/**
 * Widens float8 E4M3 bit patterns (3 mantissa bits, no infinities, as PyTorch's `float8_e4m3fn`) to float32, exactly.
 *
 * Fills and returns `target`, a new array unless given; throws a TensorError 'shape' if its length differs.
 * Source: Micikevicius et al., FP8 Formats for Deep Learning, 2022.
 *
 * @example
 * ```ts
 * float8E4M3ToFloat32(Uint8Array.of(0x38, 0x7e)); // Float32Array [1, 448]
 * ```
 */
export function float8E4M3ToFloat32(
  source: Uint8Array,
  target: Float32Array = new Float32Array(source.length),
): Float32Array {
  checkRoom('float8E4M3ToFloat32', source.length, target.length);
  for (let i = 0; i < source.length; i++) {
    const sign = source[i] & 0x80 ? -1 : 1;
    const exponent = (source[i] >>> 3) & 0xf;
    const mantissa = source[i] & 7;
    if (exponent === 0xf && mantissa === 7) target[i] = Number.NaN;
    else if (exponent === 0) target[i] = sign * mantissa * 2 ** -9;
    else target[i] = sign * (8 + mantissa) * 2 ** (exponent - 10);
  }
  return target;
}

type Integers = Int8Array | Uint8Array | Int16Array | Uint16Array | Int32Array | Uint32Array;

/**
 * Copies integers between widths of up to 32 bits and returns the index of the first that does not fit, or -1.
 *
 * Elements from that index on are not to be used. Throws a TensorError 'shape' if the lengths differ.
 *
 * @example
 * ```ts
 * copyIntegers(Uint32Array.of(7, 2 ** 31), new Int32Array(2)); // 1
 * ```
 */
export function copyIntegers(source: Integers, target: Integers): number {
  checkRoom('copyIntegers', source.length, target.length);
  // Typed arrays wrap around, so an element fits if it comes out as it went in.
  target.set(source);
  for (let i = 0; i < source.length; i++) if (source[i] !== target[i]) return i;
  return -1;
}

/**
 * Copies 64-bit integers to int32 and returns the index of the first that does not fit, or -1.
 *
 * Elements from that index on are not to be used. Throws a TensorError 'shape' if the lengths differ.
 *
 * @example
 * ```ts
 * int64ToInt32(BigInt64Array.of(-5n, 3000000000n), new Int32Array(2)); // 1
 * ```
 */
export function int64ToInt32(source: BigInt64Array | BigUint64Array, target: Int32Array): number {
  checkRoom('int64ToInt32', source.length, target.length);
  const signed = source instanceof BigInt64Array;
  // Pairs of words, lower first: reading BigInts would allocate one an element.
  const words = new Int32Array(source.buffer, source.byteOffset, 2 * source.length);
  for (let i = 0; i < target.length; i++) {
    const low = words[2 * i];
    if (words[2 * i + 1] !== low >> 31 || (low < 0 && !signed)) return i;
    target[i] = low;
  }
  return -1;
}

/**
 * Copies int32 to 64-bit integers and returns the index of the first that does not fit (unsigned only), or -1.
 *
 * Elements from that index on are not to be used. Throws a TensorError 'shape' if the lengths differ.
 *
 * @example
 * ```ts
 * int32ToInt64(Int32Array.of(3, -1), new BigUint64Array(2)); // 1
 * ```
 */
export function int32ToInt64(source: Int32Array, target: BigInt64Array | BigUint64Array): number {
  checkRoom('int32ToInt64', source.length, target.length);
  const signed = target instanceof BigInt64Array;
  const words = new Int32Array(target.buffer, target.byteOffset, 2 * target.length);
  for (let i = 0; i < source.length; i++) {
    if (source[i] < 0 && !signed) return i;
    words[2 * i] = source[i];
    words[2 * i + 1] = source[i] >> 31;
  }
  return -1;
}
