// share(): modules on one memory, in one thread and in several; what is refused, and that all else goes on as before.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  arange,
  capture,
  io,
  memory,
  nn,
  noGrad,
  ones,
  optim,
  randn,
  type Tensor,
  TensorError,
  tensor,
  zeros,
} from 'chainrule';
import { describe, expect, it } from 'vitest';
import { native } from '../../lib/native.js';
import { Net } from '../workers/fixtures/net.js';
import { next, start } from '../workers/fixtures/start.js';

const messageOf = (fn: () => unknown): string => {
  try {
    fn();
  } catch (error) {
    expect(error).toBeInstanceOf(TensorError);
    return `${(error as TensorError).code}: ${(error as TensorError).message}`;
  }
  return 'nothing';
};
const stateOf = (model: nn.AnyModule) => Object.entries(model.stateDict()).map(([name, x]) => [name, x.toArray()]);

describe('share', () => {
  it('moves every tensor of the state to aligned places in one shared buffer, values and objects unchanged', () => {
    const model = new Net(8);
    const [before, tensors] = [stateOf(model), [...model.parameters(), ...model.namedBuffers().map(([, b]) => b)]];
    const { buffers, tensors: places } = model.share();
    expect(buffers).toHaveLength(1);
    expect(buffers[0]).toBeInstanceOf(SharedArrayBuffer);
    expect(Object.keys(places)).toEqual(Object.keys(model.stateDict()));
    expect(stateOf(model)).toEqual(before);
    expect([...model.parameters(), ...model.namedBuffers().map(([, b]) => b)]).toEqual(tensors);
    for (const x of tensors) {
      expect(x.storage.bytes.buffer).toBe(buffers[0]);
      expect(native.misalignment(x.storage.bytes)).toBe(0);
    }
    expect(places.tied).toEqual(places['second.weight']);
  });

  it('stays where it is when it is shared again, and takes in what came later', () => {
    const model = new nn.Sequential(new nn.Linear(2, 2));
    const first = model.share();
    expect(model.share()).toEqual(first);
    model.append(new nn.Linear(2, 1));
    const second = model.share();
    expect(second.buffers[0]).toBe(first.buffers[0]);
    expect(second.buffers).toHaveLength(2);
    expect(second.tensors['0.weight']).toEqual(first.tensors['0.weight']);
  });

  it('gives the old memory back, and shared memory never goes to the pool', () => {
    const model = new nn.Linear(512, 512);
    const before = memory();
    model.share();
    const after = memory();
    expect(before.tensors - after.tensors).toBe(2);
    expect(after.poolBytes - before.poolBytes).toBeGreaterThanOrEqual(512 * 512 * 4);
    const place = model.weight.storage.bytes;
    model.weight.dispose();
    expect(memory().tensors).toBe(after.tensors);
    const taken = Array.from({ length: 4 }, () => zeros([512, 512]));
    expect(taken.filter((x) => x.storage.bytes.buffer === place.buffer)).toEqual([]);
  });

  it('keeps parameters that share memory on one memory', () => {
    class Two extends nn.Module {
      whole = new nn.Parameter(arange(6, { dtype: 'float32' }));
      part = new nn.Parameter(this.whole.detach().narrow(0, 2, 3));
      forward(x: Tensor) {
        return x;
      }
    }
    const model = new Two();
    const copy = Two.fromShared(model.share());
    copy.whole.assign(zeros([6]));
    expect([model.part.toArray(), copy.part.toArray()]).toEqual([
      [0, 0, 0],
      [0, 0, 0],
    ]);
  });

  it('takes buffers that are not contiguous, empty tensors and scalars', () => {
    class Odd extends nn.Module {
      empty = new nn.Parameter(zeros([0, 3]));
      scalar = new nn.Parameter(tensor(2));
      turned = this.registerBuffer('turned', arange(6, { dtype: 'int32' }).reshape([2, 3]).transpose(0, 1));
      forward(x: Tensor) {
        return x;
      }
    }
    const model = new Odd();
    const copy = Odd.fromShared(model.share());
    expect(stateOf(copy)).toEqual(stateOf(model));
    model.turned.assign(zeros([3, 2], { dtype: 'int32' }));
    expect(copy.turned.sum().item()).toBe(0);
  });

  it('leaves a graph usable that was recorded before', () => {
    const fc = new nn.Linear(2, 1);
    const x = ones([3, 2]);
    const loss = fc.forward(x).square().sum();
    const twin = new nn.Linear(2, 1);
    twin.loadStateDict(fc.stateDict());
    twin.forward(x).square().sum().backward();
    fc.share();
    loss.backward();
    expect(fc.weight.grad?.toArray()).toEqual(twin.weight.grad?.toArray());
  });
});

