// Module: a part of a network, which finds its parameters by walking its attributes (tree.ts).
import { recording, watch } from '../core/recording.js';
import { convert } from '../ops/elementwise/convert.js';
import type { Tensor } from '../tensor.js';
import { checkBoolean, checkChoice } from './check.js';
import { copyModule } from './clone.js';
import { addHook, type BackwardHook, type ForwardHook, type ForwardPreHook, type HookHandle } from './hooks.js';
import type { SharedState } from './share.js';
import { ModuleTree } from './tree.js';
import { isUninitialized, retype } from './uninitialized.js';

/** Any module, whatever goes in and comes out. */
export type AnyModule = Module<unknown[], unknown>;

/**
 * A part of a network: parameters, buffers, other modules, and a `forward` that uses them (PyTorch: `nn.Module`).
 *
 * Whatever is assigned to `this` is found, in the order of definition: a {@link Parameter}, a module, arrays of either.
 * Attributes that begin with `#` cannot be seen from outside and are not found.
 *
 * @typeParam Inputs what `forward` takes, one tensor unless given
 * @typeParam Output what it returns, a tensor unless given
 *
 * @example
 * ```ts
 * import { nn, ones, type Tensor } from 'chainrule';
 * class Net extends nn.Module {
 *   hidden = new nn.Linear(2, 8);
 *   out = new nn.Linear(8, 1);
 *   forward(x: Tensor) { return this.out.forward(this.hidden.forward(x).relu()); }
 * }
 * console.log(new Net().forward(ones([3, 2])).shape); // [3, 1]
 * ```
 */
export abstract class Module<Inputs extends unknown[] = [x: Tensor], Output = Tensor> extends ModuleTree {
  private inTraining = true;

  constructor() {
    super();
    watch(this);
  }

  /** Whether dropout and the like behave as in training; see {@link train} and {@link eval}. */
  get training(): boolean {
    if (recording !== null) recording.training(this);
    return this.inTraining;
  }

  set training(mode: boolean) {
    this.inTraining = mode;
  }

  /**
   * A module of the same classes and values with memory of its own: what it holds is copied deeply, modules, parameters, buffers,
   * arrays, maps and plain objects, each once, so that tied weights stay tied (PyTorch: `copy.deepcopy`).
   *
   * Gradients and hooks stay with the original; generators, functions and other objects are shared. Fields of your own classes
   * that begin with `#` cannot be seen from outside and are missing in the copy: make them `private`.
   *
   * @throws TensorError `value` where `forward` is a property of the module rather than a method, as in modules under `weightNorm` or
   * `spectralNorm`, since it would go on using the original
   *
   * @example
   * ```ts
   * import { nn } from 'chainrule';
   * const model = new nn.Linear(2, 1);
   * const copy = model.clone();
   * nn.init.zeros(copy.weight);
   * console.log(copy.weight.toArray(), model.weight.equal(copy.weight)); // [[0, 0]] false
   * ```
   */
  clone(): this {
    return copyModule(this, (copy, from) => {
      copy.copyPersistence(from);
      watch(copy);
    });
  }

  /** Computes the output; the one method that every module defines. */
  abstract forward(...inputs: Inputs): Output;

  /** Calls a function with every module inside, inner before outer, then with this one (PyTorch: `apply`). */
  apply(fn: (module: AnyModule) => void): this {
    const seen = new Set<AnyModule>();
    const visit = (module: AnyModule) => {
      if (seen.has(module)) return;
      seen.add(module);
      for (const child of module.children()) visit(child);
      fn(module);
    };
    visit(this);
    return this;
  }

  /**
   * Switches to training, or with false to evaluation (PyTorch: `train`).
   *
   * @throws TensorError `value` for anything but true and false
   */
  train(mode = true): this {
    checkBoolean('train', 'the mode', mode);
    for (const module of this.modules()) module.training = mode;
    return this;
  }

  /** Switches to evaluation: dropout passes its input on (PyTorch: `eval`). */
  eval(): this {
    return this.train(false);
  }

  /**
   * Freezes all parameters with false, thaws them with true (PyTorch: `requires_grad_`).
   *
   * @throws TensorError `value` for anything but true and false
   */
  setRequiresGrad(flag: boolean): this {
    checkBoolean('setRequiresGrad', 'the flag', flag);
    for (const p of this.parameters()) p.requiresGrad = flag;
    return this;
  }

