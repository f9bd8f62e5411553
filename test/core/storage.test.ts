// Memory of tensors: alignment, reuse, counts, pinning, the budget, and what happens after release.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import {
  arange,
  emptyCache,
  fromTypedArray,
  memory,
  ones,
  setMemoryBudget,
  type Tensor,
  tensor,
  zeros,
} from 'chainrule';
import { afterEach, describe, expect, it } from 'vitest';
import { native } from '../../lib/native.js';
import { settle } from '../settle.js';
import { thrown } from '../thrown.js';

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc') as (options: { type: 'minor' }) => void;
function collectYoung(): void {
  for (let i = 0; i < 2; i++) gc({ type: 'minor' });
}

const MB = 2 ** 20;
const megabytes = (n: number) => zeros([n, MB / 4]);
const place = (x: Tensor) =>
  `${addresses.get(x.storage.bytes.buffer) ?? remember(x)}+${x.storage.bytes.byteOffset + x.storage.byteOffset}`;
const addresses = new Map<ArrayBufferLike, number>();
function remember(x: Tensor): number {
  addresses.set(x.storage.bytes.buffer, addresses.size);
  return addresses.size - 1;
}
describe('alignment', () => {
  it.each([0, 1, 3, 16, 17, 100, 1024, 1025, 5000, 100_000])('starts %i floats at a multiple of 64 bytes', (n) => {
    for (let i = 0; i < 20; i++) {
      const x = zeros([n]);
      expect((native.misalignment(x.storage.bytes) + x.storage.byteOffset) % 64).toBe(0);
    }
  });

  it('never lets two tensors overlap', () => {
    const taken = new Map<ArrayBufferLike, [number, number][]>();
    const all = Array.from({ length: 3000 }, (_, i) => zeros([(i * 37) % 1500]));
    for (const x of all) {
      if (x.size === 0) continue;
      const start = x.storage.bytes.byteOffset + x.storage.byteOffset;
      const list = taken.get(x.storage.bytes.buffer) ?? [];
      taken.set(x.storage.bytes.buffer, list);
      list.push([start, start + x.storage.byteLength]);
    }
    for (const list of taken.values()) {
      list.sort((a, b) => a[0] - b[0]);
      for (let i = 1; i < list.length; i++) expect(list[i][0]).toBeGreaterThanOrEqual(list[i - 1][1]);
    }
    expect(taken.size).toBeLessThan(1100); // a third is above 4 KB, the others share slabs
  });
});

describe('the pool', () => {
  it('hands a released buffer to the next tensor of about its size', () => {
    const x = zeros([100_000]);
    const where = place(x);
    x.dispose();
    expect(place(zeros([100_000]))).toBe(where);
    expect(place(zeros([100_000]))).not.toBe(where);
  });

  it('reuses a slab once all its tensors are gone, and not before', () => {
    emptyCache();
    const fill = () => Array.from({ length: 64 }, () => zeros([256]));
    const first = [...fill(), ...fill(), ...fill()];
    const places = new Set(first.map(place));
    expect(places.size).toBe(first.length);
    for (const x of first.slice(1)) x.dispose();
    const second = [...fill(), ...fill(), ...fill()];
    expect(second.map(place)).not.toContain(place(first[0]));
    expect(second.map(place).some((p) => places.has(p))).toBe(true);
    expect(first[0].toArray()).toEqual(new Array(256).fill(0));
  });

  it('runs small temporaries in constant memory without any collection', () => {
    const x = ones([8]);
    for (let i = 0; i < 100; i++) x.add(1).dispose();
    const places = new Set<string>();
    for (let i = 0; i < 20_000; i++) {
      const y = x.add(1);
      places.add(place(y));
      y.dispose();
    }
    expect(places.size).toBeLessThanOrEqual((2 * 64 * 1024) / 64);
  });

  it('is given back by emptyCache()', () => {
    megabytes(3).dispose();
    expect(memory().poolBytes).toBeGreaterThanOrEqual(3 * MB);
    emptyCache();
    expect(memory().poolBytes).toBe(0);
    emptyCache();
    expect(memory().poolBytes).toBe(0);
  });
});

