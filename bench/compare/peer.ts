// A side of the comparison: a process of its own, asked line by line.
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Options } from '../work/work.js';
import type { Prepared } from './serve.js';

/** How a side is started. */
export interface Program {
  readonly name: string;
  readonly command: readonly string[];
  /** The families it may be asked for; all unless given. */
  readonly families?: readonly string[];
  /** Whether it can be given a thread count; otherwise it is compared on one thread only. */
  readonly threads: boolean;
}

/** What a side says to a request, or why it cannot. */
export type Answer<T> = T | { readonly absent: string };

const path = (file: string) => fileURLToPath(new URL(file, import.meta.url));
const node = (file: string, ...rest: string[]) => [process.execPath, '--import', 'tsx', path(file), ...rest];
/** Debian's PyTorch belongs to Debian's Python, whatever else `python3` may be. */
const python = process.env.CHAINRULE_BENCH_PYTHON ?? '/usr/bin/python3';

export const OURS: Program = { name: 'chainrule', command: node('./ours.ts'), threads: true };
export const PYTORCH: Program = { name: 'PyTorch', command: [python, path('./torch_peer.py')], threads: true };
export const PEERS: readonly Program[] = [
  PYTORCH,
  {
    name: 'tfjs cpu',
    command: node('./peers/tfjs.js', 'cpu'),
    families: ['lenet', 'mlp', 'add', 'unary', 'matmul'],
    threads: false,
  },
  {
    name: 'tfjs wasm',
    command: node('./peers/tfjs.js', 'wasm'),
    families: ['lenet', 'mlp', 'add', 'unary', 'matmul'],
    threads: false,
  },
  {
    name: 'jax-js',
    command: node('./peers/jax.js'),
    families: ['mlp', 'add', 'unary', 'matmul'],
    threads: false,
  },
  { name: 'js-pytorch', command: node('./peers/js-pytorch.js'), families: ['mlp', 'add', 'matmul'], threads: false },
  { name: 'brain.js', command: node('./peers/brain.js'), families: ['mlp'], threads: false },
  { name: 'onnxruntime', command: node('./peers/onnx.js'), families: ['lenet', 'mlp', 'matmul'], threads: true },
];

/** Longest wait for one answer, in milliseconds: what is slower is named as too slow. */
const PATIENCE = 15_000;
/** Longest wait for a side to start. */
const START = 60_000;

export class Peer {
  private constructor(
    readonly program: Program,
    private readonly child: ChildProcess,
    private readonly lines: AsyncIterator<string>,
    readonly version: string,
  ) {}

  /**
   * Starts a side for one thread count; null where it is not installed. PyTorch's OpenBLAS keeps threads of its own, whatever
   * torch.set_num_threads says, unless the environment holds them too.
   */
  static async start(program: Program, threads: number): Promise<Peer | null> {
    const count = String(threads);
    const env: NodeJS.ProcessEnv = {
      ...process.env,
      OPENBLAS_NUM_THREADS: count,
      OMP_NUM_THREADS: count,
      CHAINRULE_BENCH_THREADS: count,
    };
    // A forced core halves every product.
    delete env.OPENBLAS_CORETYPE;
    delete env.OPENBLAS_L2_SIZE;
    const [command, ...rest] = program.command;
    const child = spawn(command, rest, { stdio: ['pipe', 'pipe', 'ignore'], env });
    const failed = new Promise<undefined>((resolve) => child.once('error', () => resolve(undefined)));
    const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]();
    const hello = await Promise.race([failed, lines.next(), after(START)]);
    if (hello === undefined || hello.done) {
      child.kill();
      return null;
    }
    return new Peer(program, child, lines, (JSON.parse(hello.value) as { version: string }).version);
  }

  /** Makes the work, does its first steps, and gives the digests of their results. */
  prepare(family: string, options: Options): Promise<Answer<Prepared>> {
    return this.ask({ prepare: { family, options } });
  }

  /** Milliseconds of a step, in repetitions of `repeat` steps, until the time is spent. */
  time(repeat: number, milliseconds: number): Promise<Answer<{ times: number[] }>> {
    return this.ask({ time: { repeat, milliseconds } });
  }

  /** Whether the process still answers; one that took too long was stopped. */
  get alive(): boolean {
    return this.child.exitCode === null && !this.child.killed;
  }

  private async ask<T>(request: object): Promise<Answer<T>> {
    if (!this.alive) return { absent: 'the process has stopped' };
    this.child.stdin?.write(`${JSON.stringify(request)}\n`);
    const answer = await Promise.race([this.lines.next(), after(PATIENCE)]);
    if (answer === undefined || answer.done) {
      this.stop();
      return { absent: answer === undefined ? `slower than ${PATIENCE / 1000} s` : 'the process has stopped' };
    }
    return JSON.parse(answer.value) as Answer<T>;
  }

  stop(): void {
    this.child.kill('SIGKILL');
  }
}

/** Undefined after some milliseconds; it keeps no process alive. */
function after(milliseconds: number): Promise<undefined> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds, undefined).unref();
  });
}
