// TensorFlow.js, on its cpu or its wasm backend. Its images are [N, H, W, C]; weights are laid out accordingly before anything is timed.
import '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs';
import { linearShapes, numbers, parameters, wholeNumbers } from '../../work/numbers.ts';
import { serve } from '../serve.ts';

const backend = process.argv[2];
if (!(await tf.setBackend(backend))) process.exit(1);
await tf.ready();

const free = (y) => y.dispose();
const read = (y) => y.dataSync();
const UNARY = {
  gelu: (x) => tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1)),
  pow: (x) => tf.pow(x, 2.5),
  ...{ exp: tf.exp, tanh: tf.tanh, sigmoid: tf.sigmoid, log: tf.log, erf: tf.erf, relu: tf.relu, sin: tf.sin },
};

/** Linear weights as [in, out] variables and their biases. */
function layers(flat, shapes) {
  return shapes.map((shape, i) =>
    tf.variable(shape.length === 2 ? tf.tensor(flat[i], shape).transpose() : tf.tensor(flat[i], shape)),
  );
}

const OPTIMIZERS = {
  SGD: () => tf.train.sgd(0.01),
  momentum: () => tf.train.momentum(0.01, 0.9),
  Adam: () => tf.train.adam(0.001, 0.9, 0.999, 1e-8),
};

/** A step that minimizes, or infers where there is no optimizer. */
function stepOf(forward, loss, optimizer) {
  if (optimizer === 'none') return { run: () => tf.tidy(forward), read, free };
  const rule = OPTIMIZERS[optimizer]();
  return { run: () => rule.minimize(() => loss(forward()), true), read, free };
}

const crossEntropy = (y, n) => {
  const onehot = tf.oneHot(tf.tensor1d(y, 'int32'), n).toFloat();
  return (logits) => tf.losses.softmaxCrossEntropy(onehot, logits);
};

function mlp({ sizes, batch, optimizer }) {
  const shapes = linearShapes(sizes);
  const weights = layers(parameters(shapes), shapes);
  const x = tf.tensor(numbers(batch * sizes[0], 100), [batch, sizes[0]]);
  const outputs = sizes.at(-1);
  const activate = outputs === 1 ? tf.tanh : tf.relu;
  const forward = () => {
    let h = x;
    for (let i = 0; i < weights.length; i += 2)
      h = tf.add(tf.matMul(i > 0 ? activate(h) : h, weights[i]), weights[i + 1]);
    return h;
  };
  if (outputs > 1) return stepOf(forward, crossEntropy(wholeNumbers(batch, 101, outputs), outputs), optimizer);
  const y = tf.tensor(numbers(batch, 101), [batch, 1]);
  return stepOf(forward, (output) => tf.mean(tf.squaredDifference(output, y)), optimizer);
}

function lenet({ batch, train }) {
  const shapes = [[20, 1, 5, 5], [20], [50, 20, 5, 5], [50], [500, 800], [500], [10, 500], [10]];
  const flat = parameters(shapes);
  const [w1, w2] = [0, 2].map((i) => tf.variable(tf.tensor(flat[i], shapes[i]).transpose([2, 3, 1, 0])));
  const [b1, b2] = [1, 3].map((i) => tf.variable(tf.tensor(flat[i], shapes[i])));
  // Channels come last here, also where images become vectors.
  const w3 = tf.variable(tf.tensor(flat[4], [500, 50, 4, 4]).transpose([2, 3, 1, 0]).reshape([800, 500]));
  const [b3, w4, b4] = layers(flat.slice(5), shapes.slice(5));
  const x = tf.tensor(numbers(batch * 784, 100), [batch, 28, 28, 1]);
  const forward = () => {
    const c1 = tf.maxPool(tf.relu(tf.add(tf.conv2d(x, w1, 1, 'valid'), b1)), 2, 2, 'valid');
    const c2 = tf.maxPool(tf.relu(tf.add(tf.conv2d(c1, w2, 1, 'valid'), b2)), 2, 2, 'valid');
    const h = tf.relu(tf.add(tf.matMul(c2.reshape([batch, 800]), w3), b3));
    return tf.add(tf.matMul(h, w4), b4);
  };
  return stepOf(forward, crossEntropy(wholeNumbers(batch, 101, 10), 10), train ? 'momentum' : 'none');
}

const FAMILIES = {
  lenet,
  mlp,
  add: ({ n, grad }) => {
    if (grad) throw new Error('it records only inside of grad()');
    const [a, b] = [1, 2].map((seed) => tf.tensor(numbers(n, seed)));
    return { run: () => tf.add(a, b), read, free };
  },
  unary: ({ f, n, low, high }) => {
    const x = tf.tensor(numbers(n, 1, low, high));
    const call = UNARY[f];
    return { run: () => tf.tidy(() => call(x)), read, free };
  },
  matmul: ({ m, k, n }) => {
    const [a, b] = [tf.tensor(numbers(m * k, 1), [m, k]), tf.tensor(numbers(k * n, 2), [k, n])];
    return { run: () => tf.matMul(a, b), read, free };
  },
};

await serve(`tfjs ${backend}`, tf.version.tfjs, (family, options) => FAMILIES[family](options));
