// A run that is killed again and again, at any moment, ends with the same bits as one that never stopped.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { train } from 'chainrule';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Bundle, bundle } from './fixtures/bundle.js';

const EPOCHS = 60;

let run: Bundle;
beforeAll(async () => {
  run = await bundle('killed-run.ts');
}, 60_000);
afterAll(() => run.remove());

/** The digest of a run to its end. */
function digest(path: string, kind: string): string {
  const { stdout, stderr } = spawnSync(process.execPath, [run.file, path, String(EPOCHS), kind], {
    env: run.env,
    encoding: 'utf8',
    timeout: 60_000,
  });
  expect(stderr).toBe('');
  return /^end .*$/m.exec(stdout)?.[0] ?? `no end: ${stdout.slice(-200)}`;
}

interface Killed {
  /** The steps it said were saved. */
  saved: number[];
  signal: string | null;
}

/** Starts the run and kills it some milliseconds after its `lines`-th line. */
function killed(path: string, kind: string, lines: number, afterMs: number): Promise<Killed> {
  const child = spawn(process.execPath, [run.file, path, String(EPOCHS), kind], {
    env: run.env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let [text, armed] = ['', false];
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
    if (!armed && text.split('\n').length > lines) {
      armed = true;
      setTimeout(() => child.kill('SIGKILL'), afterMs);
    }
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (_, signal) => {
      // The last line may be cut off; every whole one but the first tells of a file that was complete by then.
      const whole = text
        .slice(0, text.lastIndexOf('\n') + 1)
        .split('\n')
        .slice(0, -1);
      resolve({ saved: whole.slice(1).map(Number), signal });
    });
  });
}

describe('fit with a checkpoint', () => {
  it.each([
    ['steps', 50],
    ['epochs', 20],
  ])('that keeps what goes by %s survives %i kills bit for bit', { timeout: 120_000 }, async (kind, kills) => {
    const folder = join(run.folder, kind);
    mkdirSync(folder);
    const [path, straight] = [join(folder, 'killed.safetensors'), join(run.folder, `${kind}.safetensors`)];
    const whole = digest(straight, kind);
    expect(whole).toMatch(/^end [0-9a-f]{64} \d+$/);
    let reached = 0;
    for (let i = 0; i < kills; i++) {
      // At its start, or after up to three steps, and then 0 to 31 ms later: a step takes about one, its file several.
      const { saved, signal } = await killed(path, kind, 1 + (i % 4), Math.random() * 31);
      expect(signal).toBe('SIGKILL');
      if (saved.length > 0) reached = saved[saved.length - 1];
      if (!existsSync(path)) continue;
      // Whatever the kill interrupted, a whole file is there, not older than the last one reported.
      const { progress } = await train.loadCheckpoint<{ progress: { step: number } }>(path);
      expect(progress.step).toBeGreaterThanOrEqual(reached);
      reached = progress.step;
    }
    expect(reached).toBeGreaterThan(kills);
    // Files that were being written when the kill came: about every fourth time, so that of 50 some must be left.
    const left = readdirSync(folder).filter((name) => name.endsWith('.tmp')).length;
    if (kills >= 50) expect(left).toBeGreaterThan(0);
    expect(digest(path, kind)).toBe(whole);
    // All of the state, what the digest knows nothing of included.
    expect(readFileSync(path).equals(readFileSync(straight))).toBe(true);
    // Once complete, there is nothing left to do, and the same to tell.
    expect(digest(path, kind)).toBe(whole);
  });
});
