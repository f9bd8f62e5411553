// Recurrent networks: layers on top of each other, in one direction or both, with dropout between them.
import type { Generator } from '../../core/random.js';
import { composites } from '../../core/scope.js';
import type { Tensor } from '../../tensor.js';
import { dropout } from '../elementwise/dropout.js';
import { cat, stack } from '../shape/join.js';
import type { Cell } from './cell.js';
import { type LayerWeights, runLayer, type Steps } from './recurrent.js';

/** For modules, which see operations only: theirs begin and end with views and copies. */
export { composites };

/** A network but for its weights. */
export interface Network {
  readonly op: string;
  readonly cell: Cell;
  readonly bidirectional: boolean;
  /** Probability of an output to be zeroed on its way to the next layer, while training. */
  readonly dropout: number;
  readonly training: boolean;
  readonly generator?: Generator;
}

/**
 * Outputs [rows, D P] of the last layer and the last states [layers D, N, P] of all, for packed rows [rows, in]; both
 * directions of a layer see the outputs of both directions of the layer below.
 *
 * @param h0 [layers D, N, P]
 * @param weights of each layer, forward then backward
 */
export function runNetwork(
  network: Network,
  steps: Steps,
  x: Tensor,
  h0: Tensor,
  c0: Tensor | null,
  weights: readonly LayerWeights[],
): [y: Tensor, h: Tensor, c: Tensor | null] {
  const { op, cell, bidirectional, training, generator } = network;
  const directions = bidirectional ? 2 : 1;
  return composites(() => {
    const last: [h: Tensor, c: Tensor | null][] = [];
    let y = x;
    for (let first = 0; first < weights.length; first += directions) {
      if (first > 0 && training && network.dropout > 0) y = dropout(y, { p: network.dropout, generator });
      const outputs: Tensor[] = [];
      for (let i = first; i < first + directions; i++) {
        const layer = { op, cell, reverse: i > first, steps };
        const [output, h, c] = runLayer(layer, y, h0.select(0, i), c0?.select(0, i) ?? null, weights[i]);
        outputs.push(output);
        last.push([h, c]);
      }
      y = bidirectional ? cat(outputs, 1) : outputs[0];
    }
    const all = (states: readonly Tensor[]) => (states.length === 1 ? states[0].unsqueeze(0) : stack(states));
    return [y, all(last.map(([h]) => h)), c0 && all(last.map(([, c]) => c as Tensor))];
  });
}
