// Whole-file replacement: readers see the old file or the new one, never half of either.
import type { Stats } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, sep } from 'node:path';
import { builtin } from '../builtin.js';
import { describe, TensorError } from '../errors.js';

/** As many links in a row as Linux follows. */
const MAX_LINKS = 40;

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'no permission',
  EDQUOT: 'an exhausted disk quota',
  EFBIG: 'a file size limit',
  EISDIR: 'a folder',
  ELOOP: 'symbolic links in a circle',
  ENAMETOOLONG: 'a name that is too long',
  ENOENT: 'no such file or folder',
  ENOSPC: 'a full disk',
  ENOTDIR: 'a path that leads through a file',
  EPERM: 'no permission',
  EROFS: 'a read-only file system',
};

function codeOf(error: unknown): string | undefined {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  return typeof code === 'string' ? code : undefined;
}

/** Refuses what the file system cannot take as a path. */
export function checkPath(op: string, path: unknown): void {
  if (typeof path === 'string' && path !== '' && !path.includes('\0')) return;
  throw new TensorError('value', op, `expected a file path, got ${describe(path)}`);
}

/** The TensorError 'io' for an error of the file system; errors of any other origin come back as they are. */
export function ioError(op: string, purpose: string, path: string, error: unknown): unknown {
  const code = codeOf(error);
  if (code === undefined || !('syscall' in (error as Error))) return error;
  const reason = REASONS[code] ?? (error as Error).message;
  return new TensorError('io', op, `expected to ${purpose} '${path}', got ${reason} (${code})`, { cause: error });
}

/** The file that a path leads to, which need not exist yet; its folder must. */
async function followLinks(op: string, path: string): Promise<string> {
  // No path is normalized before the system has seen it: 'link/..' is the parent of what the link points to.
  let current = path;
  for (let links = 0; links <= MAX_LINKS; links++) {
    const folder = dirname(current);
    let real: string;
    try {
      real = await builtin.files.realpath(folder);
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error;
      const remedy = `create it first with mkdir('${folder}', { recursive: true })`;
      const message = `expected the folder of '${path}' to exist, got no folder '${folder}'; ${remedy}`;
      throw new TensorError('io', op, message, { cause: error });
    }
    current = join(real, basename(current));
    try {
      const link = await builtin.files.readlink(current);
      current = isAbsolute(link) ? link : real + sep + link;
    } catch (error) {
      // Not a link (EINVAL; UNKNOWN on Windows), or nothing there yet: this is the file.
      if (['EINVAL', 'ENOENT', 'UNKNOWN'].includes(codeOf(error) ?? '')) return current;
      throw error;
    }
  }
  throw new TensorError('io', op, `expected '${path}' to lead to a file, got more than ${MAX_LINKS} symbolic links`);
}

/** State of the file about to be replaced, or undefined where there is none; refuses what must not be replaced. */
async function inspectTarget(op: string, path: string, target: string): Promise<Stats | undefined> {
  let stats: Stats;
  try {
    stats = await builtin.files.stat(target);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
  if (!stats.isFile()) {
    const kind = stats.isDirectory() ? 'a folder' : 'a device, pipe or socket';
    throw new TensorError('io', op, `expected '${path}' to be a file, got ${kind}`);
  }
  // Renaming would replace a write-protected file too; protection has to mean the same as for a write in place.
  await builtin.files.access(target, builtin.files.constants.W_OK);
  return stats;
}

/** Gives a new file the owner and permissions of the file it replaces. */
async function copyPermissions(handle: FileHandle, previous: Stats): Promise<void> {
  const own = await handle.stat();
  if (own.uid !== previous.uid || own.gid !== previous.gid) {
    // Only root may give files away; elsewhere the file belongs to the one who wrote it.
    await handle.chown(previous.uid, previous.gid).catch(() => {});
  }
  await handle.chmod(previous.mode & 0o7777);
}

const PREFIX = '.chainrule-';
const SUFFIX = '.tmp';
/** Milliseconds after which nobody writes to a file any more that nothing has come to. */
const STALE = 3_600_000;

/** Removes what writers that were killed have left in a folder: a run that is killed again and again would fill the disk. */
async function removeLeftovers(folder: string): Promise<void> {
  for (const name of await builtin.files.readdir(folder)) {
    if (!name.startsWith(PREFIX) || !name.endsWith(SUFFIX)) continue;
    const leftover = join(folder, name);
    try {
      const { mtimeMs } = await builtin.files.stat(leftover);
      if (Date.now() - mtimeMs > STALE) await builtin.files.rm(leftover);
    } catch {
      // Gone already, or not ours to remove.
    }
  }
}

/**
 * Finds out whether {@link writeAtomically} can write a file, before there is anything to write, and removes what writers that were
 * killed more than an hour ago have left beside it. Throws a TensorError 'io' where it cannot.
 */
export async function prepareToWrite(path: string, op = 'prepareToWrite'): Promise<void> {
  checkPath(op, path);
  try {
    const target = await followLinks(op, path);
    await inspectTarget(op, path, target);
    const folder = dirname(target);
    await builtin.files.access(folder, builtin.files.constants.W_OK);
    await removeLeftovers(folder);
  } catch (error) {
    throw ioError(op, 'write', path, error);
  }
}

/** Makes a rename durable; file systems and platforms that cannot sync a folder do without. */
async function syncFolder(folder: string): Promise<void> {
  let handle: FileHandle | undefined;
  try {
    handle = await builtin.files.open(folder, 'r');
    await handle.sync();
  } catch (error) {
    if (!['EACCES', 'EBADF', 'EINVAL', 'EISDIR', 'ENOTSUP', 'EPERM'].includes(codeOf(error) ?? '')) throw error;
  } finally {
    await handle?.close();
  }
}

/**
 * Writes a file so that it is replaced whole or not at all.
 *
 * `write` fills a new file beside the old one, which is then synced to disk and renamed over it. If anything fails,
 * `write` included, the new file is removed and the old one stays as it was; a process that is killed leaves a file
 * `.chainrule-*.tmp`, see {@link prepareToWrite}. An existing file keeps its permissions, and a symbolic link keeps pointing at the file replaced.
 * Of several writers at once the last to finish wins. Throws a TensorError 'io' where the file cannot be written, and
 * whatever `write` throws. `op` is the name used in errors.
 *
 * @example
 * ```ts
 * await writeAtomically('notes.txt', (file) => file.writeFile('all of it'));
 * ```
 */
export async function writeAtomically(
  path: string,
  write: (handle: FileHandle) => Promise<void>,
  op = 'writeAtomically',
): Promise<void> {
  checkPath(op, path);
  try {
    const target = await followLinks(op, path);
    const previous = await inspectTarget(op, path, target);
    // A short name of its own: the target's name with a suffix could exceed the 255 bytes a name may have.
    const temporary = join(dirname(target), `${PREFIX}${process.pid}-${builtin.crypto.randomUUID()}${SUFFIX}`);
    const handle = await builtin.files.open(temporary, 'wx', previous ? previous.mode & 0o777 : 0o666);
    try {
      try {
        if (previous) await copyPermissions(handle, previous);
        await write(handle);
        await handle.sync();
      } finally {
        await handle.close();
      }
      await builtin.files.rename(temporary, target);
    } catch (error) {
      // The first error is the one to report, whether or not the removal succeeds.
      await builtin.files.rm(temporary, { force: true }).catch(() => {});
      throw error;
    }
    await syncFolder(dirname(target));
  } catch (error) {
    throw ioError(op, 'write', path, error);
  }
}
