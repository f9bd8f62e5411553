// MNIST: where it is looked for, what is checked, and downloads from servers that misbehave.
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { cacheFolder, type DownloadProgress } from '../../lib/data/download.js';
import { loadMnist, type MnistFile, type MnistOptions, type MnistTable, mnistArrays } from '../../lib/data/mnist.js';

const COUNT = 200;
const pixels = Uint8Array.from({ length: COUNT * 784 }, (_, i) => (i * i * 31) >>> 5);
const digits = Uint8Array.from({ length: COUNT }, (_, i) => i % 10);
const images = idx([COUNT, 28, 28], pixels);
const labels = idx([COUNT], digits);

function idx(shape: number[], body: Uint8Array): Buffer {
  const head = Buffer.alloc(4 + 4 * shape.length);
  head[2] = 8;
  head[3] = shape.length;
  shape.forEach((n, i) => {
    head.writeUInt32BE(n, 4 + 4 * i);
  });
  return Buffer.concat([head, body]);
}

function entry(name: string, content: Buffer): MnistFile {
  return { name, size: content.length, sha256: createHash('sha256').update(content).digest('hex') };
}

const pair = { images: entry('train-images-idx3-ubyte', images), labels: entry('train-labels-idx1-ubyte', labels) };
const TABLE: MnistTable = { train: pair, test: pair };
const CONTENT: Record<string, Buffer> = {
  'train-images-idx3-ubyte.gz': gzipSync(images),
  'train-labels-idx1-ubyte.gz': gzipSync(labels),
};

// Packed here: while a server packs, it is silent.
const BOMB = gzipSync(Buffer.alloc(1 << 24));

let folder = '';
let servers: Server[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'chainrule-mnist-'));
  vi.stubEnv('CHAINRULE_DATA', '');
  vi.stubEnv('HOME', folder);
  vi.stubEnv('XDG_CACHE_HOME', join(folder, 'xdg'));
  vi.stubEnv('LOCALAPPDATA', join(folder, 'xdg'));
});

afterEach(async () => {
  vi.unstubAllEnvs();
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
  servers = [];
  await rm(folder, { recursive: true, force: true });
});

