// Tensors in a minute: making them, computing with them, looking into them, differentiating.
//
// Run:      npm run example 01-tensors
// Expected: the values in the comments
import { arange, randn, Tensor, tensor } from 'chainrule';

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
console.log(grid.t().shape); // [ 4, 3 ]
console.log(grid.sum().item()); // 66

// Whatever is computed from x knows its gradient: y = x^3, dy/dx = 3 x^2.
const x = tensor([1, 2, 3], { requiresGrad: true });
x.pow(3).sum().backward();
console.log(x.grad?.toArray()); // [ 3, 12, 27 ]

console.log(randn([2, 2]) instanceof Tensor); // true
