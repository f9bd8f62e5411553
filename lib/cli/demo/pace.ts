// How fast a demo run goes: images a second, without the time of tests and checkpoints.
import type { FitEvent } from '../../train/events.js';
import type { Progress } from './report.js';
import type { Run } from './train.js';

/** Losses that the bar shows the mean of: a single one jumps. */
const RECENT = 20;

export class Pace {
  readonly #settings: Run['settings'];
  /** Images of an epoch. */
  readonly #size: number;
  #began = performance.now();
  /** Of this epoch, and of the complete ones before it in this process. */
  #now = { images: 0, seconds: 0 };
  #before = { images: 0, seconds: 0 };
  readonly #recent: number[] = [];

  constructor({ settings, train }: Run) {
    this.#settings = settings;
    this.#size = train.length;
  }

  /** An epoch begins, or goes on in a resumed run. */
  begin(): void {
    this.#before.images += this.#now.images;
    this.#before.seconds += this.#now.seconds;
    this.#now = { images: 0, seconds: 0 };
    this.#began = performance.now();
  }

  /** How far the run is after a step. */
  step({ epoch, batch, loss }: Extract<FitEvent, { type: 'step' }>): Progress {
    const { epochs, batchSize } = this.#settings;
    const [now, before] = [this.#now, this.#before];
    const done = Math.min(batch * batchSize, this.#size);
    now.images += done - (batch - 1) * batchSize;
    now.seconds = (performance.now() - this.#began) / 1000;
    this.#recent.push(loss);
    if (this.#recent.length > RECENT) this.#recent.shift();
    return {
      epoch: epoch + 1,
      epochs,
      images: epoch * this.#size + done,
      total: epochs * this.#size,
      loss: this.#recent.reduce((a, b) => a + b, 0) / this.#recent.length,
      imagesPerSecond: (before.images + now.images) / (before.seconds + now.seconds),
    };
  }

  /** Of the epoch that has just ended: the speed of its steps, and all the time it took. */
  epoch(): { imagesPerSecond: number; seconds: number } {
    const { images, seconds } = this.#now;
    return { imagesPerSecond: images / Math.max(seconds, 1e-9), seconds: (performance.now() - this.#began) / 1000 };
  }
}
