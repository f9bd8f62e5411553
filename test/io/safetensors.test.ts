// Tensors through safetensors files on disk: models, dtypes, views, odd names, and wrong calls.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { arange, io, nn, ones, type Tensor, tensor, zeros } from 'chainrule';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { codeOfAsync } from '../thrown.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'chainrule-'));
});
afterAll(() => rm(folder, { recursive: true }));
const at = (name: string) => join(folder, name);

const model = () =>
  new nn.Sequential(new nn.Conv2d(1, 4, 3), new nn.ReLU(), new nn.MaxPool2d(2), new nn.Flatten(), new nn.Linear(36, 5));

describe('a model', () => {
  it('comes back from disk with the same outputs', async () => {
    const [a, b] = [model(), model()];
    const x = arange(2 * 64)
      .reshape([2, 1, 8, 8])
      .sin();
    await io.saveSafetensors(at('model.safetensors'), a.stateDict(), { metadata: { epoch: '3' } });
    const { tensors, metadata } = await io.loadSafetensors(at('model.safetensors'));
    expect(metadata).toEqual({ epoch: '3' });
    b.loadStateDict(tensors);
    expect(b.forward(x).toArray()).toEqual(a.forward(x).toArray());
  });

  it('is saved as it was at the call, though training goes on', async () => {
    const fc = new nn.Linear(1000, 1000);
    fc.weight.assign(ones([1000, 1000]));
    const saving = io.saveSafetensors(at('racing.safetensors'), fc.stateDict());
    fc.weight.assign(zeros([1000, 1000]));
    await saving;
    const { tensors } = await io.loadSafetensors(at('racing.safetensors'));
    expect(tensors.weight.amin().item()).toBe(1);
  });
});

describe('tensors', () => {
  it('keep dtype, shape and values, whatever their strides', async () => {
    const given: Record<string, Tensor> = {
      float32: tensor([
        [1.5, Number.NaN],
        [Number.NEGATIVE_INFINITY, -0],
      ]),
      float64: tensor([Math.PI], { dtype: 'float64' }),
      int32: tensor([-(2 ** 31), 2 ** 31 - 1], { dtype: 'int32' }),
      uint8: tensor([0, 255], { dtype: 'uint8' }),
      bool: tensor([true, false]),
      scalar: tensor(7),
      empty: zeros([0, 3]),
      turned: arange(6).reshape([2, 3]).t(),
    };
    await io.saveSafetensors(at('all.safetensors'), new Map(Object.entries(given)));
    const { tensors } = await io.loadSafetensors(at('all.safetensors'));
    expect(Object.keys(tensors).sort()).toEqual(Object.keys(given).sort());
    for (const [name, x] of Object.entries(given)) {
      expect([tensors[name].dtype, tensors[name].shape], name).toEqual([x.dtype, x.shape]);
      expect(tensors[name].toArray(), name).toEqual(x.toArray());
    }
  });

  it('are stored in half precision where asked, and say so', async () => {
    await io.saveSafetensors(
      at('half.safetensors'),
      { a: tensor([1.0009765625, 65504]), b: tensor([3, -3]) },
      { dtypes: { a: 'F16', b: 'BF16' } },
    );
    const { tensors, dtypes } = await io.loadSafetensors(at('half.safetensors'));
    expect([dtypes.a, dtypes.b, tensors.a.dtype]).toEqual(['F16', 'BF16', 'float32']);
    expect([tensors.a.toArray(), tensors.b.toArray()]).toEqual([
      [1.0009765625, 65504],
      [3, -3],
    ]);
    await io.saveSafetensors(at('again.safetensors'), tensors, { dtypes });
    expect(await readFile(at('again.safetensors'))).toEqual(await readFile(at('half.safetensors')));
  });

  it('may be called like methods of objects', async () => {
    const names = ['constructor', 'toString', 'hasOwnProperty'];
    await io.saveSafetensors(at('names.safetensors'), new Map(names.map((name, i) => [name, tensor(i)])));
    const { tensors, dtypes } = await io.loadSafetensors(at('names.safetensors'));
    expect(Object.keys(tensors).sort()).toEqual([...names].sort());
    expect(Object.entries(tensors).map(([name, x]) => [name, x.item()])).toContainEqual(['toString', 1]);
    expect(dtypes.constructor).toBe('F32');
    expect([tensors.valueOf, Object.getPrototypeOf(tensors)]).toEqual([undefined, null]);
  });
});

describe('wrong calls', () => {
  const good = { a: zeros([1]) };
  it.each<[string, () => Promise<unknown>, string]>([
    ['saving no tensors', () => io.saveSafetensors(at('x'), null as never), 'value'],
    ['saving one tensor', () => io.saveSafetensors(at('x'), zeros([1]) as never), 'value'],
    ['saving numbers', () => io.saveSafetensors(at('x'), { a: 1 } as never), 'value'],
    ['saving an unknown option', () => io.saveSafetensors(at('x'), good, { meta: {} } as never), 'option'],
    ['saving without a path', () => io.saveSafetensors('', good), 'value'],
    ['saving into no folder', () => io.saveSafetensors(at('none/x'), good), 'io'],
    ['saving as an impossible dtype', () => io.saveSafetensors(at('x'), good, { dtypes: { a: 'I64' } }), 'dtype'],
    ['loading nothing', () => io.loadSafetensors(at('nothing')), 'io'],
    ['loading with an unknown option', () => io.loadSafetensors(at('x'), { device: 'cpu' } as never), 'option'],
    [
      'loading after an abort',
      () => io.loadSafetensors(at('model.safetensors'), { signal: AbortSignal.abort() }),
      'aborted',
    ],
  ])('%s', async (_, call, code) => {
    expect(await codeOfAsync(call)).toBe(code);
  });

  it('saving a released tensor', async () => {
    const gone = ones([2]);
    gone.dispose();
    expect(await codeOfAsync(() => io.saveSafetensors(at('x'), { gone }))).toBe('released');
  });

  it('loading another file', async () => {
    await writeFile(at('text.safetensors'), 'this is no safetensors file, it is a text');
    expect(await codeOfAsync(() => io.loadSafetensors(at('text.safetensors')))).toBe('format');
  });
});
