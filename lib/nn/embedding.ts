// Embedding and EmbeddingBag: tables of vectors that are looked up by number.

import { tensor } from '../create.js';
import { checkOptions, describe, TensorError } from '../errors.js';
import { embedding, type EmbeddingOptions as LookupOptions } from '../ops/index/embedding.js';
import { type EmbeddingBagOptions as BagLookupOptions, embeddingBag } from '../ops/index/embedding-bag.js';
import { indexFill } from '../ops/index/index-write.js';
import { Tensor } from '../tensor.js';
import { checkBoolean, checkSize, formatOptions, type ParameterOptions } from './check.js';
import { normal } from './init.js';
import { Module } from './module.js';
import { Parameter, parameter } from './parameter.js';

/** Options of {@link Embedding}. */
export interface EmbeddingOptions extends LookupOptions, Omit<ParameterOptions, 'bias'> {
  /** The table to begin with, whose memory is shared; normal numbers unless given, 0 in the padding row. */
  weight?: Tensor;
}

/** Options of {@link EmbeddingBag}. */
export interface EmbeddingBagOptions extends EmbeddingOptions, Pick<BagLookupOptions, 'mode' | 'includeLastOffset'> {}

/** Options of `fromPretrained`: those of the constructor, and whether the table stays as it is. */
export type Pretrained<O> = Omit<O, 'weight' | 'dtype' | 'generator'> & {
  /** Whether the table takes no gradient; true unless given. */
  freeze?: boolean;
};

const LOOKUP = ['paddingIdx', 'maxNorm', 'normType', 'scaleGradByFreq'] as const;
const BAG = [...LOOKUP, 'mode', 'includeLastOffset'] as const;

/** The table of a module, as its options say. */
function tableOf(op: string, rows: number, columns: number, options: EmbeddingOptions | undefined): Parameter {
  checkSize(op, 'the number of rows', rows);
  checkSize(op, 'the number of columns', columns);
  const given = options?.weight;
  if (given !== undefined) {
    if (!(given instanceof Tensor) || given.ndim !== 2 || given.shape[0] !== rows || given.shape[1] !== columns) {
      throw new TensorError('shape', op, `expected a table of shape [${rows}, ${columns}], got ${describe(given)}`);
    }
    return given instanceof Parameter ? given : new Parameter(given);
  }
  const padding = options?.paddingIdx;
  const weight = normal(parameter([rows, columns], options?.dtype), { generator: options?.generator });
  if (padding === undefined) return weight;
  const row = tensor([padding], { dtype: 'int32' });
  const values = indexFill(weight.detach(), 0, row, 0);
  weight.assign(values);
  for (const temporary of [row, values]) temporary.dispose();
  return weight;
}

/** Checks the padding row before anything is made of it. */
function checkPadding(op: string, rows: number, options: EmbeddingOptions | undefined): void {
  const padding = options?.paddingIdx;
  if (padding === undefined || (Number.isInteger(padding) && padding >= -rows && padding < rows)) return;
  throw new TensorError(
    'value',
    op,
    `expected paddingIdx to be a whole number between ${-rows} and ${rows - 1}, got ${describe(padding)}`,
  );
}

/** The options of a lookup among those of a module. */
function pick<O extends object, K extends keyof O>(options: O | undefined, names: readonly K[]): Pick<O, K> {
  return Object.fromEntries(
    names.filter((name) => options?.[name] !== undefined).map((name) => [name, options?.[name]]),
  ) as Pick<O, K>;
}

/** The table as a parameter, and the options of the constructor that go with it. */
function pretrained<O extends EmbeddingOptions>(
  op: string,
  embeddings: Tensor,
  options: Pretrained<O> | undefined,
  names: readonly string[],
): [rows: number, columns: number, options: O] {
  checkOptions(op, options, ['freeze', ...names]);
  const { freeze = true, ...rest } = options ?? ({} as Pretrained<O>);
  if (!(embeddings instanceof Tensor) || embeddings.ndim !== 2) {
    throw new TensorError('shape', op, `expected a table [rows, columns], got ${describe(embeddings)}`);
  }
  const weight = new Parameter(embeddings, { requiresGrad: !checkBoolean(op, 'freeze', freeze) });
  return [embeddings.shape[0], embeddings.shape[1], { ...rest, weight } as unknown as O];
}

/** What both tables say of themselves. */
abstract class Table<O extends EmbeddingOptions, Inputs extends unknown[]> extends Module<Inputs> {
  /** [rows, columns] */
  weight: Parameter;

  constructor(
    op: string,
    readonly numEmbeddings: number,
    readonly embeddingDim: number,
    protected readonly options: O | undefined,
    own: readonly string[],
  ) {
    super();
    checkOptions(op, options, [...own, 'weight', 'dtype', 'generator']);
    checkPadding(op, numEmbeddings, options);
    this.weight = tableOf(op, numEmbeddings, embeddingDim, options);
  }

  /** The row that takes no gradient, from 0 up; null for none. */
  get paddingIdx(): number | null {
    const padding = this.options?.paddingIdx;
    if (padding === undefined) return null;
    return padding < 0 ? padding + this.numEmbeddings : padding;
  }

  /** The longest a row may be as it is looked up; null for any length. */
  get maxNorm(): number | null {
    return this.options?.maxNorm ?? null;
  }