describe('loadShared', () => {
  it('lists what is missing, unexpected, of another shape or dtype, and changes nothing', () => {
    const state = new nn.Sequential(new nn.Linear(2, 3), new nn.Linear(3, 1)).share();
    const other = new nn.Sequential(new nn.Linear(2, 4), new nn.ReLU(), new nn.Linear(3, 1));
    const before = stateOf(other);
    const message = messageOf(() => other.loadShared(state));
    expect(message).toMatch(/^value: \[loadShared\] expected the state of Sequential, got/);
    expect(message).toContain('missing 2.weight, 2.bias');
    expect(message).toContain('unexpected 1.weight, 1.bias');
    expect(message).toContain('0.weight of shape [3, 2] instead of [4, 2]');
    expect(stateOf(other)).toEqual(before);
    expect(other.getParameter('0.weight').storage.bytes.buffer).toBeInstanceOf(ArrayBuffer);
    const wide = new nn.Linear(2, 1, { dtype: 'float64' });
    expect(messageOf(() => wide.loadShared(new nn.Linear(2, 1).share()))).toContain(
      'weight of dtype float32 instead of float64',
    );
    expect(messageOf(() => other.loadShared(state, { strict: false }))).toContain('instead of [4, 2]');
    expect(messageOf(() => new nn.Linear(2, 1).loadShared(state, { loose: true } as never))).toContain('option: ');
  });

  it('takes a part with strict: false', () => {
    const model = new nn.Sequential(new nn.Linear(2, 3));
    const larger = new nn.Sequential(new nn.Linear(2, 3), new nn.Linear(3, 1));
    larger.loadShared(model.share(), { strict: false });
    nn.init.zeros(model.getParameter('0.weight'));
    expect(larger.getParameter('0.weight').abs().sum().item()).toBe(0);
  });

  it('refuses one tensor here that is two there', () => {
    class Loose extends nn.Module {
      a = new nn.Parameter(ones([2]));
      b = new nn.Parameter(ones([2]));
      forward(x: Tensor) {
        return x;
      }
    }
    class Tied extends Loose {
      override b = this.a;
    }
    expect(messageOf(() => Tied.fromShared(new Loose().share()))).toContain('a and b, one tensor in Tied');
    const loose = Loose.fromShared(new Tied().share());
    loose.a.assign(zeros([2]));
    expect(loose.b.toArray()).toEqual([0, 0]);
  });

  it('never leaves the buffer, whatever a message says', () => {
    const model = new nn.Linear(4, 2);
    const state = model.share();
    const weight = state.tensors.weight;
    const broken: Record<string, unknown>[] = [
      { shape: [2, 4], strides: [4, 5] },
      { shape: [2, 4], strides: [-4, 1] },
      { offset: 8 },
      { offset: -1 },
      { offset: 0.5 },
      { byteOffset: 2 ** 40 },
      { byteOffset: weight.byteOffset + 1 },
      { byteLength: 2 ** 30 },
      { buffer: 1 },
      { buffer: 'a' },
      { dtype: 'float16' },
      { dtype: 'float64' },
      { shape: [2 ** 20, 2 ** 20] },
      { shape: 'no' },
      { strides: [4] },
    ];
    for (const change of broken) {
      const tensors = { ...state.tensors, weight: { ...weight, ...change } };
      const message = messageOf(() => new nn.Linear(4, 2).loadShared({ buffers: state.buffers, tensors } as never));
      expect(message, JSON.stringify(change)).toMatch(/\[loadShared\] expected/);
    }
    for (const state of [undefined, null, {}, { buffers: [new ArrayBuffer(64)], tensors: {} }, model.stateDict()]) {
      expect(messageOf(() => new nn.Linear(4, 2).loadShared(state as never))).toContain('expected what share() gave');
    }
  });
});

