// The loop of a side that runs JavaScript: a JSON request a line on standard input, an answer a line on standard output.
import { createInterface } from 'node:readline';

/** One piece of work, prepared. */
export interface Step<Y = unknown> {
  run(): Y | Promise<Y>;
  /** The elements of a result, for the digest. */
  read(y: Y): ArrayLike<number> | Promise<ArrayLike<number>>;
  /** Gives the memory of a result back. */
  free?(y: Y): void;
}

type Request =
  | { readonly prepare: { readonly family: string; readonly options: Record<string, unknown> } }
  | { readonly time: { readonly repeat: number; readonly milliseconds: number } };

/** Steps before the one whose result is compared: a training step is right when the steps after it are. */
const STEPS_BEFORE = 2;
const MOST_REPETITIONS = 2000;

/** Mean and mean size of the elements: what two sides must agree on. */
export function digest(y: ArrayLike<number>): [mean: number, size: number] {
  let [sum, size] = [0, 0];
  for (let i = 0; i < y.length; i++) {
    sum += y[i];
    size += Math.abs(y[i]);
  }
  return [sum / y.length, size / y.length];
}

async function once(step: Step): Promise<void> {
  const y = step.run();
  step.free?.(y instanceof Promise ? await y : y);
}

async function prepared(step: Step): Promise<{ digest: [number, number] }> {
  for (let i = 0; i < STEPS_BEFORE; i++) await once(step);
  const y = await step.run();
  const result = digest(await step.read(y));
  step.free?.(y);
  return { digest: result };
}

/** Milliseconds of one step, in repetitions of `repeat` steps, until the time is spent. */
async function times(step: Step, repeat: number, milliseconds: number): Promise<number[]> {
  const spent: number[] = [];
  const end = performance.now() + milliseconds;
  do {
    const start = performance.now();
    for (let i = 0; i < repeat; i++) {
      const y = step.run();
      // A promise costs more than a small step: only who gives one waits for it.
      step.free?.(y instanceof Promise ? await y : y);
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
