// Random numbers for the drawn digits: integer arithmetic only, so every machine draws the same images.

/**
 * xoshiro128** with its state filled by splitmix32 from a seed of up to 53 bits.
 *
 * Source: Blackman and Vigna, "Scrambled linear pseudorandom number generators", 2021.
 */
export class DigitRandom {
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  constructor(seed: number) {
    // The steps below are one-to-one in (low, high), so different seeds always start from different states.
    const low = seed >>> 0;
    const high = Math.floor(seed / 0x100000000) >>> 0;
    this.#a = mix(low + 0x9e3779b9);
    this.#b = mix(high + 0x3c6ef372);
    this.#c = mix(this.#a ^ this.#b ^ 0xdaa66d2b);
    this.#d = mix(this.#c + 0x78dde6e4);
    // Sixteen steps spread the seed over all four words before the first number is used.
    for (let i = 0; i < 16; i++) this.word();
  }

  /** The next 32 bits. */
  word(): number {
    const x = Math.imul(this.#b, 5);
    const result = Math.imul((x << 7) | (x >>> 25), 9) >>> 0;
    const t = this.#b << 9;
    this.#c ^= this.#a;
    this.#d ^= this.#b;
    this.#b ^= this.#c;
    this.#a ^= this.#d;
    this.#c ^= t;
    this.#d = (this.#d << 11) | (this.#d >>> 21);
    return result;
  }

  /** A number in [low, high). */
  uniform(low: number, high: number): number {
    return low + (this.word() / 0x100000000) * (high - low);
  }

  /** An integer in [0, n) for n far below 2^32; the bias of n / 2^32 is of no weight here. */
  integer(n: number): number {
    return Math.floor((this.word() / 0x100000000) * n);
  }

  /** Nearly normal with mean 0 and deviation 1, never beyond 3.5: four 16-bit uniforms summed, no logarithm. */
  normal(): number {
    const p = this.word();
    const q = this.word();
    const sum = (p & 0xffff) + (p >>> 16) + (q & 0xffff) + (q >>> 16);
    return (sum / 0x10000 - 2) * 1.7320508075688772;
  }
}

function mix(x: number): number {
  let z = x | 0;
  z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
  z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
  return (z ^ (z >>> 15)) | 0;
}
