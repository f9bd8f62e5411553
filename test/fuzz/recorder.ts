// Records what operations hand to the raw bindings, to be replayed and broken.
import { native } from '../../lib/native.js';

/** An argument as it was: a kind of typed array and its bytes; null for none. */
export interface Argument {
  readonly kind: 'Uint8Array' | 'Uint32Array' | 'Int32Array' | 'Float64Array' | 'Float32Array';
  readonly bytes: Uint8Array;
}

/** One call of a binding. */
export interface Call {
  readonly name: string;
  readonly geometry: Float64Array;
  readonly args: readonly (Argument | null)[];
}

type Binding = (...args: unknown[]) => unknown;
export const bindings = native as unknown as Record<string, Binding>;

/** They take no memory, or change the whole process; programs have sequences of calls of their own (programs.test.ts). */
const HARMLESS = ['capability', 'openblasCore', 'numThreads', 'setNumThreads', 'computeAlone'];

/** Names of the bindings that take memory. */
export const names = Object.keys(bindings).filter(
  (name) => typeof bindings[name] === 'function' && !HARMLESS.includes(name) && !name.startsWith('program'),
);
const MOST = 60;
const LARGEST = 1 << 16;

function argument(value: unknown): Argument | null {
  if (!ArrayBuffer.isView(value)) return null;
  const bytes = new Uint8Array(value.buffer, value.byteOffset, value.byteLength).slice();
  return { kind: value.constructor.name as Argument['kind'], bytes };
}

/** Runs a program and keeps some calls of each binding, first those that differ in their arguments' number and sizes. */
export function recorded(program: () => void): Map<string, Call[]> {
  const found = new Map<string, Call[]>();
  const originals = names.map((name) => [name, bindings[name]] as const);
  for (const [name, original] of originals) {
    const seen = new Set<string>();
    const kept: Call[] = [];
    found.set(name, kept);
    bindings[name] = (...args) => {
      const key = `${native.geometry.slice(0, 24).join()} ${args.length}`;
      if (kept.length < MOST && !seen.has(key)) {
        const copies = args.map(argument);
        if (copies.every((copy) => copy === null || copy.bytes.length <= LARGEST)) {
          seen.add(key);
          kept.push({ name, geometry: native.geometry.slice(), args: copies });
        }
      }
      return original(...args);
    };
  }
  try {
    program();
  } finally {
    for (const [name, original] of originals) bindings[name] = original;
  }
  return found;
}
