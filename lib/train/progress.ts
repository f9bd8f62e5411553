// The progress bar of a training run.
import { Bar } from './bar.js';
import type { FitEvent } from './events.js';

/** Shows the events of fit() as a bar; `close` takes it away. */
export class FitProgress {
  readonly #bar = new Bar();

  /** @param batches of an epoch, null where nobody knows */
  constructor(
    private readonly epochs: number,
    private readonly batches: number | null,
  ) {}

  show(event: FitEvent): void {
    if (event.type === 'epochEnd' || event.type === 'end') this.close();
    if (event.type !== 'step') return;
    this.#bar.move('epoch {epoch} {bar} {value}/{total} | loss {loss}', event.batch, this.batches ?? event.batch, {
      epoch: `${event.epoch + 1}/${this.epochs}`,
      loss: event.loss.toFixed(4),
    });
  }

  close(): void {
    this.#bar.close();
  }
}
