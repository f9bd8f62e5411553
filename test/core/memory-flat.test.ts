// Training loops that never yield to the event loop run in bounded memory; those in a scope or with care in constant memory.
import { describe, expect, it } from 'vitest';
import { run } from './fixtures/run.js';

interface Sample {
  readonly step: number;
  readonly rss: number;
  readonly bytes: number;
  readonly pool: number;
  readonly loss: number;
}
const MB = 2 ** 20;
const STEPS = 2000;

function train(model: string, update: string): Sample[] {
  const { status, stdout, stderr } = run(['train-loop.ts', model, update, String(STEPS)]);
  expect(stderr.replace(/^npm warn.*\n/gm, '')).toBe('');
  expect(status).toBe(0);
  const { samples } = JSON.parse(stdout) as { samples: Sample[] };
  expect(samples).toHaveLength(STEPS / 25);
  expect(samples[samples.length - 1].loss).toBeLessThan(samples[0].loss / 10); // it did train
  return samples;
}
const most = (samples: readonly Sample[], key: keyof Sample) => Math.max(...samples.map((s) => s[key]));

describe.each(['mlp', 'lenet'])('2,000 synchronous steps of a %s', (model) => {
  it('in a scope each: not a byte more', { timeout: 60_000 }, () => {
    const samples = train(model, 'scope');
    const warm = samples.filter((s) => s.step >= 100);
    expect(most(warm, 'bytes')).toBe(warm[0].bytes);
    expect(most(warm, 'pool')).toBe(warm[0].pool);
    expect(most(warm, 'rss') - warm[0].rss).toBeLessThan(24 * MB);
  });

  // Small results (loss, logits) and what the program itself leaves behind wait for the collector, which V8 runs
  // when it has seen some 32 to 64 MB of buffers. A leak of one activation per step would be 300 MB and more.
  it('with an optimizer: bounded by the collector', { timeout: 60_000 }, () => {
    const warm = train(model, 'optimizer').filter((s) => s.step >= 100);
    expect(most(warm, 'pool')).toBe(warm[0].pool);
    expect(most(warm, 'bytes')).toBeLessThan(96 * MB);
    expect(most(warm, 'rss') - warm[0].rss).toBeLessThan(96 * MB);
  });

  it('updated by hand, without any care: bounded by the collector', { timeout: 60_000 }, () => {
    const warm = train(model, 'plain').filter((s) => s.step >= 100);
    expect(most(warm, 'bytes')).toBeLessThan(160 * MB);
    expect(most(warm, 'rss') - warm[0].rss).toBeLessThan(160 * MB);
  });
});
