// Number formats of files against their definitions: every pattern, every rounding boundary.
import { expect, test } from 'vitest';
import * as half from '../../lib/io/half.js';

const all16 = Uint16Array.from({ length: 65536 }, (_, i) => i);
const all8 = Uint8Array.from({ length: 256 }, (_, i) => i);
const bitsOf = (values: Float32Array) => new Uint32Array(values.buffer);
const fromBits = (bits: ArrayLike<number>) => new Float32Array(Uint32Array.from(bits).buffer);

/** The definition of a binary format, in float64: independent of the bit tricks under test. */
function define(pattern: number, exponentBits: number, mantissaBits: number, finite = false): number {
  const sign = pattern >>> (exponentBits + mantissaBits) ? -1 : 1;
  const exponent = (pattern >>> mantissaBits) & (2 ** exponentBits - 1);
  const mantissa = pattern & (2 ** mantissaBits - 1);
  const bias = 2 ** (exponentBits - 1) - 1;
  const top = exponent === 2 ** exponentBits - 1;
  if (top && finite && mantissa === 2 ** mantissaBits - 1) return Number.NaN;
  if (top && !finite) return mantissa === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  if (exponent === 0) return sign * mantissa * 2 ** (1 - bias - mantissaBits);
  return sign * (1 + mantissa / 2 ** mantissaBits) * 2 ** (exponent - bias);
}

/** Positions where two arrays differ, -0 and 0 counted as different. */
function differences(got: ArrayLike<number>, expected: (i: number) => number): number[] {
  return Array.from(got, (value, i) => (Object.is(value, expected(i)) ? -1 : i)).filter((i) => i >= 0);
}

test.each([
  ['float16', all16, half.float16ToFloat32(all16), (i: number) => define(i, 5, 10)],
  ['bfloat16', all16, half.bfloat16ToFloat32(all16), (i: number) => define(i, 8, 7)],
  ['float8 E5M2', all8, half.float8E5M2ToFloat32(all8), (i: number) => define(i, 5, 2)],
  ['float8 E4M3', all8, half.float8E4M3ToFloat32(all8), (i: number) => define(i, 4, 3, true)],
])('every %s pattern widens to its value', (_name, patterns, wide, value) => {
  expect(wide.length).toBe(patterns.length);
  expect(differences(wide, value)).toEqual([]);
});

test.each([
  ['float16', half.float16ToFloat32, half.float32ToFloat16],
  ['bfloat16', half.bfloat16ToFloat32, half.float32ToBfloat16],
])('every %s pattern survives the way there and back, NaN payloads included', (_name, widen, round) => {
  expect(differences(round(widen(all16)), (i) => i)).toEqual([]);
});

test.each([
  ['float16', half.float16ToFloat32, half.float32ToFloat16, 0x7c00],
  ['bfloat16', half.bfloat16ToFloat32, half.float32ToBfloat16, 0x7f80],
])('%s rounds to nearest, ties to even, between all neighbours up to infinity', (_name, widen, round, infinity) => {
  const lower = all16.subarray(0, infinity);
  const values = widen(all16);
  // The largest finite value and infinity meet where the next power of two would be.
  const above = (i: number) => (i + 1 === infinity ? 2 * values[i] - values[i - 1] : values[i + 1]);
  const middle = Float32Array.from(lower, (_, i) => values[i] / 2 + above(i) / 2);
  const shifted = (by: number) => fromBits(bitsOf(middle).map((bits) => bits + by));
  for (const sign of [0, 0x8000]) {
    const signed = (source: Float32Array) => fromBits(bitsOf(source).map((bits) => bits + sign * 0x10000));
    expect(differences(round(signed(middle)), (i) => sign + i + (i & 1))).toEqual([]);
    expect(differences(round(signed(shifted(-1))), (i) => sign + i)).toEqual([]);
    expect(differences(round(signed(shifted(1))), (i) => sign + i + 1)).toEqual([]);
  }
});

