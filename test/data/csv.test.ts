// Tables from CSV and JSON lines: columns, types, missing values, and errors that name their line.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { data, TensorError } from 'chainrule';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'chainrule-'));
});
afterAll(() => rm(folder, { recursive: true }));

const csv = async <C extends string>(text: string, options: data.CsvOptions<C>) => {
  await writeFile(join(folder, 'table.csv'), text);
  return data.readCsv(join(folder, 'table.csv'), options);
};
const jsonl = async <C extends string>(text: string, options: data.TableOptions<C>) => {
  await writeFile(join(folder, 'rows.jsonl'), text);
  return data.readJsonLines(join(folder, 'rows.jsonl'), options);
};
const errorOf = async (reading: Promise<unknown>): Promise<TensorError> => {
  const error = await reading.then(
    () => undefined,
    (reason) => reason,
  );
  expect(error).toBeInstanceOf(TensorError);
  return error as TensorError;
};

describe('CSV', () => {
  it('gives the columns asked for, of their types', async () => {
    const text = '\ufeffname,"a ""b""",n,on\r\nx,1.5,7,true\r\n"y\n2",-2e3,-1,FALSE\r\n\r\nx, .5 ,+3,1\r\n';
    const table = await csv(text, {
      columns: { on: 'bool', 'a "b"': 'float64', n: 'int32', name: { categories: ['x', 'y\n2'] } },
    });
    expect(Object.keys(table)).toEqual(['on', 'a "b"', 'n', 'name']);
    expect(Object.values(table).map((x) => [x.dtype, x.toArray()])).toEqual([
      ['bool', [true, false, true]],
      ['float64', [1.5, -2000, 0.5]],
      ['int32', [7, -1, 3]],
      ['int32', [0, 1, 0]],
    ]);
  });

  it('does without a header, with other delimiters', async () => {
    const table = await csv('1;2\n3;4\n', { header: false, delimiter: ';', columns: { 1: 'float32' } });
    expect(table[1].toArray()).toEqual([2, 4]);
    expect((await csv('a,b\n', { columns: { a: 'float32' } })).a.shape).toEqual([0]);
  });

  it('ends lines in every way, also in several ways in one file', async () => {
    for (const text of ['a,b\n1,2\n3,4\n', 'a,b\r\n1,2\n3,4\r\n', 'a,b\n1,2\r\n3,4', 'a,b\r1,2\r\n\n3,4\r']) {
      const table = await csv(text, { columns: { a: 'float32', b: 'float32' } });
      expect([table.a.toArray(), table.b.toArray()]).toEqual([
        [1, 3],
        [2, 4],
      ]);
    }
    const error = await errorOf(csv('a,b\r\n1,2\n\n3,x\r\n', { columns: { b: 'float32' } }));
    expect(error.message).toContain("got 'x' at line 4 of ");
  });

  it('says of a row what is wrong with it, in few words', async () => {
    const columns = { a: 'float32' } as const;
    const messageOf = async (text: string) => (await errorOf(csv(text, { columns }))).message;
    expect(await messageOf('a,b\n1,2\n1,2,3\n')).toContain('expected 2 values in every row');
    expect(await messageOf('a,b\n1,2\n1,2,3\n')).toContain('got 3 at line 3 of ');
    expect(await messageOf('a\n1"2\n')).toContain(
      'got Invalid Opening Quote: a quote is found on field 0 at line 2 of ',
    );
    const wide = Array.from({ length: 5000 }, (_, i) => `c${i}`).join(',');
    expect((await messageOf(`${wide}\n`)).length).toBeLessThan(400);
  });

  it('ends at a quote that is never closed before it fills the memory', async () => {
    const path = join(folder, 'open.csv');
    await writeFile(path, `a,b\n1,"${'x'.repeat(2 ** 26 + 9)}`);
    const error = await errorOf(data.readCsv(path, { columns: { a: 'float32' } }));
    expect([error.code, error.message]).toEqual(['format', expect.stringContaining('rows of at most 67108864 bytes')]);
  });

  it('treats missing values as asked', async () => {
    const text = 'a,b\n1,2\n,3\n4,NA\n';
    const missingTexts = ['', 'NA'];
    const both = { a: 'float32', b: 'float32' } as const;
    const skipped = await csv(text, { columns: both, missing: 'skip', missingTexts });
    expect([skipped.a.toArray(), skipped.b.toArray()]).toEqual([[1], [2]]);
    const nan = await csv(text, { columns: both, missing: 'nan', missingTexts });
    expect([nan.a.toArray(), nan.b.toArray()]).toEqual([
      [1, Number.NaN, 4],
      [2, 3, Number.NaN],
    ]);
    const filled = await csv(text, { columns: { a: { missing: 9 }, b: 'int32' }, missing: -1, missingTexts });
    expect([filled.a.toArray(), filled.b.toArray()]).toEqual([
      [1, 9, 4],
      [2, 3, -1],
    ]);
    const error = await errorOf(csv(text, { columns: both }));
    expect(error.message).toMatch(/expected a value for 'a', got none; .* at line 3 of/);
  });

  it.each([
    ['a word for a number', 'a\n1\nx\n', { a: 'float32' }, 3],
    ['a hexadecimal number', 'a\n0x10\n', { a: 'float32' }, 2],
    ['a fraction for a whole number', 'a\n1\n2\n1.5\n', { a: 'int32' }, 4],
    ['a number for a boolean', 'a\n1\n2\n', { a: 'bool' }, 3],
    ['a number beyond uint8', 'a\n256\n', { a: 'uint8' }, 2],
    ['an unknown category', 'a\nx\nz\n', { a: { categories: ['x', 'y'] } }, 3],
    ['a row of another length', 'a,b\n1,2\n1,2,3\n', { a: 'float32' }, 3],
    ['a quote that does not end', 'a\n1\n"2\n', { a: 'float32' }, undefined],
    ['a column that is not there', 'b,c\n1,2\n', { a: 'float32' }, 1],
    ['a column that is there twice', 'a,a\n1,2\n', { a: 'float32' }, 1],
    ['nothing at all', '', { a: 'float32' }, 1],
    ['a value after a line break in quotes', 'a,b\n"1\n",2\nx,3\n', { b: 'float32', a: { categories: ['1\n'] } }, 4],
  ] as const)('%s is an error with its line', async (_name, text, columns, line) => {
    const error = await errorOf(csv(text, { columns: columns as Record<string, data.ColumnSpec> }));
    expect(error.code).toBe('format');
    expect(error.message).toContain(line === undefined ? ' at line ' : ` at line ${line} of `);
  });

  it('tells other errors apart', async () => {
    const columns = { a: 'float32' } as const;
    expect((await errorOf(data.readCsv(join(folder, 'nowhere.csv'), { columns }))).code).toBe('io');
    expect((await errorOf(data.readCsv(folder, { columns }))).code).toBe('io');
    expect((await errorOf(csv('a\n1\n', { columns, signal: AbortSignal.abort() }))).code).toBe('aborted');
    expect((await errorOf(csv('a\n1\n', { columns: {} }))).code).toBe('value');
    expect((await errorOf(csv('a\n1\n', { columns, separator: ';' } as never))).code).toBe('option');
    expect((await errorOf(csv('a\n1\n', { columns: { a: 'int64' as never } }))).code).toBe('dtype');
    expect((await errorOf(csv('a\n1\n', { columns: { a: 'int32' }, missing: 'nan' }))).code).toBe('dtype');
    expect((await errorOf(csv('a\n1\n', { columns, missing: 'drop' as never }))).code).toBe('value');
    for (const wrong of [
      ['a'],
      { a: null },
      { a: { categories: [1] } },
      { a: { categories: ['x', 'x'] } },
      'a',
      null,
    ]) {
      expect((await errorOf(csv('a\n1\n', { columns: wrong as never }))).code).toBe('value');
    }
    for (const delimiter of ['', '"', '\n', ';\r', 5 as never]) {
      expect((await errorOf(csv('a\n1\n', { columns, delimiter }))).code).toBe('value');
    }
    const controller = new AbortController();
    const long = csv(`a\n${'1\n'.repeat(500_000)}`, { columns, signal: controller.signal });
    setTimeout(() => controller.abort(), 20);
    expect((await errorOf(long)).code).toBe('aborted');
  });
});

