// Text as numbers: tokenizers of characters and bytes, and sequences for predicting the next token.
import { builtin } from '../builtin.js';
import { checkInteger } from '../core/shape.js';
import { fromTypedArray } from '../create.js';
import { checkOptions, describe, TensorError } from '../errors.js';
import { checkPath, ioError, writeAtomically } from '../io/atomic.js';
import { Tensor } from '../tensor.js';
import { checkPlace, type Dataset } from './dataset.js';
import { ofLibrary } from './portable.js';

/** Text to token numbers and back. */
export interface Tokenizer {
  /** Number of different tokens. */
  readonly size: number;
  encode(text: string): Tensor;
  decode(tokens: Tensor | ArrayLike<number>): string;
}

function checkText(op: string, text: unknown): string {
  if (typeof text === 'string') return text;
  throw new TensorError('value', op, `expected a text, got ${describe(text)}`);
}

/** Token numbers as an array, each from 0 to below `size`. */
function tokensOf(op: string, tokens: Tensor | ArrayLike<number>, size: number): ArrayLike<number> {
  let list = tokens as ArrayLike<number>;
  if (tokens instanceof Tensor) {
    if (tokens.ndim !== 1) throw new TensorError('shape', op, `expected tokens [N], got ${describe(tokens)}`);
    list = tokens.toArray() as number[];
  } else if (tokens === null || typeof tokens !== 'object' || !Number.isInteger(tokens.length)) {
    throw new TensorError('value', op, `expected token numbers, got ${describe(tokens)}`);
  }
  for (let i = 0; i < list.length; i++) {
    if (!Number.isInteger(list[i]) || list[i] < 0 || list[i] >= size) {
      throw new TensorError('index', op, `expected tokens from 0 to ${size - 1}, got ${describe(list[i])} at ${i}`);
    }
  }
  return list;
}

/** Options of {@link CharTokenizer}. */
export interface CharTokenizerOptions {
  /** What stands for characters outside the vocabulary, its last token; without it they are an error. */
  unknown?: string;
}

/**
 * One token a character (a Unicode code point): its place in the vocabulary.
 *
 * @param vocabulary the characters, each once; see {@link CharTokenizer.from} for those of a text
 * @param options `unknown`: the text that decoding gives for characters outside the vocabulary
 * @throws TensorError `value` for a vocabulary that repeats a character or holds more than single characters
 *
 * @example
 * ```ts
 * import { data } from 'chainrule';
 * const tokenizer = data.CharTokenizer.from('hello');
 * console.log(tokenizer.encode('hole').toArray(), tokenizer.decode([1, 0])); // [1, 3, 2, 0] he
 * ```
 */
export class CharTokenizer implements Tokenizer {
  readonly vocabulary: readonly string[];
  readonly size: number;
  private readonly numbers = new Map<string, number>();
  private readonly unknown: string | undefined;

  constructor(vocabulary: readonly string[], options?: CharTokenizerOptions) {
    const op = 'CharTokenizer';
    checkOptions(op, options, ['unknown']);
    if (!Array.isArray(vocabulary)) {
      throw new TensorError('value', op, `expected a list of characters, got ${describe(vocabulary)}`);
    }
    for (const character of vocabulary) {
      const points = typeof character === 'string' ? [...character].length : 0;
      if (points !== 1 || this.numbers.has(character)) {
        throw new TensorError('value', op, `expected single characters, each once, got ${describe(character)}`);
      }
      this.numbers.set(character, this.numbers.size);
    }
    this.vocabulary = [...vocabulary];
    this.unknown = options?.unknown === undefined ? undefined : checkText(op, options.unknown);
    this.size = vocabulary.length + Number(this.unknown !== undefined);
  }

  /** The tokenizer of all characters of a text, in the order of their code points. */
  static from(text: string, options?: CharTokenizerOptions): CharTokenizer {
    const characters = [...new Set(checkText('CharTokenizer', text))];
    // The order of code points: JavaScript's own order of texts differs beyond U+FFFF.
    characters.sort((a, b) => (a.codePointAt(0) as number) - (b.codePointAt(0) as number));
    return new CharTokenizer(characters, options);
  }

  /** Reads a vocabulary that {@link CharTokenizer.save} wrote. */
  static async load(path: string): Promise<CharTokenizer> {
    const op = 'CharTokenizer.load';
    checkPath(op, path);
    let text: string;
    try {
      text = await builtin.files.readFile(path, 'utf8');
    } catch (error) {
      throw ioError(op, 'read', path, error);
    }
    let content: { kind?: unknown; vocabulary?: unknown; unknown?: unknown };
    try {
      content = JSON.parse(text);
    } catch (cause) {
      const got = cause instanceof Error ? cause.message : 'other text';
      throw new TensorError('format', op, `expected the JSON of a vocabulary in '${path}', got ${got}`, { cause });
    }
    const { kind, vocabulary, unknown } = content ?? {};
    if (kind !== 'characters' || !Array.isArray(vocabulary) || (unknown !== undefined && typeof unknown !== 'string')) {
      throw new TensorError('format', op, `expected a vocabulary of characters in '${path}', got other JSON`);
    }
    try {
      return new CharTokenizer(vocabulary, unknown === undefined ? undefined : { unknown });
    } catch (cause) {
      const got = (cause as Error).message;
      throw new TensorError('format', op, `expected single characters, each once, in '${path}', got ${got}`, { cause });
    }
  }

