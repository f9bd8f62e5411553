// Bytes of data files in pieces: reading, writing, taking memory, and naming an element by its index.
import type { FileHandle } from 'node:fs/promises';
import { type Where, wrong } from './safetensors-header.js';

/** Bytes moved at a time, a multiple of every element size. */
export const CHUNK = 4 * 1024 * 1024;

export function reserve(op: string, bytes: number, purpose: string): ArrayBuffer {
  try {
    return new ArrayBuffer(bytes);
  } catch (cause) {
    throw wrong('memory', op, `${bytes} bytes of memory for ${purpose}`, 'none', cause);
  }
}

/** Row-major index of an element, by dimension. */
export function indexText(shape: readonly number[], flat: number): string {
  const index: number[] = [];
  let rest = flat;
  for (const size of shape.toReversed()) {
    index.unshift(rest % size);
    rest = Math.floor(rest / size);
  }
  return `[${index.join(', ')}]`;
}

export async function fill(handle: FileHandle, into: Uint8Array, at: number, { op, file }: Where): Promise<void> {
  for (let done = 0; done < into.length; ) {
    const { bytesRead } = await handle.read(into, done, into.length - done, at + done);
    if (bytesRead === 0) throw wrong('io', op, `'${file}' to stay as it was`, 'a shorter file');
    done += bytesRead;
  }
}

export function checkSignal(signal: AbortSignal | undefined, { op, file }: Where): void {
  if (signal?.aborted) throw wrong('aborted', op, `to read all of '${file}'`, 'an abort signal', signal.reason);
}

export async function writeAll(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length; ) done += (await handle.write(bytes, done)).bytesWritten;
}
