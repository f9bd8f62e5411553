// Hooks of modules: what runs before and after forward(), and when gradients come back through it.
import { hooks as registered } from '../core/recording.js';
import { describe, TensorError } from '../errors.js';
import { alias } from '../ops/shape/stride.js';
import { Tensor } from '../tensor.js';
import type { AnyModule } from './module.js';

/** What registering a hook gives. */
export interface HookHandle {
  /** Removes the hook; without effect the second time. */
  remove(): void;
}

type InputsOf<M extends AnyModule> = Parameters<M['forward']>;
type OutputOf<M extends AnyModule> = ReturnType<M['forward']>;
/** Sees the inputs before `forward`; may return others in their place: an array of all, or the one input. */
export type ForwardPreHook<M extends AnyModule> = (
  module: M,
  inputs: InputsOf<M>,
  // biome-ignore lint/suspicious/noConfusingVoidType: a hook that returns nothing is an ordinary function
) => readonly InputsOf<M>[number][] | InputsOf<M>[0] | void;
/** Sees what `forward` was given and returned; may return another output in its place. */
export type ForwardHook<M extends AnyModule> = (
  module: M,
  inputs: InputsOf<M>,
  output: OutputOf<M>,
  // biome-ignore lint/suspicious/noConfusingVoidType: a hook that returns nothing is an ordinary function
) => OutputOf<M> | void;
/** Gradients in the order of inputs or outputs; null for what has none. */
export type HookGrads = readonly (Tensor | null)[];
/** Sees the gradients of all inputs and outputs; may return others for the inputs, null for those that stay. */
export type BackwardHook<M extends AnyModule> = (
  module: M,
  gradInput: HookGrads,
  gradOutput: HookGrads,
  // biome-ignore lint/suspicious/noConfusingVoidType: a hook that returns nothing is an ordinary function
) => HookGrads | void;

type Kind = 'before' | 'after' | 'backward';
type AnyHook = (...given: never[]) => unknown;
type Forward = (...inputs: unknown[]) => unknown;

/** The hooks of one module by kind, in the order they were registered. */
class Hooks {
  readonly before = new Map<object, ForwardPreHook<AnyModule>>();
  readonly after = new Map<object, ForwardHook<AnyModule>>();
  readonly backward = new Map<object, BackwardHook<AnyModule>>();

  /** @param plain a forward that is the module's own rather than its class's, or null */
  constructor(
    readonly module: AnyModule,
    public plain: Forward | null,
  ) {}

  get size(): number {
    return this.before.size + this.after.size + this.backward.size;
  }

  run(given: unknown[]): unknown {
    const { module } = this;
    const forward: Forward = this.plain ?? Object.getPrototypeOf(module).forward;
    let inputs = given;
    for (const hook of [...this.before.values()]) {
      const changed = hook(module, inputs);
      if (changed !== undefined) inputs = Array.isArray(changed) ? changed : [changed];
    }
    const passage = this.backward.size > 0 ? new Passage(this) : null;
    if (passage !== null) inputs = passage.enter(inputs);
    let output = forward.apply(module, inputs);
    for (const hook of [...this.after.values()]) {
      const changed = hook(module, inputs, output);
      if (changed !== undefined) output = changed;
    }
    return passage === null ? output : passage.leave(output);
  }
}

/** One run through a module whose gradients are watched. */
class Passage {
  private gradOutput: HookGrads = [];
  private hasInputs = false;
  private count = 0;

  constructor(private readonly hooks: Hooks) {}

  enter(inputs: unknown[]): unknown[] {
    this.count = inputs.length;
    const [watched, some] = meet(inputs, (grads) => this.call(grads));
    this.hasInputs = some;
    return watched;
  }