  /**
   * Converts all floating parameters, their gradients and floating buffers; parameters stay the same objects, but optimizers
   * made before keep state of the old dtype (PyTorch: `to`).
   *
   * @throws TensorError `value` for anything but 'float32' and 'float64'
   *
   * @example
   * ```ts
   * import { nn, ones } from 'chainrule';
   * const model = new nn.Linear(2, 1).to('float64');
   * console.log(model.forward(ones([2], { dtype: 'float64' })).dtype); // float64
   * ```
   */
  to(dtype: 'float32' | 'float64'): this {
    checkChoice('to', 'the dtype', dtype, ['float32', 'float64']);
    const floats = (x: Tensor) => x.dtype === 'float32' || x.dtype === 'float64';
    for (const p of this.parameters()) {
      if (isUninitialized(p)) retype(p, dtype);
      else if (floats(p)) convert(p, dtype);
    }
    for (const module of this.modules()) {
      for (const [attribute, buffer, persistent] of module.ownBuffers()) {
        if (!floats(buffer) || buffer.dtype === dtype) continue;
        if (isUninitialized(buffer)) retype(buffer, dtype);
        else module.registerBuffer(attribute, buffer.detach().to(dtype), { persistent });
      }
    }
    return this;
  }

  /** Converts to float32; see {@link to} (PyTorch: `float`). */
  float(): this {
    return this.to('float32');
  }

  /** Converts to float64; see {@link to} (PyTorch: `double`). */
  double(): this {
    return this.to('float64');
  }

  /**
   * Calls a function before every `forward`, with the module and its inputs; what it returns takes their place, an array of all
   * or the one input (PyTorch: `register_forward_pre_hook`).
   *
   * @throws TensorError `value` for what is no function
   *
   * @example
   * ```ts
   * import { nn, tensor } from 'chainrule';
   * const relu = new nn.ReLU();
   * const handle = relu.registerForwardPreHook((_, [x]) => [x.neg()]);
   * console.log(relu.forward(tensor([-1, 2])).toArray()); // [1, 0]
   * handle.remove();
   * ```
   */
  registerForwardPreHook<M extends AnyModule>(this: M, hook: ForwardPreHook<M>): HookHandle {
    return addHook('registerForwardPreHook', this, 'before', hook);
  }

  /**
   * Calls a function after every `forward`, with the module, its inputs and the output; what it returns takes the output's
   * place (PyTorch: `register_forward_hook`).
   *
   * @throws TensorError `value` for what is no function
   *
   * @example
   * ```ts
   * import { nn, ones } from 'chainrule';
   * const model = new nn.Sequential(new nn.Linear(2, 3), new nn.ReLU());
   * for (const layer of model) {
   *   layer.registerForwardHook((module, _, y) => console.log(module.constructor.name, y.shape));
   * }
   * model.forward(ones([4, 2])); // Linear [4, 3], then ReLU [4, 3]
   * ```
   */
  registerForwardHook<M extends AnyModule>(this: M, hook: ForwardHook<M>): HookHandle {
    return addHook('registerForwardHook', this, 'after', hook);
  }

  /**
   * Calls a function in every backward pass through the module, with the module and the gradients of its inputs and outputs;
   * what it returns takes the place of those of the inputs. Inputs are the tensors among the arguments, outputs the result or
   * the tensors of its array; without gradient they are null (PyTorch: `register_full_backward_hook`).
   *
   * @throws TensorError `value` for what is no function, and in backward for another number of gradients; `shape` there for one
   * that is not shaped as its input
   *
   * @example
   * ```ts
   * import { nn, tensor } from 'chainrule';
   * const relu = new nn.ReLU();
   * relu.registerFullBackwardHook((_, gradInput) => gradInput.map((g) => g?.mul(10) ?? null));
   * const x = tensor([-1, 2], { requiresGrad: true });
   * relu.forward(x).sum().backward();
   * console.log(x.grad?.toArray()); // [0, 10]
   * ```
   */
  registerFullBackwardHook<M extends AnyModule>(this: M, hook: BackwardHook<M>): HookHandle {
    return addHook('registerFullBackwardHook', this, 'backward', hook);
  }

  /** Forgets all gradients (PyTorch: `zero_grad`). */
  zeroGrad(): void {
    for (const p of this.parameters()) p.zeroGrad();
  }

  /**
   * A new module on the memory of another thread's: the class, made with these arguments, and {@link loadShared}.
   *
   * @throws TensorError as `loadShared` does
   *
   * @example no-run
   * ```ts
   * import { workerData } from 'node:worker_threads';
   * import { nn } from 'chainrule';
   * const model = nn.Linear.fromShared(workerData.state, 784, 10);
   * ```
   */
  static fromShared<A extends unknown[], M extends AnyModule>(
    this: new (
      ...args: A
    ) => M,
    state: SharedState,
    ...args: A
  ): M {
    return new this(...args).loadShared(state);
  }
}
