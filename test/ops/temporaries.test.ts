// What operations make on the way to their result goes back to the pool at once where no graph holds it: memory of a server
// that only predicts must not wait for the collector.
import { cat, memory, noGrad, type Tensor, zerosLike } from 'chainrule';
import { describe, expect, it } from 'vitest';
import { draw, table } from './table.js';

// Their rows make tensors of their own, call more than one operation, or take one of two results.
const COMPOSED = new Set(['max', 'min', 'detach', 'contiguous', 'binaryCrossEntropyWithLogits', 'nllLoss']);

/** The same values with gaps or in another order in memory. */
function strided(x: Tensor): Tensor {
  if (x.ndim === 0 || x.size === 0) return x;
  if (x.ndim === 1) return cat([x.unsqueeze(1), zerosLike(x).unsqueeze(1)], 1).at('...', 0);
  const order = x.shape.map((_, i) => x.ndim - 1 - i);
  return x.permute(order).contiguous().permute(order);
}

describe.each(table.filter((row) => !COMPOSED.has(row.name)).map((row) => [row.name, row] as const))('%s', (_, row) => {
  it('leaves nothing behind but its result', () => {
    for (const set of row.inputs) {
      const given = draw(set, 'float32', true);
      for (const inputs of [given, given.map(strided)]) {
        const run = () => {
          const y = noGrad(() => row.call(...inputs));
          if (!inputs.includes(y)) y.dispose();
        };
        run();
        const before = [memory().tensors, ...inputs.map((x) => x.storage.refs)];
        run();
        expect([memory().tensors, ...inputs.map((x) => x.storage.refs)]).toEqual(before);
      }
    }
  });
});
