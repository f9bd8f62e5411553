// chainrule's side of the comparison.
import { readFileSync } from 'node:fs';
import { setNumThreads, type Tensor } from 'chainrule';
import { works } from '../work/index.js';
import { serve } from './serve.js';

setNumThreads(Number(process.env.CHAINRULE_BENCH_THREADS));
const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));

await serve<Tensor>('chainrule', version, (family, options) => {
  const asked = JSON.stringify(options);
  const work = works.find((w) => w.family === family && JSON.stringify(w.options) === asked);
  if (work === undefined) throw new Error(`no work ${family} ${asked}`);
  const run = work.prepare('float32');
  const free = work.keeps ? undefined : (y: Tensor) => y.dispose();
  return { run, read: (y) => y.data, free };
});
