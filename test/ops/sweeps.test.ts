// Everything that is true of every op, for every row of the table.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as cr from 'chainrule';
import {
  cat,
  grad,
  gradcheck,
  gradgradcheck,
  numThreads,
  setNumThreads,
  type Tensor,
  TensorError,
  tensor,
  zeros,
  zerosLike,
} from 'chainrule';
import { describe, expect, it } from 'vitest';
import { readReference } from '../conformance/cases.js';
import { LAYOUTS, runCase } from '../conformance/runner.js';
import { type Draw, draw, type Row, table } from './table.js';

const reference = readReference(new URL('../reference', import.meta.url).pathname);
const cases = reference.families.flatMap((family) => family.cases);

/** The same values with gaps or in another order in memory. */
function strided(x: Tensor): Tensor {
  if (x.ndim === 0 || x.size === 0) return x;
  if (x.ndim === 1) return cat([x.unsqueeze(1), zerosLike(x).unsqueeze(1)], 1).at('...', 0);
  const order = x.shape.map((_, i) => x.ndim - 1 - i);
  return x.permute(order).contiguous().permute(order);
}

const isFloat = (x: Tensor) => x.dtype === 'float32' || x.dtype === 'float64';
const emptySet = (row: Row): readonly Draw[] | null => {
  if (row.empty !== undefined) return row.empty;
  const [first, ...rest] = row.inputs[0];
  return [
    { ...first, shape: [0, ...first.shape.slice(1)] },
    ...rest.map((d) => (d.shape.length === first.shape.length ? { ...d, shape: [0, ...d.shape.slice(1)] } : d)),
  ];
};

describe.each(table.map((row) => [row.name, row] as const))('%s', (_, row) => {
  const torch = row.reference ?? [];
  if (torch.length > 0)
    it('gives what PyTorch gives, on any strides, in both precisions', () => {
      const own = cases.filter((c) => torch.includes(c.op));
      expect(own.length).toBeGreaterThan(0);
      const wrong: string[] = [];
      for (const c of own) {
        for (const precision of ['float32', 'float64'] as const) {
          for (const layout of LAYOUTS) {
            const difference = runCase(c, reference, precision, layout);
            if (difference !== null) wrong.push(`${c.id} ${precision} ${layout}: ${difference.message}`);
          }
        }
      }
      expect(wrong).toEqual([]);
    });

  it('has a table row whose inputs it accepts, and gives the same on strided inputs', () => {
    for (const set of row.inputs) {
      const inputs = draw(set, 'float64');
      const want = row.call(...inputs);
      const got = row.call(...inputs.map(strided));
      expect(got.shape).toEqual(want.shape);
      expect(got.dtype).toBe(want.dtype);
      expect(got.to('float64').sub(want.to('float64')).abs().sum().item()).toBeLessThan(1e-12);
    }
  });

  if ((row.derivatives ?? 2) >= 1)
    it('has the gradient that differences give', () => {
      for (const set of row.inputs) {
        const inputs = draw(set, 'float64', true);
        expect(gradcheck((...xs) => row.call(...xs), inputs)).toBe(true);
        expect(gradcheck((...xs) => row.call(...xs.map((x) => (isFloat(x) ? strided(x) : x))), inputs)).toBe(true);
      }
    });

  if ((row.derivatives ?? 2) >= 2)
    it('has second derivatives that differences give', () => {
      for (const set of row.inputs)
        expect(gradgradcheck((...xs) => row.call(...xs), draw(set, 'float64', true))).toBe(true);
    });

  // Where there is nothing to reduce the table says so, and an error row covers it.
  const empty = emptySet(row);
  if (empty !== null)
    it('accepts tensors without elements', () => {
      const inputs = draw(empty, 'float32', true);
      const y = row.call(...inputs);
      const elements = y.shape.reduce((product, n) => product * n, 1);
      expect(y.size).toBe(elements);
      expect(y.contiguous().data.length).toBe(elements);
      if (!y.requiresGrad) return;
      const wanted = inputs.filter((x) => x.requiresGrad);
      const found = grad(y.sum(), wanted, { allowUnused: true });
      for (const [i, g] of found.entries()) if (g !== null) expect(g.shape).toEqual(wanted[i].shape);
    });

  if (row.nan ?? true)
    it('carries NaN through', () => {
      const [first, ...rest] = draw(row.inputs[0], 'float32');
      const poisoned = first.mul(Number.NaN);
      expect(
        row
          .call(poisoned, ...rest)
          .isNan()
          .any()
          .item(),
      ).toBe(1);
    });

  it('names a released tensor', () => {
    const inputs = draw(row.inputs[0], 'float32');
    inputs[0].dispose();
    expect(() => row.call(...inputs)).toThrow(expect.objectContaining({ name: 'TensorError', code: 'released' }));
  });

  if ((row.errors ?? []).length > 0)
    it('throws the errors it documents', () => {
      for (const [code, call] of row.errors ?? []) {
        let thrown: unknown;
        try {
          call(zeros([1]));
        } catch (error) {
          thrown = error;
        }
        expect(thrown, String(call)).toBeInstanceOf(TensorError);
        expect((thrown as TensorError).code, `${call}: ${(thrown as TensorError).message}`).toBe(code);
      }
    });

  it('gives the same bits with one thread and with several', () => {
    const set = row.inputs[0].map((d) => (d.shape.length === 0 ? d : { ...d, shape: grow(row, d.shape) }));
    const before = numThreads();
    try {
      setNumThreads(1);
      const one = row.call(...draw(set, 'float32')).contiguous().data;
      setNumThreads(3);
      const three = row.call(...draw(set, 'float32')).contiguous().data;
      expect(
        Buffer.from(three.buffer, three.byteOffset, three.byteLength).equals(
          Buffer.from(one.buffer, one.byteOffset, one.byteLength),
        ),
      ).toBe(true);
    } finally {
      setNumThreads(before);
    }
  });
});

/** A shape large enough to be cut into pieces, where the op allows it. */
function grow(row: Row, shape: readonly number[]): number[] {
  const grows = row.grows || (row.reference ?? []).some((name) => GROWING.has(name));
  return grows && shape.length === 2 ? [shape[0] * 101, shape[1] * 97] : [...shape];
}
const GROWING = new Set(['sum', 'mean', 'amax', 'softmax', 'log_softmax', 'mse_loss']);

describe('the table', () => {
  it('has a row for every op that is exported', async () => {
    const folder = fileURLToPath(new URL('../../lib/ops/', import.meta.url));
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
    const modules = await Promise.all(files.map((file) => import(join(folder, file))));
    // They are about dtypes and subscripts, and take no tensor to sweep over.
    const others = ['promoteTypes', 'resultType', 'canCast', 'slice'];
    const names = new Set([...others, ...table.map((row) => row.name)]);
    const exported = modules.flatMap((m) =>
      Object.entries(m)
        .filter(([name, value]) => typeof value === 'function' && (cr as Record<string, unknown>)[name] === value)
        .map(([name]) => name),
    );
    expect(exported.filter((name) => !names.has(name))).toEqual([]);
    expect(exported.length).toBeGreaterThan(40);
    expect(tensor([1]).item()).toBe(1);
  });
});
