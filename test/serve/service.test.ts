// The service of examples/service: answers, errors, metrics, new weights, load by its own command.
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildService } from '../../examples/service/app.js';
import { loadModel } from '../../examples/service/model.js';
import { io, manualSeed, nn, noGrad, tensor } from '../../lib/index.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'chainrule-service-'));
const path = join(folder, 'model.safetensors');
const image = Array.from({ length: 784 }, (_, i) => (i * 37) % 256);
const headers = { 'content-type': 'application/octet-stream' };

async function save(seed: number): Promise<void> {
  manualSeed(seed);
  const model = new nn.Sequential(new nn.Flatten(), new nn.Linear(784, 128), new nn.ReLU(), new nn.Linear(128, 10));
  await io.saveSafetensors(path, model.stateDict(), { metadata: { 'chainrule.model': 'mlp' } });
}

beforeAll(() => save(1));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the service', () => {
  it('answers bytes and JSON as the model does, tells mistakes, and shows metrics', async () => {
    const model = await loadModel(path);
    const { app, reload } = await buildService(model);
    const x = tensor(image.map((v) => (v / 255 - 0.1307) / 0.3081)).reshape([1, 1, 28, 28]);
    const expected = noGrad(() => model.forward(x).softmax(1))
      .reshape([-1])
      .toArray() as number[];
    const bytes = await app.inject({ method: 'POST', url: '/predict', headers, payload: Buffer.from(image) });
    const json = await app.inject({ method: 'POST', url: '/predict', payload: { pixels: image } });
    for (const response of [bytes, json]) {
      expect(response.statusCode).toBe(200);
      const { class: best, probabilities } = response.json();
      expect(best).toBe(expected.indexOf(Math.max(...expected)));
      probabilities.forEach((p: number, i: number) => {
        expect(p).toBeCloseTo(expected[i], 5);
      });
    }
    for (const payload of [{}, { pixels: [1, 2] }, { pixels: new Array(784).fill(300) }]) {
      const response = await app.inject({ method: 'POST', url: '/predict', payload });
      expect(response.statusCode).toBe(400);
      expect(response.json().message).toContain('expected 784 grey values');
    }
    const metrics = await app.inject('/metrics');
    expect(metrics.headers['content-type']).toContain('text/plain');
    expect(metrics.body).toMatch(/^predict_answered 2$/m);
    expect(metrics.body).toMatch(/^predict_seconds_count\{code="200"\} 2$/m);
    expect(metrics.body).toContain('nodejs_eventloop_lag_p99_seconds');

    await save(2);
    await reload(path);
    const changed = await app.inject({ method: 'POST', url: '/predict', headers, payload: Buffer.from(image) });
    expect(changed.json().probabilities).not.toEqual(bytes.json().probabilities);
    await app.close();
  });

  it('survives its load test with nothing lost and nothing wrong', { timeout: 120_000 }, async () => {
    const command = ['--import', import.meta.resolve('tsx'), join(root, 'examples/service/main.ts')];
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [...command, '--model', path, '--load', '1', '--connections', '8'],
      { env: { ...process.env, TSX_TSCONFIG_PATH: join(root, 'tsconfig.json') } },
    );
    expect(stdout).toMatch(/listening on http:\/\/127\.0\.0\.1:\d+/);
    expect(stdout).toMatch(/^[1-9]\d* answers in .*, 0 wrong, 0 failed$/m);
    expect(stdout).toMatch(/event loop late by [\d.]+ ms \(p50\)/);
    expect(stdout.trimEnd().endsWith('closed')).toBe(true);
  });
});
