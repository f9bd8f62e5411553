// Values of command line options: checked as they are read, so that a slip is a message and not a strange run.
import { InvalidArgumentError } from 'commander';

/** A whole number of at least `least`. */
export function wholeNumber(least: number, most = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= least && value <= most) return value;
    const range = most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`;
    throw new InvalidArgumentError(`Expected a whole number ${range}.`);
  };
}

/** A number above 0. */
export function positiveNumber(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isFinite(value) && value > 0) return value;
  throw new InvalidArgumentError('Expected a number above 0.');
}

/** A path; an empty one is most likely a variable that was not set. */
export function path(text: string): string {
  if (text !== '' && !text.includes('\0')) return text;
  throw new InvalidArgumentError('Expected a path.');
}

/** Places of images: '7', '0..9', '1,5,20..29'; both ends of a range count. */
export function places(text: string): number[] {
  const found: number[] = [];
  for (const part of text.split(',')) {
    const match = /^(\d+)(?:(?:\.\.|-)(\d+))?$/.exec(part.trim());
    const [first, last] = [Number(match?.[1]), Number(match?.[2] ?? match?.[1])];
    if (match === null || last < first || last >= 2 ** 31) {
      throw new InvalidArgumentError("Expected places counted from 0 like '7', '0..9' or '1,5,20..29'.");
    }
    if (last - first >= 100_000) throw new InvalidArgumentError('Expected at most 100000 places.');
    for (let i = first; i <= last; i++) found.push(i);
  }
  return found;
}

/** What a shell needs around a word so that it stays one word. */
export function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** How this command is called again: as the user called it. */
export function invocation(command: string): string {
  if (process.env.npm_lifecycle_event === command) return `npm run ${command} --`;
  // Whoever came through npm may not have the command on the path.
  return process.env.npm_command === undefined ? `chainrule ${command}` : `npx chainrule ${command}`;
}
