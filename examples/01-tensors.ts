// Tensors in a few minutes: making them, views of them, what their products mean, and their gradients.
//
// Run:      npm run example 01-tensors
// Expected: the values in the comments
// Draws:    out/01-folded-square.svg, a square under ReLU(Rx)
import { arange, type Tensor, tensor, viz } from 'chainrule';
import { saveFigure } from './shared/figure.js';

const a = tensor([
  [1, 2, 3],
  [4, 5, 6],
]); // float32 unless you say otherwise
console.log(a.shape, a.dtype, a.ndim, a.size); // [ 2, 3 ] float32 2 6

// Shapes broadcast; sums and means take the dimensions to reduce.
console.log(a.add(tensor([10, 20, 30])).toArray()); // [ [ 11, 22, 33 ], [ 14, 25, 36 ] ]
console.log(a.mean(0).toArray()); // [ 2.5, 3.5, 4.5 ]
console.log(a.matmul(a.t()).toArray()); // [ [ 14, 32 ], [ 32, 77 ] ]

// Reshapes, transposes and slices are views: they cost nothing and share the memory.
const grid = arange(12).reshape([3, 4]);
console.log(grid.at(1).toArray()); // [ 4, 5, 6, 7 ]
console.log(grid.t().shape, grid.t().strides); // [ 4, 3 ] [ 1, 4 ]
grid.data[4] = 100; // written once, seen through every view
console.log(grid.t().at(0).toArray()); // [ 0, 100, 8 ]

// The dot product is the cosine of the angle times both lengths: positive on the same side, 0 at a right angle.
const w = tensor([3, 4]);
for (const x of [tensor([6, 8]), tensor([-4, 3]), tensor([-3, -4])]) {
  const cosine = w.dot(x).item() / (w.norm().item() * x.norm().item());
  console.log('dot', w.dot(x).item(), 'cosine', cosine);
}
// dot 50 cosine 1
// dot 0 cosine 0
// dot -25 cosine -1

// So a row of W asks how far x lies in its direction, and ReLU keeps the answer where it is yes. The four rows here look
// to the right, up, left and down: each point of the plane is told by the two that see it.
const W = tensor([
  [1, 0],
  [0, 1],
  [-1, 0],
  [0, -1],
]);
console.log(
  W.matmul(tensor([2, -3]))
    .relu()
    .toArray(),
); // [ 2, 0, 0, 3 ]

// The points of a circle under ReLU(Rx), R a turn by 45 degrees: three quarters of the plane fold onto the axes.
const R = tensor([
  [Math.SQRT1_2, -Math.SQRT1_2],
  [Math.SQRT1_2, Math.SQRT1_2],
]);
for (const degrees of [0, 90, 180, 270]) {
  const angle = (degrees * Math.PI) / 180;
  const folded = R.matmul(tensor([Math.cos(angle), Math.sin(angle)])).relu();
  console.log('x at', degrees, 'degrees, ReLU(Rx)', Array.from(folded.data, (v) => v.toFixed(2)).join(' '));
}
// x at 0 degrees, ReLU(Rx) 0.71 0.71
// x at 90 degrees, ReLU(Rx) 0.00 0.71
// x at 180 degrees, ReLU(Rx) 0.00 0.00
// x at 270 degrees, ReLU(Rx) 0.71 0.00

// A square in the same way: R turns it, ReLU lays three of its sides onto the axes.
const corner = 1.5 * Math.SQRT1_2;
const square = tensor([
  [-corner, -corner],
  [corner, -corner],
  [corner, corner],
  [-corner, corner],
  [-corner, -corner],
]); // a row for each corner; so the product is x R^T
const line = (name: string, points: Tensor) => ({ name, points: points.toArray() as [number, number][], dots: true });
const turned = square.matmul(R.t());
saveFigure(
  '01-folded-square',
  await viz.linePlot([line('x', square), line('Rx', turned), line('ReLU(Rx)', turned.relu())], {
    title: 'A square, turned and folded',
    xLabel: 'first number',
    leftLabel: 'second number',
    width: 600,
    height: 628,
  }),
);
// drawn: out/01-folded-square.svg

// Whatever is computed from x knows its gradient: y = x^3, dy/dx = 3 x^2.
const x = tensor([1, 2, 3], { requiresGrad: true });
x.pow(3).sum().backward();
console.log('slope of x^3', x.grad?.toArray()); // slope of x^3 [ 3, 12, 27 ]
