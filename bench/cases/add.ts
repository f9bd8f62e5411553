// The cost of one small operation: adding two vectors of 8 elements, the Tensor object included.
import { add, type Tensor, tensor } from 'chainrule';
import { type Benchmark, elapsed, median, type Result } from '../harness.js';

const CALLS = 20_000;

/** Median nanoseconds of a call over many short rounds, so that collections fall between them. */
function nanoseconds(fn: () => Tensor): number {
  const rounds = Array.from({ length: 60 }, () =>
    elapsed(() => {
      for (let i = 0; i < CALLS; i++) fn();
    }),
  );
  return (median(rounds.slice(10)) / CALLS) * 1e6;
}

export const benchmarks: Benchmark[] = [
  {
    name: 'add of 8 elements',
    run: async (): Promise<Result[]> => {
      const [a, b] = [tensor([1, 2, 3, 4, 5, 6, 7, 8]), tensor([8, 7, 6, 5, 4, 3, 2, 1])];
      const grad = tensor(a, { requiresGrad: true });
      if (add(a, b).ne(9).any().item() !== 0) throw new Error('add is wrong');
      const plain = nanoseconds(() => add(a, b));
      const taped = nanoseconds(() => add(grad, b));
      return [
        { name: 'add of 8 elements', value: plain, unit: 'ns', goal: 'under 1000 ns', met: plain < 1000 },
        { name: 'add of 8 elements, recorded', value: taped, unit: 'ns', goal: 'under 1000 ns', met: taped < 1000 },
      ];
    },
  },
];
