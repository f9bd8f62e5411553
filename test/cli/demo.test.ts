// `chainrule demo` and `chainrule classify` as their users run them: contracts of output, files, signals and exit codes.
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { train } from 'chainrule';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chainrule, jsonLines } from './command.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'chainrule-demo-'));
});
afterAll(() => rm(folder, { recursive: true }));

const SMALL = ['--model', 'mlp', '--limit', '640', '--epochs', '2', '--seed', '3'];
const demo = (out: string, ...args: string[]) => chainrule(['demo', '--out', join(folder, out), ...args]);
const file = (...path: string[]) => readFile(join(folder, ...path));

describe('chainrule', { timeout: 60_000 }, () => {
  it('explains itself', async () => {
    const help = await chainrule(['--help']);
    expect(help).toMatchObject({ code: 0, stderr: '' });
    for (const text of ['demo', 'classify', 'info', 'Exit codes', '130']) expect(help.stdout).toContain(text);
    const { code, stdout } = await chainrule(['demo', '--help']);
    expect(code).toBe(0);
    const options = [
      'dataset',
      'data',
      'model',
      'epochs',
      'batch-size',
      'lr',
      'optimizer',
      'seed',
      'threads',
      'out',
      'resume',
      'json',
      'limit',
    ];
    for (const option of options) expect(stdout).toContain(`--${option}`);
    expect(stdout).not.toMatch(/@[A-Z]+/);
    const version = await chainrule(['--version']);
    expect(version.code).toBe(0);
    expect(version.stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it('tells facts about the installation', async () => {
    const { code, stdout } = await chainrule(['info', '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      node: process.versions.node,
      platform: `${process.platform}-${process.arch}`,
    });
  });

  it.each([
    [['demo', '--model', 'vgg'], /choices are linear, mlp, lenet/],
    [['demo', '--epochs', '0'], /whole number of at least 1|from 1 to/],
    [['demo', '--batch-size', '1.5'], /whole number/],
    [['demo', '--lr', '-1'], /above 0/],
    [['demo', '--optimizer', 'lbfgs'], /choices are sgd, adam/],
    [['demo', '--sed', '1'], /unknown option '--sed'[\s\S]*--seed/],
    [['demo', '--data', '.'], /--dataset mnist/],
    [['demo', 'extra'], /too many arguments/],
    [['classify'], /expected images/],
    [['classify', '--dataset', 'digits', 'a.pgm'], /got both/],
    [['train'], /unknown command 'train'/],
    [[], /Usage: chainrule/],
  ])('refuses %j with code 2', async (args, message) => {
    const result = await chainrule(args);
    expect(result.stderr).toMatch(message);
    expect(result.stderr).not.toContain('    at ');
    expect(result).toMatchObject({ code: 2, stdout: '' });
  });

  it('fails with code 1 and one line', async () => {
    await writeFile(join(folder, 'a-file'), '');
    for (const args of [
      ['demo', '--resume', '--out', join(folder, 'nowhere')],
      ['demo', '--out', join(folder, 'a-file', 'sub')],
      ['demo', '--dataset', 'mnist', '--data', folder, '--out', join(folder, 'm')],
      ['classify', '--model', join(folder, 'none.safetensors'), '--dataset', 'digits'],
    ]) {
      const result = await chainrule(args);
      expect(result, args.join(' ')).toMatchObject({ code: 1, stdout: '' });
      expect(result.stderr).toMatch(/^chainrule: \[\w+\] expected .*\n$/);
    }
  });
});

describe('chainrule demo', { timeout: 120_000 }, () => {
  let lines: Record<string, unknown>[];

  it('prints JSON lines that end with the test accuracy, and leaves its files', async () => {
    const result = await demo('a', ...SMALL, '--json');
    expect(result).toMatchObject({ code: 0, stderr: '' });
    lines = jsonLines(result);
    expect(lines.map((line) => line.event)).toEqual(['start', 'epoch', 'epoch', 'end']);
    expect(lines[0]).toMatchObject({
      model: 'mlp',
      dataset: 'digits',
      parameters: 101_770,
      trainImages: 640,
      testImages: 2000,
      epochs: 2,
      seed: 3,
      resumedAt: 0,
    });
    expect(lines[1]).toMatchObject({ epoch: 1, epochs: 2 });
    const end = lines[3] as { testAccuracy: number; confusion: number[][] };
    expect(end.testAccuracy).toBeGreaterThan(0.3);
    expect(end.testAccuracy).toBeLessThanOrEqual(1);
    expect(end.confusion.flat().reduce((a, b) => a + b)).toBe(2000);
    expect((await readdir(join(folder, 'a'))).sort()).toEqual([
      'checkpoint.safetensors',
      'loss.svg',
      'model.safetensors',
    ]);
    expect((await file('a', 'loss.svg')).toString()).toMatch(/^<svg[\s\S]*test accuracy[\s\S]*<\/svg>\s*$/);
  });

  it('repeats itself, whatever the threads', async () => {
    const again = jsonLines(await demo('b', ...SMALL, '--json', '--threads', '1'));
    expect(again.at(-1)?.testAccuracy).toBe(lines.at(-1)?.testAccuracy);
    expect(again.at(-1)?.testLoss).toBe(lines.at(-1)?.testLoss);
    expect((await file('b', 'model.safetensors')).equals(await file('a', 'model.safetensors'))).toBe(true);
    const other = jsonLines(await demo('c', ...SMALL.slice(0, -1), '4', '--json'));
    expect(other.at(-1)?.testLoss).not.toBe(lines.at(-1)?.testLoss);
  });

  it.each(['sgd', 'adam'])('saves at SIGINT, and goes on as if nothing had been (%s)', async (optimizer) => {
    const args = ['--model', 'mlp', '--limit', '2000', '--batch-size', '8', '--epochs', '8', '--optimizer', optimizer];
    const whole = await demo(`whole-${optimizer}`, ...args, '--json');
    expect(whole.code).toBe(0);
    let sent = false;
    const stopped = await chainrule(['demo', '--out', join(folder, `parts-${optimizer}`), ...args, '--json'], {
      // After the first of eight epochs: somewhere in one of the next, however fast the machine.
      onOutput: (text, child) => {
        if (sent || !text.includes('"epoch"')) return;
        sent = child.kill('SIGINT');
      },
    });
    expect(stopped.code).toBe(130);
    expect(stopped.stderr).toContain('Stopping after this step');
    const last = jsonLines(stopped).at(-1);
    expect(last).toMatchObject({ event: 'stopped', reason: 'SIGINT' });
    expect(last?.step).toBeGreaterThanOrEqual(250);
    expect(last?.step).toBeLessThan(2000);
    expect(last?.resume).toContain('demo --resume --out');
    const resumed = await demo(`parts-${optimizer}`, '--resume', '--json');
    expect(resumed.code).toBe(0);
    const [start] = jsonLines(resumed);
    expect(start).toMatchObject({ model: 'mlp', batchSize: 8, optimizer, resumedAt: last?.step });
    const measured = ({ event, testAccuracy, testLoss, confusion }: Record<string, unknown>) => ({
      event,
      testAccuracy,
      testLoss,
      confusion,
    });
    expect(measured(jsonLines(resumed).at(-1) ?? {})).toEqual(measured(jsonLines(whole).at(-1) ?? {}));
    expect(
      (await file(`parts-${optimizer}`, 'model.safetensors')).equals(
        await file(`whole-${optimizer}`, 'model.safetensors'),
      ),
    ).toBe(true);
    // All that a later resume would read, the history of every step included.
    expect(
      (await file(`parts-${optimizer}`, 'checkpoint.safetensors')).equals(
        await file(`whole-${optimizer}`, 'checkpoint.safetensors'),
      ),
    ).toBe(true);
  });

  it('saves at SIGTERM', async () => {
    const result = await chainrule(['demo', '--out', join(folder, 'term'), '--model', 'linear', '--epochs', '1000'], {
      onOutput: (text, child) => void (text.startsWith('epoch ') && child.kill('SIGTERM')),
    });
    expect(result.code).toBe(143);
    expect(result.stdout).toMatch(
      /Stopped in epoch \d+ after step \d+; saved .*\nGo on with: {2}chainrule demo --resume --out/,
    );
    expect(existsSync(join(folder, 'term', 'checkpoint.safetensors'))).toBe(true);
  });

  it('goes on to more epochs, and refuses to become another run', async () => {
    const more = jsonLines(await demo('a', '--resume', '--epochs', '3', '--json'));
    expect(more.map((line) => line.event)).toEqual(['start', 'epoch', 'end']);
    const same = jsonLines(await demo('a', '--resume', '--json'));
    expect(same.map((line) => line.event)).toEqual(['start', 'end']);
    for (const name of ['testAccuracy', 'testLoss', 'confusion']) {
      expect(same.at(-1)?.[name]).toEqual(more.at(-1)?.[name]);
    }
    const other = await demo('a', '--resume', '--model', 'lenet');
    expect(other.code).toBe(1);
    expect(other.stderr).toContain('expected --model to be that of the run to resume (mlp), got lenet');
    await writeFile(join(folder, 'c', 'checkpoint.safetensors'), await file('c', 'model.safetensors'));
    expect((await demo('c', '--resume')).stderr).toContain('to be a checkpoint, got a file without its metadata');
    await train.saveCheckpoint(join(folder, 'c', 'checkpoint.safetensors'), { extra: { settings: { model: 'mlp' } } });
    expect((await demo('c', '--resume')).stderr).toContain('got one without settings that a run can have');
  });

  it('gives up where the loss is no number any more', async () => {
    const { code, stderr } = await demo('nan', '--limit', '640', '--model', 'mlp', '--lr', '1e30');
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /expected numbers to stay finite with --lr 1e\+30, got others; try a smaller one: .* in step \d+/,
    );
  });

  it('prints plain lines where no terminal is', async () => {
    const { code, stdout, stderr } = await demo('plain', '--limit', '64', '--epochs', '1', '--batch-size', '32');
    expect(code).toBe(0);
    expect(stderr).toBe('');
    expect(stdout).toContain('431,080 parameters');
    expect(stdout).toMatch(/^epoch 1\/1 {2}loss \d\.\d{4} .* test accuracy \d+\.\d\d %/m);
    expect(stdout).toMatch(/^true \| {3}0 {3}1/m);
    expect(stdout).toMatch(/^test accuracy \d+\.\d\d % of 2,000 images/m);
    expect(stdout).not.toContain('\x1b');
  });

  it('ends quietly when its reader goes away', async () => {
    const result = await chainrule(['demo', '--out', join(folder, 'pipe'), '--model', 'linear', '--epochs', '1000'], {
      onOutput: (_, child) => void child.stdout?.destroy(),
    });
    expect(result.code).toBe(141);
    expect(result.stderr).toBe('');
  });
});

describe('chainrule classify', { timeout: 60_000 }, () => {
  const classify = (...args: string[]) =>
    chainrule(['classify', '--model', join(folder, 'a', 'model.safetensors'), ...args]);

  it('classifies test images', async () => {
    const result = await classify('--dataset', 'digits', '--index', '0..99', '--json');
    expect(result).toMatchObject({ code: 0, stderr: '' });
    const lines = jsonLines(result) as { class: number; label: number; probability: number; probabilities: number[] }[];
    expect(lines).toHaveLength(100);
    expect(lines.filter((line) => line.class === line.label).length).toBeGreaterThan(50);
    for (const { class: found, probability, probabilities } of lines) {
      expect(probabilities[found]).toBe(probability);
      expect(probabilities.reduce((a, b) => a + b)).toBeCloseTo(1, 5);
    }
    const text = await classify('--dataset', 'digits', '--index', '0');
    expect(text.stdout).toMatch(
      /^digits test image 0: \d \(\d+\.\d %, (right|wrong: it is \d)\)\n(?: {2}\|.{28}\|.*\n){14}\n$/,
    );
  });

  it('classifies files as it does the same pixels of the data set', async () => {
    const { digitsArrays } = await import('../../lib/data/digits.js');
    const pixels = digitsArrays({ split: 'test', count: 3 }).images.subarray(784, 1568);
    const light = join(folder, 'light.pgm');
    const dark = join(folder, 'dark.pgm');
    await writeFile(light, Buffer.concat([Buffer.from('P5 28 28 255\n'), pixels]));
    await writeFile(dark, `P2\n28 28\n255\n${[...pixels].map((value) => 255 - value).join(' ')}\n`);
    const [expected] = jsonLines(await classify('--dataset', 'digits', '--index', '1', '--json'));
    for (const file of [light, dark]) {
      const [line] = jsonLines(await classify(file, '--json'));
      expect(line.probabilities).toEqual(expected.probabilities);
    }
    // Products of two rows add up in another order than those of one.
    const [first, second] = jsonLines(await classify(light, dark, '--json'));
    expect(first.probabilities).toEqual(second.probabilities);
    expect(first.class).toBe(expected.class);
  });

  it('says what is wrong', async () => {
    const range = await classify('--dataset', 'digits', '--index', '2000');
    expect(range.code).toBe(1);
    expect(range.stderr).toContain('expected --index from 0 to 1999');
    const none = await classify(join(folder, 'none.png'));
    expect(none.stderr).toContain('got no such file');
    const other = await chainrule([
      'classify',
      '--model',
      join(folder, 'a', 'checkpoint.safetensors'),
      '--dataset',
      'digits',
    ]);
    expect(other).toMatchObject({ code: 1 });
    expect(other.stderr).toContain('to be the model.safetensors of a demo run');
  });
});
