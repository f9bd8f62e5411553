// onnxruntime-node: inference only.
import { createRequire } from 'node:module';
import ort from 'onnxruntime-node';
import { linearShapes, numbers, parameters } from '../../work/numbers.ts';
import { serve } from '../serve.ts';
import { constant, model, node } from './onnx-model.js';

const { version } = createRequire(import.meta.url)('onnxruntime-node/package.json');
const threads = Number(process.env.CHAINRULE_BENCH_THREADS);

/** Runs a model on one fixed input. */
async function session(parts, data, inputShape, outputShape) {
  const options = { intraOpNumThreads: threads, interOpNumThreads: 1, executionProviders: ['cpu'] };
  const made = await ort.InferenceSession.create(model(parts, inputShape, outputShape), options);
  const x = new ort.Tensor('float32', data, inputShape);
  return { run: () => made.run({ x }), read: ({ y }) => y.data };
}

function mlp({ sizes, batch, optimizer }) {
  if (optimizer !== 'none') throw new Error('it does not train');
  const shapes = linearShapes(sizes);
  const parts = parameters(shapes).map((data, i) => constant(`w${i}`, data, shapes[i]));
  let h = 'x';
  for (let i = 0; i < shapes.length; i += 2) {
    if (i > 0) parts.push(node('Relu', [h], `${h}r`));
    const y = i + 2 === shapes.length ? 'y' : `h${i}`;
    parts.push(node('Gemm', [i > 0 ? `${h}r` : h, `w${i}`, `w${i + 1}`], y, { transB: 1 }));
    h = y;
  }
  return session(parts, numbers(batch * sizes[0], 100), [batch, sizes[0]], [batch, sizes.at(-1)]);
}

function lenet({ batch, train }) {
  if (train) throw new Error('it does not train');
  const shapes = [[20, 1, 5, 5], [20], [50, 20, 5, 5], [50], [500, 800], [500], [10, 500], [10]];
  const pool = { kernel_shape: [2, 2], strides: [2, 2] };
  const parts = [
    ...parameters(shapes).map((data, i) => constant(`w${i}`, data, shapes[i])),
    node('Conv', ['x', 'w0', 'w1'], 'c1'),
    node('Relu', ['c1'], 'r1'),
    node('MaxPool', ['r1'], 'p1', pool),
    node('Conv', ['p1', 'w2', 'w3'], 'c2'),
    node('Relu', ['c2'], 'r2'),
    node('MaxPool', ['r2'], 'p2', pool),
    node('Flatten', ['p2'], 'f'),
    node('Gemm', ['f', 'w4', 'w5'], 'h', { transB: 1 }),
    node('Relu', ['h'], 'r3'),
    node('Gemm', ['r3', 'w6', 'w7'], 'y', { transB: 1 }),
  ];
  return session(parts, numbers(batch * 784, 100), [batch, 1, 28, 28], [batch, 10]);
}

const FAMILIES = {
  mlp,
  lenet,
  matmul: ({ m, k, n }) => {
    const parts = [constant('b', numbers(k * n, 2), [k, n]), node('MatMul', ['x', 'b'], 'y')];
    return session(parts, numbers(m * k, 1), [m, k], [m, n]);
  },
};

await serve('onnxruntime', version, (family, options) => FAMILIES[family](options));
