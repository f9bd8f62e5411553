// Fetches one file into a folder: mirrors in turn, checked by digest, whole or not at all.
import type { FileHandle } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import { builtin } from '../builtin.js';
import { TensorError } from '../errors.js';
import { isGzip } from './idx.js';

/** How far the download of one file has come. */
export interface DownloadProgress {
  /** The file's name. */
  file: string;
  /** Bytes so far. */
  received: number;
  /** Bytes in all, if the server says so. */
  total: number | undefined;
}

/** What to fetch and where to put it. */
export interface DownloadRequest {
  /** The public function that asks, for error messages. */
  op: string;
  /** The file's name, for progress and error messages. */
  file: string;
  /** Addresses of the same file, tried in this order. */
  urls: readonly string[];
  /** Where the file goes; its folder is made if need be. */
  path: string;
  /** SHA-256 of the unpacked content, in hexadecimal. */
  sha256: string;
  /** Bytes of the unpacked content. */
  size: number;
  /** What the user can do if nothing helps; the last sentence of the error. */
  remedy: string;
  /** Longest silence of a server in milliseconds, 30,000 unless given. */
  timeout?: number;
  signal?: AbortSignal;
  onProgress?: (progress: DownloadProgress) => void;
}

const DEFAULT_TIMEOUT = 30_000;

/**
 * Downloads a file, plain or gzipped, from the first of several addresses that gives the right content.
 *
 * The file is written beside its place and renamed once its digest is right, so a file that is there is a whole one.
 *
 * @throws TensorError `io` if no address gives the file or the folder cannot be written, `aborted` if the signal fires.
 */
export async function downloadFile(request: DownloadRequest): Promise<void> {
  const { op, file, urls, path, signal } = request;
  checkAborted(op, signal);
  // Its own name for every attempt: two processes may be fetching the same file.
  const part = `${path}.${process.pid}-${builtin.crypto.randomUUID().slice(0, 8)}.part`;
  const failures: string[] = [];
  try {
    await builtin.files.mkdir(dirname(path), { recursive: true });
    for (const url of urls) {
      const failure = (await fetchTo(url, part, request)) ?? (await verify(part, request));
      checkAborted(op, signal);
      if (failure === undefined) {
        await builtin.files.rename(part, path);
        return;
      }
      failures.push(`${url}: ${failure}`);
    }
  } catch (error) {
    throw writeError(op, path, error);
  } finally {
    await builtin.files.rm(part, { force: true }).catch(() => undefined);
  }
  throw new TensorError('io', op, `expected to download ${file}, got ${failures.join('; ')}. ${request.remedy}`);
}

/** Throws if the caller has cancelled. */
export function checkAborted(op: string, signal: AbortSignal | undefined): void {
  if (!signal?.aborted) return;
  throw new TensorError('aborted', op, 'expected to run to the end, got an abort signal', { cause: signal.reason });
}

/** The folder for files that can be fetched again: `chainrule/<name>` in the place the system has for such. */
export function cacheFolder(name: string, env = process.env, platform = process.platform, home = homedir()): string {
  let base: string;
  if (platform === 'win32') base = env.LOCALAPPDATA || join(home, 'AppData', 'Local');
  else if (platform === 'darwin') base = join(home, 'Library', 'Caches');
  else base = join(home, '.cache');
  // The XDG specification has a relative path ignored.
  const xdg = env.XDG_CACHE_HOME;
  if (platform !== 'win32' && platform !== 'darwin' && xdg && isAbsolute(xdg)) base = xdg;
  return join(base, 'chainrule', name);
}

