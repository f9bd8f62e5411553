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
type CsvError = InstanceType<CsvParse['CsvError']>;

/** Most bytes of a row: without an end to them, a quote that is never closed, or a file of other content, would fill the memory. */
const MAX_ROW = 2 ** 26;

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
  if (typeof delimiter !== 'string' || delimiter === '' || /["\r\n]/.test(delimiter)) {
    throw new TensorError('value', op, `expected a delimiter without quotes and line ends, got ${describe(delimiter)}`);
  }
  const header = checkBoolean(op, 'header', options.header ?? true);
  const { parse, CsvError } = await loadParser(op);
  await readFrom(op, path, options.signal, async (input) => {
    const parser = parse({
      delimiter,
      // All of them: found out from the first line, they would be the only ones.
      record_delimiter: ['\r\n', '\n', '\r'],
      bom: true,
      info: true,
      skip_empty_lines: true,
      max_record_size: MAX_ROW,
    });
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
      throw wrongRow(op, path, error);
    }
    if (places === undefined && header) {
      throw wrongLine({ op, file: path, line: 1 }, 'the names of the columns', 'the end of the file');
    }
  });
  return table.tensors();
}

/** What csv-parse found wrong, in our words where they say more. */
function wrongRow(op: string, file: string, error: CsvError): TensorError {
  const place = { op, file, line: Number((error as { lines?: number }).lines ?? 0) };
  const lengths = /expect (\d+), got (\d+)/.exec(error.message);
  if (error.code === 'CSV_RECORD_INCONSISTENT_FIELDS_LENGTH' && lengths !== null) {
    const [, wanted, got] = lengths;
    return wrongLine(place, `${wanted} values in every row, those that hold the delimiter in quotes`, got, error);
  }
  if (error.code === 'CSV_MAX_RECORD_SIZE') {
    return wrongLine(place, `rows of at most ${MAX_ROW} bytes, every quote closed`, 'a longer one', error);
  }
  // Its own line number, and what it quotes of a file that is no table at all, are left out.
  const got = error.message.replace(/, value is .*/s, '').replace(/ (at|on) line \d+$/, '');
  return wrongLine(place, 'values in rows, in quotes as a whole or not at all', got, error);
}

/** Where the wanted columns stand. */
function locate(wanted: readonly string[], names: readonly string[], place: Place): number[] {
  return wanted.map((name) => {
    const i = names.indexOf(name);
    if (i < 0) {
      const shown = names.slice(0, 20).map(describe).join(', ');
      const got = names.length > 20 ? `${names.length} columns: ${shown}, ...` : `the columns ${shown}`;
      throw wrongLine(place, `the column '${name}'`, got);
    }
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
    for await (const [line, place] of linesOf(input, op, path)) {
      // What marks the beginning of a file as UTF-8 counts as white space, too.
      const text = line.trim();
      if (text === '') continue;
      const row = parseObject(text, place);
      table.add(
        names.map((name) => (Object.hasOwn(row, name) ? row[name] : undefined)),
        place,
      );
    }
  });
  return table.tensors();
}

/** The lines of a file and where they stand; node:readline would throw at its user's back where one outgrows the longest text. */
async function* linesOf(input: Readable, op: string, file: string): AsyncGenerator<readonly [string, Place]> {
  let place = { op, file, line: 1 };
  let begun = '';
  for await (const chunk of input.setEncoding('utf8') as AsyncIterable<string>) {
    const [rest, ...others] = chunk.split('\n');
    begun += rest;
    if (begun.length > MAX_ROW) throw wrongLine(place, `a line of at most ${MAX_ROW} characters`, 'a longer one');
    for (const next of others) {
      yield [begun, place];
      place = { ...place, line: place.line + 1 };
      begun = next;
    }
  }
  yield [begun, place];
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
