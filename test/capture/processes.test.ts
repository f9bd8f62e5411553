// Processes and workers that end while a step runs in the background: no hang, no crash, no harm to others.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** A program with a step that takes a while, `step`, and its input `x`. */
const HEAD = `
const { capture, Generator, noGrad, randn } = await import(${JSON.stringify(`${root}lib/index.ts`)});
const weight = randn([500, 500], { generator: new Generator(3) }).mul(0.04);
const step = capture((x) => noGrad(() => {
  for (let i = 0; i < 20; i++) x = x.matmul(weight).tanh();
  return x;
}));
const x = randn([500, 500], { generator: new Generator(4) });
step(x).dispose();
`;

async function run(program: string) {
  const env = { ...process.env, TSX_TSCONFIG_PATH: `${root}tsconfig.json` };
  const args = ['--import', import.meta.resolve('tsx'), '--input-type=module', '-e', HEAD + program];
  // Longer than any of them takes: what hangs is killed and fails.
  return promisify(execFile)(process.execPath, args, { cwd: root, env, timeout: 60_000 });
}

describe('a process', { timeout: 90_000 }, () => {
  it('lives until its runs are over, and no longer', async () => {
    const { stdout } = await run("step.async(x).then((y) => console.log('done', y.shape.join()));");
    expect(stdout.trim()).toBe('done 500,500');
  });

  it('may exit in the middle of a run', async () => {
    const { stdout } = await run(
      "step.async(x); step.async(x); setImmediate(() => { console.log('leaving'); process.exit(0); });",
    );
    expect(stdout.trim()).toBe('leaving');
  });

  it('ends with the error that nobody caught in the middle of a run', async () => {
    await expect(run("step.async(x); throw new Error('a thrown error');")).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining('a thrown error'),
    });
  });

  it('ends workers in the middle of a run, while its own runs go on and stay right', async () => {
    const { stdout } = await run(`
      import { Worker } from 'node:worker_threads';
      const expected = step(x).sum().item();
      // tsx does not reach into worker threads by itself on Node 20.
      const register = ${JSON.stringify(`(await import(${JSON.stringify(import.meta.resolve('tsx/esm/api'))})).register();`)};
      const program = '(async () => {' + register + ${JSON.stringify(HEAD)} + 'for (;;) { const y = await step.async(x); y.dispose(); } })()';
      let [ended, wrong, runs] = [0, 0, 0];
      const workers = Array.from({ length: 3 }, () => new Worker(program, { eval: true, execArgv: [] }));
      for (const worker of workers) worker.on('error', (error) => { console.error(error); process.exit(2); });
      const killing = Promise.all(workers.map(async (worker, i) => {
        await new Promise((resolve) => worker.once('online', resolve));
        await new Promise((resolve) => setTimeout(resolve, 1500 + 700 * i));
        await worker.terminate();
        ended++;
      }));
      while (ended < workers.length) {
        const y = await step.async(x);
        if (y.sum().item() !== expected) wrong++;
        runs++;
      }
      await killing;
      console.log(ended, wrong, runs > 0);
    `);
    expect(stdout.trim()).toBe('3 0 true');
  });
});
