// Parametrizations: PyTorch 1.13's numbers and names, assignment, clones, captured steps, errors.
import { capture, grad, manualSeed, nn, noGrad, ones, optim, type Tensor, tensor, zeros } from 'chainrule';
import { beforeEach, describe, expect, it } from 'vitest';
import { codeOf } from '../thrown.js';

beforeEach(() => manualSeed(0));

const { isParametrized, registerParametrization, removeParametrizations } = nn.utils.parametrize;

class Symmetric extends nn.Module {
  forward(x: Tensor) {
    return x.triu().add(x.triu(1).t());
  }
}

class Square extends nn.Module {
  forward(x: Tensor) {
    return x.square();
  }

  rightInverse(y: Tensor) {
    return y.abs().sqrt();
  }
}

class Scale extends nn.Module {
  factor = new nn.Parameter(tensor(2));
  forward(x: Tensor) {
    return x.mul(this.factor);
  }
}

const original = (layer: nn.Module) => layer.getParameter('parametrizations.weight.original');

/** A layer with the weight [[1, 4], [9, 16]] and the bias [1, 2]. */
function made(): nn.Linear {
  const layer = new nn.Linear(2, 2);
  const state = {
    weight: tensor([
      [1, 4],
      [9, 16],
    ]),
    bias: tensor([1, 2]),
  };
  layer.loadStateDict(state);
  return layer;
}

describe('nn.utils.parametrize, as PyTorch 1.13', () => {
  it('begins at the right inverse, chains functions, and ends with the same parameter', () => {
    const layer = made();
    const { weight } = layer;
    registerParametrization(layer, 'weight', new Square());
    expect(layer.weight.toArray()).toEqual([
      [1, 4],
      [9, 16],
    ]);
    expect(original(layer).toArray()).toEqual([
      [1, 2],
      [3, 4],
    ]);
    expect(Object.keys(layer.stateDict())).toEqual(['bias', 'parametrizations.weight.original']);
    registerParametrization(layer, 'weight', new Symmetric());
    expect(layer.weight.toArray()).toEqual([
      [1, 4],
      [4, 16],
    ]);
    layer
      .forward(tensor([[1, 2]]))
      .sum()
      .backward();
    expect(original(layer).grad?.toArray()).toEqual([
      [2, 12],
      [0, 16],
    ]);
    expect(layer.namedParameters().map(([name]) => name)).toEqual(['bias', 'parametrizations.weight.original']);
    removeParametrizations(layer, 'weight');
    expect(layer.weight).toBe(weight);
    expect(layer.weight.toArray()).toEqual([
      [1, 4],
      [4, 16],
    ]);
    expect(Object.keys(layer.stateDict())).toEqual(['bias', 'weight']);
    expect(layer.children()).toEqual([]);
  });

  it('takes assignments through the right inverse', () => {
    const layer = registerParametrization(new nn.Linear(1, 2), 'weight', new Square());
    layer.weight = tensor([[4], [9]]) as nn.Parameter;
    expect(original(layer).toArray()).toEqual([[2], [3]]);
    const message = 'expected a parametrization with rightInverse';
    registerParametrization(layer, 'weight', new nn.Tanh());
    expect(() => {
      layer.weight = tensor([[4], [9]]) as nn.Parameter;
    }).toThrow(message);
    expect(codeOf(() => Object.assign(layer, { weight: ones([3]) }))).toBe('shape');
    expect(codeOf(() => Object.assign(layer, { weight: 1 }))).toBe('value');
  });

  it('goes back to the original on request', () => {
    const layer = registerParametrization(made(), 'weight', new Symmetric());
    removeParametrizations(layer, 'weight', { leaveParametrized: false });
    expect(layer.weight.toArray()).toEqual([
      [1, 4],
      [9, 16],
    ]);
  });
});

