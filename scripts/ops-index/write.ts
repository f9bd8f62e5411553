// `npm run docs:ops`: writes docs/ops.md; says what of PyTorch has no answer.
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { opsIndex } from './index.js';

const { page, problems } = opsIndex();
writeFileSync(fileURLToPath(new URL('../../docs/ops.md', import.meta.url)), page);
for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exitCode = 1;
