// Worker threads and child processes: each worker has its own tensors, nothing hangs, a terminated one harms nobody.
import { expect, it } from 'vitest';
import { run } from './fixtures/run.js';

const parsed = (file: string) => {
  const { status, signal, stdout, stderr } = run([file]);
  expect(signal, stderr).toBeNull();
  expect(status, stderr).toBe(0);
  return JSON.parse(stdout);
};

it('workers compute at the same time, repeatably, and may be terminated in the middle', { timeout: 90_000 }, () => {
  const { results, after, codes, mine, again } = parsed('workers.ts');
  expect(results[0].sum).toBe(results[2].sum); // same seed, same bits
  expect(results[0].sum).not.toBe(results[1].sum);
  expect(after.sum).toBe(results[0].sum);
  expect(codes).toEqual([1, 1]);
  expect([mine, again]).toEqual([300 ** 3, 300 ** 3]);
});

it('child processes start after and during work, and work themselves', { timeout: 90_000 }, () => {
  const { before, echoed, answer, code, after } = parsed('processes.ts');
  expect(echoed).toEqual(['ok', 'ok', 'ok', 'ok', 'ok']);
  expect([answer, after, code]).toEqual([before, before, 0]);
});
