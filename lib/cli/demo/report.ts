// What a demo run shows: JSON lines, or text with a progress bar where somebody is looking.
import { Bar, isVisible } from '../../train/bar.js';

/** What happened, one JSON object each with --json. */
export type DemoEvent =
  | {
      event: 'start';
      model: string;
      parameters: number;
      dataset: string;
      trainImages: number;
      testImages: number;
      epochs: number;
      batchSize: number;
      optimizer: string;
      lr: number;
      seed: number;
      threads: number;
      out: string;
      /** Steps done before, 0 in a new run. */
      resumedAt: number;
    }
  | {
      event: 'epoch';
      epoch: number;
      epochs: number;
      loss: number;
      testLoss: number;
      testAccuracy: number;
      imagesPerSecond: number;
      seconds: number;
    }
  | {
      event: 'end';
      testAccuracy: number;
      testLoss: number;
      /** Row = true class, column = predicted class. */
      confusion: number[][];
      seconds: number;
      checkpoint: string;
      plot: string | null;
    }
  | {
      event: 'stopped';
      reason: string;
      epoch: number;
      step: number;
      checkpoint: string;
      resume: string;
      /** Of the last complete epoch. */
      testAccuracy: number | null;
    };

/** Milliseconds between two lines of a download where no bar is shown. */
const FRAME_MS = 100;

/** How far the training is, for the bar. */
export interface Progress {
  epoch: number;
  epochs: number;
  /** Images of the whole run seen so far, and all of them. */
  images: number;
  total: number;
  loss: number;
  imagesPerSecond: number;
}

/** Seconds as m:ss or h:mm:ss. */
export function formatSeconds(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const two = (n: number) => String(n).padStart(2, '0');
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

export const formatCount = (n: number) => Math.round(n).toLocaleString('en-US');
export const formatPercent = (share: number) => `${(100 * share).toFixed(2)} %`;

/** Writes events to standard output; bars and notes to standard error, so that the output can be piped on. */
export class Reporter {
  readonly #json: boolean;
  readonly #bar = new Bar();
  #lastFrame = 0;

  constructor(json: boolean) {
    this.#json = json;
  }

  /** An event, and how it reads for people. */
  event(event: DemoEvent, text: string): void {
    this.close();
    process.stdout.write(`${this.#json ? JSON.stringify(event) : text}\n`);
  }

  /** Something to know that is not part of the result. */
  note(text: string): void {
    this.close();
    process.stderr.write(`${text}\n`);
  }

  /** Moves the bar of the training. */
  progress(p: Progress): void {
    const left = p.imagesPerSecond > 0 ? formatSeconds((p.total - p.images) / p.imagesPerSecond) : '-:--';
    this.#bar.move(
      'epoch {epoch} {bar} {percentage} % | loss {loss} | {speed} images/s | {left} left',
      p.images,
      p.total,
      {
        epoch: `${p.epoch}/${p.epochs}`,
        loss: p.loss.toFixed(4),
        speed: formatCount(p.imagesPerSecond),
        left,
      },
    );
  }

  /** Moves the bar of a download. */
  download(file: string, received: number, total: number | undefined): void {
    if (!isVisible()) {
      // One line a file is enough for a log.
      if (total !== undefined && received === total) this.note(`downloaded ${file} (${formatCount(total)} bytes)`);
      return;
    }
    const now = performance.now();
    if (now - this.#lastFrame < FRAME_MS && received !== total) return;
    this.#lastFrame = now;
    const mb = (bytes: number) => (bytes / 1e6).toFixed(1);
    const size = total === undefined ? `${mb(received)} MB` : `${mb(received)} of ${mb(total)} MB`;
    this.#bar.move('{file} {bar} {size}', received, total ?? received, { file, size });
    if (received === total) this.close();
  }

  /** Takes the bar away. */
  close(): void {
    this.#bar.close();
  }
}
