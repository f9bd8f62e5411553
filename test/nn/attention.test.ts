// MultiheadAttention and the transformer modules, against PyTorch and against themselves.
import { full, manualSeed, nn, noGrad, ones, randn, type Tensor, TensorError, tensor, zeros } from 'chainrule';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { codeOf } from '../thrown.js';

beforeEach(() => manualSeed(3));

const EXPECTED = {
  y: [
    -0.44073308525720095, -0.15562716755705971, -0.13936409445547168, -0.0017761592552553384, -0.44124703724542025,
    -0.15551067968709065, -0.1395780432393962, -0.0018520176655727194,
  ],
  w: [
    0.19850192703352662, 0.19531643436044094, 0.19218247832422397, 0.20608669229636217, 0.20791246798544633,
    0.19766795856417257, 0.19587629805226062, 0.19410129819467029, 0.2041464629665217, 0.2082079822223748,
  ],
  transformer: [
    0.4591765807043046, -0.3, -0.1805717803231258, -0.05531435632105886, 0.45917658070430456, -0.3, -0.1805717803231258,
    -0.05531435632105887,
  ],
};

const far = (a: Tensor, b: Tensor) => a.sub(b).abs().amax().item();

/** Parameters as PyTorch sees them: 0, 0.1, 0.2 ... modulo 0.7, minus 0.3, in the order of the state dict. */
function count(module: nn.Module<never, unknown>): void {
  let i = 0;
  noGrad(() => {
    for (const p of module.parameters()) {
      const values = Array.from({ length: p.size }, () => ((i++ % 7) - 3) / 10);
      p.assign(tensor(values, { dtype: p.dtype }).reshape(p.shape));
    }
  });
}

describe('MultiheadAttention', () => {
  it('has the parameters of PyTorch under its names', () => {
    const names = (m: nn.MultiheadAttention) => Object.entries(m.stateDict()).map(([k, v]) => `${k} ${v.shape}`);
    expect(names(new nn.MultiheadAttention(4, 2))).toEqual([
      'in_proj_weight 12,4',
      'in_proj_bias 12',
      'out_proj.weight 4,4',
      'out_proj.bias 4',
    ]);
    expect(names(new nn.MultiheadAttention(4, 2, { kdim: 3, vdim: 5, addBiasKv: true, bias: false }))).toEqual([
      'q_proj_weight 4,4',
      'k_proj_weight 4,3',
      'v_proj_weight 4,5',
      'bias_k 1,1,4',
      'bias_v 1,1,4',
      'out_proj.weight 4,4',
    ]);
  });

  it('projects keys and values of other sizes, with learnt and zero ones behind them', () => {
    // torch 1.13: nn.MultiheadAttention(4, 2, kdim=3, vdim=5, add_bias_kv=True, add_zero_attn=True), parameters as count() sets
    // them in state_dict order, query = arange(8).reshape(2, 1, 4) / 8, key = arange(9).reshape(3, 1, 3) / 9,
    // value = arange(15).reshape(3, 1, 5) / 15
    const m = new nn.MultiheadAttention(4, 2, {
      kdim: 3,
      vdim: 5,
      addBiasKv: true,
      addZeroAttn: true,
      dtype: 'float64',
    });
    count(m);
    const row = (n: number, shape: number[]) =>
      tensor(
        Array.from({ length: n }, (_, i) => i / n),
        { dtype: 'float64' },
      ).reshape(shape);
    const [y, w] = m.forward(row(8, [2, 1, 4]), row(9, [3, 1, 3]), row(15, [3, 1, 5]));
    expect(far(y, tensor(EXPECTED.y, { dtype: 'float64' }).reshape([2, 1, 4]))).toBeLessThan(1e-12);
    expect(far(w as Tensor, tensor(EXPECTED.w, { dtype: 'float64' }).reshape([1, 2, 5]))).toBeLessThan(1e-12);
  });

  it('adds floating masks for keys and for pairs', () => {
    const m = new nn.MultiheadAttention(4, 2, { batchFirst: true });
    const x = randn([2, 3, 4]);
    const attnMask = nn.Transformer.generateSquareSubsequentMask(3);
    const left = tensor([
      [false, false, false],
      [true, false, false],
    ]);
    const floating = left.to('float32').mul(-1e30);
    const [a] = m.forward(x, x, x, { attnMask: attnMask.isInf(), keyPaddingMask: left });
    const [b] = m.forward(x, x, x, { attnMask, keyPaddingMask: floating });
    const [c] = m.forward(x, x, x, { attnMask, keyPaddingMask: left });
    // The first query of the second sequence sees nothing as bools, and only what both leave out as numbers.
    expect(a.at(1, 0).isNan().all().item()).toBe(1);
    expect(far(a.at(0), b.at(0))).toBeLessThan(1e-6);
    expect(far(a.at(1).narrow(0, 1, 2), b.at(1).narrow(0, 1, 2))).toBeLessThan(1e-6);
    expect(far(a.at(0), c.at(0))).toBeLessThan(1e-6);
  });

  it('gives the same with and without a batch, with and without weights, and whichever dimension comes first', () => {
    const first = new nn.MultiheadAttention(6, 3, { batchFirst: true });
    const second = new nn.MultiheadAttention(6, 3);
    second.loadStateDict(first.stateDict());
    const q = randn([2, 4, 6]);
    const k = randn([2, 5, 6]);
    const [y, w] = first.forward(q, k, k);
    const swapped = [q, k].map((x) => x.transpose(0, 1));
    const [z, none] = second.forward(swapped[0], swapped[1], swapped[1], { needWeights: false });
    expect(none).toBeNull();
    expect(far(y, z.transpose(0, 1))).toBeLessThan(1e-6);
    const [alone, v] = first.forward(q.at(1), k.at(1), k.at(1));
    expect(alone.shape).toEqual([4, 6]);
    expect(far(alone, y.at(1))).toBeLessThan(1e-6);
    expect(far(v as Tensor, (w as Tensor).at(1))).toBeLessThan(1e-6);
  });

  it('drops weights while training only', () => {
    const m = new nn.MultiheadAttention(4, 2, { dropout: 0.5 });
    const x = randn([8, 1, 4]);
    const rows = (w: Tensor | null) => (w as Tensor).sum(-1);
    expect(far(rows(m.forward(x, x, x)[1]), ones([1, 8]))).toBeGreaterThan(0.1);
    m.eval();
    expect(far(rows(m.forward(x, x, x)[1]), ones([1, 8]))).toBeLessThan(1e-6);
  });

  it('says what is wrong', () => {
    expect(() => new nn.MultiheadAttention(4, 3)).toThrow(/divides embedDim 4, got 3/);
    expect(() => new nn.MultiheadAttention(4, 2, { heads: 2 } as never)).toThrow(TensorError);
    const m = new nn.MultiheadAttention(4, 2);
    const x = zeros([3, 4]);
    expect(() => m.forward(x, x, x, { mask: x } as never)).toThrow(TensorError);
    expect(() => m.forward(x, x, x, { attnMask: zeros([3, 2]) })).toThrow(/expected attnMask of shape \[3, 3\]/);
  });
});

