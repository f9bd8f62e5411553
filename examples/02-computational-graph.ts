// Backpropagation three times, for f = (x + y) z: by hand, by gates that know forward and backward, and by the tape.
//
// Run:      npm run example 02-computational-graph
// Expected: the values in the comments
// Draws:    out/02-computational-graph.svg, what the tape wrote down
import { mkdirSync, writeFileSync } from 'node:fs';
import { add, maximum, mul, type Tensor, tensor, viz } from 'chainrule';

// 1. By hand, with the chain rule, from the end to the beginning.
{
  const [x, y, z] = [-2, 5, -4];
  const q = x + y;
  const f = q * z;
  const dz = q; // df/dz
  const dq = z; // df/dq
  const [dx, dy] = [1 * dq, 1 * dq]; // dq/dx = dq/dy = 1, times what arrives from above
  console.log('by hand ', f, dx, dy, dz); // by hand  -12 -4 -4 3
}

// 2. By gates. A gate needs to know nothing about the graph around it: forward gives its value, and backward turns the
// gradient at its output into the gradients at its inputs.
interface Gate {
  forward(a: number, b: number): number;
  backward(g: number): [da: number, db: number];
}
class AddGate implements Gate {
  forward = (a: number, b: number) => a + b;
  backward = (g: number): [number, number] => [g, g]; // it distributes
}
class MulGate implements Gate {
  private inputs: [number, number] = [0, 0];
  forward(a: number, b: number): number {
    this.inputs = [a, b]; // remembered for the way back
    return a * b;
  }
  backward(g: number): [number, number] {
    const [a, b] = this.inputs;
    return [b * g, a * g]; // it switches
  }
}
class ComputationalGraph {
  private sum: Gate = new AddGate();
  private product: Gate = new MulGate();
  forward(x: number, y: number, z: number): number {
    return this.product.forward(this.sum.forward(x, y), z);
  }
  backward(): number[] {
    const [dq, dz] = this.product.backward(1); // the gates in reverse order, df/df = 1
    return [...this.sum.backward(dq), dz];
  }
}
const graph = new ComputationalGraph();
console.log('by gates', graph.forward(-2, 5, -4), ...graph.backward()); // by gates -12 -4 -4 3

// 3. By the tape, which writes down every operation and walks back.
const leaf = (value: number) => tensor(value, { requiresGrad: true });
const [x, y, z] = [leaf(-2), leaf(5), leaf(-4)];
const f = x.add(y).mul(z);
mkdirSync('out', { recursive: true });
const names = { title: 'f = (x + y) z', params: { x, y, z } };
writeFileSync('out/02-computational-graph.svg', await viz.graph(f, names)); // before backward(), which uses the graph up
f.backward();
console.log('by tape ', f.item(), ...[x, y, z].map((v) => v.grad?.item())); // by tape  -12 -4 -4 3

// The patterns: the gradient 2 arrives at the output of a gate with the inputs 3 and 5.
for (const [name, gate] of Object.entries({ add, maximum, mul })) {
  const [a, b] = [leaf(3), leaf(5)];
  (gate as (a: Tensor, b: Tensor) => Tensor)(a, b).mul(2).backward();
  console.log(name, a.grad?.item(), b.grad?.item());
}
// add 2 2
// maximum 0 2
// mul 10 6

// And a neuron, sigmoid(w x + b): its gradient is s (1 - s) times the other factor.
const [w, input, b] = [leaf(2), leaf(-1), leaf(3)];
const s = w.mul(input).add(b).sigmoid();
s.backward();
console.log(s.item().toFixed(2), ...[w, input, b].map((v) => v.grad?.item().toFixed(2))); // 0.73 -0.20 0.39 0.20
