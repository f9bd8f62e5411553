// The build check for MMX registers: that it finds them, passes code without them, and does not pass nothing.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';

const folder = mkdtempSync(join(tmpdir(), 'chainrule-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** An object file with one function around an instruction. */
function object(name: string, instruction: string): string {
  const [source, made] = [join(folder, `${name}.c`), join(folder, `${name}.o`)];
  writeFileSync(source, `void ${name}(void) { __asm__ volatile("${instruction}"); }\n`);
  const { status, stderr } = spawnSync('gcc', ['-c', '-o', made, source], { encoding: 'utf8' });
  expect(status, stderr).toBe(0);
  return made;
}
const check = (...files: string[]) => spawnSync('node', ['scripts/check-mmx.js', ...files], { encoding: 'utf8' });

// Other processors have no such registers, nor assemblers that know them.
describe.runIf(process.arch === 'x64')('check-mmx', () => {
  it('names the function that uses one', () => {
    const { status, stderr } = check(object('zeroes', 'pxor %mm0, %mm0'));
    expect(status).toBe(1);
    expect(stderr).toContain('zeroes uses MMX');
  });

  it('passes SSE', () => {
    const { status, stdout, stderr } = check(object('clean', 'pxor %xmm0, %xmm0'));
    expect(status, stderr).toBe(0);
    expect(stdout).toContain('1 kernel functions in 1 archives');
  });

  it('fails where there is no function to look at', () => {
    const empty = join(folder, 'empty.c');
    writeFileSync(empty, 'int x;\n');
    spawnSync('gcc', ['-c', '-o', join(folder, 'empty.o'), empty]);
    expect(check(join(folder, 'empty.o')).stderr).toContain('expected functions, got none');
    expect(check(join(folder, 'absent.o')).status).toBe(1);
  });
});
