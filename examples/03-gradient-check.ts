// Is a gradient right? Compare it with the difference (f(x + h) - f(x - h)) / 2h, which needs no calculus at all.
//
// Run:      npm run example 03-gradient-check
// Expected: the values in the comments
import { customFunction, gradcheck, gradgradcheck, manualSeed, randn, type Tensor, tensor } from 'chainrule';

// The slope of f(x) = x^3 at 2 is 12. A step on one side is wrong by about h, one on both sides by about h^2;
// too small a step drowns in rounding.
const f = (x: number) => x ** 3;
for (const h of [1e-1, 1e-3, 1e-5, 1e-13]) {
  const oneSided = (f(2 + h) - f(2)) / h;
  const central = (f(2 + h) - f(2 - h)) / (2 * h);
  console.log(h, Math.abs(oneSided - 12).toExponential(0), Math.abs(central - 12).toExponential(0));
}
// 0.1 6e-1 1e-2
// 0.001 6e-3 1e-6
// 0.00001 6e-5 2e-10
// 1e-13 1e-2 1e-2

// The same for ||W x||^2 from the lecture, one number of W after the other. float32 would be too coarse: use float64.
const W = tensor(
  [
    [0.1, 0.5],
    [-0.3, 0.8],
  ],
  { dtype: 'float64', requiresGrad: true },
);
const x = tensor([0.2, 0.4], { dtype: 'float64' });
const loss = () => W.matmul(x).square().sum();
loss().backward();
const numeric = Array.from(W.data, (value, i) => {
  const at = (v: number) => {
    W.data[i] = v;
    return loss().item();
  };
  const difference = (at(value + 1e-5) - at(value - 1e-5)) / 2e-5;
  W.data[i] = value;
  return difference;
});
console.log('numeric ', numeric.map((v) => v.toFixed(6)).join(' ')); // numeric  0.088000 0.176000 0.104000 0.208000
console.log('analytic', Array.from(W.grad!.data, (v) => v.toFixed(6)).join(' ')); // analytic 0.088000 0.176000 0.104000 0.208000

// gradcheck does it for any function and all of its inputs; gradgradcheck does it for the second derivatives.
manualSeed(0);
const [a, b] = [
  randn([3, 4], { dtype: 'float64', requiresGrad: true }),
  randn([4, 2], { dtype: 'float64', requiresGrad: true }),
];
console.log(gradcheck((a, b) => a.matmul(b).sigmoid().logSoftmax(1), [a, b])); // true
console.log(gradgradcheck((a, b) => a.matmul(b).tanh(), [a, b])); // true

// A wrong gradient is found: this cube forgets the factor 3.
const wrongCube = customFunction({
  forward: (ctx, x: Tensor) => {
    ctx.saveForBackward(x);
    return x.pow(3);
  },
  backward: (ctx, g) => g.mul(ctx.savedTensors[0].square()),
});
console.log(gradcheck((a) => wrongCube(a), [a], { quiet: true })); // false
