// Whole training runs against PyTorch's, from test/reference/training.json.gz: every loss, the final state, the outputs.
import { nn, noGrad, optim, type Tensor } from 'chainrule';
import { describe, expect, it } from 'vitest';
import {
  expectClose,
  type Precision,
  referenceCases,
  type Tolerance,
  toleranceOf,
  toTensor,
} from '../support/reference.js';

type Call = [name: string, ...args: unknown[]];
const camel = (name: string) => name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
const camelKeys = (options: object) =>
  Object.fromEntries(Object.entries(options).map(([key, value]) => [camel(key), value]));

/** Calls of constructors as the reference writes them: positional arguments, then keyword arguments in an object. */
function build([name, ...args]: Call, dtype: Precision): nn.Module {
  if (name === 'Sequential') return new nn.Sequential(...args.map((part) => build(part as Call, dtype)));
  const last = args.at(-1);
  const keywords = last !== null && typeof last === 'object' ? camelKeys(args.pop() as object) : {};
  const numbers = args as [number, number, number];
  switch (name) {
    case 'Linear':
      return new nn.Linear(numbers[0], numbers[1], { ...keywords, dtype });
    case 'Conv2d':
      return new nn.Conv2d(...numbers, { ...keywords, dtype });
    case 'MaxPool2d':
      return new nn.MaxPool2d(numbers[0], keywords);
    case 'ReLU':
      return new nn.ReLU();
    case 'Flatten':
      return new nn.Flatten();
    default:
      throw new Error(`no module ${name}`);
  }
}

const LOSSES = { L1Loss: nn.L1Loss, MSELoss: nn.MSELoss, CrossEntropyLoss: nn.CrossEntropyLoss };
const OPTIMIZERS = { SGD: optim.SGD, Adam: optim.Adam };
const RUNS = ['linear_regression', 'mlp_quadratic', 'mlp_classifier', 'lenet'];
const cases = referenceCases('training').filter((c) => RUNS.includes(c.id.split('/')[1]));

describe.each<Precision>(['float32', 'float64'])('in %s', (precision) => {
  it.each(cases.map((c) => [c.id, c] as const))('%s', (_, c) => {
    const {
      model: layers,
      loss: lossCall,
      optimizer: optimizerCall,
      steps,
      evalRows,
    } = c.args as {
      model: Call;
      loss: [keyof typeof LOSSES];
      optimizer: [keyof typeof OPTIMIZERS, object];
      steps: number;
      evalRows: number;
    };
    const tolerance = toleranceOf(c, precision) as Tolerance;
    const model = build(layers, precision);
    const state = Object.entries(c.initialState).map(([name, json]) => [name, toTensor(json, precision)] as const);
    expect(Object.keys(model.stateDict())).toEqual(state.map(([name]) => name));
    model.loadStateDict(new Map(state));
    const loss = new LOSSES[lossCall[0]]();
    const optimizer = new OPTIMIZERS[optimizerCall[0]](model.parameters(), camelKeys(optimizerCall[1]));
    const [x, y] = c.inputs.map((json) => toTensor(json as NonNullable<typeof json>, precision)) as [Tensor, Tensor];
    for (let k = 0; k < steps; k++) {
      optimizer.zeroGrad();
      const value = loss.forward(model.forward(x), y);
      value.backward();
      expectClose(`loss ${k}`, value, { dtype: 'float64', shape: [], data: [c.losses[k]] }, tolerance);
      optimizer.step();
    }
    const final = model.stateDict();
    for (const [name, want] of Object.entries(c.finalState)) expectClose(name, final[name], want, tolerance);
    const outputs = noGrad(() => model.eval().forward(x.narrow(0, 0, evalRows)));
    expectClose('outputs', outputs, c.outputs[0], tolerance);
  });
});