/** Streams one address into a file. Returns what was wrong with the server, if anything; other errors are thrown. */
async function fetchTo(url: string, part: string, request: DownloadRequest): Promise<string | undefined> {
  const { op, file, size, signal, onProgress, timeout = DEFAULT_TIMEOUT } = request;
  const control = new AbortController();
  const abort = () => control.abort();
  const watch = setTimeout(abort, timeout);
  signal?.addEventListener('abort', abort, { once: true });
  const failed = (error: unknown): string => {
    checkAborted(op, signal);
    return control.signal.aborted ? `no data for ${timeout} ms` : messageOf(error);
  };
  const out = await builtin.files.open(part, 'w');
  try {
    let response: Response;
    try {
      // Without this a server may pack the file a second time.
      response = await fetch(url, { signal: control.signal, headers: { 'accept-encoding': 'identity' } });
    } catch (error) {
      return failed(error);
    }
    if (!response.ok || response.body === null) return `HTTP status ${response.status}`;
    const total = contentLength(response);
    const reader = response.body.getReader();
    let received = 0;
    while (true) {
      watch.refresh();
      let chunk: Uint8Array | undefined;
      try {
        chunk = (await reader.read()).value;
      } catch (error) {
        return failed(error);
      }
      checkAborted(op, signal);
      if (chunk === undefined) break;
      received += chunk.length;
      // Packing makes a file larger by a few bytes at most, so an endless answer is noticed early.
      if (received > size * 1.01 + 4096) return `more than the ${size} bytes of the file`;
      await write(out, chunk);
      onProgress?.({ file, received, total });
    }
    if (total !== undefined && received !== total) return `${received} of ${total} bytes`;
    await out.sync();
    return undefined;
  } finally {
    clearTimeout(watch);
    signal?.removeEventListener('abort', abort);
    // Closes the connection where the answer has not been read to its end.
    control.abort();
    await out.close();
  }
}

async function write(out: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let at = 0; at < chunk.length; ) at += (await out.write(chunk, at)).bytesWritten;
}

/** Bytes announced, where they are bytes as they arrive: fetch unpacks an encoded answer by itself. */
function contentLength(response: Response): number | undefined {
  const encoding = response.headers.get('content-encoding') ?? 'identity';
  const length = Number(response.headers.get('content-length') ?? Number.NaN);
  return encoding === 'identity' && Number.isSafeInteger(length) ? length : undefined;
}

/** Returns what is wrong with the content, if anything. */
async function verify(part: string, { op, sha256, size, signal }: DownloadRequest): Promise<string | undefined> {
  const begin = new Uint8Array(2);
  await using handle = await builtin.files.open(part);
  await handle.read(begin, 0, 2, 0);
  // The handle closes last, so that the file can be renamed or removed on Windows too.
  const file = handle.createReadStream({ start: 0, autoClose: false, highWaterMark: 1 << 18 });
  const gunzip = isGzip(begin) ? builtin.zlib.createGunzip({ chunkSize: 1 << 18 }) : undefined;
  if (gunzip) file.on('error', (error) => gunzip.destroy(error)).pipe(gunzip);
  const hash = builtin.crypto.createHash('sha256');
  let unpacked = 0;
  try {
    for await (const chunk of gunzip ?? file) {
      checkAborted(op, signal);
      unpacked += chunk.length;
      if (unpacked > size) return `content of more than ${size} bytes`;
      hash.update(chunk);
    }
  } catch (error) {
    if (error instanceof Error && (error as NodeJS.ErrnoException).code?.startsWith('Z_')) {
      return `broken gzip data (${error.message})`;
    }
    throw error;
  } finally {
    file.destroy();
  }
  const digest = hash.digest('hex');
  return digest === sha256 ? undefined : `content with SHA-256 ${digest} instead of ${sha256}`;
}

/** fetch says only "fetch failed" and keeps the reason in the cause. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause;
  return cause instanceof Error
    ? cause.message || ((cause as NodeJS.ErrnoException).code ?? error.message)
    : error.message;
}

/** A TensorError for a file system that refuses; anything else, such as an error of the progress callback, stays as it is. */
function writeError(op: string, path: string, error: unknown): unknown {
  if (error instanceof TensorError || !(error instanceof Error) || !('syscall' in error)) return error;
  return new TensorError('io', op, `expected to write '${path}', got ${error.message}`, { cause: error });
}
