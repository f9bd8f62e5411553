// Tables of texts and numbers to tensors: chosen columns, their types, and what becomes of missing values.
import type { DType } from '../core/dtype.js';
import { element } from '../core/nested.js';
import { fromTypedArray } from '../create.js';
import { checkOptions, describe, TensorError } from '../errors.js';
import type { Tensor } from '../tensor.js';

/** What a column becomes: numbers of a dtype, or the places of its texts among `categories`. */
export interface ColumnSpec {
  /** float32 unless given; for categories int32. */
  dtype?: DType;
  /** The texts that may stand here; each becomes its place in this list. */
  categories?: readonly string[];
  /** What stands for a missing value, instead of the table's policy. */
  missing?: number;
}

/** What becomes of an empty value: an error, its row left out, NaN (float columns only), or a number. */
export type MissingPolicy = 'error' | 'skip' | 'nan' | number;

/** Options that all tables share. */
export interface TableOptions<C extends string = string> {
  /** The columns to read, in this order, and what they become. */
  columns: Readonly<Record<C, ColumnSpec | DType>>;
  /** 'error' unless given. */
  missing?: MissingPolicy;
  /** Texts that mean that there is no value; '' unless given. In JSON, null and an absent key always do. */
  missingTexts?: readonly string[];
  signal?: AbortSignal;
}

/** Tensors by column, each [N]. */
export type Columns<C extends string> = Record<C, Tensor>;

export const TABLE = ['columns', 'missing', 'missingTexts', 'signal'];

/** The numbers of one column as they grow. */
interface Column {
  readonly name: string;
  readonly dtype: DType;
  readonly places: ReadonlyMap<string, number> | undefined;
  readonly missing: MissingPolicy;
  readonly values: number[];
}

/** Where a row stands, for errors. */
export interface Place {
  op: string;
  file: string;
  line: number;
}

/** An error of the content, with its line. */
export function wrongLine({ op, file, line }: Place, expected: string, got: string, cause?: unknown): TensorError {
  return new TensorError('format', op, `expected ${expected}, got ${got} at line ${line} of '${file}'`, { cause });
}

/** Takes rows and gives tensors. */
export class TableBuilder<C extends string> {
  private readonly columns: Column[] = [];
  private readonly missingTexts: ReadonlySet<string>;

  constructor(
    private readonly op: string,
    options: TableOptions<C>,
    known: readonly string[],
  ) {
    checkOptions(op, options, known);
    const { columns, missing = 'error', missingTexts = [''] } = options ?? {};
    const record = columns !== null && typeof columns === 'object' && !Array.isArray(columns);
    if (!record || Object.keys(columns).length === 0) {
      throw new TensorError('value', op, `expected columns by name and their types, got ${describe(columns)}`);
    }
    if (!Array.isArray(missingTexts) || missingTexts.some((text) => typeof text !== 'string')) {
      throw new TensorError('value', op, `expected missingTexts to be texts, got ${describe(missingTexts)}`);
    }
    this.missingTexts = new Set(missingTexts);
    for (const [name, given] of Object.entries(columns)) {
      this.columns.push(this.column(name, given as ColumnSpec | DType, missing));
    }
  }

  get names(): string[] {
    return this.columns.map(({ name }) => name);
  }

