// docs/ops.md answers for every function of PyTorch's list, and says what the doc comments say.
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { opsIndex } from '../../scripts/ops-index/index.js';

it('docs/ops.md is complete and up to date', () => {
  const { page, problems } = opsIndex();
  expect(problems, 'an answer belongs into a doc comment or scripts/ops-index/elsewhere.json').toEqual([]);
  const written = readFileSync(new URL('../../docs/ops.md', import.meta.url), 'utf8');
  expect(written === page, 'docs/ops.md is out of date: npm run docs:ops writes it').toBe(true);
}, 120_000);
