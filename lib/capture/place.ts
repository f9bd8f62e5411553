// Where in the user's program something happened: for errors that name the line.
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Everything in the folder above this one is the library, before and after bundling. */
const LIBRARY = dirname(dirname(fileURLToPath(import.meta.url)));

/** The user's line that led here, and the function of the library that it called. */
export interface Place {
  readonly called: string | null;
  readonly line: string | null;
}

/** Reads the stack. */
export function callingPlace(): Place {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 50;
  const { stack = '' } = new Error();
  Error.stackTraceLimit = limit;
  const frames = stack.split('\n').slice(1);
  const own = (frame: string) => frame.includes(LIBRARY) || frame.includes('node:') || frame.includes('<anonymous>)');
  const user = frames.findIndex((frame) => !own(frame));
  if (user < 0) return { called: null, line: null };
  const inner = frames.slice(0, user).filter((frame) => frame.includes(LIBRARY));
  const line = /\(?((?:file:\/\/|\/|[A-Za-z]:\\)[^()]*:\d+:\d+)\)?$/.exec(frames[user])?.[1];
  return {
    called: inner.map(nameIn).findLast((name) => name !== null && name !== 'method') ?? null,
    line: line?.replace(/^file:\/\//, '') ?? null,
  };
}

/** The function of a frame; what a method is called as says more than the name of the function behind it. */
function nameIn(frame: string): string | null {
  const name = /\[as ([\w$]+)\]/.exec(frame) ?? /at (?:get |new )?(?:[\w$]+\.)?(?:get )?([\w$]+) /.exec(frame);
  return name?.[1] ?? null;
}
