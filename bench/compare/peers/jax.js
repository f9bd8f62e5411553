// jax-js on its wasm backend, steps compiled by jit. An argument is used up unless its `ref` is passed.
import { createRequire } from 'node:module';
import { jit, nn, numpy as np, scipySpecial, valueAndGrad } from '@jax-js/jax';
import { linearShapes, numbers, parameters, wholeNumbers } from '../../work/numbers.ts';
import { serve } from '../serve.ts';

const { version } = createRequire(import.meta.url)('../node_modules/@jax-js/jax/package.json');
const array = (flat, shape) => np.array(flat).reshape(shape);
const read = (y) => y.ref.data();
const free = (y) => y.dispose();
/** Waits for the result, which is computed when somebody asks. */
const finished = (y) => {
  y.ref.dataSync();
  return y;
};

const UNARY = {
  sigmoid: nn.sigmoid,
  relu: nn.relu,
  gelu: (x) => nn.gelu(x, { approximate: false }),
  erf: scipySpecial.erf,
  pow: (x) => np.power(x, 2.5),
};

function mlp({ sizes, batch, optimizer }) {
  if (optimizer === 'Adam') throw new Error('it has no optimizers of its own');
  const shapes = linearShapes(sizes);
  const momentum = optimizer === 'momentum';
  let weights = parameters(shapes).map((flat, i) => array(flat, shapes[i]));
  let moving = momentum ? weights.map((w) => np.zeros(w.shape)) : [];
  const x = array(numbers(batch * sizes[0], 100), [batch, sizes[0]]);
  const outputs = sizes.at(-1);
  const forward = (ws, input) => {
    let h = input;
    for (let i = 0; i < ws.length; i += 2) {
      if (i > 0) h = outputs === 1 ? np.tanh(h) : nn.relu(h);
      h = np.matmul(h, ws[i].ref.transpose()).add(ws[i + 1].ref);
    }
    return h;
  };
  if (optimizer === 'none') {
    const answer = jit((ws, input) => forward(ws, input));
    return {
      run: () =>
        finished(
          answer(
            weights.map((w) => w.ref),
            x.ref,
          ),
        ),
      read,
      free,
    };
  }
  const flatTargets = outputs === 1 ? numbers(batch, 101) : new Float32Array(batch * outputs);
  if (outputs > 1) {
    for (const [i, label] of wholeNumbers(batch, 101, outputs).entries()) flatTargets[i * outputs + label] = 1;
  }
  const y = array(flatTargets, [batch, outputs]);
  const loss = (ws, input, target) => {
    const output = forward(ws, input);
    if (outputs === 1) return np.mean(np.square(output.sub(target)));
    return nn
      .logSoftmax(output, -1)
      .mul(target)
      .sum()
      .mul(-1 / batch);
  };
  const train = jit((ws, ms, input, target) => {
    const [value, grads] = valueAndGrad(loss)(
      ws.map((w) => w.ref),
      input,
      target,
    );
    const next = momentum ? grads.map((g, i) => ms[i].mul(0.9).add(g)) : grads;
    return [value, ws.map((w, i) => w.sub((momentum ? next[i].ref : next[i]).mul(0.01))), momentum ? next : []];
  });
  const run = () => {
    let value;
    [value, weights, moving] = train(weights, moving, x.ref, y.ref);
    return finished(value);
  };
  return { run, read, free };
}

const FAMILIES = {
  mlp,
  add: ({ n, grad }) => {
    if (grad) throw new Error('it records only inside of grad()');
    const [a, b] = [1, 2].map((seed) => np.array(numbers(n, seed)));
    return { run: () => finished(np.add(a.ref, b.ref)), read, free };
  },
  unary: ({ f, n, low, high }) => {
    const x = np.array(numbers(n, 1, low, high));
    const call = jit(UNARY[f] ?? np[f]);
    return { run: () => finished(call(x.ref)), read, free };
  },
  matmul: ({ m, k, n }) => {
    const [a, b] = [array(numbers(m * k, 1), [m, k]), array(numbers(k * n, 2), [k, n])];
    return { run: () => finished(np.matmul(a.ref, b.ref)), read, free };
  },
};

await serve('jax-js', version, (family, options) => FAMILIES[family](options));
