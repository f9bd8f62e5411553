// Weight and spectral normalisation: PyTorch 1.13's numbers, state dicts, errors.
import { Generator, nn, noGrad, ones, optim, type Tensor, tensor } from 'chainrule';
import { describe, expect, it } from 'vitest';

const { weightNorm, removeWeightNorm, spectralNorm, removeSpectralNorm } = nn.utils;
const f64 = (data: number | number[] | number[][]) => tensor(data, { dtype: 'float64' });
const x = f64([
  [1, 2, -1],
  [0.5, -1, 3],
]);

/** A layer with the weights that PyTorch had. */
function layer(): nn.Linear {
  const made = new nn.Linear(3, 2, { dtype: 'float64' });
  made.weight.assign(
    f64([
      [1, -2, 0.5],
      [0.25, 1.5, -1],
    ]),
  );
  made.bias?.assign(f64([0.5, -0.5]));
  return made;
}

const part = (module: object, name: string) => (module as Record<string, nn.Parameter>)[name];
function near(got: Tensor | null, want: number[]): void {
  const values = Array.from(got?.detach().contiguous().data ?? []);
  expect(values.length).toBe(want.length);
  for (const [i, v] of want.entries()) expect(values[i]).toBeCloseTo(v, 9);
}

// biome-ignore format: one case per block
const WEIGHT_NORM = [
  {
    dim: 0, shape: [2, 1], g: [2.291287847478, 1.82002747232],
    y: [-2.05288883019, 7.63941029805, 11.562518264158, -2.941823089415],
    dg: [58.112020533642, 38.111351312329],
    dv: [-60.772002999394, -16.601145439794, 69.96190703933, -6.12984451815, 3.064922259075, -42.884611295376],
  },
  {
    dim: 1, shape: [1, 3], g: [1.030776406404, 2.5, 1.11803398875],
    y: [-3.701781452162, 9.877387714402, 9.939253958709, -4.596073051652],
    dg: [10.184357905314, 58.100311404058, 67.03908665658],
    dv: [-5.332537744131, -24.340424567813, 0, 8.532060390609, -9.736169827125, -70.557207584891],
  },
  {
    dim: null, shape: [], g: [2.92617497768],
    y: [-1.761898002257, 8.924575009404, 10.30155800978, -3.327372502821],
    dg: [67.827317789837],
    dv: [-42.486543523324, -15.341913625746, 58.987727879571, -11.043989308442, -2.018172705161, -57.020013380603],
  },
];

describe('weightNorm', () => {
  it.each(WEIGHT_NORM)('over dimension $dim gives what PyTorch gives', ({ dim, shape, g, y, dg, dv }) => {
    const module = weightNorm(layer(), { dim });
    expect(Object.keys(module.stateDict())).toEqual(['bias', 'weight_g', 'weight_v']);
    const [length, direction] = [part(module, 'weight_g'), part(module, 'weight_v')];
    expect(length.shape).toEqual(shape);
    near(length, g);
    length.assign(length.detach().mul(2));
    direction.assign(direction.detach().add(1));
    const out = module.forward(x);
    near(out, y);
    out.square().sum().backward();
    near(length.grad, dg);
    near(direction.grad, dv);
  });

  it('trains both parts, and gives the weight back', () => {
    const module = weightNorm(layer());
    const optimizer = new optim.SGD(module.parameters(), { lr: 0.1 });
    const direction = part(module, 'weight_v').detach().clone();
    module.forward(x).square().sum().backward();
    optimizer.step();
    expect(part(module, 'weight_v').sub(direction).abs().amax().item()).toBeGreaterThan(0.01);
    const before = module.forward(x);
    removeWeightNorm(module);
    expect(Object.keys(module.stateDict())).toEqual(['bias', 'weight']);
    expect(module.weight).toBeInstanceOf(nn.Parameter);
    near(module.forward(x), Array.from(before.detach().data));
  });

  it('gives back the weight it was given', () => {
    near(removeWeightNorm(weightNorm(layer())).weight, [1, -2, 0.5, 0.25, 1.5, -1]);
  });

  it('normalises two parameters of one module, and each can be given back alone', () => {
    const module = weightNorm(weightNorm(layer()), { name: 'bias' });
    expect(Object.keys(module.stateDict())).toEqual(['weight_g', 'weight_v', 'bias_g', 'bias_v']);
    const before = noGrad(() => module.forward(x));
    removeWeightNorm(module);
    expect(Object.keys(module.stateDict())).toEqual(['bias_g', 'bias_v', 'weight']);
    near(module.forward(x), Array.from(before.data));
  });

  it('loads the state of another', () => {
    const [a, b] = [weightNorm(layer()), weightNorm(new nn.Linear(3, 2, { dtype: 'float64' }))];
    b.loadStateDict(a.stateDict());
    near(b.forward(x), Array.from(a.forward(x).detach().data));
  });
});

