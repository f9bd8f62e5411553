// PyTorch in a process of its own, asked over standard input for the milliseconds of its steps.
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const SCRIPT = fileURLToPath(new URL('./torch_peer.py', import.meta.url));
/** Debian's PyTorch belongs to Debian's Python, whatever else `python3` may be. */
const PYTHON = process.env.CHAINRULE_BENCH_PYTHON ?? '/usr/bin/python3';

export class Torch {
  private constructor(
    private readonly child: ChildProcess,
    private readonly lines: AsyncIterator<string>,
    readonly version: string,
  ) {}

  /**
   * Starts a process for one thread count; null where PyTorch is not installed. Its OpenBLAS keeps threads of its own, whatever
   * torch.set_num_threads says, unless the environment holds them too.
   */
  static async start(threads: number): Promise<Torch | null> {
    const env = { ...process.env, OPENBLAS_NUM_THREADS: String(threads), OMP_NUM_THREADS: String(threads) };
    const child = spawn(PYTHON, [SCRIPT], { stdio: ['pipe', 'pipe', 'ignore'], env });
    const failed = new Promise<null>((resolve) => child.once('error', () => resolve(null)));
    const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]();
    const hello = await Promise.race([failed, lines.next()]);
    if (hello === null || hello.done) return null;
    return new Torch(child, lines, (JSON.parse(hello.value) as { version: string }).version);
  }

  /** Milliseconds of each of some repetitions of a named piece of work. */
  async time(name: string, options: Record<string, number>, repetitions: number): Promise<number[]> {
    this.child.stdin?.write(`${JSON.stringify({ name, repetitions, ...options })}\n`);
    const answer = await this.lines.next();
    if (answer.done) throw new Error(`PyTorch stopped while running ${name}`);
    return JSON.parse(answer.value) as number[];
  }

  stop(): void {
    this.child.kill();
  }
}
