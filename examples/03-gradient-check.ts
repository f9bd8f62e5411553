// Is a gradient right? Compare it with the difference (f(x + h) - f(x - h)) / 2h, which needs no calculus at all.
//
// Run:      npm run example 03-gradient-check
// Expected: the values in the comments
import { customFunction, gradcheck, gradgradcheck, manualSeed, randn, type Tensor, tensor } from 'chainrule';

// The slope of f(x) = x^3 at 2 is 12. A step on one side is wrong by about h, one on both sides by about h^2;
// too small a step drowns in rounding.
const f = (x: number) => x ** 3;
const off = (slope: number) => Math.abs(slope - 12).toExponential(0);
for (const h of [1e-1, 1e-3, 1e-5, 1e-13]) {
  const oneSided = (f(2 + h) - f(2)) / h;
  const central = (f(2 + h) - f(2 - h)) / (2 * h);
  console.log('h', h, 'off by', off(oneSided), 'on both sides', off(central));
}
// h 0.1 off by 6e-1 on both sides 1e-2
// h 0.001 off by 6e-3 on both sides 1e-6
// h 0.00001 off by 6e-5 on both sides 2e-10
// h 1e-13 off by 1e-2 on both sides 1e-2

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
console.log(
  'first derivatives right',
  gradcheck((a, b) => a.matmul(b).sigmoid().logSoftmax(1), [a, b]),
); // first derivatives right true
console.log(
  'second derivatives right',
  gradgradcheck((a, b) => a.matmul(b).tanh(), [a, b]),
); // second derivatives right true

// A layer as Caffe writes it: forward makes the top from the bottom, backward the bottom's gradient from the top's.
const sigmoidLayer = customFunction({
  forward: (ctx, bottom: Tensor) => {
    const top = bottom.neg().exp().add(1).reciprocal();
    ctx.saveForBackward(top);
    return top;
  },
  backward: (ctx, topDiff) => {
    const [top] = ctx.savedTensors;
    return topDiff.mul(top).mul(top.neg().add(1)); // top (1 - top), times what arrives from above
  },
});
console.log(
  'sigmoid layer right',
  gradcheck((a) => sigmoidLayer(a), [a]),
); // sigmoid layer right true

// A wrong gradient is found: this cube forgets the factor 3.
const wrongCube = customFunction({
  forward: (ctx, x: Tensor) => {
    ctx.saveForBackward(x);
    return x.pow(3);
  },
  backward: (ctx, g) => g.mul(ctx.savedTensors[0].square()),
});
console.log(
  'wrong cube right',
  gradcheck((a) => wrongCube(a), [a], { quiet: true }),
); // wrong cube right false
