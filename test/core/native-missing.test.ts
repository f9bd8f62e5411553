// A missing or broken binary, and a CPU capability that does not exist: errors that say what to do.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { run } from './fixtures/run.js';

const folder = mkdtempSync(join(tmpdir(), 'chainrule-'));
afterAll(() => rmSync(folder, { recursive: true }));

const platform = `${process.platform}-${process.arch}`;
const load = (env: NodeJS.ProcessEnv) =>
  run(
    [
      '--eval',
      "try { const c = await import('chainrule'); console.log(JSON.stringify({ capability: c.capability() })); } catch (e) { console.log(JSON.stringify({ name: e.name, code: e.code, op: e.op, message: e.message, cause: String(e.cause) })); }",
    ],
    env,
  );

describe('the binary', () => {
  it('missing: names platform, place and remedy', () => {
    const empty = join(folder, 'empty');
    mkdirSync(empty);
    const { status, stdout, stderr } = load({ CHAINRULE_PREBUILD: empty });
    expect(status, stderr).toBe(0);
    const error = JSON.parse(stdout);
    expect(error).toMatchObject({ name: 'TensorError', code: 'native', op: 'load' });
    for (const part of [platform, process.versions.node, empty, 'npm install chainrule', 'scripts/setup.sh'])
      expect(error.message).toContain(part);
  });

  it('garbage: says so, with the loader’s own reason, and does not crash', () => {
    const broken = join(folder, 'broken');
    mkdirSync(join(broken, 'prebuilds', platform), { recursive: true });
    writeFileSync(join(broken, 'prebuilds', platform, 'chainrule.node'), 'this is not a shared library');
    const { status, stdout, stderr } = load({ CHAINRULE_PREBUILD: broken });
    expect(status, stderr).toBe(0);
    const error = JSON.parse(stdout);
    expect(error).toMatchObject({ name: 'TensorError', code: 'native' });
    expect(error.message).toContain(broken);
    expect(error.message).toContain(platform);
    expect(error.cause).not.toBe('undefined');
  });

  it('uncaught: ends the process with the message, not with a crash', () => {
    const { status, signal, stderr } = run(['--eval', "await import('chainrule');"], { CHAINRULE_PREBUILD: folder });
    expect([status, signal]).toEqual([1, null]);
    expect(stderr).toContain('[load] expected a native binary');
  });
});

describe('CHAINRULE_CPU', () => {
  it('chooses what the CPU can run', () => {
    const baseline = process.arch === 'arm64' ? 'neon' : 'baseline';
    const { stdout, stderr } = load({ CHAINRULE_CPU: baseline });
    expect(JSON.parse(stdout), stderr).toEqual({ capability: baseline });
    expect(JSON.parse(load({ CHAINRULE_CPU: '' }).stdout).capability).toBeTruthy();
  });

  it('of another value: names those that would do', () => {
    const { status, stdout, stderr } = load({ CHAINRULE_CPU: 'pentium' });
    expect(status, stderr).toBe(0);
    const error = JSON.parse(stdout);
    expect(error).toMatchObject({ name: 'TensorError', code: 'native' });
    expect(error.message).toContain("'pentium'");
    expect(error.message).toContain('CHAINRULE_CPU');
    if (process.arch === 'x64') expect(error.message).toContain('baseline');
  });
});
