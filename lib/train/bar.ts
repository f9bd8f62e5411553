// A progress bar on standard error, where that is a terminal: it leaves no trace, and the terminal as it was.
import { SingleBar } from 'cli-progress';

/** Signals that end a program which does not listen. */
const ENDING = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Whether somebody is looking who sees a bar move. */
export function isVisible(): boolean {
  return process.stderr.isTTY === true && process.env.TERM !== 'dumb';
}

/** A bar that is there from its first movement until it is closed, any number of times. */
export class Bar {
  #bar: SingleBar | null = null;

  /** Moves the bar, or starts one; `format` and what stands in it are those of cli-progress. */
  move(format: string, value: number, total: number, payload: Readonly<Record<string, string>>): void {
    if (!isVisible()) return;
    if (this.#bar === null) {
      this.#bar = new SingleBar({
        format,
        stream: process.stderr,
        barsize: 24,
        barCompleteChar: '█',
        barIncompleteChar: '░',
        hideCursor: true,
        clearOnComplete: true,
        gracefulExit: false,
      });
      this.#bar.start(total, value, payload);
      for (const name of ENDING) process.on(name, this.#onSignal);
    }
    this.#bar.setTotal(total);
    this.#bar.update(value, payload);
  }

  /** Takes the bar away and gives cursor and line ends back. Before every line of text: it would scroll the bar's place away. */
  close(): void {
    if (this.#bar === null) return;
    this.#bar.stop();
    this.#bar = null;
    for (const name of ENDING) process.off(name, this.#onSignal);
  }

  /** Signals are the program's own; where it does not listen, they end it as ever, but with the terminal in order. */
  readonly #onSignal = (name: NodeJS.Signals) => {
    if (process.listenerCount(name) > 1) return;
    this.close();
    process.kill(process.pid, name);
  };
}