describe('transformers', () => {
  const options = { dimFeedforward: 6, dropout: 0.1, batchFirst: true };

  it('have the parameters of PyTorch under its names', () => {
    const layer = new nn.TransformerDecoderLayer(4, 2, options);
    const model = new nn.TransformerDecoder(layer, 2, new nn.LayerNorm(4));
    expect(Object.keys(model.stateDict()).slice(0, 9)).toEqual([
      'layers.0.self_attn.in_proj_weight',
      'layers.0.self_attn.in_proj_bias',
      'layers.0.self_attn.out_proj.weight',
      'layers.0.self_attn.out_proj.bias',
      'layers.0.multihead_attn.in_proj_weight',
      'layers.0.multihead_attn.in_proj_bias',
      'layers.0.multihead_attn.out_proj.weight',
      'layers.0.multihead_attn.out_proj.bias',
      'layers.0.linear1.weight',
    ]);
    expect(Object.keys(model.stateDict()).slice(-4)).toEqual([
      'layers.1.norm3.weight',
      'layers.1.norm3.bias',
      'norm.weight',
      'norm.bias',
    ]);
  });

  it('computes what PyTorch computes', () => {
    // torch 1.13: nn.Transformer(4, 2, 1, 2, 6, dropout=0, batch_first=True, norm_first=True), parameters as count() sets them in
    // state_dict order, src = arange(12).reshape(1, 3, 4) / 12, tgt = arange(8).reshape(1, 2, 4) / 8, a causal tgt_mask
    const model = new nn.Transformer({
      ...{ dModel: 4, nhead: 2, numEncoderLayers: 1, numDecoderLayers: 2, dimFeedforward: 6 },
      ...{ dropout: 0, batchFirst: true, normFirst: true, dtype: 'float64' },
    });
    count(model);
    const row = (n: number, shape: number[]) =>
      tensor(
        Array.from({ length: n }, (_, i) => i / n),
        { dtype: 'float64' },
      ).reshape(shape);
    const tgtMask = nn.Transformer.generateSquareSubsequentMask(2).to('float64');
    const y = model.forward(row(12, [1, 3, 4]), row(8, [1, 2, 4]), { tgtMask });
    expect(far(y, tensor(EXPECTED.transformer, { dtype: 'float64' }).reshape([1, 2, 4]))).toBeLessThan(1e-12);
  });

  it('train in the memory of the step before', () => {
    const layer = new nn.TransformerEncoderLayer(32, 4, { dimFeedforward: 32, dropout: 0, batchFirst: true });
    const x = randn([8, 128, 32]);
    const step = () => {
      layer.zeroGrad();
      layer.forward(x).sum().backward();
    };
    for (let i = 0; i < 3; i++) step();
    const taken = vi.spyOn(Buffer, 'allocUnsafeSlow');
    for (let i = 0; i < 5; i++) step();
    // Losses are carved from slabs of 64 KB; the smallest of the others holds 128 KB.
    expect(taken.mock.calls.filter(([bytes]) => bytes > 2 ** 17)).toEqual([]);
    taken.mockRestore();
  });

  it('copy the layer they are given, values and all', () => {
    const layer = new nn.TransformerEncoderLayer(4, 2, options);
    const model = new nn.TransformerEncoder(layer, 3).eval();
    const x = randn([2, 5, 4]);
    layer.eval();
    const y = layer.forward(layer.forward(layer.forward(x)));
    expect(far(model.forward(x), y)).toBeLessThan(1e-6);
    noGrad(() => layer.linear1.weight.assign(zeros([6, 4])));
    expect(far(model.forward(x), y)).toBeLessThan(1e-6);
    expect(model.parameters()).toHaveLength(36);
  });

  it('show nobody the future under the causal mask', () => {
    const model = new nn.TransformerEncoder(new nn.TransformerEncoderLayer(4, 2, options), 2).eval();
    const mask = nn.Transformer.generateSquareSubsequentMask(5);
    const x = randn([1, 5, 4]);
    const other = x.add(full([5, 4], 0).add(tensor([[0], [0], [0], [0], [3]])));
    const [a, b] = [x, other].map((src) => model.forward(src, { mask }));
    expect(far(a.narrow(1, 0, 4), b.narrow(1, 0, 4))).toBe(0);
    expect(far(a.narrow(1, 4, 1), b.narrow(1, 4, 1))).toBeGreaterThan(1e-3);
  });

  it('take a function for an activation, and refuse names they do not know', () => {
    const layer = new nn.TransformerEncoderLayer(4, 2, { ...options, activation: (x) => x.mul(0) }).eval();
    const x = randn([1, 2, 4]);
    const y = layer.norm1.forward(x.add(layer.selfAttn.forward(x, x, x)[0]));
    expect(far(layer.forward(x), layer.norm2.forward(y.add(layer.linear2.bias as Tensor)))).toBeLessThan(1e-6);
    expect(() => new nn.TransformerEncoderLayer(4, 2, { activation: 'tanh' as never })).toThrow(/'relu', 'gelu'/);
    expect(() => new nn.TransformerEncoder(layer, 0)).toThrow(/from 1 up, got 0/);
  });
});

