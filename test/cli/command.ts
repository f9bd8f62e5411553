// Runs the command in a process of its own, as a shell would, on the sources.
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

export interface Result {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface RunOptions {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  /** Called with every piece of standard output. */
  onOutput?: (text: string, child: ChildProcess) => void;
}

/** Runs `chainrule ...args`. */
export function chainrule(args: readonly string[], options: RunOptions = {}): Promise<Result> {
  const command = ['--import', import.meta.resolve('tsx'), `${root}lib/cli/main.ts`, ...args];
  const { npm_lifecycle_event: _, npm_command: __, ...env } = process.env;
  const child = spawn(process.execPath, command, { cwd: options.cwd ?? root, env: { ...env, ...options.env } });
  const result: Result = { code: null, signal: null, stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    result.stdout += text;
    options.onOutput?.(text, child);
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    result.stderr += text;
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ ...result, code, signal }));
  });
}

/** The objects of standard output, one a line and nothing else. */
export function jsonLines(result: Result): Record<string, unknown>[] {
  return result.stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}