/** Starts a server on this machine; returns the address of its folder. */
async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/mnist`;
}

const nameOf = (url: string | undefined) => (url ?? '').split('/').at(-1) ?? '';

/** A mirror as it should be. */
const mirror: RequestListener = (request, response) => {
  const content = CONTENT[nameOf(request.url)];
  if (content === undefined) response.writeHead(404).end();
  else response.writeHead(200, { 'content-length': content.length }).end(content);
};

const broken: RequestListener = (_, response) => {
  response.writeHead(404).end('no such file');
};

function load(options: Partial<MnistOptions> = {}) {
  return loadMnist('mnistArrays', { split: 'train', cacheDir: join(folder, 'cache'), ...options }, TABLE);
}

async function cached(): Promise<string[]> {
  return (await readdir(join(folder, 'cache')).catch(() => [])).sort();
}

function expectAll(result: Awaited<ReturnType<typeof load>>): void {
  expect(result).toMatchObject({ count: COUNT, rows: 28, columns: 28 });
  expect(Buffer.compare(result.images, pixels)).toBe(0);
  expect(result.labels).toEqual(digits);
}

describe('files on disk', () => {
  it.each([
    ['train-images-idx3-ubyte', 'train-labels-idx1-ubyte.gz'],
    ['train-images.idx3-ubyte.gz', 'train-labels.idx1-ubyte'],
  ])('reads %s and %s from root', async (imagesName, labelsName) => {
    await writeFile(join(folder, imagesName), imagesName.endsWith('.gz') ? gzipSync(images) : images);
    await writeFile(join(folder, labelsName), labelsName.endsWith('.gz') ? gzipSync(labels) : labels);
    expectAll(await load({ root: folder }));
  });

  it('prefers $CHAINRULE_DATA/mnist to the cache, and takes the cache where that lacks a file', async () => {
    const data = join(folder, 'data');
    await mkdir(join(data, 'mnist'), { recursive: true });
    await mkdir(join(folder, 'cache'));
    vi.stubEnv('CHAINRULE_DATA', data);
    await writeFile(join(folder, 'cache', 'train-images-idx3-ubyte'), images);
    await writeFile(join(folder, 'cache', 'train-labels-idx1-ubyte'), labels);
    await writeFile(join(data, 'mnist', 'train-images-idx3-ubyte'), idx([1, 28, 28], new Uint8Array(784)));
    expect((await load({ download: false })).count).toBe(COUNT);
    await writeFile(join(data, 'mnist', 'train-labels-idx1-ubyte'), idx([1], Uint8Array.of(3)));
    expect((await load({ download: false })).labels).toEqual(Uint8Array.of(3));
  });

  it('never downloads into an explicit root', async () => {
    let asked = 0;
    const url = await serve((request, response) => {
      asked++;
      mirror(request, response);
    });
    const root = join(folder, 'nothing');
    await expect(load({ root, mirrors: [url] })).rejects.toMatchObject({
      code: 'io',
      op: 'mnistArrays',
      message: expect.stringContaining(`'${root}'`),
    });
    expect(asked).toBe(0);
    expect(existsSync(root)).toBe(false);
  });

  it('says what it looked for when it may not download', async () => {
    await expect(load({ download: false })).rejects.toMatchObject({
      code: 'io',
      message: expect.stringMatching(/train-images-idx3-ubyte\.gz and train-labels-idx1-ubyte\.gz.*cache.*fetch both/),
    });
  });

  it.each<[string, Buffer, Buffer, RegExp]>([
    [
      'other sizes',
      idx([2, 14, 14], new Uint8Array(392)),
      idx([2], Uint8Array.of(1, 2)),
      /\[count, 28, 28\].*\[2, 14, 14\]/,
    ],
    ['labels for images', labels, labels, /\[count, 28, 28\]/],
    ['one label too few', images, idx([COUNT - 1], digits.subarray(1)), /each of the 200 images.*\[199\]/],
    ['a label beyond 9', images, idx([COUNT], digits.with(17, 10)), /labels from 0 to 9.*10 for image 17/],
    ['a cut file', images.subarray(0, 1000), labels, /1000 bytes at byte 4/],
  ])('refuses %s', async (_, imageFile, labelFile, message) => {
    await writeFile(join(folder, 'train-images-idx3-ubyte'), imageFile);
    await writeFile(join(folder, 'train-labels-idx1-ubyte'), labelFile);
    await expect(load({ root: folder })).rejects.toMatchObject({
      code: 'format',
      message: expect.stringMatching(message),
    });
  });
});

describe('download', () => {
  it('fetches both files once, reporting progress', async () => {
    const asked: string[] = [];
    const url = await serve((request, response) => {
      asked.push(nameOf(request.url));
      mirror(request, response);
    });
    const seen: DownloadProgress[] = [];
    expectAll(await load({ mirrors: [url], onProgress: (progress) => seen.push(progress) }));
    expectAll(await load({ mirrors: [`${url}/`] }));
    expect(asked).toEqual(Object.keys(CONTENT));
    expect(await cached()).toEqual(Object.keys(CONTENT));
    for (const [file, content] of Object.entries(CONTENT)) {
      expect(seen.findLast((p) => p.file === file)).toEqual({ file, received: content.length, total: content.length });
      expect(Buffer.compare(await readFile(join(folder, 'cache', file)), content)).toBe(0);
    }
  });

  it('uses the cache folder of the user', async () => {
    expectAll(await load({ cacheDir: undefined, mirrors: [await serve(mirror)] }));
    expect((await readdir(cacheFolder('mnist'))).sort()).toEqual(Object.keys(CONTENT));
  });

  it('fetches only the file that is missing', async () => {
    await mkdir(join(folder, 'cache'));
    await writeFile(join(folder, 'cache', 'train-images.idx3-ubyte'), images);
    expectAll(await load({ mirrors: [await serve(mirror)] }));
    expect(await cached()).toEqual(['train-images.idx3-ubyte', 'train-labels-idx1-ubyte.gz']);
  });

  it('takes unpacked content, and a server that does not say how long it is', async () => {
    const totals = new Set<number | undefined>();
    const url = await serve((request, response) => {
      response.write(nameOf(request.url).includes('images') ? images : labels);
      response.end();
    });
    expectAll(await load({ mirrors: [url], onProgress: (progress) => totals.add(progress.total) }));
    expect([...totals]).toEqual([undefined]);
  });

  const damaged: [string, RequestListener, RegExp][] = [
    ['404', broken, /HTTP status 404/],
    [
      'a body cut off',
      (request, response) => {
        const content = CONTENT[nameOf(request.url)];
        response.writeHead(200, { 'content-length': content.length });
        response.write(content.subarray(0, content.length >> 1), () => response.destroy());
      },
      /: .+/,
    ],
    [
      'a body cut off without a length',
      (request, response) => {
        const content = CONTENT[nameOf(request.url)];
        response.end(content.subarray(0, content.length >> 1));
      },
      /broken gzip data/,
    ],
    ['other content', (_, response) => response.end(gzipSync('hello')), /content with SHA-256 [0-9a-f]{64} instead of/],
    ['a page of text', (_, response) => response.end('<html>please log in</html>'), /content with SHA-256/],
    ['nothing', (_, response) => response.end(), /content with SHA-256/],
    ['content that unpacks to more', (_, response) => response.end(BOMB), /content of more than/],
    [
      'an endless body',
      (_, response) => {
        const more = () => {
          while (!response.destroyed && response.write(Buffer.alloc(1 << 16)));
        };
        response.on('drain', more);
        more();
      },
      /more than the \d+ bytes of the file/,
    ],
    ['a server that says nothing', () => undefined, /no data for 1000 ms/],
    [
      'a server that falls silent',
      (request, response) => {
        response.writeHead(200, { 'content-length': 100_000 });
        response.write(CONTENT[nameOf(request.url)].subarray(0, 100));
      },
      /no data for 1000 ms/,
    ],
  ];

  it.each(damaged)('goes on to the next mirror after %s', async (_, listener) => {
    const mirrors = [await serve(listener), await serve(mirror)];
    expectAll(await load({ mirrors, timeout: 1000 }));
    expect(await cached()).toEqual(Object.keys(CONTENT));
  });

  it.each(damaged)('leaves nothing behind after %s', async (_, listener, reason) => {
    const url = await serve(listener);
    const error = await load({ mirrors: [url], timeout: 1000 }).catch((e: unknown) => e);
    expect(error).toMatchObject({ code: 'io', op: 'mnistArrays', message: expect.stringMatching(reason) });
    expect((error as Error).message).toContain(`${url}/train-images-idx3-ubyte.gz: `);
    expect((error as Error).message).toContain(`put it into '${join(folder, 'cache')}'`);
    expect(await cached()).toEqual([]);
  });

  it('names every mirror when none can be reached', async () => {
    const mirrors = [await serve(mirror), await serve(mirror)];
    for (const server of servers) await new Promise((done) => server.close(done));
    const error = await load({ mirrors }).catch((e: unknown) => e);
    expect(error).toMatchObject({ code: 'io', message: expect.stringMatching(/ECONNREFUSED/) });
    for (const url of mirrors) expect((error as Error).message).toContain(url);
  });

  it('keeps the first file when the second fails', async () => {
    const url = await serve((request, response) =>
      nameOf(request.url).includes('labels') ? broken(request, response) : mirror(request, response),
    );
    await expect(load({ mirrors: [url] })).rejects.toMatchObject({ code: 'io' });
    expect(await cached()).toEqual(['train-images-idx3-ubyte.gz']);
  });

  it('serves two readers at once', async () => {
    const mirrors = [await serve(mirror)];
    for (const result of await Promise.all([load({ mirrors }), load({ mirrors })])) expectAll(result);
    expect(await cached()).toEqual(Object.keys(CONTENT));
  });

  it('stops at a signal, before or in the middle, without asking another mirror', async () => {
    let asked = 0;
    const slow = await serve((request, response) => {
      asked++;
      response.writeHead(200, { 'content-length': 100_000 });
      response.write(CONTENT[nameOf(request.url)].subarray(0, 100));
    });
    const mirrors = [slow, slow];
    await expect(load({ mirrors, signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'aborted' });
    expect(asked).toBe(0);
    const control = new AbortController();
    const running = load({ mirrors, signal: control.signal, onProgress: () => control.abort(new Error('enough')) });
    await expect(running).rejects.toMatchObject({ code: 'aborted', op: 'mnistArrays', cause: new Error('enough') });
    expect(asked).toBe(1);
    expect(await cached()).toEqual([]);
  });

  it('passes on what the progress callback throws', async () => {
    const failing = load({
      mirrors: [await serve(mirror)],
      onProgress: () => {
        throw new RangeError('mine');
      },
    });
    await expect(failing).rejects.toThrow(new RangeError('mine'));
    expect(await cached()).toEqual([]);
  });

  it('says when the cache folder cannot be made', async () => {
    await writeFile(join(folder, 'cache'), 'a file');
    await expect(load({ mirrors: [await serve(mirror)] })).rejects.toMatchObject({
      code: 'io',
      message: expect.stringMatching(/expected to write .*train-images-idx3-ubyte\.gz'/),
    });
  });
});

describe('options', () => {
  it.each([
    [{ split: 'valid' }, 'value', /split/],
    [{}, 'value', /split/],
    [undefined, 'value', /split/],
    [{ split: 'test', root: 5 }, 'value', /root/],
    [{ split: 'test', cacheDir: '' }, 'value', /cacheDir/],
    [{ split: 'test', download: 'no' }, 'value', /download/],
    [{ split: 'test', onProgress: 1 }, 'value', /onProgress/],
    [{ split: 'test', signal: {} }, 'value', /signal/],
    [{ split: 'test', timeout: 0 }, 'value', /timeout/],
    [{ split: 'test', timeout: 2 ** 31 }, 'value', /timeout/],
    [{ split: 'test', mirrors: [] }, 'value', /mirrors/],
    [{ split: 'test', mirrors: ['ftp://a/'] }, 'value', /mirrors/],
    [{ split: 'test', folder: 'x' }, 'option', /folder/],
  ])('refuses %j', async (options, code, message) => {
    await expect(mnistArrays(options as never)).rejects.toMatchObject({
      code,
      op: 'mnistArrays',
      message: expect.stringMatching(message),
    });
  });

  it('follows the platform for the cache folder', () => {
    const home = resolve('/home/me');
    const xdg = resolve('/var/cache/me');
    expect(cacheFolder('mnist', {}, 'linux', home)).toBe(join(home, '.cache', 'chainrule', 'mnist'));
    expect(cacheFolder('mnist', { XDG_CACHE_HOME: xdg }, 'linux', home)).toBe(join(xdg, 'chainrule', 'mnist'));
    expect(cacheFolder('mnist', { XDG_CACHE_HOME: 'x' }, 'linux', home)).toBe(
      join(home, '.cache', 'chainrule', 'mnist'),
    );
    expect(cacheFolder('mnist', {}, 'darwin', home)).toBe(join(home, 'Library', 'Caches', 'chainrule', 'mnist'));
    expect(cacheFolder('mnist', { LOCALAPPDATA: xdg }, 'win32', home)).toBe(join(xdg, 'chainrule', 'mnist'));
    expect(cacheFolder('mnist', {}, 'win32', home)).toBe(join(home, 'AppData', 'Local', 'chainrule', 'mnist'));
  });
});

// Read while the file loads: the tests above blank the variable.
const real = [resolve('../shared/data/mnist'), join(process.env.CHAINRULE_DATA ?? '', 'mnist')].find((path) =>
  existsSync(join(path, 't10k-images-idx3-ubyte.gz')),
);

describe.runIf(real !== undefined)('the real files', () => {
  it.each([
    ['train', 60_000, [5, 0, 4, 1, 9], 33.32],
    ['test', 10_000, [7, 2, 1, 0, 4], 33.79],
  ] as const)('%s', async (split, count, first, mean) => {
    const result = await mnistArrays({ split, root: real });
    expect(result).toMatchObject({ count, rows: 28, columns: 28 });
    expect([...result.labels.subarray(0, 5)]).toEqual(first);
    expect(result.images.length).toBe(count * 784);
    expect(result.images.reduce((sum, grey) => sum + grey, 0) / result.images.length).toBeCloseTo(mean, 1);
  });

  it('have the digests in the table: a local server gives the test split', async () => {
    const url = await serve(async (request, response) => {
      response.end(await readFile(join(real as string, nameOf(request.url))));
    });
    const cacheDir = join(folder, 'cache');
    expect((await mnistArrays({ split: 'test', mirrors: [url], cacheDir })).count).toBe(10_000);
    expect((await mnistArrays({ split: 'train', mirrors: [url], cacheDir })).count).toBe(60_000);
  });
});
