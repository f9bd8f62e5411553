// Ending a command early: Ctrl-C, a request of the system, or a reader of the output that went away.

/** Why a command ends before its time. */
export type StopReason = 'SIGINT' | 'SIGTERM' | 'SIGHUP' | 'EPIPE';

/** 128 + the number of the signal, as shells report it; EPIPE counts as SIGPIPE. */
export const STOP_CODES: Readonly<Record<StopReason, number>> = { SIGHUP: 129, SIGINT: 130, EPIPE: 141, SIGTERM: 143 };

/** npm hands on a Ctrl-C that the terminal has sent to the whole group: the same press of the keys arrives twice. */
const SAME_PRESS_MS = 300;

let current: Stop | null = null;

/**
 * Listens for the wish to stop while a command runs.
 *
 * The first signal sets `reason` and aborts `signal`, and the command ends at the next good moment; a second one ends the process at once.
 */
export class Stop {
  /** Why to stop, or null while nobody has asked. */
  reason: StopReason | null = null;
  readonly #abort = new AbortController();
  readonly #onFirst: (reason: StopReason) => void;
  readonly #beforeExit: () => void;
  readonly #handlers = new Map<NodeJS.Signals, () => void>();
  #since = 0;

  /**
   * @param onFirst called at the first signal
   * @param beforeExit called when a second one ends the process, to leave the terminal in order
   */
  constructor(onFirst: (reason: StopReason) => void, beforeExit: () => void) {
    this.#onFirst = onFirst;
    this.#beforeExit = beforeExit;
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      const handler = () => this.request(name);
      this.#handlers.set(name, handler);
      process.on(name, handler);
    }
    current = this;
  }

  /** Fires at the first request; for downloads and other waits. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  request(reason: StopReason): void {
    if (this.reason === null) {
      this.reason = reason;
      this.#since = performance.now();
      this.#abort.abort();
      this.#onFirst(reason);
    } else if (reason !== 'EPIPE' && performance.now() - this.#since > SAME_PRESS_MS) {
      this.#beforeExit();
      process.exit(STOP_CODES[reason]);
    }
  }

  /** Gives the signals back to the system, unless it is about to end: npm's copy of a Ctrl-C may arrive only now. */
  end(): void {
    if (this.reason !== null) return;
    for (const [name, handler] of this.#handlers) process.off(name, handler);
    if (current === this) current = null;
  }
}

/** Makes `chainrule ... | head` end quietly, as other programs do, instead of with a stack trace. */
export function guardPipes(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    if (current === null) process.exit(STOP_CODES.EPIPE);
    current.request('EPIPE');
  });
  process.stderr.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}
