// Two equal models, one stepped eagerly and one through capture(): everything must stay the same, bit for bit.

import { createHash } from 'node:crypto';
import { type CapturedStep, capture, manualSeed, type nn, type optim, type Tensor } from 'chainrule';
import { expect } from 'vitest';

/** Shape, dtype and a digest of the bytes of a tensor. */
export function bits(x: Tensor): string {
  const { data } = x.detach().clone();
  const digest = createHash('sha1')
    .update(Buffer.from(data.buffer, data.byteOffset, data.byteLength))
    .digest('hex');
  return `${x.dtype} [${x.shape.join(', ')}] ${digest.slice(0, 8)}`;
}

export function bitsOf(value: unknown): unknown {
  if (value !== null && typeof value === 'object' && 'storage' in value) return bits(value as Tensor);
  if (Array.isArray(value)) return value.map(bitsOf);
  if (value !== null && typeof value === 'object')
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, bitsOf(item)]));
  return value;
}

/** A model with what is needed to step it. */
export interface Twin {
  readonly model: nn.Module<never[], unknown>;
  readonly optimizer?: Pick<optim.Optimizer, 'step' | 'zeroGrad' | 'stateDict' | 'loadStateDict'>;
  /** What is captured. */
  step(...inputs: Tensor[]): unknown;
}

/** Everything that a step may have changed. */
export function stateOf({ model, optimizer }: Twin): unknown {
  const gradients = model.parameters().map((p) => (p.gradient === null ? null : bits(p.gradient)));
  return bitsOf({ model: model.stateDict(), gradients, optimizer: optimizer?.stateDict() });
}

export interface Course {
  /** Makes a twin; called twice from the same seed. */
  make(): Twin;
  /** The inputs of step i. */
  inputs(i: number): Tensor[];
  steps?: number;
  /** Called before step i, with each twin. */
  between?(i: number, twin: Twin): void;
  signatures?: number;
}

/** Two of the same, made from the same seed. */
export function twins<T>(make: () => T): [T, T] {
  manualSeed(1);
  const first = make();
  manualSeed(1);
  return [first, make()];
}

/** Steps both and compares after each step. */
export function compare({
  make,
  inputs,
  steps = 100,
  between,
  signatures = 1,
}: Course): CapturedStep<Tensor[], unknown> {
  const [eager, twin] = twins(make);
  const step = capture((...given: Tensor[]) => twin.step(...given));
  for (let i = 0; i < steps; i++) {
    const given = inputs(i);
    between?.(i, eager);
    between?.(i, twin);
    manualSeed(100 + i);
    const expected = bitsOf(eager.step(...given));
    manualSeed(100 + i);
    expect(bitsOf(step(...given)), `output of step ${i}`).toEqual(expected);
    expect(stateOf(twin), `state after step ${i}`).toEqual(stateOf(eager));
  }
  expect(step.signatures).toBe(signatures);
  return step;
}
