// One piece of work taken apart: its time eager and captured, its kernels beside their floors, its functions of JavaScript.
import { type CapturedStep, capture, type ExplainedKernel, setNumThreads, type Tensor, TensorError } from 'chainrule';
import { alternate, elapsed, median } from '../harness.js';
import type { Work } from '../work/work.js';
import { profiled, type Self } from './javascript.js';

/** Milliseconds each side gets in a round, rounds, and milliseconds under a profiler. */
const [SLICE, ROUNDS, PROFILED] = [60, 5, 400];
/** Eager work is looked at as JavaScript where its kernels take less than this part of it. */
const MOSTLY_KERNELS = 0.8;

/** What became of a piece of work. */
export interface Anatomy {
  readonly name: string;
  readonly threads: number;
  /** Milliseconds of a step: eager, captured, and of its kernels alone. */
  readonly eagerMs: number;
  readonly capturedMs: number | null;
  readonly kernelsMs: number | null;
  /** Why there is no captured step, in the words of the refusal. */
  readonly refusal: string | null;
  readonly kernels: readonly ExplainedKernel[];
  /** {@link Explanation} as text. */
  readonly table: string;
  /** Functions of JavaScript of the eager step, where the kernels are not nearly all of it. */
  readonly functions: readonly Self[];
}

type Step = CapturedStep<[], Tensor>;

/** The same work as a captured step, after its first call. */
function captured(work: Work): { step: Step | null; refusal: string | null } {
  const run = work.prepare('float32');
  const step = capture(run);
  try {
    step();
    return { step, refusal: null };
  } catch (error) {
    if (error instanceof TensorError && error.code === 'capture') return { step: null, refusal: error.message };
    throw error;
  }
}

/** Calls a function until it has taken so many milliseconds, and three times at least. */
function often(fn: () => void, ms: number): void {
  for (let spent = 0, i = 0; spent < ms || i < 3; i++) spent += elapsed(fn);
}

export async function anatomy(work: Work, threads: number): Promise<Anatomy> {
  setNumThreads(threads);
  const eager = work.prepare('float32');
  const run = work.keeps ? () => void eager() : () => eager().dispose();
  const { step, refusal } = captured(work);
  const { name } = work;
  if (step === null) {
    const [times] = alternate([run], SLICE, ROUNDS);
    const functions = await profiled(run, PROFILED);
    const eagerMs = median(times);
    return { name, threads, eagerMs, capturedMs: null, kernelsMs: null, refusal, kernels: [], table: '', functions };
  }
  const replay = () => step().dispose();
  const [eagerMs, capturedMs] = alternate([run, replay], SLICE, ROUNDS).map(median);
  often(() => step.profile().dispose(), PROFILED);
  const explained = step.explain();
  const { rows: kernels, ms: kernelsMs } = explained;
  const functions = kernelsMs < MOSTLY_KERNELS * eagerMs ? await profiled(run, PROFILED) : [];
  step.dispose();
  return { name, threads, eagerMs, capturedMs, kernelsMs, refusal, kernels, table: `${explained}`, functions };
}
