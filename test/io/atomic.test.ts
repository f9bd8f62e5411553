// Whole-file replacement: failures of every kind leave the old file and nothing else behind.
import { spawn } from 'node:child_process';
import * as fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { prepareToWrite, writeAtomically } from '../../lib/io/atomic.js';

let folder = '';
beforeEach(async () => {
  folder = await fs.mkdtemp(join(tmpdir(), 'chainrule-atomic-'));
});
afterEach(async () => {
  await fs.rm(folder, { recursive: true, force: true });
});

const posix = process.platform !== 'win32';
const root = process.getuid?.() === 0;
const write = (path: string, text: string) => writeAtomically(path, (file) => file.writeFile(text));
const read = (path: string) => fs.readFile(path, 'utf8');

test('writes new files and replaces old ones, leaving no other file', async () => {
  const path = join(folder, 'a.txt');
  await write(path, 'first');
  expect(await read(path)).toBe('first');
  await write(path, 'second, longer');
  await write(path, '');
  expect(await read(path)).toBe('');
  expect(await fs.readdir(folder)).toEqual(['a.txt']);
});

test('a name as long as the file system allows', async () => {
  const path = join(folder, 'n'.repeat(255));
  await write(path, 'x');
  expect(await read(path)).toBe('x');
  await expect(write(`${path}n`, 'x')).rejects.toMatchObject({ name: 'TensorError', code: 'io' });
  expect(await fs.readdir(folder)).toHaveLength(1);
});

test('an error in the callback passes through and changes nothing', async () => {
  const path = join(folder, 'a.txt');
  await write(path, 'old');
  const mistake = Object.assign(new Error('mine'), { code: 'E_MINE' });
  const failing = writeAtomically(path, async (file) => {
    await file.writeFile('half of');
    expect(await fs.readdir(folder)).toHaveLength(2);
    throw mistake;
  });
  await expect(failing).rejects.toBe(mistake);
  expect(await read(path)).toBe('old');
  expect(await fs.readdir(folder)).toEqual(['a.txt']);
});

test('a callback that closes the file is told so', async () => {
  const path = join(folder, 'a.txt');
  await write(path, 'old');
  await expect(writeAtomically(path, (file) => file.close())).rejects.toThrow();
  expect(await read(path)).toBe('old');
  expect(await fs.readdir(folder)).toEqual(['a.txt']);
});

test.runIf(process.platform === 'linux')('a full disk is an io error that changes nothing', async () => {
  const path = join(folder, 'a.txt');
  await write(path, 'old');
  // The one device that is always full.
  const full = await fs.open('/dev/full', 'w');
  const failing = writeAtomically(path, async (file) => {
    await file.writeFile('half of');
    await full.write('rest');
  });
  await expect(failing).rejects.toMatchObject({ code: 'io', op: 'writeAtomically', message: /a full disk \(ENOSPC\)/ });
  await full.close();
  expect(await read(path)).toBe('old');
  expect(await fs.readdir(folder)).toEqual(['a.txt']);
});

test('a missing folder is named, with the remedy', async () => {
  const missing = join(folder, 'x', 'y');
  const failing = write(join(missing, 'a.txt'), 'a');
  await expect(failing).rejects.toMatchObject({ name: 'TensorError', code: 'io' });
  await expect(failing).rejects.toThrow(`got no folder '${missing}'; create it first with mkdir(`);
  await write(join(folder, 'plain'), '');
  await expect(write(join(folder, 'plain', 'a.txt'), 'a')).rejects.toMatchObject({ code: 'io' });
});

test('folders, and paths that are none, are refused', async () => {
  await expect(write(folder, 'a')).rejects.toMatchObject({ code: 'io', message: /to be a file, got a folder/ });
  for (const path of ['', 'a\0b', 7 as unknown as string]) {
    await expect(write(path, 'a')).rejects.toMatchObject({ code: 'value' });
  }
});

test.runIf(process.platform === 'linux')('devices are not replaced by files', async () => {
  await expect(write('/dev/null', 'a')).rejects.toMatchObject({ code: 'io', message: /got a device/ });
  expect((await fs.stat('/dev/null')).isCharacterDevice()).toBe(true);
});

test.runIf(posix)('an existing file keeps its permissions; a new one has the default', async () => {
  const path = join(folder, 'a.txt');
  await write(path, 'a');
  expect((await fs.stat(path)).mode & 0o777).toBe(0o666 & ~process.umask());
  for (const mode of [0o600, 0o666, 0o755]) {
    await fs.chmod(path, mode);
    await writeAtomically(path, async (file) => {
      // Not even the temporary file may be readable by more than the old one was.
      expect((await file.stat()).mode & 0o777).toBe(mode);
    });
    expect((await fs.stat(path)).mode & 0o777).toBe(mode);
  }
});

test.runIf(posix && root)('a file of another owner keeps its owner', async () => {
  const path = join(folder, 'a.txt');
  await write(path, 'a');
  await fs.chown(path, 12345, 12346);
  await write(path, 'b');
  expect(await fs.stat(path)).toMatchObject({ uid: 12345, gid: 12346 });
});

