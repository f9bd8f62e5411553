// safetensors files that lie about themselves: each is refused by name, with the byte where it is wrong.
import * as fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { TensorError } from '../../lib/errors.js';
import { parseSafetensors, readSafetensorsFile } from '../../lib/io/safetensors-format.js';

let folder = '';
beforeAll(async () => {
  folder = await fs.mkdtemp(join(tmpdir(), 'chainrule-lies-'));
});
afterAll(async () => {
  await fs.rm(folder, { recursive: true, force: true });
});

type Lie = readonly [name: string, bytes: Uint8Array, at: number, message: RegExp];

function file(header: Uint8Array, data: readonly number[] = [], length = BigInt(header.length)): Uint8Array {
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(length);
  return Buffer.concat([size, header, Uint8Array.from(data)]);
}

/** A file whose header is given as text, in which '¦' marks the place to be named. */
function lie(name: string, marked: string, message: RegExp, data: readonly number[] = []): Lie {
  const at = 8 + Buffer.byteLength(marked.split('¦')[0]);
  return [name, file(Buffer.from(marked.replace('¦', '')), data), at, message];
}

const eight = [1, 2, 3, 4, 5, 6, 7, 8];
const three = [1, 2, 3];
const x = '{"dtype":"F32","shape":[2],"data_offsets":[0,8]}';
const sizes = (text: string) => `{"x":{"dtype":"F32","shape":[${text}],"data_offsets":[0,8]}}`;
const product = (text: string) => `{¦${sizes(text).slice(1)}`;
const offsets = (text: string) => `{"x":{"dtype":"U8","shape":[0],"data_offsets":¦[${text}]}}`;
const spans = (shape: number, begin: number, end: number) =>
  `{"x":{"dtype":"F32","shape":[${shape}],"data_offsets":¦[${begin},${end}]}}`;
const bytes = (begin: number, end: number, mark = '') =>
  `{"dtype":"U8","shape":[${end - begin}],"data_offsets":${mark}[${begin},${end}]}`;
const brackets = '['.repeat(100_000);
const digits = '9'.repeat(100_000);