test('values beyond a format become infinity, values below it zero, and every NaN stays one', () => {
  const values = Float32Array.of(65519.99, 65520, -1e30, 2 ** -25, 1e-40, -(2 ** -25), Number.NEGATIVE_INFINITY);
  expect([...half.float32ToFloat16(values)]).toEqual([0x7bff, 0x7c00, 0xfc00, 0, 0, 0x8000, 0xfc00]);
  expect([...half.float32ToBfloat16(fromBits([0x7f7fffff, 0x00000001, 0x80008000]))]).toEqual([0x7f80, 0, 0x8000]);
  // Payloads only in bits that are cut off, up to the one whose rounding would carry into the sign.
  const nans = fromBits([0x7f800001, 0xff800001, 0x7fffffff, 0xffffffff, 0x7fc00000]);
  expect([...half.float32ToFloat16(nans)]).toEqual([0x7e00, 0xfe00, 0x7fff, 0xffff, 0x7e00]);
  expect([...half.float32ToBfloat16(nans)]).toEqual([0x7fc0, 0xffc0, 0x7fff, 0xffff, 0x7fc0]);
});

test('known values: one, a third, pi, the largest of each', () => {
  expect([...half.float32ToFloat16(Float32Array.of(1, 1 / 3, Math.PI, 65504))]).toEqual([
    0x3c00, 0x3555, 0x4248, 0x7bff,
  ]);
  expect([...half.float32ToBfloat16(Float32Array.of(1, 1 / 3, Math.PI))]).toEqual([0x3f80, 0x3eab, 0x4049]);
  expect([...half.float8E4M3ToFloat32(Uint8Array.of(0x38, 0x7e, 0x01))]).toEqual([1, 448, 2 ** -9]);
  expect([...half.float8E5M2ToFloat32(Uint8Array.of(0x3c, 0x7b, 0x01))]).toEqual([1, 57344, 2 ** -16]);
});

test('targets are filled in place, sub-arrays only where they reach, and must have the length of the source', () => {
  const target = new Float32Array(4).fill(9);
  const view = target.subarray(1, 3);
  expect(half.float16ToFloat32(Uint16Array.of(0x3c00, 0xc000), view)).toBe(view);
  expect([...target]).toEqual([9, 1, -2, 9]);
  expect(half.float32ToFloat16(new Float32Array(0))).toEqual(new Uint16Array(0));
  for (const convert of [half.float16ToFloat32, half.bfloat16ToFloat32]) {
    expect(() => convert(new Uint16Array(2), target)).toThrow(/expected a target of 2 elements, got 4/);
  }
});

test('64-bit integers fit int32 exactly between its ends', () => {
  const edge = [0n, -1n, 2n ** 31n - 1n, -(2n ** 31n)];
  const target = new Int32Array(4);
  expect(half.int64ToInt32(BigInt64Array.from(edge), target)).toBe(-1);
  expect([...target]).toEqual(edge.map(Number));
  const back = new BigInt64Array(4);
  expect(half.int32ToInt64(target, back)).toBe(-1);
  expect([...back]).toEqual(edge);
  for (const value of [2n ** 31n, -(2n ** 31n) - 1n, 2n ** 32n, 2n ** 63n - 1n, -(2n ** 63n)]) {
    expect(half.int64ToInt32(BigInt64Array.of(1n, value), new Int32Array(2))).toBe(1);
  }
  for (const value of [2n ** 31n, 2n ** 32n, 2n ** 64n - 1n]) {
    expect(half.int64ToInt32(BigUint64Array.of(1n, 2n ** 31n - 1n, value), new Int32Array(3))).toBe(2);
  }
  expect(half.int32ToInt64(Int32Array.of(0, -1), new BigUint64Array(2))).toBe(1);
});

test('narrower integers report the first that does not fit', () => {
  const target = new Int32Array(3);
  expect(half.copyIntegers(Int8Array.of(-128, 0, 127), target)).toBe(-1);
  expect([...target]).toEqual([-128, 0, 127]);
  expect(half.copyIntegers(target, new Int8Array(3))).toBe(-1);
  expect(half.copyIntegers(target, new Uint16Array(3))).toBe(0);
  expect(half.copyIntegers(Uint32Array.of(2 ** 31 - 1, 2 ** 31), new Int32Array(2))).toBe(1);
  expect(half.copyIntegers(Int32Array.of(1, -1), new Uint32Array(2))).toBe(1);
});
