// Backpropagation three times, for f = (x + y) z: by hand, by gates that know forward and backward, and by the tape.
//
// Run:      npm run example 02-computational-graph
// Expected: the values in the comments
// Draws:    out/02-computational-graph.svg, what the tape wrote down
import { add, maximum, mul, type Tensor, tensor, viz } from 'chainrule';
import { saveFigure } from './shared/figure.js';

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

// 2. By gates, as the lecture writes it. A gate needs to know nothing about the graph around it: forward gives its value, and
// backward turns the gradient at its output into the gradients at its inputs.
interface Gate {
  forward(a: number, b: number): number;
  backward(g: number): [da: number, db: number];
}
class AddGate implements Gate {
  forward = (a: number, b: number) => a + b;
  backward = (g: number): [number, number] => [g, g]; // it distributes
}
class MaxGate implements Gate {
  private first = true;
  forward(a: number, b: number): number {
    this.first = a > b; // remembered for the way back
    return Math.max(a, b);
  }
  backward = (g: number): [number, number] => (this.first ? [g, 0] : [0, g]); // it routes
}
class MulGate implements Gate {
  private inputs: [number, number] = [0, 0];
  forward(a: number, b: number): number {
    this.inputs = [a, b];
    return a * b;
  }
  backward(g: number): [number, number] {
    const [a, b] = this.inputs;
    return [b * g, a * g]; // it switches
  }
}
class ComputationalGraph {
  // Gates in topological order, each with the names of its inputs and its output.
  constructor(private readonly gates: readonly { gate: Gate; from: [string, string]; to: string }[]) {}

  forward(values: Record<string, number>): number {
    for (const { gate, from, to } of this.gates) values[to] = gate.forward(values[from[0]], values[from[1]]);
    return values[this.gates[this.gates.length - 1].to];
  }

  backward(): Record<string, number> {
    const gradients: Record<string, number> = { [this.gates[this.gates.length - 1].to]: 1 }; // df/df
    for (const { gate, from, to } of this.gates.toReversed()) {
      const arriving = gate.backward(gradients[to]);
      for (const i of [0, 1]) gradients[from[i]] = (gradients[from[i]] ?? 0) + arriving[i]; // branches add up
    }
    return gradients;
  }
}
const graph = new ComputationalGraph([
  { gate: new AddGate(), from: ['x', 'y'], to: 'q' },
  { gate: new MulGate(), from: ['q', 'z'], to: 'f' },
]);
const value = graph.forward({ x: -2, y: 5, z: -4 });
const gradients = graph.backward();
console.log('by gates', value, gradients.x, gradients.y, gradients.z); // by gates -12 -4 -4 3

// 3. By the tape, which writes down every operation and walks back.
const leaf = (value: number) => tensor(value, { requiresGrad: true });
const [x, y, z] = [leaf(-2), leaf(5), leaf(-4)];
const f = x.add(y).mul(z);
const names = { title: 'f = (x + y) z', params: { x, y, z } };
saveFigure('02-computational-graph', await viz.graph(f, names)); // before backward(), which uses the graph up
// drawn: out/02-computational-graph.svg
f.backward();
console.log('by tape ', f.item(), ...[x, y, z].map((v) => v.grad?.item())); // by tape  -12 -4 -4 3

// The patterns: the gradient 2 arrives at the output of a gate with the inputs 3 and 5.
const patterns: [Gate, (a: Tensor, b: Tensor) => Tensor][] = [
  [new AddGate(), add],
  [new MaxGate(), maximum],
  [new MulGate(), mul],
];
for (const [gate, op] of patterns) {
  const [a, b] = [leaf(3), leaf(5)];
  op(a, b).mul(2).backward();
  gate.forward(3, 5);
  console.log(op.name, ...gate.backward(2), 'by tape', a.grad?.item(), b.grad?.item());
}
// add 2 2 by tape 2 2
// maximum 0 2 by tape 0 2
// mul 10 6 by tape 10 6

// And the lecture's neuron, sigmoid(w0 x0 + w1 x1 + w2): s (1 - s) arrives at the sum, and each product switches it.
const [w0, x0, w1, x1, w2] = [2, -1, -3, -2, -3].map(leaf);
const s = w0.mul(x0).add(w1.mul(x1)).add(w2).sigmoid();
s.backward();
const rounded = [w0, x0, w1, x1, w2].map((v) => v.grad?.item().toFixed(2));
console.log('neuron', s.item().toFixed(2), 'gradients', ...rounded); // neuron 0.73 gradients -0.20 0.39 -0.39 -0.59 0.20
