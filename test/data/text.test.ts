// Tokenizers and next-token sequences; tiny Shakespeare where it is at hand.
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { arange, data, TensorError, tensor } from 'chainrule';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { codeOfAsync } from '../thrown.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'chainrule-'));
});
afterAll(() => rm(folder, { recursive: true }));
const at = (name: string) => join(folder, name);
const text = fc.string({ unit: 'grapheme' });

describe('characters', () => {
  it('come back, whatever they are', () => {
    fc.assert(
      fc.property(text, (given) => {
        const tokenizer = data.CharTokenizer.from(given);
        const tokens = tokenizer.encode(given);
        expect([tokens.dtype, tokens.shape]).toEqual(['int32', [[...given].length]]);
        expect(tokenizer.decode(tokens)).toBe(given);
      }),
    );
  });

  it('are numbered by code point', () => {
    const tokenizer = data.CharTokenizer.from('b\u{1f600}\uffeea');
    expect(tokenizer.vocabulary).toEqual(['a', 'b', '\uffee', '\u{1f600}']);
  });

  it('outside the vocabulary are an error, or the unknown', async () => {
    const strict = data.CharTokenizer.from('abc');
    expect(() => strict.encode('abx')).toThrow("expected characters of the vocabulary, got 'x' at 2");
    const lenient = data.CharTokenizer.from('abc', { unknown: '?' });
    expect([lenient.size, lenient.encode('xb').toArray()]).toEqual([4, [3, 1]]);
    expect(lenient.decode(lenient.encode('xb'))).toBe('?b');
    expect(await codeOfAsync(() => strict.decode([3]))).toBe('index');
    expect(await codeOfAsync(() => strict.decode([0.5]))).toBe('index');
    expect(await codeOfAsync(() => strict.decode(tensor([[1]])))).toBe('shape');
    expect(await codeOfAsync(() => strict.encode(3 as never))).toBe('value');
    expect(await codeOfAsync(() => new data.CharTokenizer(['a', 'a']))).toBe('value');
    expect(await codeOfAsync(() => new data.CharTokenizer(['ab']))).toBe('value');
  });

  it('keep their numbers in a file', async () => {
    const tokenizer = data.CharTokenizer.from('a"\n\u2028\ud800', { unknown: '\u0000' });
    await tokenizer.save(at('vocabulary.json'));
    const again = await data.CharTokenizer.load(at('vocabulary.json'));
    expect([again.vocabulary, again.size]).toEqual([tokenizer.vocabulary, tokenizer.size]);
    expect(again.encode('z"').toArray()).toEqual(tokenizer.encode('z"').toArray());
    for (const wrong of [
      '',
      '[]',
      'null',
      '{"kind":"characters","vocabulary":["ab"]}',
      '{"kind":"bytes","vocabulary":[]}',
    ]) {
      await writeFile(at('wrong.json'), wrong);
      expect(await codeOfAsync(() => data.CharTokenizer.load(at('wrong.json')))).toBe('format');
    }
    expect(await codeOfAsync(() => data.CharTokenizer.load(at('nowhere.json')))).toBe('io');
  });
});

describe('bytes', () => {
  it('come back, whatever the text', () => {
    const tokenizer = new data.ByteTokenizer();
    fc.assert(
      fc.property(text, (given) => {
        expect(tokenizer.encode(given).toArray()).toEqual([...Buffer.from(given)]);
        expect(tokenizer.decode(tokenizer.encode(given))).toBe(given);
      }),
    );
    expect(tokenizer.decode(tokenizer.encode('\ufeffx'))).toBe('\ufeffx');
    expect(tokenizer.decode([0xff])).toBe('\ufffd');
    expect(() => tokenizer.decode([256])).toThrow(TensorError);
  });
});

describe('sequences', () => {
  it('and the same moved on by one', () => {
    for (const [count, length, stride, samples] of [
      [10, 3, 1, 7],
      [10, 3, 3, 3],
      [11, 3, 4, 2],
      [4, 3, 9, 1],
    ]) {
      const set = new data.SequenceDataset(arange(count, { dtype: 'int32' }), length, { stride });
      expect(set.length).toBe(samples);
      const [x, y] = set.batch(Int32Array.from({ length: samples }, (_, i) => i));
      expect(y.toArray()).toEqual(x.add(1).toArray());
      expect(x.select(1, 0).toArray()).toEqual(Array.from({ length: samples }, (_, i) => i * stride));
      expect(set.get(-1)[1].toArray()).toEqual((y.toArray() as number[][]).at(-1));
    }
  });

  it('refuse what holds none', async () => {
    const tokens = arange(4, { dtype: 'int32' });
    expect(await codeOfAsync(() => new data.SequenceDataset(tokens, 4))).toBe('shape');
    expect(await codeOfAsync(() => new data.SequenceDataset(tokens.reshape([2, 2]), 1))).toBe('shape');
    expect(await codeOfAsync(() => new data.SequenceDataset(arange(4), 2))).toBe('dtype');
    expect(await codeOfAsync(() => new data.SequenceDataset(tokens, 0))).toBe('value');
    expect(await codeOfAsync(() => new data.SequenceDataset(tokens, 2).get(2))).toBe('index');
  });
});

const real = [resolve('../shared/data/tinyshakespeare'), join(process.env.CHAINRULE_DATA ?? '', 'tinyshakespeare')]
  .map((path) => join(path, 'input.txt'))
  .find((path) => existsSync(path));

describe.runIf(real !== undefined)('tiny Shakespeare', () => {
  it('has 65 characters and comes back', async () => {
    const works = await readFile(real as string, 'utf8');
    const tokenizer = data.CharTokenizer.from(works);
    const tokens = tokenizer.encode(works);
    expect([tokenizer.size, tokens.size]).toEqual([65, 1_115_394]);
    expect(tokenizer.decode(tokens) === works).toBe(true);
    const set = new data.SequenceDataset(tokens, 64, { stride: 64 });
    const loader = new data.DataLoader(set, { batchSize: 8, shuffle: true, seed: 1 });
    for (const [x, y] of loader) {
      expect(
        x
          .narrow(1, 1, 63)
          .eq(y.narrow(1, 0, 63))
          .all()
          .item(),
      ).toBe(1);
      break;
    }
  });
});