describe('in other threads', () => {
  it('one memory: what a worker writes the main thread reads, and the other way round', {
    timeout: 60_000,
  }, async () => {
    const model = new Net(8);
    const state = model.share();
    const worker = start('./shared-net.ts', { state, lr: 0.01 });
    const ask = (what: string) => {
      worker.postMessage(what);
      return next<unknown>(worker);
    };
    try {
      expect(await next(worker)).toBe('ready');
      expect(await ask('look')).toEqual(stateOf(model));
      nn.init.constant(model.first.weight, 0.125);
      expect(await ask('look')).toEqual(stateOf(model));
      await ask('fill');
      for (const p of model.parameters()) expect(new Set(p.flatten().toArray() as number[])).toEqual(new Set([0.25]));
      const twin = new Net(8);
      twin.loadStateDict(model.stateDict());
      const optimizer = new optim.Adam(twin.parameters(), { lr: 0.01 });
      for (let i = 0; i < 5; i++) {
        await ask('step');
        optimizer.zeroGrad();
        twin
          .train()
          .forward(ones([2, 4]).mul(0.5))
          .backward();
        optimizer.step();
        // Running statistics, too: they are persistent buffers.
        expect(stateOf(model)).toEqual(stateOf(twin));
      }
      expect(await ask('loss')).toBe(
        twin
          .eval()
          .forward(ones([2, 4]).mul(0.5))
          .item(),
      );
      expect(await ask('bytes')).toBeLessThan(2 ** 20);
    } finally {
      await worker.terminate();
    }
    expect(
      model
        .eval()
        .forward(ones([2, 4]))
        .item(),
    ).toBeGreaterThan(0);
  });

  it('several workers that train at once all move one model, and no number is lost to NaN', {
    timeout: 60_000,
  }, async () => {
    const model = new Net(8);
    const state = model.share();
    const workers = Array.from({ length: 3 }, () => start('./shared-net.ts', { state, lr: 0.001 }));
    try {
      await Promise.all(workers.map((worker) => next(worker)));
      nn.init.constant(model.norm.bias as Tensor, 3);
      const lossNow = () =>
        noGrad(() =>
          model
            .train()
            .forward(ones([2, 4]).mul(0.5))
            .item(),
        );
      const before = lossNow();
      await Promise.all(
        workers.map(async (worker) => {
          for (let i = 0; i < 40; i++) {
            worker.postMessage('step');
            await next(worker);
          }
        }),
      );
      expect(lossNow()).toBeLessThan(before);
      expect(model.norm.runningVar?.isFinite().all().item()).toBe(1);
    } finally {
      await Promise.all(workers.map((worker) => worker.terminate()));
    }
  });
});

describe('on shared memory', () => {
  it('training, assign, checkpoints and conversion give what they give elsewhere', async () => {
    const [model, twin] = [new Net(8), new Net(8)];
    twin.loadStateDict(model.stateDict());
    model.share();
    const train = (net: Net, make: (ps: nn.Parameter[]) => { step: () => unknown; zeroGrad: () => void }) => {
      const optimizer = make(net.parameters());
      for (let i = 0; i < 3; i++) {
        optimizer.zeroGrad();
        net.forward(arange(8, { dtype: 'float32' }).reshape([2, 4])).backward();
        optimizer.step();
      }
    };
    const makers = [
      (ps: nn.Parameter[]) => new optim.SGD(ps, { lr: 0.01, momentum: 0.9 }),
      (ps: nn.Parameter[]) => new optim.AdamW(ps, { lr: 0.01 }),
      (ps: nn.Parameter[]) => new optim.RMSprop(ps, { lr: 0.01 }),
    ];
    for (const make of makers) {
      train(model, make);
      train(twin, make);
      expect(stateOf(model)).toEqual(stateOf(twin));
    }
    const folder = mkdtempSync(join(tmpdir(), 'chainrule-share-'));
    try {
      const path = join(folder, 'model.safetensors');
      await io.saveSafetensors(path, model.stateDict());
      const { tensors } = await io.loadSafetensors(path);
      model.norm.bias?.assign(randn([8]));
      model.loadStateDict(tensors);
      expect(stateOf(model)).toEqual(stateOf(twin));
    } finally {
      rmSync(folder, { recursive: true });
    }
    expect(model.first.weight.storage.bytes.buffer).toBeInstanceOf(SharedArrayBuffer);
    model.double();
    expect(model.first.weight.storage.bytes.buffer).toBeInstanceOf(ArrayBuffer);
    expect(stateOf(model)).toEqual(stateOf(twin.double()));
  });

  it('a step captured before is captured again, one captured after sees what others write', () => {
    const fc = new nn.Linear(2, 1, { bias: false });
    const step = capture((x: Tensor) => fc.forward(x).sum());
    const x = ones([1, 2]);
    nn.init.constant(fc.weight, 1);
    expect([step(x).item(), step(x).item()]).toEqual([2, 2]);
    const other = new nn.Linear(2, 1, { bias: false }).loadShared(fc.share());
    nn.init.constant(other.weight, 4);
    expect([step(x).item(), step(x).item()]).toEqual([8, 8]);
    nn.init.constant(other.weight, 5);
    expect(step(x).item()).toBe(10);
  });
});
