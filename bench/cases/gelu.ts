// Forward and gradient of gelu and silu on a million elements: the gradient's one kernel against what it would be composed of.
import { gelu, grad, noGrad, onesLike, randn, scope, silu, type Tensor, tensor } from 'chainrule';
import { type Benchmark, elapsed, median, type Result } from '../harness.js';

function compare(name: string, f: (x: Tensor) => Tensor, slope: (x: Tensor) => Tensor): Result {
  const x = tensor(randn([1 << 20]), { requiresGrad: true });
  const g = onesLike(x);
  const kernel = () => scope(() => grad(f(x), [x], { gradOutputs: [g] })[0] as Tensor);
  const composed = () =>
    noGrad(() =>
      scope(() => {
        f(x);
        return g.mul(slope(x));
      }),
    );
  if (kernel().sub(composed()).abs().amax().item() > 1e-5) throw new Error(`the gradient of ${name} is wrong`);
  const time = (fn: () => Tensor) => median(Array.from({ length: 40 }, () => elapsed(() => fn().dispose())).slice(10));
  const value = time(composed) / time(kernel);
  return { name: `${name}, composed / one kernel`, value, unit: 'times', goal: 'at least 2', met: value >= 2 };
}

const geluSlope = (x: Tensor) => {
  const density = x
    .square()
    .mul(-0.5)
    .exp()
    .mul(1 / Math.sqrt(2 * Math.PI));
  return x.mul(Math.SQRT1_2).erf().add(1).mul(0.5).add(x.mul(density));
};
const siluSlope = (x: Tensor) => {
  const s = x.sigmoid();
  return s.add(x.mul(s).mul(s.neg().add(1)));
};

export const benchmarks: Benchmark[] = [
  {
    name: 'gelu and silu',
    run: async () => [compare('gelu', (x) => gelu(x), geluSlope), compare('silu', silu, siluSlope)],
  },
];