  leave(output: unknown): unknown {
    const outputs = Array.isArray(output) ? output : [output];
    const [watched] = meet(outputs, (grads) => {
      this.gradOutput = grads;
      // Where no input asks for a gradient, this is the last place the walk comes through.
      if (!this.hasInputs) this.call(Array(this.count).fill(null));
      return grads;
    });
    return Array.isArray(output) ? watched : watched[0];
  }

  private call(gradInput: HookGrads): HookGrads {
    const { module, backward } = this.hooks;
    for (const hook of [...backward.values()]) {
      const changed = hook(module, gradInput, this.gradOutput);
      if (changed === undefined) continue;
      if (!Array.isArray(changed) || changed.length !== gradInput.length) {
        throw new TensorError(
          'value',
          'registerFullBackwardHook',
          `expected gradients of ${gradInput.length} inputs or nothing, got ${describe(changed)}`,
        );
      }
      gradInput = gradInput.map((g, i) => (g === null ? null : (changed[i] ?? g)));
    }
    return gradInput;
  }
}

/**
 * The values again, the tensors among them such that their gradients meet: `see` is called once in a backward pass, with all that
 * came, and what it returns goes on. Each has two handles: the walk goes by age, so all the younger ones are passed, which
 * collect, before the first of the older ones, which ask.
 */
function meet(values: readonly unknown[], see: (grads: HookGrads) => HookGrads): [watched: unknown[], some: boolean] {
  const nothing = (): (Tensor | null)[] => Array(values.length).fill(null);
  let came = nothing();
  let result: HookGrads | null = null;
  const older = values.map(recorded);
  const watched = older.map((x, i) => {
    if (x === null) return values[i];
    x.registerHook(() => {
      result ??= see(came);
      return result[i] ?? undefined;
    });
    const y = alias(x);
    y.registerHook((g) => {
      // Another pass through a graph that was retained.
      if (result !== null) [came, result] = [nothing(), null];
      came[i] = g;
    });
    return y;
  });
  return [watched, older.some((x) => x !== null)];
}

/** A second handle of a tensor whose gradient is asked for, as long as operations are recorded. */
function recorded(value: unknown): Tensor | null {
  if (!(value instanceof Tensor) || !value.requiresGrad) return null;
  const x = alias(value);
  if (x.requiresGrad) return x;
  x.dispose();
  return null;
}

const registry = new WeakMap<AnyModule, Hooks>();

/**
 * Registers a hook. The first one shadows `forward` with a property of the module's own that runs them all, the last one to go
 * takes it away again: modules without hooks pay nothing.
 */
export function addHook(op: string, module: AnyModule, kind: Kind, hook: AnyHook): HookHandle {
  if (typeof hook !== 'function') throw new TensorError('value', op, `expected a function, got ${describe(hook)}`);
  const hooks = registry.get(module) ?? install(module);
  const list: Map<object, AnyHook> = hooks[kind];
  const key = {};
  list.set(key, hook);
  registered.changes++;
  return {
    remove() {
      registered.changes++;
      if (list.delete(key) && hooks.size === 0) uninstall(hooks);
    },
  };
}

function install(module: AnyModule): Hooks {
  const hooks = new Hooks(module, Object.hasOwn(module, 'forward') ? module.forward : null);
  const forward = (...inputs: unknown[]) => hooks.run(inputs);
  Object.defineProperty(module, 'forward', {
    configurable: true,
    get: () => forward,
    set: (plain: Forward) => {
      hooks.plain = plain;
    },
  });
  registry.set(module, hooks);
  return hooks;
}

function uninstall({ module, plain }: Hooks): void {
  registry.delete(module);
  Reflect.deleteProperty(module, 'forward');
  if (plain !== null) module.forward = plain;
}

/** A forward that belongs to the module itself, under its hooks if it has some; null where it is its class's. */
export function ownForward(module: AnyModule): unknown {
  const hooks = registry.get(module);
  if (hooks !== undefined) return hooks.plain;
  return Object.hasOwn(module, 'forward') ? module.forward : null;
}
