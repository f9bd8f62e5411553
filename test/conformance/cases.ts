// Reference cases as PyTorch answered them: their form (test/reference/README.md) and reading a folder of them.
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { gunzipSync } from 'node:zlib';

/** Numbers of a case; NaN and infinities are strings. */
export type NumberJson = number | boolean | 'NaN' | 'Infinity' | '-Infinity';

export interface TensorJson {
  dtype: 'float64' | 'int64' | 'bool';
  shape: number[];
  data: NumberJson[];
}

export interface Tolerance {
  rtol: number;
  atol: number;
}
/** The dtypes an implementation computes in. */
export type Precision = 'float32' | 'float64';

export interface Case {
  id: string;
  op: string;
  inputs: (TensorJson | null)[];
  args: Record<string, unknown>;
  tolerance?: Partial<Record<Precision, Tolerance | null>>;
  note?: string;
  outputs: TensorJson[];
  gradOutputs?: (TensorJson | null)[];
  grads?: (TensorJson | null)[];
  /** Other forms: optimizers, schedules, training runs. */
  gradSequence?: TensorJson[][];
  paramSequence?: TensorJson[][];
  lrs?: NumberJson[];
  initialState?: Record<string, TensorJson>;
  losses?: NumberJson[];
  finalState?: Record<string, TensorJson>;
}

export interface Family {
  name: string;
  cases: Case[];
}

export interface Reference {
  families: Family[];
  tolerances: Record<string, Record<Precision, Tolerance>>;
}

function readJson(path: string): unknown {
  const bytes = readFileSync(path);
  return JSON.parse((path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8'));
}

/** Reads every family in a folder, plain or gzipped, and the tolerances beside them. */
export function readReference(folder: string): Reference {
  const reference: Reference = { families: [], tolerances: {} };
  for (const file of readdirSync(folder).sort()) {
    const name = /^(.+)\.json(\.gz)?$/.exec(basename(file))?.[1];
    if (name === undefined) continue;
    const content = readJson(join(folder, file)) as { cases?: Case[]; ops?: Reference['tolerances'] };
    if (name === 'tolerances') reference.tolerances = content.ops ?? {};
    else if (Array.isArray(content.cases)) reference.families.push({ name, cases: content.cases });
  }
  if (reference.families.length === 0) throw new Error(`no *.json or *.json.gz with cases in ${folder}`);
  return reference;
}

export function toNumber(value: NumberJson): number {
  return typeof value === 'string' ? Number(value) : Number(value);
}
