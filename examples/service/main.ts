// A digit classifier as an HTTP service: requests batch together, the event loop stays free, metrics are Prometheus text.
//
// Run:      npm run example service                  (weights: out/model.safetensors of `npm run demo`, or --model FILE)
//           npm run example service -- --load 5      (a load test of 5 seconds on loopback, then the end)
// Expected: "listening on http://127.0.0.1:3000"; with --load every answer right, none lost, and the delay of the event loop
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { data, noGrad } from 'chainrule';
import { buildService } from './app.js';
import { loadModel } from './model.js';

const { values } = parseArgs({
  options: {
    model: { type: 'string', default: 'out/model.safetensors' },
    host: { type: 'string', default: '127.0.0.1' },
    port: { type: 'string', default: '3000' },
    load: { type: 'string' },
    connections: { type: 'string', default: '64' },
  },
});
const model = await loadModel(values.model).catch((error: Error) => {
  console.error(`${error.message}\nTrain one first: npm run demo`);
  process.exit(1);
});
const { app, reload } = await buildService(model);
const url = await app.listen({ host: values.host, port: values.load === undefined ? Number(values.port) : 0 });
console.log(`listening on ${url}`);

if (values.load === undefined) {
  process.on('SIGHUP', () => {
    reload(values.model).then(
      () => console.log(`${values.model} loaded again`),
      (error: Error) => console.error(`the old weights stay: ${error.message}`),
    );
  });
  await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
  console.log('answering what waits');
} else {
  await loadTest(Number(values.load), Number(values.connections));
}
await app.close();
console.log('closed');

async function loadTest(seconds: number, connections: number): Promise<void> {
  const test = data.digits({ split: 'test' });
  const count = 100;
  const pixels = Array.from({ length: count }, (_, i) =>
    Array.from(test.images.at(i).reshape([-1]).toArray() as number[]),
  );
  const expected = noGrad(() => model.forward(firstBatch(count)).argmax(1)).toArray();
  const program = fileURLToPath(new URL('./load.ts', import.meta.url));
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const load = fork(program);
  load.send({ url, seconds, connections, pixels, expected });
  const [{ answers, wrong, failed, p50, p99, seconds: took }] = await once(load, 'message');
  delay.disable();
  const stats = (await (await fetch(`${url}/health`)).json()) as { rows: number; batches: number };
  console.log(
    `${answers} answers in ${took.toFixed(1)} s (${(answers / took).toFixed(0)} a second), ${wrong} wrong, ${failed} failed`,
  );
  console.log(`latency p50 ${p50} ms, p99 ${p99} ms; ${(stats.rows / stats.batches).toFixed(1)} images a batch`);
  console.log(
    `event loop late by ${(delay.percentile(50) / 1e6 - 1).toFixed(2)} ms (p50), ${(delay.percentile(99) / 1e6 - 1).toFixed(2)} ms (p99)`,
  );
  if (wrong + failed > 0 || answers === 0) process.exitCode = 1;
}

/** The first test images, scaled as the model knows them. */
function firstBatch(count: number) {
  const loader = new data.DataLoader(data.digits({ split: 'test', mean: 0.1307, std: 0.3081 }), { batchSize: count });
  for (const [x] of loader) return x;
  throw new Error('no test images');
}
