// The loop of a side that runs JavaScript: a JSON request a line on standard input, an answer a line on standard output.
import { createInterface } from 'node:readline';

/** One piece of work, prepared. */
export interface Step<Y = unknown> {
  run(): Y | Promise<Y>;
  /** The elements of a result, for the digest; absent where the library's own rule gives other numbers. */
  read?(y: Y): ArrayLike<number> | Promise<ArrayLike<number>>;
  /** Gives the memory of a result back. */
  free?(y: Y): void;
}

type Request =
  | { readonly prepare: { readonly family: string; readonly options: Record<string, unknown> } }
  | { readonly time: { readonly repeat: number; readonly milliseconds: number } };

/** Mean and mean size of the elements of a result. */
export type Digest = readonly [mean: number, size: number];
/** What a side says of a piece of work: no digests where its own rule gives other numbers. */
export interface Prepared {
  readonly digests: readonly Digest[];
  /** Milliseconds of a step that takes too long to be repeated. */
  readonly long?: number;
}

const STEPS_BEFORE = 2;
const LONG = 1000;
const MOST_REPETITIONS = 2000;

/** Mean and mean size of the elements: what two sides must agree on. */
export function digest(y: ArrayLike<number>): Digest {
  let [sum, size] = [0, 0];
  for (let i = 0; i < y.length; i++) {
    sum += y[i];
    size += Math.abs(y[i]);
  }
  return [sum / y.length, size / y.length];
}

/**
 * Digests of the first step and of the third: a training step is right when the steps after it are. A step that takes long is done
 * once, and its time is the answer.
 */
async function prepared(step: Step): Promise<Prepared> {
  const digests: Digest[] = [];
  for (let i = 0; i <= STEPS_BEFORE; i++) {
    const start = performance.now();
    const y = await step.run();
    const milliseconds = performance.now() - start;
    if (step.read !== undefined && i !== 1) digests.push(digest(await step.read(y)));
    step.free?.(y);
    if (i === 0 && milliseconds > LONG) return { digests, long: milliseconds };
  }
  return { digests };
}

/** Milliseconds of one step, in repetitions of `repeat` steps, until the time is spent. */
async function times(step: Step, repeat: number, milliseconds: number): Promise<number[]> {
  const spent: number[] = [];
  const end = performance.now() + milliseconds;
  do {
    const start = performance.now();
    for (let i = 0; i < repeat; i++) {
      const made = step.run();
      // A promise costs more than a small step: only who gives one waits for it.
      const y = made instanceof Promise ? await made : made;
      step.free?.(y);
    }
    spent.push((performance.now() - start) / repeat);
  } while (performance.now() < end && spent.length < MOST_REPETITIONS);
  return spent;
}

/** Answers requests until the input ends; `prepare` throws for work it cannot do. */
export async function serve<Y>(
  name: string,
  version: string,
  prepare: (family: string, options: never) => Step<Y> | Promise<Step<Y>>,
): Promise<void> {
  // The peers print on standard output what they like.
  const say = process.stdout.write.bind(process.stdout);
  process.stdout.write = () => true;
  say(`${JSON.stringify({ name, version })}\n`);
  let step: Step | undefined;
  for await (const line of createInterface({ input: process.stdin })) {
    const request = JSON.parse(line) as Request;
    let answer: unknown;
    try {
      if ('prepare' in request) {
        step = (await prepare(request.prepare.family, request.prepare.options as never)) as Step;
        answer = await prepared(step);
      } else if (step !== undefined) {
        answer = { times: await times(step, request.time.repeat, request.time.milliseconds) };
      }
    } catch (error) {
      answer = { absent: error instanceof Error ? error.message.split('\n')[0] : String(error) };
    }
    say(`${JSON.stringify(answer)}\n`);
  }
}