describe('spectralNorm', () => {
  it('gives what PyTorch gives in training, in evaluation and after removal', () => {
    const module = spectralNorm(layer(), { nPowerIterations: 2, generator: new Generator(1) });
    expect(Object.keys(module.stateDict())).toEqual(['bias', 'weight_orig', 'weight_u', 'weight_v']);
    expect(module.namedBuffers().map(([name]) => name)).toEqual(['weight_u', 'weight_v']);
    part(module, 'weight_u').assign(f64([0.6, 0.8]));
    part(module, 'weight_v').assign(f64([0, 1, 0]));
    const first = module.forward(x);
    const second = module.forward(x);
    near(first, [-3.134171412295, 3.912922429215, 4.653338756909, -5.042714265369]);
    near(second, [-0.78151301392, 1.056122945474, 1.964586301623, -2.1018912674]);
    // Through both passes at once, although the second changed the vectors.
    first.square().sum().add(second.sum()).backward();
    near(
      part(module, 'weight_orig').grad,
      [-96.918996438138, -15.672074265718, 92.364425999297, -79.620809384714, 32.794473915928, 9.893873620659],
    );
    near(part(module, 'weight_u'), [0.836875415838, -0.547393403657]);
    near(part(module, 'weight_v'), [0.381837028007, -0.886845610112, 0.260202513184]);
    module.eval();
    near(module.forward(x), [-0.78151301392, 1.056122945474, 1.964586301623, -2.1018912674]);
    near(part(module, 'weight_u'), [0.836875415838, -0.547393403657]);
    removeSpectralNorm(module);
    expect(Object.keys(module.stateDict())).toEqual(['bias', 'weight']);
    near(
      module.weight,
      [0.366146575406, -0.732293150811, 0.183073287703, 0.091536643851, 0.549219863109, -0.366146575406],
    );
  });

  it('takes the second dimension of transposed convolutions for outputs', () => {
    const made = new nn.ConvTranspose1d(2, 3, 2, { bias: false, dtype: 'float64' });
    made.weight.assign(f64([-5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6]).reshape([2, 3, 2]));
    const module = spectralNorm(made);
    part(module, 'weight_u').assign(f64([0.6, 0.8, 0]));
    part(module, 'weight_v').assign(f64([0, 1, 0, 0]));
    near(
      module.forward(ones([1, 2, 2], { dtype: 'float64' })),
      [
        -0.388993824746, -0.583490737118, -0.194496912373, 0, 0.194496912373, 0.194496912373, 0.388993824746,
        0.972484561864, 0.583490737118,
      ],
    );
  });
});

describe('errors', () => {
  const code = (name: string) => expect.objectContaining({ name: 'TensorError', code: name });
  const wrong = <T>(value: unknown) => value as T;
  it('names what cannot be normalised', () => {
    expect(() => weightNorm(wrong<nn.Module>(3))).toThrow(code('value'));
    expect(() => weightNorm(layer(), { name: 'kernel' })).toThrow(code('value'));
    expect(() => weightNorm(layer(), { dim: 2 })).toThrow(code('axis'));
    expect(() => weightNorm(weightNorm(layer()))).toThrow(code('value'));
    expect(() => weightNorm(layer(), wrong({ axis: 0 }))).toThrow(code('option'));
    expect(() => spectralNorm(layer(), { nPowerIterations: 0 })).toThrow(code('value'));
    expect(() => spectralNorm(layer(), { dim: 2 })).toThrow(code('axis'));
    expect(() => spectralNorm(weightNorm(layer()))).toThrow(code('value'));
    expect(() => removeWeightNorm(layer())).toThrow(code('value'));
    expect(() => removeWeightNorm(spectralNorm(layer()))).toThrow(code('value'));
    expect(() => removeSpectralNorm(layer())).toThrow(code('value'));
  });
});
