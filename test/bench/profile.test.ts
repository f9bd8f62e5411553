// The profile of a piece of work: self times out of V8's samples, rows that missed a goal, tables.
import { describe, expect, it } from 'vitest';
import { selfTimes } from '../../bench/profile/javascript.js';
import type { Anatomy } from '../../bench/profile/measure.js';
import { functionTable, kernelTable, missedIn, summary } from '../../bench/profile/table.js';

const frame = (functionName: string, url = '', lineNumber = 0) => ({ functionName, url, lineNumber });

describe('selfTimes', () => {
  it('adds up what each function spends in itself, and names native code', () => {
    const nodes = [
      { id: 1, callFrame: frame('add', 'file:///lib/add.js', 6) },
      { id: 2, callFrame: frame('programCancel') },
      { id: 3, callFrame: frame('(garbage collector)') },
      { id: 4, callFrame: frame('add', 'file:///lib/add.js', 6) },
      { id: 5, callFrame: frame('', 'file:///lib/add.js', 9) },
    ];
    const found = selfTimes({ nodes, samples: [1, 2, 2, 4, 3, 5], timeDeltas: [0, 10, 40, 20, 10, 10] });
    expect(found).toEqual([
      { name: '(native)', place: '', share: 60 / 90 },
      { name: 'add', place: 'add.js:7', share: 20 / 90 },
      { name: '(garbage collector)', place: '', share: 10 / 90 },
    ]);
  });
});

describe('missedIn', () => {
  it('reads the tables of docs/performance.md', () => {
    const text = [
      '| LeNet, batch 64 | 2 | 1 ms | 2 ms | 2 | 3.5 | MISSED |',
      '| LeNet, batch 256 | 1 | 1 ms | 4 ms | 4 | 3.5 | met |',
      '| exp of 1M elements, 1 thread | 2 ms | 1 ms | 2 | at most 1.5 | MISSED |',
      '| chainrule | 116336 | 0.43 ms | MISSED (3 times the answers) |',
    ].join('\n');
    expect(missedIn(text)).toEqual([
      { name: 'LeNet, batch 64', threads: 2 },
      { name: 'exp of 1M elements', threads: 1 },
    ]);
  });
});

describe('tables', () => {
  const kernel = (name: string, ms: number, share: number, flops: number) => ({
    kernel: name,
    shapes: [[2, 3]],
    calls: 1,
    ms,
    share,
    bytes: 1e6,
    flops,
    floorMs: ms / 2,
  });
  const step: Anatomy = {
    name: 'step',
    threads: 1,
    eagerMs: 10,
    capturedMs: 5,
    kernelsMs: 4,
    refusal: null,
    kernels: [kernel('gemm', 3, 0.75, 6e8), kernel('relu', 0.8, 0.2, 0), kernel('fill', 0.2, 0.05, 0)],
    table: '',
    functions: [
      { name: '(native)', place: '', share: 0.5 },
      { name: 'add', place: 'add.js:7', share: 0.3 },
    ],
  };
  const refused: Anatomy = {
    ...step,
    name: 'sort',
    capturedMs: null,
    kernelsMs: null,
    refusal: 'reads a value',
    kernels: [],
  };

  it('list kernels until nine tenths, with the speed of what they are', () => {
    expect(kernelTable([step, refused]).slice(1)).toEqual([
      ['step', 'gemm', '[2, 3]', '1', '3.00 ms', '75 %', '200 GFLOP/s', '1.50 ms', '2.00'],
      ['', 'relu', '[2, 3]', '1', '0.80 ms', '20 %', '1 GB/s', '0.40 ms', '2.00'],
    ]);
  });

  it('say why something is not captured, and leave out what is all native', () => {
    expect(summary(step)).toBe(
      'step, 1 thread: eager 10.0 ms, captured 5.00 ms, its kernels 4.00 ms, their floor 2.00 ms',
    );
    expect(summary(refused)).toContain('not captured: reads a value');
    const native = { ...refused, functions: [{ name: '(native)', place: '', share: 0.99 }] };
    expect(functionTable([step, native]).slice(1)).toEqual([['step', '(native) 50 %, add 30 %']]);
  });
});
