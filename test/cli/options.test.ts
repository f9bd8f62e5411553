// Values of command line options.
import { afterEach, describe, expect, it, vi } from 'vitest';
import { invocation, path, places, positiveNumber, quoted, wholeNumber } from '../../lib/cli/options.js';

describe('options', () => {
  it('takes whole numbers in their range only', () => {
    expect(wholeNumber(0)('0')).toBe(0);
    expect(wholeNumber(1, 10)('10')).toBe(10);
    for (const text of ['', '-1', '1.5', '1e3', '0x10', ' 1', 'NaN', '11', '0'])
      expect(() => wholeNumber(1, 10)(text), text).toThrow(/whole number from 1 to 10/);
    expect(() => wholeNumber(0)('9007199254740993')).toThrow();
  });

  it('takes positive numbers', () => {
    expect(positiveNumber('1e-3')).toBe(0.001);
    for (const text of ['', ' ', '0', '-1', 'Infinity', 'abc', 'NaN'])
      expect(() => positiveNumber(text), text).toThrow(/above 0/);
  });

  it('takes places and ranges', () => {
    expect(places('7')).toEqual([7]);
    expect(places('0..3')).toEqual([0, 1, 2, 3]);
    expect(places('1, 5,8-9')).toEqual([1, 5, 8, 9]);
    for (const text of ['', '3..1', '-1', 'a', '1..', '1,,2', '99999999999', '0..200000'])
      expect(() => places(text), text).toThrow(/Expected/);
  });

  it('takes paths, and quotes them for a shell where needed', () => {
    expect(path('a b')).toBe('a b');
    expect(() => path('')).toThrow('Expected a path');
    expect(quoted('out/run-1')).toBe('out/run-1');
    expect(quoted("it's")).toBe("'it'\\''s'");
  });

  describe('and how to call again', () => {
    afterEach(() => vi.unstubAllEnvs());

    it.each([
      [undefined, undefined, 'chainrule demo', 'chainrule classify'],
      ['exec', 'npx', 'npx chainrule demo', 'npx chainrule classify'],
      ['run-script', 'demo', 'npm run demo --', 'npx chainrule classify'], // in a clone
      ['run-script', 'train', 'npx chainrule demo', 'npx chainrule classify'], // a script of one's own
    ])('npm_command %s, npm_lifecycle_event %s', (command, event, demo, classify) => {
      vi.stubEnv('npm_command', command);
      vi.stubEnv('npm_lifecycle_event', event);
      expect([invocation('demo'), invocation('classify')]).toEqual([demo, classify]);
    });
  });
});
