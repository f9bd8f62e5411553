// Finds the examples in doc comments and runs them.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { transform } from 'esbuild';

/** One example of a doc comment. */
export interface Example {
  readonly file: string;
  /** Line of the file at which its code begins. */
  readonly line: number;
  readonly code: readonly string[];
  /** False for `@example no-run`: it needs files or a network that tests do not have. */
  readonly runs: boolean;
}

const FENCE = /^\s*\* ```/;

/** Every fenced example in the doc comments of a folder's TypeScript files. */
export function examplesOf(folder: string): Example[] {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
  return files.sort().flatMap((file) => {
    const lines = readFileSync(join(folder, file), 'utf8').split('\n');
    const found: Example[] = [];
    for (let i = 0; i < lines.length; i++) {
      if (!/^\s*\* ```ts$/.test(lines[i])) continue;
      const end = lines.findIndex((line, k) => k > i && FENCE.test(line));
      if (end < 0) throw new Error(`${file}:${i + 1}: the example has no end`);
      const code = lines.slice(i + 1, end).map((line) => line.replace(/^\s*\* ?/, ''));
      found.push({ file, line: i + 2, code, runs: !lines[i - 1].includes('@example no-run') });
      i = end;
    }
    return found;
  });
}

/** What the comment behind a `console.log(...)` promises, by line. */
function promises(code: readonly string[]): Map<number, string> {
  const found = new Map<number, string>();
  for (const [i, line] of code.entries()) {
    const comment = /console\.log\(.*\);?\s*(?:\}\)?;?\s*)?\/\/ (.*)$/.exec(line);
    if (comment) found.set(i, comment[1]);
  }
  return found;
}

/** As people write values: spaces, quotes and the names of typed arrays do not matter. */
const plain = (text: string) =>
  text.replace(/\b(?:Float32|Float64|Int32|Uint8)Array\(\d+\) /g, '').replace(/[\s'"`]/g, '');

const AsyncFunction = (async () => {}).constructor as new (...args: string[]) => (...args: unknown[]) => Promise<void>;

/**
 * Runs an example; gives a line for each output that is not what its comment says. One that imports nothing from the package is
 * about an internal function and sees what its own file exports.
 */
export async function runExample(example: Example, load: (name: string) => Promise<unknown>): Promise<string[]> {
  const logged = new Map<number, string[]>();
  const log = (line: number, ...values: unknown[]) => {
    const text = values.map((v) => (typeof v === 'string' ? v : inspect(v, { depth: 8, breakLength: Infinity })));
    logged.set(line, [...(logged.get(line) ?? []), text.join(' ')]);
  };
  const numbered = example.code.map((line, i) => line.replace(/console\.log\(/g, `__log(${i}, `)).join('\n');
  const { code } = await transform(numbered, { loader: 'ts', format: 'esm', target: 'node20' });
  const body = code
    .replace(/^import \* as (\w+) from (".*?");$/gm, 'const $1 = await __load($2);')
    .replace(
      /^import (\{[^}]*\}) from (".*?");$/gm,
      (_, names: string, from: string) => `const ${names.replace(/\bas\b/g, ':')} = await __load(${from});`,
    );
  const internal = !body.includes('__load("chainrule")');
  const own = internal ? ((await load(`./${example.file}`)) as Record<string, unknown>) : {};
  await new AsyncFunction('__load', '__log', ...Object.keys(own), body)(load, log, ...Object.values(own));
  const wrong: string[] = [];
  for (const [line, want] of promises(example.code)) {
    const got = logged.get(line)?.join(', ');
    if (got === undefined || plain(got) !== plain(want)) wrong.push(`line ${example.line + line}: ${got}, not ${want}`);
  }
  return wrong;
}
