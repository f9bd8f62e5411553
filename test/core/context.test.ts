// Contexts of asynchronous functions: kept while they are held, switched off when nobody needs them.
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Context } from '../../lib/core/context.js';
import { noGrad, ones, scope, type Tensor } from '../../lib/index.js';

/** Longer than a context rests before it is off. */
const LONG = 250;

describe('Context', () => {
  it('is there while a call is held, and gone some time after the last', async () => {
    const context = new Context<string>();
    expect(context.run('a', () => [context.get(), context.run('b', () => context.get()), context.get()])).toEqual([
      'a',
      'b',
      'a',
    ]);
    expect(context.get()).toBeUndefined();
    const late = context.run('c', async () => {
      await sleep(LONG);
      return context.get();
    });
    expect(await late).toBeUndefined();
    context.hold();
    const held = context.run('d', async () => {
      await sleep(LONG);
      const before = context.get();
      context.run('e', () => {});
      await sleep(LONG);
      return [before, context.get()];
    });
    expect(await held).toEqual(['d', 'd']);
    context.release();
    expect(context.run('f', () => context.get())).toBe('f');
  });

  it('lets modes and scopes last as long as their functions, whatever else begins and ends meanwhile', async () => {
    const w = ones([2]);
    w.requiresGrad = true;
    const modes: boolean[] = [];
    let made: Tensor | null = null;
    const mode = noGrad(async () => {
      await sleep(LONG);
      modes.push(w.mul(2).requiresGrad);
      noGrad(() => {});
      await sleep(LONG);
      modes.push(w.mul(2).requiresGrad);
    });
    const scoped = scope(async () => {
      await sleep(LONG);
      scope(() => {});
      await sleep(LONG);
      made = w.mul(3);
    });
    noGrad(() => {});
    scope(() => {});
    await Promise.all([mode, scoped]);
    expect(modes).toEqual([false, false]);
    expect((made as Tensor | null)?.released).toBe(true);
    expect(w.mul(2).requiresGrad).toBe(true);
  });
});
