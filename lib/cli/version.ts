// The version of the package, read from its package.json.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The version in package.json. */
export function packageVersion(): string {
  // lib/cli/ when run from source, dist/lib/ or dist/lib/cli/ when built: package.json is in the folder above any of them.
  const here = fileURLToPath(new URL('.', import.meta.url));
  const root = here.replace(/[\\/](dist[\\/])?lib([\\/]cli)?[\\/]?$/, '/');
  const { version } = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as { version: string };
  return version;
}
