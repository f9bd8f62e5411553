// What has to be as it was for a recorded step to be replayed: checked before every replay.
import { isTensor } from '../core/dispatch.js';
import { isGradEnabled } from '../core/mode.js';
import { hooks, type Watched, watched } from '../core/recording.js';
import type { Storage } from '../core/storage.js';
import type { Tensor } from '../tensor.js';
import type { Recorder } from './record.js';

type Holder = Record<string | number, unknown>;

/** A property that has to hold the same tensor, module or list. */
interface Held {
  readonly holder: Holder;
  readonly key: string | number;
  readonly value: unknown;
}

/** A tensor of the program, and what of it is written into the recorded calls. */
interface Known {
  readonly tensor: Tensor;
  readonly storage: Storage;
  readonly requiresGrad: boolean;
}

/** What a module lists where it keeps more than its properties. */
interface Listed {
  readonly module: Watched;
  readonly values: readonly unknown[];
}

const listOf = (module: Watched): unknown[] =>
  Array.from((module as unknown as { attributes(): Iterable<[string, unknown]> }).attributes(), ([, value]) => value);

/** The tensors that modules held before a step was recorded. */
export type Attributes = readonly Held[];

export function attributes(): Attributes {
  const held: Held[] = [];
  for (const module of watched()) {
    for (const [key, value] of Object.entries(module)) {
      if (isTensor(value)) held.push({ holder: module as unknown as Holder, key, value });
    }
  }
  return held;
}

/** A property that a step read and then gave another tensor, which a replay could not do. */
export function replaced(before: Attributes, recorder: Recorder): string | null {
  for (const { holder, key, value } of before) {
    const now = holder[key];
    if (now === value || !recorder.externals.has(value as Tensor)) continue;
    if (isTensor(now) && recorder.tensors.has(now)) return `${holder.constructor.name}.${key}`;
  }
  return null;
}

export class Guards {
  private readonly held: Held[] = [];
  private readonly listed: Listed[] = [];
  private readonly known: Known[] = [];
  private readonly modes: readonly (readonly [module: { training: boolean }, training: boolean])[];
  private readonly grad = isGradEnabled();
  private readonly hooks = hooks.changes;
  private readonly options: readonly (readonly [group: object, options: string])[];

  constructor(recorder: Recorder, owners: readonly object[]) {
    for (const [tensor, storage] of recorder.externals) {
      this.known.push({ tensor, storage, requiresGrad: tensor.requiresGrad });
    }
    this.modes = [...recorder.modes];
    for (const { owner } of recorder.preludes) this.watchGroups(owner);
    this.options = owners.flatMap(groupsOf).map((group) => [group, optionsOf(group)] as const);
    this.watch(recorder);
  }

  /** Properties of the modules that hold a tensor of the program or asked whether they train, and of those around them. */
  private watch(recorder: Recorder): void {
    const modules = [...watched()];
    const concerned = new Set<unknown>(recorder.modes.keys());
    const known = new Set<unknown>(modules);
    const concerns = (value: unknown): boolean =>
      concerned.has(value) || (isTensor(value) && recorder.externals.has(value));
    const holds = (value: unknown): boolean => concerns(value) || (Array.isArray(value) && value.some(concerns));
    const part = (value: unknown): boolean => isTensor(value) || known.has(value);
    for (let more = true; more; ) {
      more = false;
      for (const module of modules) {
        if (concerned.has(module) || !listOf(module).some(holds)) continue;
        concerned.add(module);
        more = true;
      }
    }
    for (const module of modules) {
      if (!concerned.has(module)) continue;
      const holder = module as unknown as Holder;
      this.held.push({ holder, key: 'forward', value: holder.forward });
      for (const key of Object.keys(holder)) {
        const value = holder[key];
        if (!part(value) && !(Array.isArray(value) && value.some(part))) continue;
        this.held.push({ holder, key, value });
        if (!Array.isArray(value)) continue;
        this.held.push({ holder: value as unknown as Holder, key: 'length', value: value.length });
        for (const [i, item] of value.entries()) {
          this.held.push({ holder: value as unknown as Holder, key: i, value: item });
        }
      }
      const values = listOf(module);
      if (values.length !== Object.keys(holder).length) this.listed.push({ module, values });
    }
  }

  /** Which parameters an optimizer steps: it also clears their gradients. */
  private watchGroups(owner: object): void {
    const { paramGroups: groups } = owner as { paramGroups?: readonly { readonly params: readonly Tensor[] }[] };
    if (groups === undefined) return;
    this.held.push({ holder: groups as unknown as Holder, key: 'length', value: groups.length });
    for (const group of groups) {
      const { params } = group;
      this.held.push({ holder: group as unknown as Holder, key: 'params', value: params });
      this.held.push({ holder: params as unknown as Holder, key: 'length', value: params.length });
    }
  }

  /** Memory from before the step that it works on. */
  get storages(): Storage[] {
    return this.known.map(({ storage }) => storage);
  }

  /** Whether the step can be replayed. */
  hold(): boolean {
    if (this.grad !== isGradEnabled() || this.hooks !== hooks.changes) return false;
    const { held, known, modes, listed, options } = this;
    for (let i = 0; i < modes.length; i++) if (modes[i][0].training !== modes[i][1]) return false;
    for (let i = 0; i < held.length; i++) {
      const { holder, key, value } = held[i];
      if (holder[key] !== value) return false;
    }
    for (let i = 0; i < listed.length; i++) {
      const { module, values } = listed[i];
      const now = listOf(module);
      if (now.length !== values.length || now.some((value, k) => value !== values[k])) return false;
    }
    for (let i = 0; i < options.length; i++) if (optionsOf(options[i][0]) !== options[i][1]) return false;
    for (let i = 0; i < known.length; i++) {
      const { tensor, storage, requiresGrad } = known[i];
      // Given back or converted: the function itself says what that means. Transferred away: the memory is gone.
      if (tensor.storage !== storage || storage.bytes.byteLength < storage.byteLength) return false;
      if (tensor.requiresGrad !== requiresGrad) return false;
    }
    return true;
  }
}

function groupsOf(owner: object): object[] {
  const { paramGroups } = owner as { paramGroups?: readonly object[] };
  return [...(paramGroups ?? [])];
}

/** The options of an optimizer's group, of an optimizer whose step is recorded like any other operation. */
function optionsOf(group: object): string {
  return JSON.stringify(group, (key, value) => (key === 'params' ? value.length : value));
}
