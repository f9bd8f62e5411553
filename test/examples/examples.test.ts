// Every example runs and prints what its header promises; with short settings where it trains for longer.
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const files = readdirSync(join(root, 'examples'), { recursive: true, encoding: 'utf8' }).filter((name) =>
  name.endsWith('.ts'),
);
const names = files.filter((name) => dirname(name) === '.');
/** Large examples have a folder of their name. */
const rooms = files.filter((name) => dirname(name) !== '.');
const source = (name: string) => readFileSync(join(root, 'examples', `${name}.ts`), 'utf8');
/** Examples draw into a folder `out` where they are started. */
const folder = mkdtempSync(join(tmpdir(), 'chainrule-examples-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The lines an example prints, run as a reader would. */
async function run(name: string, args: string[] = []): Promise<string[]> {
  const command = ['--import', import.meta.resolve('tsx'), join(root, 'examples', `${name}.ts`), ...args];
  const { stdout } = await promisify(execFile)(process.execPath, command, {
    cwd: folder,
    env: { ...process.env, TSX_TSCONFIG_PATH: join(root, 'tsconfig.json') },
  });
  return stdout.trimEnd().split('\n');
}

/** The numbers after a word, one a line that has it. */
const numbers = (lines: string[], word: string) =>
  lines.filter((line) => line.includes(`${word} `)).map((line) => Number.parseFloat(line.split(`${word} `)[1]));

/** The pictures the header promises and the lesson says it drew; they must have been drawn from numbers. */
function expectPictures(name: string, lines: string[]): void {
  const promised = [.../^\/\/ Draws: .*\n(\/\/ {11}.*\n)*/m.exec(source(name))![0].matchAll(/out\/\S+\.svg/g)].map(
    ([file]) => file,
  );
  expect(lines.flatMap((line) => /^drawn: (.*)$/.exec(line)?.[1] ?? []).sort()).toEqual(promised.sort());
  for (const file of promised) {
    const svg = readFileSync(join(folder, file), 'utf8');
    expect(svg).toMatch(/^<svg/);
    expect(svg, file).toMatch(/<(path|polygon)/);
    expect(svg, file).not.toMatch(/NaN|undefined|Infinity/);
  }
}

describe('every example', () => {
  it.each(names)('%s says how to run it and what to expect, and needs the public API only', (name) => {
    const text = source(name.slice(0, -3));
    expect(name).toMatch(/^\d\d-[a-z0-9-]+\.ts$/);
    expect(text).toContain(`// Run:      npm run example ${name.slice(0, -3)}`);
    expect(text).toContain('// Expected: ');
    expect(text.split('\n').length).toBeLessThanOrEqual(130);
    for (const [, from] of text.matchAll(/from '([^']+)'/g)) expect(from).toMatch(/^(chainrule|node:.*|\.\/.*)$/);
  });

  it.each(rooms)('%s, a part of one, says what it is and needs the public API only', (name) => {
    const text = readFileSync(join(root, 'examples', name), 'utf8');
    // A folder goes with an example of its name, is a program of its own, or holds what several lessons use.
    const program = files.includes(join(dirname(name), 'main.ts'));
    expect(program || dirname(name) === 'shared' || names.includes(`${dirname(name)}.ts`)).toBe(true);
    const allowed = program
      ? /^(chainrule|node:.*|\.\/.*|fastify|prom-client|autocannon)$/
      : /^(chainrule|node:.*|\.\/.*|\.\.\/shared\/.*)$/;
    expect(text).toMatch(/^\/\/ \S/);
    expect(text.split('\n').length).toBeLessThanOrEqual(130);
    for (const [, from] of text.matchAll(/from '([^']+)'/g)) expect(from).toMatch(allowed);
  });
});

describe('examples', { timeout: 120_000 }, () => {
  it.each(names.map((name) => name.slice(0, -3)).filter((name) => source(name).includes('the values in the comments')))(
    '%s prints the values in its comments, in their order',
    async (name) => {
      let rest = source(name).split('\n').slice(4);
      const lines = await run(name);
      expect(lines.length).toBeGreaterThan(5);
      for (const line of lines) {
        const at = rest.findIndex((text) => text.endsWith(`// ${line}`));
        expect(at, `a comment with '${line}'`).toBeGreaterThanOrEqual(0);
        rest = rest.slice(at);
        if (rest[0].startsWith('//')) rest = rest.slice(1);
      }
      if (source(name).includes('\n// Draws: ')) expectPictures(name, lines);
    },
  );

  it('04-linear-regression finds the line twice', async () => {
    const lines = await run('04-linear-regression');
    const fits = lines.flatMap((line) => [.../y = (\S+) x \+ (\S+)$/g[Symbol.matchAll](line)]);
    expect(fits).toHaveLength(2);
    for (const [, slope, offset] of fits) {
      expect(Math.abs(Number(slope) - 2)).toBeLessThan(0.1);
      expect(Math.abs(Number(offset) - 3)).toBeLessThan(0.1);
    }
    expectPictures('04-linear-regression', lines);
  });

  it('05-quadratic-regression follows the curve', async () => {
    const lines = await run('05-quadratic-regression');
    const [curve, network] = [numbers(lines, 'curve'), numbers(lines, 'network')];
    expect(curve).toHaveLength(5);
    for (const [i, value] of curve.entries()) expect(Math.abs(network[i] - value)).toBeLessThan(1);
    expectPictures('05-quadratic-regression', lines);
  });

  it('07-two-layer-network has the same losses both ways', async () => {
    const lines = await run('07-two-layer-network', ['--steps', '40']);
    const losses = (way: string) =>
      numbers(
        lines.filter((line) => line.startsWith(way)),
        'loss',
      );
    const [hand, autograd] = [losses('by hand'), losses('autograd')];
    expect(hand).toHaveLength(5);
    for (const [i, loss] of hand.entries()) expect(Math.abs(autograd[i] - loss) / loss).toBeLessThan(1e-3);
    expect(hand[4]).toBeLessThan(hand[0] / 5);
  });

  it('08-mnist-ladder has the parameters of the lecture, and its widest networks have one answer to all images', async () => {
    const lines = await run('08-mnist-ladder', ['--images', '200', '--epochs', '1']);
    const rungs = lines.filter((line) => line.startsWith('784-')).map((line) => line.split(/\s+/));
    expect(rungs.map(([, parameters]) => Number(parameters))).toEqual(
      [1, 2].flatMap(() => [7850, 101770, 535818, 2923530, 10041354]),
    );
    const oneAnswer = rungs.map((row) => Number(row[3]));
    for (const stuck of [3, 4]) expect(oneAnswer[stuck]).toBeGreaterThan(99);
    for (const cured of [8, 9]) expect(oneAnswer[cured]).toBeLessThan(50);
    expectPictures('08-mnist-ladder', lines);
  });

  it('09-lenet learns the digits', async () => {
    const lines = await run('09-lenet', ['--epochs', '1']);
    expect(lines[0]).toBe('431080 parameters');
    expect(numbers(lines, 'accuracy')[0]).toBeGreaterThan(95);
    expectPictures('09-lenet', lines);
  });

  it('10-xor-local-minima ends in several minima', async () => {
    const lines = await run('10-xor-local-minima', ['--starts', '20']);
    const starts = numbers(
      lines.filter((line) => line.includes('starts')),
      ':',
    );
    expect(starts.reduce((a, b) => a + b)).toBe(20);
    for (const count of starts.slice(0, 2)) expect(count).toBeGreaterThan(0);
    expect(lines.flatMap((line) => /: (\d) of 12 wrong/.exec(line)?.[1] ?? [])).toEqual(['5', '3', '2']);
    expectPictures('10-xor-local-minima', lines);
  });

  it('11-minibatch-surfaces has another minimum for each batch, and Adam comes closest', async () => {
    const lines = await run('11-minibatch-surfaces');
    const lowest = lines[0].split('w = ')[1].split(' ').map(Number);
    expect(Math.max(...lowest) - Math.min(...lowest)).toBeGreaterThan(0.5);
    const [sgd, momentum, adam] = numbers(lines, 'ends');
    expect(momentum).toBeLessThan(sgd);
    expect(adam).toBeLessThan(0.1);
    expectPictures('11-minibatch-surfaces', lines);
  });

  it('12-vanishing-gradients vanish through sigmoids alone', async () => {
    const lines = await run('12-vanishing-gradients');
    const [sigmoid, tanh, relu, residual] = numbers(lines, '20 =');
    expect(sigmoid).toBeLessThan(1e-8);
    for (const ratio of [tanh, relu, residual]) expect(ratio).toBeGreaterThan(1e-2);
    expectPictures('12-vanishing-gradients', lines);
  });

  it('13-universal-approximation comes closer with more units', async () => {
    const lines = await run('13-universal-approximation');
    const off = numbers(lines, 'off by');
    expect(off).toHaveLength(6);
    for (const i of [1, 2, 4, 5]) expect(off[i]).toBeLessThan(off[i - 1]);
    expectPictures('13-universal-approximation', lines);
  });

  it('14-hard-cases are hard for a line alone', async () => {
    const lines = await run('14-hard-cases');
    const rows = lines.slice(1, 5).map((line) => [...line.matchAll(/(\S+) %/g)].map(([, v]) => Number(v)));
    expect(rows.map((row) => row.length)).toEqual([3, 3, 3, 3]);
    expectPictures('14-hard-cases', lines);
    for (const [i, [never, linear, deep]] of rows.entries()) {
      expect(deep).toBeGreaterThan(95);
      if (i > 0) expect(linear).toBeLessThan(Math.max(never, 100 - never) + 5);
    }
  });

  it('15-chart-of-networks trains every kind, better than what it is compared with', async () => {
    const lines = await run('15-chart-of-networks');
    const kinds =
      'perceptron feed-forward radial-basis deep-feed-forward recurrent lstm gru autoencoder variational denoising sparse';
    const kindOf = (line: string) => line.split(' ')[0];
    expect(lines.map(kindOf).filter((kind) => kind !== 'drawn:')).toEqual(kinds.split(' '));
    const values = (kind: string) => {
      const line = lines.find((text) => text.startsWith(`${kind} `)) ?? '';
      return [...line.matchAll(/(\d+\.\d+)/g)].map(([value]) => Number(value));
    };
    const [clouds, xor] = values('perceptron');
    expect(clouds).toBeGreaterThan(98);
    expect(xor).toBeLessThan(70);
    expect(values('feed-forward')[0]).toBeGreaterThan(97);
    for (const kind of ['radial-basis', 'deep-feed-forward']) {
      const [good, other] = values(kind);
      expect(good, kind).toBeGreaterThan(95);
      expect(other, kind).toBeLessThan(good);
    }
    const guess = values('recurrent')[1];
    expect(values('recurrent')[0]).toBeGreaterThan(guess / 2);
    for (const kind of ['lstm', 'gru']) expect(values(kind)[0], kind).toBeLessThan(guess / 3);
    const [narrow, straight] = values('autoencoder');
    expect(narrow).toBeLessThan(straight);
    expect(values('variational')[0] + values('variational')[1]).toBeLessThan(55);
    const [noisy, cleaned] = values('denoising');
    expect(cleaned).toBeLessThan(noisy / 5);
    const [free, , paid] = values('sparse');
    expect(paid).toBeLessThan(free / 2);
    expectPictures('15-chart-of-networks', lines);
  });

  it('16-alexnet has the parameters of 2012 and a loss that falls', async () => {
    const lines = await run('16-alexnet');
    const table = lines.join('\n');
    expect(table).toContain('Parameters: 61,100,840 (61,100,840 trainable');
    expect(table.match(/LocalResponseNorm \(\d+\) +(\[.*?\])/g)).toHaveLength(2);
    expect(table).toMatch(/MaxPool2d \(14\) +\[1, 256, 6, 6\]/);
    const [before] = numbers(lines, 'before the step');
    const [after] = numbers(lines, 'after the step');
    expect(before).toBeCloseTo(Math.log(1000), 1);
    expect(after).toBeLessThan(before);
  });

  it('17-small-gpt learns letters', async () => {
    const lines = await run('17-small-gpt', ['--steps', '20']);
    expect(lines[0]).toContain('23 different; 807447 parameters');
    expect(numbers(lines, 'text:')[0]).toBeLessThan(2.2);
  });

  it('17-character-lstm learns letters', async () => {
    const lines = await run('17-character-lstm', ['--steps', '30']);
    expect(lines[0]).toContain('23 different; 337111 parameters');
    expect(numbers(lines, 'text:')[0]).toBeLessThan(0.8);
    expect(lines.slice(12).join('\n').length).toBeGreaterThan(300); // its own sample
  });

  it('18-neural-turing-machine copies what it was shown', async () => {
    const small = ['--bits', '4', '--longest', '6', '--locations', '16', '--steps', '400'];
    const lines = await run('18-neural-turing-machine', small);
    const losses = numbers(lines, 'loss').slice(0, 10);
    expect(losses[0]).toBeGreaterThan(10);
    expect(losses[9]).toBeLessThan(0.5);
    expect(lines.filter((line) => /^length [36]:.* 0.00 of/.test(line))).toHaveLength(2);
    expectPictures('18-neural-turing-machine', lines);
  });
});