describe('a transformer of one’s own parts', () => {
  class Double extends nn.Module<[src: Tensor, masks?: object]> {
    inner = new nn.Linear(4, 4, { bias: false });
    forward(src: Tensor) {
      return this.inner.forward(src).mul(2);
    }
  }

  it('runs them, and begins their matrices anew', () => {
    const own = new Double();
    const before = own.inner.weight.toArray();
    const options = { dModel: 4, nhead: 2, numDecoderLayers: 1, dimFeedforward: 3, dropout: 0, batchFirst: true };
    const model = new nn.Transformer({ ...options, customEncoder: own });
    expect(model.encoder.inner).toBe(own.inner);
    expect(own.inner.weight.toArray()).not.toEqual(before);
    const [src, tgt] = [ones([2, 3, 4]), ones([2, 5, 4])];
    expect(model.forward(src, tgt).toArray()).toEqual(model.decoder.forward(tgt, own.forward(src)).toArray());
    expect(model.decoder.layers.length).toBe(1);
    expect(model.children()).toEqual([model.encoder, model.decoder]);
    expect(codeOf(() => new nn.Transformer({ ...options, customDecoder: (x: Tensor) => x } as never))).toBe('value');
    expect(codeOf(() => new nn.Transformer({ ...options, custom: own } as never))).toBe('option');
  });
});