describe('JSON lines', () => {
  it('give the keys asked for', async () => {
    const text = '\ufeff{"a": 1, "s": "x", "t": true}\r\n\n{"s": "y", "t": false, "a": -2.5, "other": []}\n';
    const table = await jsonl(text, { columns: { t: 'bool', a: 'float64', s: { categories: ['x', 'y'] } } });
    expect([table.a.toArray(), table.s.toArray(), table.t.toArray()]).toEqual([
      [1, -2.5],
      [0, 1],
      [true, false],
    ]);
  });

  it('take null and absent keys for missing', async () => {
    const table = await jsonl('{"a": null}\n{}\n{"a": 3}', { columns: { a: 'float32' }, missing: 0 });
    expect(table.a.toArray()).toEqual([0, 0, 3]);
  });

  it.each([
    ['broken JSON', '{"a": 1}\n{"a": \n', 2],
    ['a list', '{"a": 1}\n\n[1]\n', 3],
    ['an object for a number', '{"a": {}}\n', 1],
    ['no value', '{"b": 1}\n', 1],
    ['a name of every object', '{"a": 1}\n{"toString": 1}\n', 2],
  ])('%s is an error with its line', async (_name, text, line) => {
    const error = await errorOf(jsonl(text, { columns: { a: 'float32' } }));
    expect([error.code, error.message]).toEqual(['format', expect.stringContaining(` at line ${line} of `)]);
  });

  it('reach over pieces of the file, and end before one fills the memory', async () => {
    const long = `{"a": 1, "s": "${'é'.repeat(100_000)}"}`;
    const table = await jsonl(`${long}\n{"a": 2}\r\n${long}`, { columns: { a: 'float32' } });
    expect(table.a.toArray()).toEqual([1, 2, 1]);
    const path = join(folder, 'endless.jsonl');
    await writeFile(path, `{"a": 1}\n{"a": 1, "s": "${'x'.repeat(2 ** 26 + 9)}`);
    const error = await errorOf(data.readJsonLines(path, { columns: { a: 'float32' } }));
    expect([error.code, error.message]).toEqual(['format', expect.stringContaining(' at line 2 of ')]);
  });

  it('tell a missing file and an abort apart', async () => {
    const columns = { a: 'float32' } as const;
    expect((await errorOf(data.readJsonLines(join(folder, 'nowhere'), { columns }))).code).toBe('io');
    const controller = new AbortController();
    const long = jsonl('{"a": 1}\n'.repeat(300_000), { columns, signal: controller.signal });
    setTimeout(() => controller.abort(), 20);
    expect((await errorOf(long)).code).toBe('aborted');
  });
});
