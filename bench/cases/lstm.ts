// Forward and backward of recurrent layers, 128 inputs and 256 units over 50 steps, against PyTorch's, at the same thread count, in turn.
import { gruCell, lstmCell, nn, numThreads, randn, setNumThreads, type Tensor, tensor, zeros } from 'chainrule';
import { Torch } from '../compare/torch.js';
import { alternate, type Benchmark, elapsed, median, type Result } from '../harness.js';

type Kind = 'LSTM' | 'GRU';
const STEPS = 50;

/** A layer and how to call it for its outputs. */
function layer(kind: Kind): { model: nn.LSTM | nn.GRU; outputs: (x: Tensor) => Tensor } {
  if (kind === 'GRU') {
    const model = new nn.GRU(128, 256);
    return { model, outputs: (x) => model.forward(x)[0] };
  }
  const model = new nn.LSTM(128, 256);
  return { model, outputs: (x) => model.forward(x)[0] };
}

/** One pass, which returns nothing: gradients of the inputs and of all weights. */
function pass(kind: Kind, batch: number): () => void {
  const { model, outputs } = layer(kind);
  const x = tensor(randn([STEPS, batch, 128]), { requiresGrad: true });
  return () => {
    model.zeroGrad();
    x.zeroGrad();
    outputs(x).sum().backward();
  };
}

/** The layer gives at its last step what its cell gives step by step. */
function check(kind: Kind): void {
  const { model, outputs } = layer(kind);
  const x = randn([STEPS, 2, 128]);
  let [h, c] = [zeros([2, 256]), zeros([2, 256])];
  const [w, u, b, v] = model.parameters();
  for (let t = 0; t < STEPS; t++) {
    if (kind === 'LSTM') [h, c] = lstmCell(x.select(0, t), [h, c], w, u, b, v);
    else h = gruCell(x.select(0, t), h, w, u, b, v);
  }
  const last = outputs(x).select(0, STEPS - 1);
  const error = last.sub(h).abs().amax().item();
  if (!(error < 1e-5)) throw new Error(`the last output of ${kind} is off by ${error}`);
}

async function compare(torch: Torch, kind: Kind, batch: number, threads: number): Promise<Result[]> {
  setNumThreads(threads);
  check(kind);
  const step = pass(kind, batch);
  for (let i = 0; i < 10; i++) step();
  const ours = (repetitions: number) => Array.from({ length: repetitions }, () => elapsed(step));
  const theirs = (repetitions: number) => torch.time(kind, { batch, threads }, repetitions);
  const times = await alternate(ours, theirs);
  const ratio = times.theirs / times.ours;
  const name = `${kind} 128 to 256, ${STEPS} steps, batch ${batch}, ${threads} thread(s)`;
  return [
    { name, value: times.ours, unit: 'ms', note: `PyTorch ${torch.version}: ${times.theirs.toFixed(2)} ms` },
    { name: `${name}: PyTorch / ours`, value: ratio, unit: 'x', goal: 'at least 1.5', met: ratio >= 1.5 },
  ];
}

/** Our time where there is nothing to compare it with. */
function alone(): Result {
  const step = pass('LSTM', 32);
  const times = Array.from({ length: 40 }, () => elapsed(step));
  const note = 'PyTorch is absent (Debian: apt-get install python3-torch)';
  return { name: `LSTM 128 to 256, ${STEPS} steps, batch 32`, value: median(times.slice(10)), unit: 'ms', note };
}

export const benchmarks: Benchmark[] = [
  {
    name: 'LSTM and GRU',
    run: async () => {
      const before = numThreads();
      const results: Result[] = [];
      try {
        for (const threads of [1, 2]) {
          const torch = await Torch.start(threads);
          if (torch === null) return [alone()];
          for (const kind of ['LSTM', 'GRU'] satisfies Kind[])
            results.push(...(await compare(torch, kind, 32, threads)));
          torch.stop();
        }
      } finally {
        setNumThreads(before);
      }
      return results;
    },
  },
];