const lies: Lie[] = [
  ['no bytes', new Uint8Array(0), 0, /8 bytes of the header length/],
  ['half a header length', new Uint8Array(5), 5, /8 bytes of the header length/],
  ['header length 0', file(Buffer.from('{}'), [], 0n), 0, /a header length from 2 to 2, got 0/],
  ['header length 1', file(Buffer.from('{}'), [], 1n), 0, /header length/],
  ['header longer than the file', file(Buffer.from('{}'), [], 3n), 0, /from 2 to 2, got 3/],
  ['an absurd header length', file(Buffer.from('{}'), [], 2n ** 64n - 1n), 0, /got 18446744073709551615/],
  ['a header over 100 MB', file(Buffer.alloc(100_000_001)), 0, /from 2 to 100000000, got 100000001/],
  lie('a space before the header', '¦ {}', /expected '{'/),
  lie('a list', '¦[]', /expected '{', got '\['/),
  lie('an open object', '{"a"¦', /got the end of the header/),
  lie('an open text', '{"a¦', /closing quote/),
  lie('a text open at an escape', '{"\\"¦', /closing quote/),
  lie('text after the header', '{} ¦{}', /spaces up to the end/),
  lie('zeros as padding', '{}¦\0\0', /spaces up to the end of the header, got the byte 0/),
  lie('a trailing comma', `{"x":${x},¦}`, /expected '"'/, eight),
  lie('single quotes', `{¦'x':1}`, /expected '"', got '.' at/),
  lie('a tensor that is a number', '{"x":¦1}', /expected '{', got '1'/),
  lie('a tensor that is null', '{"x":¦null}', /expected '{'/),
  lie('a tensor that is a list', `{"x":¦[${x}]}`, /expected '{'/, eight),
  lie('deep nesting', `{"x":{"shape":[¦${brackets}`, /whole number/),
  lie('metadata that is a list', '{"__metadata__":¦[]}', /expected '{'/),
  lie('metadata of numbers', '{"__metadata__":{"a":¦1}}', /expected '"'/),
  lie('a repeated tensor', `{"x":${x},¦"x":${x}}`, /every key once, got 'x' again/, eight),
  lie('a repeated tensor in other letters', `{"x":${x},¦"\\u0078":${x}}`, /every key once/, eight),
  lie('repeated metadata', '{"__metadata__":{},¦"__metadata__":{}}', /every key once/),
  lie('a repeated text', '{"__metadata__":{"a":"",¦"a":""}}', /every key once/),
  lie('a repeated field', '{"x":{"dtype":"U8",¦"dtype":"U8"}}', /every key once/),
  lie('a tensor named __proto__', `{¦"__proto__":${x}}`, /other than '__proto__'/, eight),
  lie('__proto__ in escapes', `{¦"__proto\\u005f_":${x}}`, /other than '__proto__'/, eight),
  lie('__proto__ in metadata', '{"__metadata__":{¦"__proto__":"a"}}', /other than '__proto__'/),
  lie('__proto__ in a tensor', '{"x":{¦"__proto__":[]}}', /other than '__proto__'/),
  lie('an unknown field', '{"x":{¦"size":1}}', /expected the key dtype, shape or data_offsets, got 'size'/),
  lie('no dtype', '{¦"x":{"shape":[],"data_offsets":[0,0]}}', /got no dtype/),
  lie('no shape', '{¦"x":{"dtype":"U8","data_offsets":[0,0]}}', /got no shape/),
  lie('no offsets', '{¦"x":{"dtype":"U8","shape":[0]}}', /got no data_offsets/),
  lie('an unknown dtype', '{"x":{"dtype":¦"F33"}}', /one of U64, .* BOOL, got 'F33'/),
  lie('a dtype of the prototype', '{"x":{"dtype":¦"toString"}}', /got 'toString'/),
  lie('a dtype that is a number', '{"x":{"dtype":¦4}}', /expected '"', got '4'/),
  lie('a shape that is a number', '{"x":{"shape":¦4}}', /expected '\[', got '4'/),
  lie('a size that is a text', '{"x":{"shape":[¦"4"]}}', /whole number/),
  lie('a negative size', sizes('¦-2'), /at least 0, got '-'/, eight),
  lie('a size of minus 0', sizes('¦-0'), /at least 0/, eight),
  lie('a size of 1.5', sizes('1¦.5'), /whole number/, eight),
  lie('a size of 2.0', sizes('2¦.0'), /whole number/, eight),
  lie('a size of 2e0', sizes('2¦e0'), /whole number/, eight),
  lie('a size of 02', sizes('¦02'), /leading zeros/, eight),
  lie('a size of 2^53', sizes('¦9007199254740992'), /below 2\^53/, eight),
  lie('a size of many digits', sizes(`¦${digits}`), /below 2\^53/, eight),
  lie('a product that wraps to 8 bytes', product('2,2147483648,4294967297'), /product below 2\^50/, eight),
  lie('an overflowing product', product('4294967296,4294967296'), /product below 2\^50/, eight),
  lie('an overflow hidden by 0', product('0,4294967296,4294967296'), /product below 2\^50/, eight),
  lie('too many sizes', sizes(`1${',1'.repeat(63)},¦1`), /at most 64/, eight),
  lie('one offset', offsets('0'), /\[begin, end\]/),
  lie('three offsets', offsets('0,0,0'), /\[begin, end\]/),
  lie('an empty list of offsets', offsets(''), /\[begin, end\]/),
  lie('offsets backwards', spans(2, 8, 0), /\[begin, end\]/, eight),
  lie('offsets beyond the file', spans(3, 0, 12), /within the 8 bytes of data/, eight),
  lie('a huge claim', spans(1e12, 0, 4e12), /within the 8 bytes/, eight),
  lie('too few bytes for the shape', spans(3, 0, 8), /12 bytes apart/, eight),
  lie('too many bytes for the shape', spans(1, 0, 8), /4 bytes apart/, eight),
  lie('truncated data', spans(2, 0, 8), /within the 7 bytes of data/, eight.slice(1)),
  lie('bytes without tensors', '{}¦', /the end of the file, got 1 more bytes/, [1]),
  lie('a hole before', `{"x":${bytes(1, 3, '¦')}}`, /begin at offset 0, got a hole: offset 1/, three),
  lie('a hole between', `{"x":${bytes(0, 1)},"y":${bytes(2, 3, '¦')}}`, /'y' to begin at offset 1, got a hole/, three),
  lie('an overlap', `{"y":${bytes(1, 3, '¦')},"x":${bytes(0, 2)}}`, /'y' to begin at offset 2, got an overlap/, three),
  lie('the same bytes twice', `{"x":${bytes(0, 1)},"y":${bytes(0, 1, '¦')}}`, /got an overlap/, [1]),
  lie('an unknown escape', `{"¦\\x":${x}}`, /escapes/, eight),
  lie('half a surrogate pair', `{"¦\\ud800":${x}}`, /UTF-8/, eight),
  lie('a line break in a name', `{"a¦\n":${x}}`, /closing quote of a text, got the byte 10/, eight),
  ['a name that is not UTF-8', file(Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x3a)), 10, /UTF-8/],
  ['an overlong slash', file(Uint8Array.of(0x7b, 0x22, 0xc0, 0xaf, 0x22)), 10, /UTF-8/],
  ['trailing bytes', file(Buffer.from(`{"x":${x}}`), [...eight, 9]), 8 + 54 + 8, /the end of the file, got 1 more/],
  ['a bool of 2', file(Buffer.from(`{"x":${x.replace('F32', 'BOOL').replace('[2]', '[8]')}}`), eight), 64, /got 2/],
];

test.each(lies)('%s', async (_name, bytes, at, message) => {
  const path = join(folder, 'lie.safetensors');
  await fs.writeFile(path, bytes);
  const read = await readSafetensorsFile(path, {}, 'read').catch((error: unknown) => error);
  if (!(read instanceof TensorError)) throw read;
  expect(read.code).toBe('format');
  expect(read.message).toMatch(message);
  expect(read.message).toContain(` at byte ${at} of '${path}'`);
  expect(read.message).toMatch(/^\[read\] expected .*, got /);
  expect(read.message.length).toBeLessThan(400);
  expect(() => parseSafetensors(bytes, path, 'read')).toThrow(read);
});
