// A load test on loopback: so many callers for some seconds, every answer compared with the model's own.
import { once } from 'node:events';
import { performance } from 'node:perf_hooks';
import autocannon from 'autocannon';

interface Task {
  url: string;
  seconds: number;
  connections: number;
  /** Images, and the class of each. */
  pixels: number[][];
  expected: number[];
}
const [{ url, seconds, connections, pixels, expected }] = (await once(process, 'message')) as [Task];
let [wrong, answers] = [0, 0];
const started = performance.now();
const result = await autocannon({
  url,
  duration: seconds,
  connections,
  requests: pixels.map((image, i) => ({
    method: 'POST' as const,
    path: '/predict',
    headers: { 'content-type': 'application/octet-stream' },
    body: Buffer.from(image),
    onResponse: (status: number, body: string) => {
      answers++;
      if (status !== 200 || (JSON.parse(body) as { class: number }).class !== expected[i]) wrong++;
    },
  })),
});
const { latency, errors, timeouts, non2xx } = result;
process.send?.({
  seconds: (performance.now() - started) / 1000,
  answers,
  wrong,
  failed: errors + timeouts + non2xx,
  p50: latency.p50,
  p99: latency.p99,
});
process.disconnect();
