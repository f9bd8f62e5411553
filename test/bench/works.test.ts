// The work of the benchmarks: named once, known to PyTorch's side by family, on the same numbers, and answered by our process.
import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { OURS, Peer } from '../../bench/compare/peer.js';
import { digest } from '../../bench/compare/serve.js';
import { works } from '../../bench/work/index.js';
import { numbers } from '../../bench/work/numbers.js';
import { labels, values } from '../../bench/work/work.js';

const FOLDER = new URL('../../bench/work/', import.meta.url);

describe('work', () => {
  it('has a name of its own and a family that PyTorch knows', () => {
    const python = readdirSync(FOLDER)
      .filter((file) => file.endsWith('.py'))
      .map((file) => readFileSync(new URL(file, FOLDER), 'utf8'))
      .join('\n');
    expect(new Set(works.map(({ name }) => name)).size).toBe(works.length);
    expect(new Set(works.map(({ family, options }) => family + JSON.stringify(options))).size).toBe(works.length);
    const known = [...python.matchAll(/FAMILIES = \{(.*)\}/g)].flatMap(([, list]) =>
      [...list.matchAll(/"(\w+)":/g)].map(([, name]) => name),
    );
    expect([...new Set(works.map(({ family }) => family))].filter((family) => !known.includes(family))).toEqual([]);
  });

  it('is done on the numbers of values.py', () => {
    // python3 -c 'from values import numbers; print(numbers(4, 1).tolist(), numbers(16777216, 3, -2, 5)[-1])'
    expect([...numbers(4, 1)]).toEqual([
      -0.9415814876556396, -0.05941557511687279, 0.7870256304740906, 0.08114058524370193,
    ]);
    expect(numbers(16777216, 3, -2, 5).at(-1)).toBe(Math.fround(-1.3196046));
    const x = values([3, 5], 2, 'float64', 1, 2);
    expect([x.dtype, x.amin().item() >= 1, x.amax().item() <= 2]).toEqual(['float64', true, true]);
    const y = labels([1000], 1, 10);
    expect([y.amin().item(), y.amax().item()]).toEqual([0, 9]);
  });

  it('is compared by mean and mean size', () => {
    expect(digest([1, -3])).toEqual([-1, 2]);
  });
});

describe('a side of the comparison', () => {
  const started: Peer[] = [];
  afterAll(() => {
    for (const peer of started) peer.stop();
  });

  it('prepares work, gives its digest, and times it', async () => {
    const ours = await Peer.start(OURS, 1);
    if (ours === null) throw new Error('it does not start');
    started.push(ours);
    const { family, options } = works.find(({ name }) => name === 'add of 8 elements') ?? works[0];
    const sum = Array.from(numbers(8, 1), (v, i) => v + numbers(8, 2)[i]);
    const made = await ours.prepare(family, options);
    if ('absent' in made) throw new Error(made.absent);
    expect(made.digests.length).toBe(2);
    for (const found of made.digests)
      for (const [i, value] of digest(sum).entries()) expect(found[i]).toBeCloseTo(value, 6);
    const timed = await ours.time(10, 1);
    if ('absent' in timed) throw new Error(timed.absent);
    expect(timed.times.length).toBeGreaterThan(0);
    expect(timed.times.every((ms) => ms > 0)).toBe(true);
    expect(await ours.prepare('nothing', {})).toEqual({ absent: 'no work nothing {}' });
  });

  it('is absent where its program is', async () => {
    expect(await Peer.start({ name: 'x', command: ['/nonexistent/program'], threads: true }, 1)).toBeNull();
    expect(await Peer.start({ name: 'x', command: [process.execPath, '-e', ''], threads: true }, 1)).toBeNull();
  });
});
