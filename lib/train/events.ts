// What fit() tells while it runs, and what it leaves behind.

/** What was measured after an epoch. */
export interface EpochRecord {
  /** Number of the epoch, from 0. */
  readonly epoch: number;
  /** Mean loss over the training samples of the epoch, each as its step saw it. */
  readonly loss: number;
  /** Mean loss over the validation samples; null without validation. */
  readonly validationLoss: number | null;
  /** The metrics over the validation samples by name. */
  readonly metrics: Readonly<Record<string, number>>;
}

/** Why a run ended: all epochs done, no improvement for longer than the patience, or the signal. */
export type FitEnd = 'complete' | 'earlyStop' | 'aborted';

/** What a run leaves behind. */
export interface FitHistory {
  /** Loss of every step since the beginning, runs that were taken up again included. */
  readonly losses: readonly number[];
  /** One for every complete epoch. */
  readonly epochs: readonly EpochRecord[];
  /** Why the run ended; 'aborted' too where the loop over its events was left. */
  readonly reason: FitEnd;
}

/** What happens in a run, in this order: epochs and steps count from 0 and go on where a resumed run left off. */
export type FitEvent =
  | { readonly type: 'start'; readonly epoch: number; readonly step: number; readonly resumed: boolean }
  | { readonly type: 'epochStart'; readonly epoch: number; readonly step: number }
  | {
      readonly type: 'step';
      readonly epoch: number;
      /** Number of the optimizer's step. */
      readonly step: number;
      /** Batches of the epoch that are done. */
      readonly batch: number;
      readonly loss: number;
      /** Learning rate of the step, of the first group. */
      readonly lr: number;
      /** Norm of all gradients before clipping; null without `clipNorm`. */
      readonly gradNorm: number | null;
    }
  | ({ readonly type: 'epochEnd'; readonly step: number } & EpochRecord)
  | { readonly type: 'checkpoint'; readonly path: string; readonly epoch: number; readonly step: number }
  | { readonly type: 'end'; readonly reason: FitEnd; readonly epoch: number; readonly step: number };
