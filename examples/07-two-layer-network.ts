// A network of two layers, 64 x 1000 - 100 - 10 with sigmoid and squared error: first with gradients by hand, then with autograd.
//
// Run:      npm run example 07-two-layer-network
// Expected: both ways print the same losses, from about 27000 down to below 10; some seconds
import { parseArgs } from 'node:util';
import { manualSeed, noGrad, randn, type Tensor } from 'chainrule';

const { values: args } = parseArgs({ options: { steps: { type: 'string', default: '2000' } } });
const STEPS = Number(args.steps);
const RATE = 1e-4;
const report = (way: string, step: number, loss: Tensor) => {
  if (step % Math.ceil(STEPS / 4) === 0 || step === STEPS - 1)
    console.log(`${way}  step ${step}  loss ${loss.item().toFixed(2)}`);
};

manualSeed(1);
const [x, y] = [randn([64, 1000]), randn([64, 10])];
const [start1, start2] = [randn([1000, 100]), randn([100, 10])];

function byHand(): void {
  let [w1, w2] = [start1, start2];
  for (let step = 0; step < STEPS; step++) {
    const h = x.matmul(w1).sigmoid();
    const error = h.matmul(w2).sub(y);
    report('by hand ', step, error.square().sum());

    const dy = error.mul(2);
    const dw2 = h.t().matmul(dy);
    const dh = dy.matmul(w2.t());
    const dw1 = x.t().matmul(dh.mul(h).mul(h.neg().add(1)));
    w1 = w1.sub(dw1.mul(RATE));
    w2 = w2.sub(dw2.mul(RATE));
  }
}

function byAutograd(): void {
  const weights = [start1.clone(), start2.clone()];
  for (const w of weights) w.requiresGrad = true;
  for (let step = 0; step < STEPS; step++) {
    const loss = x.matmul(weights[0]).sigmoid().matmul(weights[1]).sub(y).square().sum();
    report('autograd', step, loss);

    loss.backward();
    noGrad(() => {
      for (const w of weights) {
        w.assign(w.sub(w.grad!.mul(RATE)));
        w.grad = null;
      }
    });
  }
}

byHand();
byAutograd();
