// The progress bar of a training run, on standard error.
import { SingleBar } from 'cli-progress';
import type { FitEvent } from './events.js';

/** A bar that leaves no trace and leaves signals to the program. */
export function makeBar(format: string): SingleBar {
  return new SingleBar({
    format,
    stream: process.stderr,
    barsize: 24,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    hideCursor: true,
    clearOnComplete: true,
    // Signals are the program's own.
    gracefulExit: false,
  });
}

/** Shows the events of fit() as a bar; `close` takes it away. */
export class FitProgress {
  #bar: SingleBar | null = null;
  #epochStep = 0;

  /** @param batches of an epoch, null where nobody knows */
  constructor(
    private readonly epochs: number,
    private readonly batches: number | null,
  ) {}

  show(event: FitEvent): void {
    if (process.stderr.isTTY !== true) return;
    if (event.type === 'epochStart') this.#epochStep = 0;
    if (event.type === 'epochEnd' || event.type === 'end') this.close();
    if (event.type !== 'step') return;
    this.#epochStep = event.batch;
    const total = this.batches ?? this.#epochStep;
    if (this.#bar === null) {
      this.#bar = makeBar('epoch {epoch} {bar} {value}/{total} | loss {loss}');
      this.#bar.start(total, this.#epochStep, { epoch: '', loss: '' });
    }
    this.#bar.setTotal(total);
    this.#bar.update(this.#epochStep, { epoch: `${event.epoch + 1}/${this.epochs}`, loss: event.loss.toFixed(4) });
  }

  close(): void {
    this.#bar?.stop();
    this.#bar = null;
  }
}
