// Where the JavaScript of a piece of work spends its time: V8's own sampling profiler, and the functions it found.
import { Session } from 'node:inspector/promises';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';

/** One function, or in brackets what is none: the kernels and the way to them, the garbage collector. */
export interface Self {
  readonly name: string;
  /** File and line, empty for what is V8's own. */
  readonly place: string;
  /** Part of the time that was spent in the function itself, from 0 to 1; that of the native functions it calls is theirs. */
  readonly share: number;
}

/** Kernels, and the way to them: V8 gives all functions of the addon one name. */
export const NATIVE = '(native)';

interface Frame {
  readonly functionName: string;
  readonly url: string;
  readonly lineNumber: number;
}
/** A profile as `node --cpu-prof` writes it. */
export interface CpuProfile {
  readonly nodes: readonly { readonly id: number; readonly callFrame: Frame }[];
  readonly samples?: readonly number[];
  readonly timeDeltas?: readonly number[];
}

function placeOf({ url, lineNumber }: Frame): string {
  if (url === '') return '';
  return `${basename(url.startsWith('file:') ? fileURLToPath(url) : url)}:${lineNumber + 1}`;
}

/** The functions of a profile by the time spent in themselves, the longest first. */
export function selfTimes({ nodes, samples = [], timeDeltas = [] }: CpuProfile): Self[] {
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  const nameOf = ({ functionName, url }: Frame) =>
    functionName === '' ? '(anonymous)' : url === '' && !functionName.startsWith('(') ? NATIVE : functionName;
  const found = new Map<string, { name: string; place: string; time: number }>();
  let all = 0;
  for (const [i, id] of samples.entries()) {
    const frame = frames.get(id);
    // The time to the next sample is this one's.
    const time = timeDeltas[i + 1] ?? 0;
    if (frame === undefined || time <= 0) continue;
    const place = placeOf(frame);
    const name = nameOf(frame);
    const key = `${name} ${place}`;
    const entry = found.get(key) ?? { name, place, time: 0 };
    entry.time += time;
    all += time;
    found.set(key, entry);
  }
  const times = [...found.values()].sort((a, b) => b.time - a.time);
  return times.map(({ name, place, time }) => ({ name, place, share: time / all }));
}

/** Runs a function again and again for some milliseconds under the profiler. */
export async function profiled(fn: () => void, ms: number): Promise<Self[]> {
  const session = new Session();
  session.connect();
  try {
    await session.post('Profiler.enable');
    await session.post('Profiler.setSamplingInterval', { interval: 100 });
    await session.post('Profiler.start');
    const end = performance.now() + ms;
    do {
      for (let i = 0; i < 16; i++) fn();
    } while (performance.now() < end);
    const { profile } = await session.post('Profiler.stop');
    return selfTimes(profile);
  } finally {
    session.disconnect();
  }
}