  private column(name: string, given: ColumnSpec | DType, policy: MissingPolicy): Column {
    const { op } = this;
    const spec = typeof given === 'string' ? { dtype: given } : given;
    if (spec === null || typeof spec !== 'object') {
      throw new TensorError('value', op, `expected a dtype or options for column '${name}', got ${describe(spec)}`);
    }
    checkOptions(op, spec, ['dtype', 'categories', 'missing']);
    const dtype = spec.dtype ?? (spec.categories ? 'int32' : 'float32');
    if (!['float32', 'float64', 'int32', 'uint8', 'bool'].includes(dtype)) {
      throw new TensorError('dtype', op, `expected a dtype for column '${name}', got ${describe(dtype)}`);
    }
    const missing = spec.missing ?? policy;
    const number = typeof missing === 'number';
    if (!number && missing !== 'error' && missing !== 'skip' && missing !== 'nan') {
      throw new TensorError(
        'value',
        op,
        `expected missing to be 'error', 'skip', 'nan' or a number, got ${describe(missing)}`,
      );
    }
    if ((missing === 'nan' || (number && Number.isNaN(missing))) && dtype !== 'float32' && dtype !== 'float64') {
      throw new TensorError('dtype', op, `expected a floating dtype for column '${name}' to hold NaN, got ${dtype}`);
    }
    if (number && !Number.isNaN(missing)) element(op, missing, dtype);
    const { categories } = spec;
    const texts = Array.isArray(categories) && categories.every((one) => typeof one === 'string');
    if (categories !== undefined && (!texts || new Set(categories).size !== categories.length)) {
      const got = describe(categories);
      throw new TensorError('value', op, `expected the categories of '${name}' as texts, each once, got ${got}`);
    }
    const places = categories && new Map(categories.map((text, i) => [text, i] as const));
    return { name, dtype, places, missing, values: [] };
  }

  /** Takes the values of the columns, in their order. */
  add(row: readonly unknown[], place: Place): void {
    const { columns } = this;
    for (const [i, column] of columns.entries()) {
      const value = row[i];
      const absent =
        value === undefined || value === null || (typeof value === 'string' && this.missingTexts.has(value));
      if (!absent) column.values.push(this.number(column, value, place));
      else if (column.missing === 'skip') {
        // The whole row goes: what its other columns have already taken, too.
        for (const other of columns.slice(0, i)) other.values.pop();
        return;
      } else if (column.missing === 'error') {
        throw wrongLine(place, `a value for '${column.name}'`, `none; give a policy for missing values`);
      } else column.values.push(column.missing === 'nan' ? Number.NaN : column.missing);
    }
  }

  private number({ name, dtype, places }: Column, value: unknown, place: Place): number {
    if (places) {
      const found = places.get(String(value));
      if (found === undefined) throw wrongLine(place, `one of the categories of '${name}'`, describe(value));
      return found;
    }
    const number = parse(value, dtype);
    const whole = dtype === 'int32' || dtype === 'uint8';
    const fits = dtype === 'bool' ? number === 0 || number === 1 : !whole || Number.isInteger(number);
    if (number === undefined || !fits) {
      const kind = dtype === 'bool' ? 'true or false' : whole ? 'a whole number' : 'a number';
      throw wrongLine(place, `${kind} for '${name}'`, describe(value));
    }
    try {
      return element(this.op, number, dtype);
    } catch (cause) {
      throw wrongLine(place, `a value of ${dtype} for '${name}'`, describe(value), cause);
    }
  }

  tensors(): Columns<C> {
    const make = {
      float32: Float32Array,
      float64: Float64Array,
      int32: Int32Array,
      uint8: Uint8Array,
      bool: Uint8Array,
    };
    const entries = this.columns.map(({ name, dtype, values }) => {
      const data = make[dtype].from(values);
      return [name, fromTypedArray(data, [data.length], { dtype })] as const;
    });
    return Object.assign(Object.create(null), Object.fromEntries(entries)) as Columns<C>;
  }
}

/** The number that a value is or spells; undefined for anything else. */
function parse(value: unknown, dtype: DType): number | undefined {
  if (typeof value === 'number') return value;
  if (typeof value === 'boolean') return Number(value);
  if (typeof value !== 'string') return undefined;
  const text = value.trim();
  const truth = dtype === 'bool' ? { true: 1, false: 0 }[text.toLowerCase()] : undefined;
  if (truth !== undefined) return truth;
  if (/^nan$/i.test(text)) return Number.NaN;
  const infinite = /^([+-]?)inf(?:inity)?$/i.exec(text);
  if (infinite) return infinite[1] === '-' ? -Infinity : Infinity;
  // Number('') is 0 and Number('0x1f') 31: neither is how tables write numbers.
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : undefined;
}
