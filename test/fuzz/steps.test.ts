// Random functions, captured: each replay gives the bits of the function itself, on this thread and in the background.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { capture, Generator, nn, noGrad, randn, type Tensor, TensorError, where } from '../../lib/index.js';
import { bits, bitsOf } from '../capture/twins.js';

const FUNCTIONS = Math.ceil(Number(process.env.CHAINRULE_FUZZ ?? 20_000) / 100);
const SEED = Number(process.env.CHAINRULE_FUZZ_SEED ?? 1);

/** What one instruction makes of two tensors; k is any number from 0 on. */
const OPERATIONS: Readonly<Record<string, (x: Tensor, y: Tensor, k: number) => Tensor>> = {
  exp: (x) => x.tanh().exp(),
  relu: (x) => x.relu(),
  square: (x) => x.square(),
  chain: (x) => x.mul(1.5).add(0.25).sigmoid(),
  add: (x, y) => x.add(y),
  mul: (x, y) => x.mul(y),
  larger: (x, y) => x.maximum(y),
  where: (x, y) => where(x.gt(0), x, y),
  transposed: (x) => (x.ndim === 2 ? x.t() : x.unsqueeze(0)),
  narrowed: (x, _, k) => (x.ndim > 0 && x.shape[0] > 1 ? x.narrow(0, k % 2, x.shape[0] - 1) : x.add(1)),
  flat: (x) => x.reshape([x.size]),
  sum: (x, _, k) => (x.ndim > 0 ? x.sum(k % x.ndim, { keepdim: true }) : x.neg()),
  matmul: (x) => (x.ndim === 2 ? x.matmul(x.t()).mul(0.1) : x.cos()),
  softmax: (x) => (x.ndim > 0 ? x.softmax(-1) : x.abs()),
  converted: (x) => x.to('float64').mul(0.3).to('float32'),
};

/** An operation and the places of its operands among what there is. */
const instruction = fc.tuple(fc.constantFrom(...Object.keys(OPERATIONS), 'assign', 'output'), fc.nat(30), fc.nat(30));
const course = fc.record({
  instructions: fc.array(instruction, { minLength: 3, maxLength: 20 }),
  shape: fc.constantFrom([3, 4], [1, 1], [40, 60]),
  trains: fc.boolean(),
  background: fc.boolean(),
});

/** Tensors that the function reads and changes besides its inputs. */
interface World {
  readonly kept: readonly Tensor[];
  readonly parameters: readonly nn.Parameter[];
}

function world([rows, columns]: readonly number[], trains: boolean): World {
  const generator = new Generator(7);
  const made = (...shape: number[]) => randn(shape, { generator });
  const kept = [made(rows, columns), made(columns)];
  return { kept, parameters: trains ? [made(rows, columns), made(1)].map((x) => new nn.Parameter(x)) : [] };
}

type Instructions = readonly (readonly [string, number, number])[];

/** A function of two tensors that does what the instructions say, then a step down the gradient. */
function functionOf(instructions: Instructions, { kept, parameters }: World) {
  return (a: Tensor, b: Tensor): Tensor[] => {
    const pool = [a, b, ...kept, ...parameters];
    const outputs: Tensor[] = [];
    for (const [name, i, j] of instructions) {
      const [x, y] = [pool[i % pool.length], pool[j % pool.length]];
      if (name === 'output') outputs.push(x);
      else if (name === 'assign') noGrad(() => kept[i % 2].assign(kept[i % 2].mul(0.5).add(j % 3)));
      else pool.push(OPERATIONS[name](x, y, j));
    }
    outputs.push(pool[pool.length - 1]);
    for (const p of parameters) p.zeroGrad();
    const [first, ...rest] = outputs.filter((y) => y.requiresGrad);
    if (first !== undefined) {
      rest.reduce((loss, y) => loss.add(y.sum().mul(0.1)), first.sum()).backward();
      noGrad(() => {
        for (const p of parameters) if (p.grad !== null) p.assign(p.sub(p.grad.clamp(-1, 1).mul(0.01)));
      });
    }
    return outputs.map((y) => y.detach());
  };
}

describe('captured steps', () => {
  it(`do what ${FUNCTIONS} random functions do`, { timeout: 1_800_000 }, async () => {
    const done = { replayed: 0, together: 0, refused: 0 };
    await fc.assert(
      fc.asyncProperty(course, async ({ instructions, shape, trains, background }) => {
        const [plain, twin] = [world(shape, trains), world(shape, trains)];
        const eager = functionOf(instructions, plain);
        const step = capture(functionOf(instructions, twin));
        const generator = new Generator(3);
        for (let i = 0; i < 3; i++) {
          const [a, b] = [randn(shape, { generator }), randn(shape, { generator })];
          let expected: Tensor[];
          try {
            expected = eager(a, b);
          } catch (error) {
            // Shapes that do not go together, values changed that a gradient needs: the first call is an eager one.
            expect(error).toBeInstanceOf(TensorError);
            expect(() => step(a, b)).toThrow((error as Error).message);
            done.refused++;
            return;
          }
          const got = background && i > 0 ? await step.async(a, b) : step(a, b);
          expect(bitsOf(got)).toEqual(bitsOf(expected));
          expect(bitsOf(twin)).toEqual(bitsOf(plain));
          const gradients = ({ parameters }: World) => parameters.map(({ grad }) => grad && bits(grad));
          expect(gradients(twin)).toEqual(gradients(plain));
        }
        done.replayed++;
        expect(step.signatures).toBe(1);
        if (step.explain().rows.some(({ kernel }) => kernel.includes(' + '))) done.together++;
        step.dispose();
      }),
      { numRuns: FUNCTIONS, seed: SEED },
    );
    expect(Math.min(done.replayed, done.together)).toBeGreaterThan(FUNCTIONS / 4);
    expect(done.refused).toBeGreaterThan(0);
  });
});
