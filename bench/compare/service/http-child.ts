// An HTTP service of one of the sides, in a process of its own: POST /predict takes 784 float32 as bytes and gives 10 as JSON; tells the delay of its event loop.
import '../../any-core.js';

import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setNumThreads } from 'chainrule';
import fastify from 'fastify';
import { openSide, type SideName } from './sides.js';

setNumThreads(1);
const side = await openSide(process.argv[2] as SideName);
const app = fastify();
app.addContentTypeParser('application/octet-stream', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
app.post('/predict', async (request) => {
  const body = request.body as Buffer;
  const x = new Float32Array(body.length / 4);
  Buffer.from(x.buffer).set(body);
  const y = await side.answer(x);
  return Array.from(y);
});
const url = await app.listen({ host: '127.0.0.1', port: 0 });
const delay = monitorEventLoopDelay({ resolution: 1 });
process.on('message', async (message) => {
  if (message === 'measure') {
    delay.reset();
    delay.enable();
  } else if (message === 'report') {
    delay.disable();
    process.send?.({ p50: delay.percentile(50) / 1e6 - 1, p99: delay.percentile(99) / 1e6 - 1 });
  } else {
    await app.close();
    await side.close();
    process.disconnect();
  }
});
process.send?.({ url });
