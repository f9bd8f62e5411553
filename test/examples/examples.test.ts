// Every example runs and prints what its header promises; with short settings where it trains.
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

const folder = fileURLToPath(new URL('../../examples', import.meta.url));
const names = readdirSync(folder).filter((name) => name.endsWith('.ts'));

/** Runs an example as a reader would, against the built package. */
async function run(name: string, env: Record<string, string> = {}): Promise<string> {
  const file = `${folder}/${name}.ts`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', import.meta.resolve('tsx'), file], {
    env: { ...process.env, ...env },
  });
  return stdout;
}

describe('examples', { timeout: 120_000 }, () => {
  it.each(names)('%s says how to run it and what to expect, in under 60 lines against the public API', (name) => {
    const text = readFileSync(`${folder}/${name}`, 'utf8');
    expect(name).toMatch(/^\d\d-[a-z0-9-]+\.ts$/);
    expect(text).toContain(`// Run:      npm run example ${name.slice(0, -3)}`);
    expect(text).toContain('// Expected: ');
    expect(text.split('\n').length).toBeLessThanOrEqual(61);
    for (const [, from] of text.matchAll(/from '([^']+)'/g)) expect(from).toMatch(/^(chainrule|node:.*)$/);
  });

  it('01-tensors prints the values in its comments', async () => {
    const expected = [
      ...readFileSync(`${folder}/01-tensors.ts`, 'utf8').matchAll(/console\.log\(.*\); \/\/ (.*)/g),
    ].map(([, value]) => value);
    expect((await run('01-tensors')).trimEnd().split('\n')).toEqual(expected);
  });

  it('02-linear-regression finds the line', async () => {
    const lines = (await run('02-linear-regression')).trimEnd().split('\n');
    const [, slope, offset] = /^y = (\S+) x \+ (\S+)$/.exec(lines.at(-1) ?? '') ?? [];
    expect(Math.abs(Number(slope) - 2)).toBeLessThan(0.1);
    expect(Math.abs(Number(offset) - 3)).toBeLessThan(0.1);
  });

  it('03-two-layer-network has the same losses both ways', async () => {
    const lines = (await run('03-two-layer-network', { STEPS: '40' })).trimEnd().split('\n');
    const losses = (way: string) =>
      lines.filter((line) => line.startsWith(way)).map((line) => Number(line.split('loss ')[1]));
    const [hand, autograd] = [losses('by hand'), losses('autograd')];
    expect(hand).toHaveLength(5);
    for (const [i, loss] of hand.entries()) expect(Math.abs(autograd[i] - loss) / loss).toBeLessThan(1e-3);
    expect(hand[4]).toBeLessThan(hand[0] / 5);
  });

  it('04-lenet learns the digits', async () => {
    const output = await run('04-lenet', { EPOCHS: '1' });
    const accuracy = Number(/test accuracy (\S+) %/.exec(output)?.[1]);
    expect(accuracy).toBeGreaterThan(90);
  });
});
