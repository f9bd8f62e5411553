// The tables of the comparison: ratios, goals, missing peers, aligned columns, and the section of a Markdown file.
import { describe, expect, it } from 'vitest';
import {
  against,
  formatMs,
  markdown,
  missed,
  type Row,
  scaling,
  sideBySide,
  terminal,
  withSection,
} from '../../bench/compare/table.js';

const row = (name: string, threads: number, peer: string, peerMs: number, ourMs: number): Row => ({
  name,
  threads,
  peer,
  peerMs,
  ourMs,
  ratio: peerMs / ourMs,
});
const ROWS = [
  row('LeNet', 1, 'PyTorch', 14, 4),
  row('LeNet', 2, 'PyTorch', 7, 2.5),
  row('LeNet', 1, 'tfjs cpu', 400, 4),
  row('exp', 1, 'PyTorch', 0.05, 0.1),
  row('exp', 1, 'jax-js', 2, 0.1),
];
const GOALS = new Map([
  ['LeNet', 3],
  ['exp', 2],
]);

describe('tables', () => {
  it('judges each row by its goal', () => {
    const table = against(ROWS, 'PyTorch', GOALS);
    expect(table[0]).toEqual(['work', 'threads', 'chainrule', 'PyTorch', 'ratio', 'goal', '']);
    expect(table.slice(1)).toEqual([
      ['LeNet', '1', '4.00 ms', '14.0 ms', '3.50', '3', 'met'],
      ['LeNet', '2', '2.50 ms', '7.00 ms', '2.80', '3', 'MISSED'],
      ['exp', '1', '0.10 ms', '50.0 us', '0.50', '2', 'MISSED'],
    ]);
    expect(against(ROWS, 'PyTorch', new Map())[1].slice(5)).toEqual(['', '']);
  });

  it('lists what missed its goal, worst first', () => {
    expect(missed(ROWS, 'PyTorch', GOALS).map(({ name, threads }) => [name, threads])).toEqual([
      ['exp', 1],
      ['LeNet', 2],
    ]);
  });

  it('puts peers side by side, with a dash where one cannot', () => {
    expect(sideBySide(ROWS, ['tfjs cpu', 'brain.js', 'jax-js'])).toEqual([
      ['work', 'threads', 'chainrule', 'tfjs cpu', 'jax-js'],
      ['LeNet', '1', '4.00 ms', '100.0', '-'],
      ['exp', '1', '0.10 ms', '-', '20.0'],
    ]);
  });

  it('divides the time on one thread by that on two', () => {
    expect(scaling(ROWS, 'PyTorch').slice(1)).toEqual([['LeNet', '4.00 ms', '2.50 ms', '1.60']]);
  });

  it('formats times with three digits', () => {
    expect([0.00022, 0.0999, 0.1, 12.34, 123.4].map(formatMs)).toEqual([
      '0.22 us',
      '99.9 us',
      '0.10 ms',
      '12.3 ms',
      '123 ms',
    ]);
  });

  it('aligns words to the left and numbers to the right', () => {
    const table = [
      ['work', 'time', ''],
      ['a', '1.00 ms', 'met'],
      ['long', '10.0 ms', ''],
    ];
    expect(terminal(table).split('\n')).toEqual(['work     time', 'a     1.00 ms  met', 'long  10.0 ms']);
    expect(markdown([...table, ['a | b', '-', '']]).split('\n')).toEqual([
      '| work | time |  |',
      '|---|---:|---|',
      '| a | 1.00 ms | met |',
      '| long | 10.0 ms |  |',
      '| a \\| b | - |  |',
    ]);
  });

  it('replaces its own section and leaves the words around it', () => {
    const once = withSection('# Title\n', 'bench', 'first');
    expect(once).toBe('# Title\n\n<!-- bench -->\nfirst\n<!-- end of bench -->\n');
    const explained = `${once}\nWhy: $& stays.\n`;
    const twice = withSection(explained, 'bench', 'costs $1\n');
    expect(twice).toBe('# Title\n\n<!-- bench -->\ncosts $1\n<!-- end of bench -->\n\nWhy: $& stays.\n');
    expect(withSection(twice, 'other', 'x')).toContain('<!-- other -->\nx\n<!-- end of other -->');
  });
});