  /** The norm that `maxNorm` means. */
  get normType(): number {
    return this.options?.normType ?? 2;
  }

  /** Whether gradients are divided by how often a row was looked up. */
  get scaleGradByFreq(): boolean {
    return this.options?.scaleGradByFreq ?? false;
  }

  protected override summary(): string {
    const { numEmbeddings, embeddingDim, options } = this;
    const shown = formatOptions({ ...options, weight: undefined });
    return [numEmbeddings, embeddingDim, shown].filter((part) => part !== '').join(', ');
  }
}

/**
 * A table of vectors, looked up by number: `y[...] = weight[indices[...]]`, weight [rows, columns] from normal numbers
 * (PyTorch: `nn.Embedding`).
 *
 * @throws TensorError `value` for sizes that are no whole numbers from 1 up or a paddingIdx outside the table, `shape` for
 * a given table of another shape; in forward as `embedding`
 *
 * @example
 * ```ts
 * import { nn, tensor } from 'chainrule';
 * const words = new nn.Embedding(10, 3, { paddingIdx: 0 });
 * const y = words.forward(tensor([[1, 2], [4, 0]], { dtype: 'int32' }));
 * console.log(y.shape, y.at(1, 1).toArray()); // [2, 2, 3] [0, 0, 0]
 * ```
 */
export class Embedding extends Table<EmbeddingOptions, [indices: Tensor]> {
  constructor(numEmbeddings: number, embeddingDim: number, options?: EmbeddingOptions) {
    super('Embedding', numEmbeddings, embeddingDim, options, LOOKUP);
  }

  /**
   * A module around a table that exists, whose memory it shares (PyTorch: `nn.Embedding.from_pretrained`).
   *
   * @param embeddings [rows, columns]
   * @throws TensorError `shape` unless the table has two dimensions
   *
   * @example
   * ```ts
   * import { nn, tensor } from 'chainrule';
   * const words = nn.Embedding.fromPretrained(tensor([[1, 2], [3, 4]]));
   * console.log(words.forward(tensor(1, { dtype: 'int32' })).toArray()); // [3, 4]
   * ```
   */
  static fromPretrained(embeddings: Tensor, options?: Pretrained<EmbeddingOptions>): Embedding {
    return new Embedding(...pretrained<EmbeddingOptions>('fromPretrained', embeddings, options, LOOKUP));
  }

  forward(indices: Tensor): Tensor {
    return embedding(indices, this.weight, pick(this.options, LOOKUP));
  }
}

/**
 * A table of vectors, looked up by number and joined in bags to their sum, mean or largest elements, without the padding
 * row (PyTorch: `nn.EmbeddingBag`).
 *
 * `forward` takes indices [bags, size], or 1-d ones with `offsets`, and gives [bags, columns].
 *
 * @throws TensorError `value` for sizes that are no whole numbers from 1 up or a paddingIdx outside the table, `shape` for
 * a given table of another shape; in forward as `embeddingBag`
 *
 * @example
 * ```ts
 * import { nn, tensor } from 'chainrule';
 * const words = new nn.EmbeddingBag(10, 3, { mode: 'sum' });
 * const indices = tensor([1, 2, 4, 5, 4], { dtype: 'int32' });
 * console.log(words.forward(indices, { offsets: tensor([0, 3], { dtype: 'int32' }) }).shape); // [2, 3]
 * ```
 */
export class EmbeddingBag extends Table<
  EmbeddingBagOptions,
  [indices: Tensor, options?: Pick<BagLookupOptions, 'offsets' | 'perSampleWeights'>]
> {
  constructor(numEmbeddings: number, embeddingDim: number, options?: EmbeddingBagOptions) {
    super('EmbeddingBag', numEmbeddings, embeddingDim, options, BAG);
  }

  /** What a bag becomes. */
  get mode(): NonNullable<EmbeddingBagOptions['mode']> {
    return this.options?.mode ?? 'mean';
  }

  /** Whether the last offset is the end of the last bag. */
  get includeLastOffset(): boolean {
    return this.options?.includeLastOffset ?? false;
  }

  /**
   * A module around a table that exists, whose memory it shares (PyTorch: `nn.EmbeddingBag.from_pretrained`).
   *
   * @param embeddings [rows, columns]
   * @throws TensorError `shape` unless the table has two dimensions
   *
   * @example
   * ```ts
   * import { nn, tensor } from 'chainrule';
   * const words = nn.EmbeddingBag.fromPretrained(tensor([[1, 2], [3, 4]]), { mode: 'sum' });
   * console.log(words.forward(tensor([[1, 1]], { dtype: 'int32' })).toArray()); // [[6, 8]]
   * ```
   */
  static fromPretrained(embeddings: Tensor, options?: Pretrained<EmbeddingBagOptions>): EmbeddingBag {
    return new EmbeddingBag(...pretrained<EmbeddingBagOptions>('fromPretrained', embeddings, options, BAG));
  }

  forward(indices: Tensor, options?: Pick<BagLookupOptions, 'offsets' | 'perSampleWeights'>): Tensor {
    checkOptions('EmbeddingBag', options, ['offsets', 'perSampleWeights']);
    return embeddingBag(indices, this.weight, { ...pick(this.options, BAG), ...options });
  }
}