describe('counts', () => {
  it('keeps memory as long as one view is alive, in any order of release', () => {
    for (const first of ['base', 'view'] as const) {
      const base = arange(100_000);
      const view = base.reshape([100, 1000]).t();
      const where = place(base);
      (first === 'base' ? base : view).dispose();
      const other = zeros([100_000]);
      expect(place(other)).not.toBe(where);
      const rest = first === 'base' ? view : base;
      expect(rest.released).toBe(false);
      expect(rest.sum().item()).toBeCloseTo((100_000 * 99_999) / 2, -4);
    }
  });

  it('lets double release be harmless', () => {
    const before = memory().tensors;
    const x = zeros([10_000]);
    const view = x.reshape([100, 100]);
    x.dispose();
    x.dispose();
    x[Symbol.dispose]();
    expect(view.sum().item()).toBe(0);
    view.dispose();
    view.dispose();
    const a = zeros([10_000]);
    const b = zeros([10_000]);
    expect(place(a)).not.toBe(place(b));
    for (const t of [a, b]) t.dispose();
    expect(memory().tensors - before).toBeLessThanOrEqual(1); // the sum
  });

  it('reports tensors and bytes', () => {
    const before = memory();
    const x = megabytes(4);
    const small = zeros([2]);
    const view = x.reshape([-1]);
    const during = memory();
    expect(during.tensors).toBe(before.tensors + 2);
    expect(during.bytes - before.bytes).toBeGreaterThanOrEqual(4 * MB);
    expect(during.bytes - before.bytes).toBeLessThan(6 * MB);
    for (const t of [x, small, view]) t.dispose();
    const after = memory();
    expect(after.tensors).toBe(before.tensors);
    expect(after.bytes).toBeLessThanOrEqual(before.bytes + 64 * 1024);
    expect(after.poolBytes).toBeGreaterThanOrEqual(4 * MB);
  });

  it('does not count the slices, rows and copies that ops make on the way', () => {
    const x = megabytes(2);
    const { refs } = x.storage;
    const t = x.t();
    t.toArray();
    const { data } = t;
    for (const y of [t, x.at(0), x.at('...', 3), x.at(tensor([1, 0], { dtype: 'int32' })), t.reshape([-1])])
      y.dispose();
    expect(data.length).toBe(x.size);
    expect(x.storage.refs).toBe(refs);
  });

  it('releases at the end of a using block', () => {
    let seen: Tensor;
    {
      using x = zeros([3]);
      seen = x;
      expect(seen.released).toBe(false);
    }
    expect(seen.released).toBe(true);
  });
});

describe('.data', () => {
  it.each([2, 100_000])('is live, and never recycled after release (%i elements)', (n) => {
    const x = zeros([n]);
    const { data } = x;
    data[0] = 7;
    using first = x.at(0);
    expect(first.item()).toBe(7);
    first.dispose();
    x.dispose();
    const others = Array.from({ length: n === 2 ? 5000 : 4 }, () => ones([n]));
    for (const y of others) y.dispose();
    for (let i = 0; i < (n === 2 ? 5000 : 4); i++) ones([n]);
    expect([...data.subarray(0, 2)]).toEqual([7, 0]);
  });

  it('is a copy for what is not contiguous', () => {
    const x = arange(6).reshape([2, 3]);
    const { data } = x.t();
    expect([...data]).toEqual([0, 3, 1, 4, 2, 5]);
    data[0] = 9;
    expect(x.at(0, 0).item()).toBe(0);
  });

  it('shares with fromTypedArray, whose memory is never recycled', () => {
    const array = new Float32Array(100_000);
    const x = fromTypedArray(array);
    x.dispose();
    ones([100_000]);
    expect(array[5]).toBe(0);
  });
});

describe('results left to the collector', () => {
  it('are taken by a collection of young objects', () => {
    emptyCache();
    collectYoung();
    const before = process.memoryUsage().arrayBuffers;
    // In a function of its own, so that nothing on the stack holds the last one.
    const leave = () => {
      for (let i = 0; i < 16; i++) ones([MB / 4]);
    };
    leave();
    // The second waits for what the first one found; what it met alive would wait for a full collection.
    collectYoung();
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(3 * MB);
  });
});