  /** Writes the vocabulary to a JSON file, whole or not at all. */
  async save(path: string): Promise<void> {
    const content = { kind: 'characters', vocabulary: this.vocabulary, unknown: this.unknown };
    await writeAtomically(path, (file) => file.writeFile(`${JSON.stringify(content)}\n`), 'CharTokenizer.save');
  }

  /** Token numbers, int32 [N]. */
  encode(text: string): Tensor {
    const op = 'CharTokenizer.encode';
    checkText(op, text);
    const tokens = new Int32Array(text.length);
    let n = 0;
    for (const character of text) {
      const number = this.numbers.get(character) ?? (this.unknown === undefined ? undefined : this.vocabulary.length);
      if (number === undefined) {
        const remedy = 'give the tokenizer an unknown to stand for it';
        const message = `expected characters of the vocabulary, got ${describe(character)} at ${n}; ${remedy}`;
        throw new TensorError('value', op, message);
      }
      tokens[n++] = number;
    }
    return fromTypedArray(tokens.slice(0, n));
  }

  decode(tokens: Tensor | ArrayLike<number>): string {
    const list = tokensOf('CharTokenizer.decode', tokens, this.size);
    return Array.from(list, (token) => this.vocabulary[token] ?? this.unknown).join('');
  }
}

/**
 * One token a byte of UTF-8: 256 of them, and every text has some.
 *
 * @example
 * ```ts
 * import { data } from 'chainrule';
 * const tokenizer = new data.ByteTokenizer();
 * console.log(tokenizer.encode('né').toArray(), tokenizer.decode([110, 195, 169])); // [110, 195, 169] né
 * ```
 */
export class ByteTokenizer implements Tokenizer {
  readonly size = 256;

  /** Token numbers, int32 [N]; half a surrogate pair becomes U+FFFD, as no UTF-8 holds it. */
  encode(text: string): Tensor {
    return fromTypedArray(Int32Array.from(Buffer.from(checkText('ByteTokenizer.encode', text))));
  }

  /** The text; bytes that are no UTF-8 become U+FFFD. */
  decode(tokens: Tensor | ArrayLike<number>): string {
    // A leading U+FEFF belongs to the text: Buffer keeps it, TextDecoder would not.
    return Buffer.from(Uint8Array.from(tokensOf('ByteTokenizer.decode', tokens, this.size))).toString('utf8');
  }
}

/** Options of {@link SequenceDataset}. */
export interface SequenceOptions {
  /** Tokens from one sample's beginning to the next; 1 unless given, the length for samples that share none. */
  stride?: number;
}

/**
 * Stretches of a token sequence and the same moved on by one, for predicting the next token: a batch is `[x, y]`, int32 [N, L].
 *
 * @param tokens int32 or uint8 [T]
 * @param length L, tokens in a sample
 * @param options `stride`: 1 unless given
 * @throws TensorError `shape` for tokens that are not a row, or too few, `dtype` unless they are integers
 *
 * @example
 * ```ts
 * import { data } from 'chainrule';
 * const tokens = new data.ByteTokenizer().encode('abcdef');
 * const set = new data.SequenceDataset(tokens, 3, { stride: 2 });
 * for (const [x, y] of new data.DataLoader(set)) console.log(x.toArray(), y.toArray()); // [[97, 98, 99]] [[98, 99, 100]], [[99, 100, 101]] [[100, 101, 102]]
 * ```
 */
export class SequenceDataset implements Dataset<readonly [x: Tensor, y: Tensor], readonly [x: Tensor, y: Tensor]> {
  readonly length: number;
  private readonly tokens: Int32Array;
  private readonly stride: number;

  constructor(
    tokens: Tensor,
    readonly sequenceLength: number,
    options?: SequenceOptions,
  ) {
    const op = 'SequenceDataset';
    checkOptions(op, options, ['stride']);
    if (!(tokens instanceof Tensor)) throw new TensorError('value', op, `expected a tensor, got ${describe(tokens)}`);
    checkInteger(op, 'the length', sequenceLength, 1);
    this.stride = checkInteger(op, 'stride', options?.stride ?? 1, 1);
    if (tokens.ndim !== 1 || tokens.shape[0] <= sequenceLength) {
      throw new TensorError('shape', op, `expected more than ${sequenceLength} tokens [T], got ${describe(tokens)}`);
    }
    if (tokens.dtype !== 'int32' && tokens.dtype !== 'uint8') {
      throw new TensorError('dtype', op, `expected int32 or uint8 tokens, got ${tokens.dtype}`);
    }
    this.tokens = Int32Array.from(tokens.contiguous().typed());
    this.length = Math.floor((this.tokens.length - sequenceLength - 1) / this.stride) + 1;
    if (new.target === SequenceDataset) ofLibrary(this, 'SequenceDataset', tokens, sequenceLength, options);
  }

  get(i: number): readonly [x: Tensor, y: Tensor] {
    const [x, y] = this.batch(Int32Array.of(checkPlace('SequenceDataset', i, this.length)));
    return [x.squeeze(0), y.squeeze(0)];
  }

  batch(indices: Int32Array): readonly [x: Tensor, y: Tensor] {
    const stretches = (shift: number) => {
      const rows = new Int32Array(indices.length * this.sequenceLength);
      for (const [n, i] of indices.entries()) {
        const begin = checkPlace('SequenceDataset', i, this.length) * this.stride + shift;
        rows.set(this.tokens.subarray(begin, begin + this.sequenceLength), n * this.sequenceLength);
      }
      return fromTypedArray(rows, [indices.length, this.sequenceLength]);
    };
    return [stretches(0), stretches(1)];
  }
}
