// The same requests over HTTP, one side after the other, asked by autocannon.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import autocannon from 'autocannon';
import { CALLERS, isRight } from './model.js';
import type { SideName } from './sides.js';

export interface HttpSeen {
  readonly perSecond: number;
  /** Milliseconds by which the event loop of the service was late. */
  readonly loopP50: number;
  readonly loopP99: number;
  readonly latencyP99: number;
  readonly wrong: number;
}

const program = fileURLToPath(new URL('./http-child.ts', import.meta.url));

export async function askOverHttp(
  name: SideName,
  inputs: readonly Float32Array[],
  expected: readonly Float32Array[],
  seconds: number,
): Promise<HttpSeen> {
  const child = fork(program, [name]);
  try {
    const [{ url }] = (await once(child, 'message')) as [{ url: string }];
    await load(url, inputs, expected, 1);
    child.send('measure');
    const { result, wrong } = await load(url, inputs, expected, seconds);
    child.send('report');
    const [{ p50, p99 }] = (await once(child, 'message')) as [{ p50: number; p99: number }];
    child.send('end');
    await once(child, 'exit');
    return {
      perSecond: result.requests.average,
      loopP50: p50,
      loopP99: p99,
      latencyP99: result.latency.p99,
      wrong: wrong + result.errors + result.timeouts + result.non2xx,
    };
  } finally {
    child.kill();
  }
}

async function load(url: string, inputs: readonly Float32Array[], expected: readonly Float32Array[], seconds: number) {
  let wrong = 0;
  const result = await autocannon({
    url,
    duration: seconds,
    connections: CALLERS,
    requests: inputs.map((x, i) => ({
      method: 'POST' as const,
      path: '/predict',
      headers: { 'content-type': 'application/octet-stream' },
      body: Buffer.from(x.buffer, x.byteOffset, x.byteLength),
      onResponse: (status, body) => {
        if (status !== 200 || !isRight(Float32Array.from(JSON.parse(body)), expected[i])) wrong++;
      },
    })),
  });
  return { result, wrong };
}