describe('a parametrized module', () => {
  it('trains the original and what the function has', () => {
    const layer = registerParametrization(new nn.Linear(3, 3), 'weight', new Scale());
    expect(Object.keys(layer.stateDict())).toEqual([
      'bias',
      'parametrizations.weight.original',
      'parametrizations.weight.0.factor',
    ]);
    const optimizer = new optim.SGD(layer.parameters(), { lr: 0.005 });
    const loss = () =>
      layer
        .forward(ones([2, 3]))
        .square()
        .sum();
    const before = loss().item();
    for (let i = 0; i < 3; i++) {
      optimizer.zeroGrad();
      loss().backward();
      optimizer.step();
    }
    expect(loss().item()).toBeLessThan(before);
    expect(layer.parameters().every((p) => p.grad !== null)).toBe(true);
  });

  it('stays symmetric in a captured step', () => {
    const layer = registerParametrization(new nn.Linear(3, 3), 'weight', new Symmetric());
    const stepOf = (model: nn.Linear) => {
      const optimizer = new optim.SGD(model.parameters(), { lr: 0.01 });
      return (x: Tensor) => {
        optimizer.zeroGrad();
        const loss = model.forward(x).square().sum();
        loss.backward();
        optimizer.step();
        return loss;
      };
    };
    const [eager, captured] = [stepOf(layer.clone()), capture(stepOf(layer))];
    const x = tensor([[1, -2, 3]]);
    for (let i = 0; i < 4; i++) expect(captured(x).item()).toBe(eager(x).item());
    expect(layer.weight.equal(layer.weight.t())).toBe(true);
  });

  it('is cloned with an original of its own, moved to float64, and put in recurrent layers', () => {
    const layer = registerParametrization(made(), 'weight', new Square());
    const copy = layer.clone();
    noGrad(() => original(copy).assign(zeros([2, 2])));
    expect(copy.weight.toArray()).toEqual([
      [0, 0],
      [0, 0],
    ]);
    expect(layer.weight.at(1, 1).item()).toBe(16);
    expect(layer.double().weight.dtype).toBe('float64');
    const lstm = new nn.LSTM(2, 3);
    registerParametrization(lstm, 'weightHhL0', new Scale());
    const [y] = lstm.forward(ones([4, 1, 2]));
    const [g] = grad(y.sum(), [lstm.getParameter('parametrizations.weight_hh_l0.original')]);
    expect(g?.abs().sum().item()).toBeGreaterThan(0);
  });

  it('is told from others', () => {
    const layer = new nn.Linear(2, 2);
    expect(isParametrized(layer)).toBe(false);
    registerParametrization(layer, 'weight', new Symmetric());
    registerParametrization(layer, 'bias', new nn.Tanh());
    expect([isParametrized(layer), isParametrized(layer, 'weight'), isParametrized(layer, 'other')]).toEqual([
      true,
      true,
      false,
    ]);
    removeParametrizations(layer, 'weight');
    expect([isParametrized(layer), isParametrized(layer, 'weight')]).toEqual([true, false]);
    removeParametrizations(layer, 'bias');
    expect(isParametrized(layer)).toBe(false);
  });

  it('has its functions in the mode of the module', () => {
    const layer = new nn.Linear(2, 2);
    layer.eval();
    const drop = new nn.Dropout();
    registerParametrization(layer, 'weight', drop);
    expect(drop.training).toBe(false);
    layer.train();
    expect(drop.training).toBe(true);
  });

  it('refuses what is none, and stays as it was', () => {
    class Flat extends nn.Module {
      forward(x: Tensor) {
        return x.flatten();
      }
    }
    class Wrong extends Square {
      override rightInverse(y: Tensor) {
        return y.to('float64');
      }
    }
    const layer = new nn.Linear(2, 2);
    expect(codeOf(() => registerParametrization(layer, 'weight', new Flat()))).toBe('shape');
    expect(codeOf(() => registerParametrization(layer, 'weight', new Wrong()))).toBe('shape');
    expect(codeOf(() => registerParametrization(layer, 'weight', ((x: Tensor) => x) as never))).toBe('value');
    expect(codeOf(() => registerParametrization({} as never, 'weight', new Square()))).toBe('value');
    expect(codeOf(() => registerParametrization(layer, 'wight', new Square()))).toBe('value');
    expect(codeOf(() => removeParametrizations(layer, 'weight'))).toBe('value');
    expect(codeOf(() => removeParametrizations(layer, 'weight', { leave: true } as never))).toBe('option');
    expect(codeOf(() => isParametrized(1 as never))).toBe('value');
    expect(
      codeOf(() => registerParametrization(nn.utils.weightNorm(new nn.Linear(2, 2)), 'weight', new Square())),
    ).toBe('value');
    expect(Object.keys(layer.stateDict())).toEqual(['weight', 'bias']);
    registerParametrization(layer, 'weight', new Square());
    expect(codeOf(() => registerParametrization(layer, 'weight', new Flat()))).toBe('shape');
    expect(codeOf(() => nn.utils.weightNorm(layer))).toBe('value');
    expect(Object.keys(layer.stateDict())).toEqual(['bias', 'parametrizations.weight.original']);
  });
});
