// What can be made again in another thread: values that know by which export of which module they were made.
import { isAbsolute } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, TensorError } from '../errors.js';

/** How a value is made: an export of a module (null: of this room), and what it is called with. */
export interface Recipe {
  readonly module: string | null;
  readonly name: string;
  readonly args: readonly unknown[];
}

const recipes = new WeakMap<object, Recipe>();

export function recipeOf(value: object): Recipe | undefined {
  return recipes.get(value);
}

function addressOf(op: string, module: unknown): string {
  if (module instanceof URL) return module.href;
  if (typeof module === 'string' && isAbsolute(module)) return pathToFileURL(module).href;
  if (typeof module === 'string' && URL.canParse(module)) return module;
  const wanted = "the address of a module, such as new URL('./photos.js', import.meta.url)";
  throw new TensorError('value', op, `expected ${wanted}, got ${describe(module)}`);
}

function checkName(op: string, name: unknown): string {
  if (typeof name === 'string' && name !== '') return name;
  throw new TensorError('value', op, `expected the name of an export, got ${describe(name)}`);
}

/**
 * Tells how a dataset, a transform or a `collate` is made, so that worker threads can make their own: by the export `name` of
 * `module`, called with the arguments. For classes and functions that declare themselves; {@link fromModule} does it from outside.
 *
 * @param module address of the module: `import.meta.url` where the export is
 * @param args what messages can carry, tensors (their memory is shared, not copied for each thread) and portable values
 * @returns the value
 * @throws TensorError `value` for no address, no name, or a value that is neither an object nor a function
 *
 * @example no-run
 * ```ts
 * import { data } from 'chainrule';
 * export class Photos implements data.Dataset<[string, number]> {
 *   readonly length = 2;
 *   constructor(readonly folder: string) {
 *     data.portable(this, import.meta.url, 'Photos', folder);
 *   }
 *   get(i: number): [string, number] { return [`${this.folder}/${i}.jpg`, i]; }
 * }
 * ```
 */
export function portable<T extends object>(value: T, module: string | URL, name: string, ...args: unknown[]): T {
  const op = 'portable';
  if (value === null || (typeof value !== 'object' && typeof value !== 'function')) {
    throw new TensorError('value', op, `expected an object or a function, got ${describe(value)}`);
  }
  recipes.set(value, { module: addressOf(op, module), name: checkName(op, name), args });
  return value;
}

/** {@link portable} for what the library itself makes, by the export of data or data.transforms. */
export function ofLibrary<T extends object>(value: T, name: string, ...args: unknown[]): T {
  recipes.set(value, { module: null, name, args });
  return value;
}

/**
 * Imports a module and makes a value of one of its exports: an instance of a class, what a function returns or promises, or what
 * is exported as it is. Worker threads can make the same, which they cannot of a dataset that stands in the program itself.
 *
 * @param module address of the module; TypeScript needs tsx or a Node that strips types, as the program itself does
 * @param name of the export
 * @param args what it is called with: see {@link portable}
 * @throws TensorError `value` for no address or no such export; errors of the module and of the call come out as they are
 *
 * @example no-run
 * ```ts
 * import { data } from 'chainrule';
 * type Photos = data.Dataset<[string, number]>; // as ./photos.js exports it
 * const photos = await data.fromModule<Photos>(new URL('./photos.js', import.meta.url), 'Photos', 'holiday');
 * for await (const [paths, labels] of new data.DataLoader(photos, { batchSize: 32, workers: 2 })) console.log(paths, labels);
 * ```
 */
export async function fromModule<T extends object>(module: string | URL, name: string, ...args: unknown[]): Promise<T> {
  const op = 'fromModule';
  const recipe = { module: addressOf(op, module), name: checkName(op, name), args };
  const made = await call(op, recipe, await load(op, recipe.module));
  if (made === null || (typeof made !== 'object' && typeof made !== 'function')) {
    throw new TensorError('value', op, `expected '${name}' to give an object or a function, got ${describe(made)}`);
  }
  recipes.set(made, recipe);
  return made as T;
}

/** Follows a recipe; `library` holds what this room exports. */
export async function make(recipe: Recipe, library: Exports): Promise<unknown> {
  const op = 'fromModule';
  return call(op, recipe, recipe.module === null ? library : await load(op, recipe.module));
}

/** What a module exports. */
export type Exports = Readonly<Record<string, unknown>>;

async function call(op: string, { module, name, args }: Recipe, exports: Exports): Promise<unknown> {
  if (!(name in exports)) {
    const names = Object.keys(exports).join(', ') || 'none';
    throw new TensorError('value', op, `expected an export '${name}' of ${module}, got ${names}`);
  }
  const found = exports[name];
  if (typeof found !== 'function') {
    if (args.length === 0) return found;
    throw new TensorError('value', op, `expected '${name}' to be a class or a function, got ${describe(found)}`);
  }
  const isClass = /^class\b/.test(Function.prototype.toString.call(found));
  return isClass ? Reflect.construct(found, args) : await found(...args);
}

async function load(op: string, module: string): Promise<Exports> {
  try {
    return await import(module);
  } catch (cause) {
    if ((cause as { code?: unknown } | null)?.code !== 'ERR_UNKNOWN_FILE_EXTENSION') throw cause;
    const remedy = "add it with 'npm install tsx', or give the compiled file";
    throw new TensorError('value', op, `expected the package tsx to load ${module}; ${remedy}`, { cause });
  }
}
