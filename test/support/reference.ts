// PyTorch's answers for the tests: cases of one family, their tensors as ours, and the comparison with their tolerance.
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { type DType, type Tensor, tensor } from 'chainrule';

/** A tensor of a case; NaN and infinities are strings, int64 stands for int32. */
export interface ReferenceTensor {
  dtype: 'float64' | 'int64' | 'bool';
  shape: number[];
  data: (number | string)[];
}

/** A case of test/reference/README.md; which fields there are depends on the family. */
export interface ReferenceCase {
  id: string;
  op: string;
  inputs: (ReferenceTensor | null)[];
  args: Record<string, unknown>;
  tolerance?: Partial<Record<Precision, Tolerance | null>>;
  outputs: ReferenceTensor[];
  gradOutputs?: (ReferenceTensor | null)[];
  grads?: (ReferenceTensor | null)[];
  gradSequence: ReferenceTensor[][];
  paramSequence: ReferenceTensor[][];
  losses: number[];
  initialState: Record<string, ReferenceTensor>;
  finalState: Record<string, ReferenceTensor>;
}

export interface Tolerance {
  rtol: number;
  atol: number;
}
export type Precision = 'float32' | 'float64';

function readFamily<T>(family: string): T {
  const bytes = readFileSync(new URL(`../reference/${family}.json.gz`, import.meta.url));
  return JSON.parse(gunzipSync(bytes).toString('utf8')) as T;
}

let tolerances: Record<string, Record<Precision, Tolerance>> | undefined;

/** The cases of test/reference/<family>.json.gz. */
export function referenceCases(family: string): ReferenceCase[] {
  return readFamily<{ cases: ReferenceCase[] }>(family).cases;
}

/** The tolerance of a case: its own or that of its op; null where the case says nothing about the precision. */
export function toleranceOf(c: ReferenceCase, precision: Precision): Tolerance | null {
  tolerances ??= readFamily<{ ops: Record<string, Record<Precision, Tolerance>> }>('tolerances').ops;
  const own = c.tolerance?.[precision];
  return own !== undefined ? own : (tolerances[c.op]?.[precision] ?? { rtol: 1e-5, atol: 1e-6 });
}

/** A case's tensor as ours. */
export function toTensor(json: ReferenceTensor, precision: Precision): Tensor {
  const dtype: DType = json.dtype === 'float64' ? precision : json.dtype === 'int64' ? 'int32' : 'bool';
  return tensor(json.data.map(Number), { dtype }).reshape(json.shape);
}

/** Throws where values are further from the reference than the tolerance allows; `name` says which. */
export function expectClose(name: string, got: Tensor, want: ReferenceTensor, { rtol, atol }: Tolerance): void {
  if (got.shape.join() !== want.shape.join()) throw new Error(`${name}: shape [${got.shape}], want [${want.shape}]`);
  const values = got.detach().data;
  for (const [i, number] of want.data.entries()) {
    const expected = Number(number);
    const same = Object.is(values[i], expected) || values[i] === expected;
    if (!same && !(Math.abs(values[i] - expected) <= atol + rtol * Math.abs(expected))) {
      throw new Error(`${name}: element ${i} is ${values[i]}, want ${expected} within ${atol} + ${rtol} |want|`);
    }
  }
}