test.runIf(posix && !root)('a write-protected file is not replaced', async () => {
  const path = join(folder, 'a.txt');
  await write(path, 'old');
  await fs.chmod(path, 0o444);
  await expect(write(path, 'new')).rejects.toMatchObject({ code: 'io' });
  expect(await read(path)).toBe('old');
});

test.runIf(posix)(
  'symbolic links are followed, also in a chain, through folders, and to files yet to come',
  async () => {
    await fs.mkdir(join(folder, 'deep', 'er'), { recursive: true });
    await fs.symlink(join('deep', 'er'), join(folder, 'short'));
    await fs.symlink('short/../target.txt', join(folder, 'link'));
    await fs.symlink(join(folder, 'link'), join(folder, 'link2'));
    for (const text of ['created', 'replaced']) {
      await write(join(folder, 'link2'), text);
      expect(await read(join(folder, 'deep', 'target.txt'))).toBe(text);
    }
    for (const link of ['link', 'link2']) expect((await fs.lstat(join(folder, link))).isSymbolicLink()).toBe(true);
    await write(`${folder}/short/../beside.txt`, 'b');
    expect((await fs.readdir(join(folder, 'deep'))).sort()).toEqual(['beside.txt', 'er', 'target.txt']);
  },
);

test.runIf(posix)('links in a circle are an io error', async () => {
  await fs.symlink('b', join(folder, 'a'));
  await fs.symlink('a', join(folder, 'b'));
  await expect(write(join(folder, 'a'), 'x')).rejects.toMatchObject({ code: 'io', message: /symbolic links/ });
});

test('many writers in one process: the file is one of theirs', async () => {
  const path = join(folder, 'a.txt');
  const texts = Array.from({ length: 20 }, (_, i) => String(i).repeat(10_000 + i));
  await Promise.all(texts.map((text) => write(path, text)));
  expect(texts).toContain(await read(path));
  expect(await fs.readdir(folder)).toEqual(['a.txt']);
});

test('two processes writing one path: every state seen is whole', async () => {
  const path = join(folder, 'a.bin');
  const source = new URL('../../lib/io/atomic.ts', import.meta.url).href;
  const program = `
    import { writeAtomically } from ${JSON.stringify(source)};
    const [path, letter] = process.argv.slice(1);
    for (let i = 0; i < 60; i++) {
      await writeAtomically(path, async (file) => {
        for (let k = 0; k < 8; k++) await file.write(letter.repeat(4096));
      });
    }`;
  const run = (letter: string) =>
    new Promise<number | null>((done, fail) => {
      const node = ['--import', 'tsx', '--input-type=module', '-e', program, path, letter];
      spawn(process.execPath, node, { stdio: ['ignore', 'ignore', 'inherit'] })
        .on('exit', done)
        .on('error', fail);
    });
  let running = true;
  const writers = Promise.all([run('a'), run('b')]).finally(() => {
    running = false;
  });
  const seen = new Set<string>();
  while (running) {
    const text = await read(path).catch(() => '');
    if (text !== '') seen.add(text);
    await new Promise((resume) => setTimeout(resume, 1));
  }
  expect(await writers).toEqual([0, 0]);
  for (const text of seen) expect(['a', 'b'].map((letter) => letter.repeat(8 * 4096))).toContain(text);
  expect(seen.size).toBeGreaterThan(0);
  expect(await fs.readdir(folder)).toEqual(['a.bin']);
}, 60_000);

test('what killed writers left is removed once it is old, and nothing else', async () => {
  const path = join(folder, 'a.txt');
  const hours = (count: number) => new Date(Date.now() - count * 3_600_000);
  for (const [name, age] of [
    ['.chainrule-1-old.tmp', 2],
    ['.chainrule-2-young.tmp', 0.5],
    ['.chainrule-notes', 2],
    ['other.tmp', 2],
  ] as const) {
    await fs.writeFile(join(folder, name), 'half');
    await fs.utimes(join(folder, name), hours(age), hours(age));
  }
  await prepareToWrite(path);
  expect((await fs.readdir(folder)).sort()).toEqual(['.chainrule-2-young.tmp', '.chainrule-notes', 'other.tmp']);
});

test('what cannot be written is known before', async () => {
  await prepareToWrite(join(folder, 'new.txt'));
  expect(await fs.readdir(folder)).toEqual([]);
  await fs.mkdir(join(folder, 'dir'));
  for (const path of [join(folder, 'none', 'a.txt'), join(folder, 'dir'), '/dev/null']) {
    await expect(prepareToWrite(path)).rejects.toMatchObject({ name: 'TensorError', code: 'io', op: 'prepareToWrite' });
  }
});

test.runIf(posix && !root)('a folder or file that is write-protected is known before', async () => {
  const path = join(folder, 'a.txt');
  await write(path, 'old');
  await fs.chmod(path, 0o444);
  await expect(prepareToWrite(path)).rejects.toMatchObject({ code: 'io' });
  await fs.chmod(path, 0o644);
  await fs.chmod(folder, 0o555);
  await expect(prepareToWrite(path)).rejects.toMatchObject({ code: 'io' });
  await fs.chmod(folder, 0o755);
});
