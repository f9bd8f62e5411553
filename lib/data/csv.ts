// Comma-separated values and JSON lines, read as streams to tensors by column.
import type { Readable } from 'node:stream';
import { builtin } from '../builtin.js';
import { checkBoolean } from '../core/shape.js';
import { describe, TensorError } from '../errors.js';
import { checkPath, ioError } from '../io/atomic.js';
import { type Columns, type Place, TABLE, TableBuilder, type TableOptions, wrongLine } from './table.js';

/** Options of {@link readCsv}. */
export interface CsvOptions<C extends string = string> extends TableOptions<C> {
  /** What stands between values; ',' unless given. */
  delimiter?: string;
  /** Whether the first line names the columns, true unless given; without, columns are '0', '1', ... */
  header?: boolean;
}

type CsvParse = typeof import('csv-parse');

async function loadParser(op: string): Promise<CsvParse> {
  try {
    return await import('csv-parse');
  } catch (cause) {
    const message = "expected the package csv-parse, which reads CSV; add it with 'npm install csv-parse'";
    throw new TensorError('value', op, message, { cause });
  }
}

/** Reads a file through a function; its errors, and those of the file, come out as TensorErrors. */
async function readFrom(
  op: string,
  path: string,
  signal: AbortSignal | undefined,
  read: (input: Readable) => Promise<void>,
): Promise<void> {
  checkPath(op, path);
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw new TensorError('value', op, `expected signal to be an AbortSignal, got ${describe(signal)}`);
  }
  const aborted = () =>
    new TensorError('aborted', op, `expected to read all of '${path}', got an abort signal`, { cause: signal?.reason });
  if (signal?.aborted) throw aborted();
  const input = builtin.fs.createReadStream(path);
  const abort = () => input.destroy(aborted());
  signal?.addEventListener('abort', abort, { once: true });
  try {
    await read(input);
  } catch (error) {
    throw ioError(op, 'read', path, error);
  } finally {
    signal?.removeEventListener('abort', abort);
    input.destroy();
  }
  if (signal?.aborted) throw aborted();
}

/**
 * Reads columns of a CSV file as tensors, a piece at a time. Needs the optional package csv-parse, which is loaded at the first
 * call.
 *
 * @param options `columns`: the columns to read and what they become; `missing`: 'error', 'skip', 'nan' or a number;
 * `missingTexts`; `delimiter`; `header`; `signal`
 * @returns tensors [N] by column
 * @throws TensorError `format` with the line for a value that is not what its column holds, a row of another length or a
 * column that is not there; `io` if the file cannot be read; `value` without csv-parse or for wrong options; `aborted`
 *
 * @example no-run
 * ```ts
 * import { data, stack } from 'chainrule';
 * const { width, height, species } = await data.readCsv('iris.csv', {
 *   columns: { width: 'float32', height: 'float32', species: { categories: ['setosa', 'virginica'] } },
 *   missing: 'skip',
 * });
 * console.log(new data.TensorDataset(stack([width, height], 1), species).length);
 * ```
 */
export async function readCsv<C extends string>(path: string, options: CsvOptions<C>): Promise<Columns<C>> {
  const op = 'readCsv';
  const table = new TableBuilder<C>(op, options, [...TABLE, 'delimiter', 'header']);
  const delimiter = options.delimiter ?? ',';
  if (typeof delimiter !== 'string' || delimiter === '') {
    throw new TensorError('value', op, `expected a delimiter, got ${describe(delimiter)}`);
  }
  const header = checkBoolean(op, 'header', options.header ?? true);
  const { parse, CsvError } = await loadParser(op);
  await readFrom(op, path, options.signal, async (input) => {
    const parser = parse({ delimiter, bom: true, info: true, skip_empty_lines: true });
    input.on('error', (error) => parser.destroy(error));
    input.pipe(parser);
    let places: number[] | undefined;
    try {
      for await (const { record, info } of parser as AsyncIterable<{ record: string[]; info: { lines: number } }>) {
        const place: Place = { op, file: path, line: info.lines };
        if (places === undefined) {
          places = locate(table.names, header ? record : record.map((_, i) => String(i)), place);
          if (header) continue;
        }
        table.add(
          places.map((i) => record[i]),
          place,
        );
      }
    } catch (error) {
      if (!(error instanceof CsvError)) throw error;
      const line = Number((error as { lines?: number }).lines ?? 0);
      throw wrongLine({ op, file: path, line }, 'comma-separated values in rows of one length', error.message, error);
    }
    if (places === undefined && header) {
      throw wrongLine({ op, file: path, line: 1 }, 'the names of the columns', 'the end of the file');
    }
  });
  return table.tensors();
}

/** Where the wanted columns stand. */
function locate(wanted: readonly string[], names: readonly string[], place: Place): number[] {
  return wanted.map((name) => {
    const i = names.indexOf(name);
    if (i < 0)
      throw wrongLine(place, `the column '${name}'`, `the columns ${names.map((one) => `'${one}'`).join(', ')}`);
    if (names.indexOf(name, i + 1) >= 0) throw wrongLine(place, `one column '${name}'`, 'several');
    return i;
  });
}

/**
 * Reads keys of a file of JSON lines, one object a line, as tensors; empty lines are skipped.
 *
 * @param options `columns`: the keys to read and what they become; `missing`: 'error', 'skip', 'nan' or a number, for null and
 * absent keys; `missingTexts`; `signal`
 * @returns tensors [N] by key
 * @throws TensorError `format` with the line for what is no JSON object or a value that is not what its column holds; `io` if the
 * file cannot be read; `value` for wrong options; `aborted`
 *
 * @example no-run
 * ```ts
 * import { data } from 'chainrule';
 * const { score } = await data.readJsonLines('scores.jsonl', { columns: { score: 'float64' }, missing: 'nan' });
 * console.log(score.nanmean().item());
 * ```
 */
export async function readJsonLines<C extends string>(path: string, options: TableOptions<C>): Promise<Columns<C>> {
  const op = 'readJsonLines';
  const table = new TableBuilder<C>(op, options, TABLE);
  const names = table.names;
  await readFrom(op, path, options.signal, async (input) => {
    let line = 0;
    // readline does not pass errors of its input on.
    const failed = new Promise<never>((_, reject) => input.once('error', reject));
    failed.catch(() => {});
    const lines = builtin.readline
      .createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })
      [Symbol.asyncIterator]();
    for (;;) {
      const step = await Promise.race([lines.next(), failed]);
      if (step.done) break;
      line++;
      const text = line === 1 ? step.value.replace(/^\ufeff/, '') : step.value;
      if (text.trim() === '') continue;
      const place = { op, file: path, line };
      const row = parseObject(text, place);
      table.add(
        names.map((name) => (Object.hasOwn(row, name) ? row[name] : undefined)),
        place,
      );
    }
  });
  return table.tensors();
}

function parseObject(text: string, place: Place): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw wrongLine(place, 'a JSON object', cause instanceof Error ? cause.message : 'other text', cause);
  }
  if (value !== null && typeof value === 'object' && !Array.isArray(value)) return value as Record<string, unknown>;
  throw wrongLine(place, 'a JSON object', describe(value));
}