describe('use after release', () => {
  it('names the op that made the tensor and what to do', () => {
    const y = tensor([1, 2]).exp();
    y.dispose();
    for (const use of [
      () => y.add(1),
      () => y.item(),
      () => y.toArray(),
      () => y.data,
      () => y.reshape([2, 1]),
      () => y.sum(),
      () => zeros([2]).add(y),
      () => y.assign(y),
    ]) {
      const error = thrown(use);
      expect(error.code).toBe('released');
      expect(error.message).toContain("'exp' [2]");
      expect(error.message).toContain('keep()');
    }
    expect(y.shape).toEqual([2]);
    expect(y.released).toBe(true);
  });
});

describe('the budget', () => {
  afterEach(() => setMemoryBudget(Number.POSITIVE_INFINITY));

  it('is an error that leaves everything usable, and is over once memory is released', () => {
    settle();
    const x = megabytes(1);
    setMemoryBudget(memory().bytes + 20 * MB);
    const held: Tensor[] = [];
    const error = thrown(() => {
      for (;;) held.push(megabytes(4));
    });
    expect(error.code).toBe('memory');
    expect(error.op).toBe('zeros');
    expect(error.message).toMatch(/budget of .* MiB/);
    expect(held.length).toBeGreaterThanOrEqual(3);
    expect(held.length).toBeLessThanOrEqual(5);
    const { tensors } = memory();
    thrown(() => megabytes(30));
    expect(memory().tensors).toBe(tensors); // a refused tensor is not counted
    expect(x.at(0, 0).add(1).item()).toBe(1);
    for (const t of held) t.dispose();
    expect(megabytes(4).sum().item()).toBe(0);
  });

  it('counts the pool, which gives way to a tensor of another size', () => {
    settle();
    const { bytes } = memory();
    megabytes(10).dispose();
    setMemoryBudget(bytes + 16 * MB);
    const x = megabytes(12);
    expect(x.size).toBe(3 * MB);
    expect(memory().poolBytes).toBe(0);
    x.dispose();
  });

  it('does not fail falsely in a loop that never yields and releases nothing', () => {
    settle();
    setMemoryBudget(memory().bytes + 40 * MB);
    let x = megabytes(4);
    for (let i = 0; i < 200; i++) x = x.add(1);
    expect(x.at(0, 0).item()).toBe(200);
  });

  it('refuses anything but a positive number', () => {
    for (const bad of [0, -1, Number.NaN, '1', null, undefined]) {
      expect(thrown(() => setMemoryBudget(bad as number)).code).toBe('value');
    }
    expect(memory().budget).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('the system refusing', () => {
  it('is an error too, and leaves no trace in the counts', () => {
    const before = memory();
    const error = thrown(() => zeros([2 ** 40]));
    expect(error.code).toBe('memory');
    expect(error.message).toContain('refused');
    expect(thrown(() => zeros([2 ** 20, 1]).add(zeros([1, 2 ** 19, 1, 1]).expand([2 ** 19, 2 ** 19, 1, 1]))).code).toBe(
      'memory',
    );
    expect(memory().tensors - before.tensors).toBeLessThanOrEqual(2);
    expect(ones([3]).sum().item()).toBe(3);
  });
});

describe('operands that are converted on the way', () => {
  it.each<[string, (x: Tensor, m: Tensor) => Tensor]>([
    ['a unary function', (_, m) => m.exp()],
    ['arithmetic', (x, m) => x.mul(m)],
    ['a comparison', (x, m) => m.lt(x)],
    ['a mean', (_, m) => m.mean()],
  ])('leave nothing behind: %s', (_, f) => {
    const [x, mask] = [ones([2000]), ones([2000], { dtype: 'int32' })];
    f(x, mask).dispose();
    const { tensors } = memory();
    f(x, mask).dispose();
    expect(memory().tensors).toBe(tensors);
  });

  it('come back with the graph that reads them', () => {
    const w = tensor(new Float32Array(2000), { requiresGrad: true });
    const step = () => {
      const y = w.mul(ones([2000], { dtype: 'int32' })).sum();
      y.backward();
      w.zeroGrad();
    };
    for (let i = 0; i < 3; i++) step();
    const { tensors } = memory();
    step();
    expect(memory().tensors - tensors).toBeLessThanOrEqual(3); // the user's: the integers, and two scalars
  });
});
