// Proves of every build that no kernel uses MMX registers: GCC 12 put MMX without emms into the baseline kernels, which leaves
// the x87 state taken, and the next long double of the process comes out as NaN. Usage: check-mmx.js [archive or object ...]
import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Where cmake-js and node-gyp leave the kernels. */
function builtArchives() {
  return ['build', 'build/Release', 'build-gyp/build', 'build-gyp/build/Release']
    .map((folder) => join(root, folder))
    .filter((folder) => existsSync(folder))
    .flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)))
    .filter((path) => /\/(lib)?kernels-\w+\.a$/.test(path));
}

/** The functions of an archive that touch %mm0 to %mm7, and how many functions there are. */
async function inspect(archive) {
  const objdump = spawn('objdump', ['-dC', '--no-show-raw-insn', archive], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise((resolve, reject) => objdump.once('error', reject).once('close', resolve));
  const guilty = new Set();
  let [member, symbol, count] = ['', '', 0];
  for await (const line of createInterface({ input: objdump.stdout })) {
    if (/^\S.*:\s+file format/.test(line)) member = line.split(':')[0];
    const name = line.match(/^[0-9a-f]+ <(.*)>:$/)?.[1];
    if (name !== undefined) {
      symbol = name;
      count += 1;
    } else if (/%mm[0-7]\b/.test(line)) guilty.add(`${member}: ${symbol}`);
  }
  const status = await ended;
  if (status !== 0) throw new Error(`objdump ${archive} ended with ${status}`);
  return { count, guilty };
}

const given = process.argv.slice(2);
const archives = given.length > 0 ? given : builtArchives();
const problems = archives.length === 0 ? ['expected archives of kernels in build/, found none'] : [];
let functions = 0;
for (const archive of archives) {
  const { count, guilty } = await inspect(archive);
  functions += count;
  if (count === 0) problems.push(`${archive}: expected functions, got none`);
  for (const place of guilty) problems.push(`${archive}: ${place} uses MMX; see flags in native/config.js`);
}
if (problems.length > 0) {
  for (const problem of problems) console.error(`[mmx] ${problem}`);
  process.exit(1);
}
console.log(`${functions} kernel functions in ${archives.length} archives leave the MMX registers alone`);
