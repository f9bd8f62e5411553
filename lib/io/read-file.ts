// Reading a data file: opening what is a file and no pipe, the signal, and errors that name the path.
import type { FileHandle } from 'node:fs/promises';
import { builtin } from '../builtin.js';
import { checkOptions } from '../errors.js';
import { checkPath, ioError } from './atomic.js';
import { checkSignal } from './file-bytes.js';
import { type Where, wrong } from './safetensors-header.js';

/** An open file, with what {@link readFile} knows of it. */
export interface OpenFile {
  handle: FileHandle;
  size: number;
  /** The operation and the path, for errors. */
  where: Where;
  /** Throws once the signal is aborted. */
  proceed(): void;
}

/**
 * Opens a file for as long as `read` takes.
 *
 * @throws TensorError `io` if the path cannot be read or is no file, `aborted` by the signal, `value` for what is no path
 */
export async function readFile<T>(
  op: string,
  path: string,
  options: { signal?: AbortSignal } | undefined,
  read: (file: OpenFile) => Promise<T>,
): Promise<T> {
  checkOptions(op, options, ['signal']);
  checkPath(op, path);
  const where = { op, file: path };
  const proceed = () => checkSignal(options?.signal, where);
  let handle: FileHandle | undefined;
  try {
    proceed();
    const { O_RDONLY, O_NONBLOCK } = builtin.fs.constants;
    // A pipe would otherwise be waited for without end before its kind can be seen.
    handle = await builtin.files.open(path, O_RDONLY | (O_NONBLOCK ?? 0));
    const stats = await handle.stat();
    if (!stats.isFile()) throw wrong('io', op, `'${path}' to be a file`, 'a folder, device or pipe');
    const content = await read({ handle, size: stats.size, where, proceed });
    proceed();
    return content;
  } catch (error) {
    throw ioError(op, 'read', path, error);
  } finally {
    await handle?.close();
  }
}
