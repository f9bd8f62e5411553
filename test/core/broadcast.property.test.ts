// Random shapes, views and strides: elementwise operations, sums and products against loops in TypeScript.
import {
  add,
  cat,
  type DType,
  gradcheck,
  matmul,
  maximum,
  mul,
  type NestedArray,
  slice,
  sub,
  type Tensor,
  tensor,
  where,
} from 'chainrule';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

/** A tensor written out: its shape and elements in row-major order. */
interface Plain {
  readonly shape: readonly number[];
  readonly data: readonly number[];
}
const sizeOf = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);
const flatten = (x: NestedArray): number[] => (Array.isArray(x) ? x.flatMap(flatten) : [Number(x)]);
const plain = (x: Tensor): Plain => ({ shape: x.shape, data: flatten(x.toArray()) });
const indexOf = (place: number, shape: readonly number[]): number[] => {
  const index: number[] = [];
  for (let i = shape.length - 1; i >= 0; i--) {
    index.unshift(place % shape[i]);
    place = Math.floor(place / shape[i]);
  }
  return index;
};
/** Element of `x` at an index of a shape it broadcasts to. */
const read = (x: Plain, index: readonly number[]): number => {
  const own = index.slice(index.length - x.shape.length);
  return x.data[own.reduce((place, i, d) => place * x.shape[d] + (x.shape[d] === 1 ? 0 : i), 0)];
};
const broadcast = (a: readonly number[], b: readonly number[]): number[] =>
  Array.from({ length: Math.max(a.length, b.length) }, (_, i, n = Math.max(a.length, b.length)) => {
    const [p, q] = [a[a.length - n + i] ?? 1, b[b.length - n + i] ?? 1];
    return p === 1 ? q : p;
  });
const zip = (f: (...v: number[]) => number, ...xs: Plain[]): Plain => {
  const shape = xs.map((x) => x.shape).reduce(broadcast);
  return {
    shape,
    data: Array.from({ length: sizeOf(shape) }, (_, place) => f(...xs.map((x) => read(x, indexOf(place, shape))))),
  };
};
const same = (x: Tensor, want: Plain) => {
  expect(x.shape).toEqual(want.shape);
  expect(plain(x).data.map((v) => v + 0)).toEqual(want.data.map((v) => v + 0));
};

/** Numbers small enough that every sum and product of a few is exact in float32 too. */
const values = (n: number) => fc.array(fc.integer({ min: -8, max: 8 }), { minLength: n, maxLength: n });

/** How to get a tensor of a shape that looks at larger, reordered or repeated memory. */
type Look = 'plain' | 'permuted' | 'stepped' | 'offset' | 'expanded' | 'reshaped';
const look = fc.constantFrom<Look[]>('plain', 'permuted', 'stepped', 'offset', 'expanded', 'reshaped');
function looked(how: Look, data: readonly number[], shape: readonly number[], dtype: DType): Tensor {
  const x = tensor([...data], { dtype }).reshape([...shape]);
  const last = shape.length - 1;
  if (last < 0) return how === 'offset' ? cat([x.reshape([1]), x.reshape([1])]).at(1) : x;
  const order = shape.map((_, i) => last - i);
  switch (how) {
    case 'plain':
      return x;
    case 'permuted':
      return x.permute(order).clone().permute(order);
    case 'stepped':
      return cat([x.unsqueeze(-1), x.unsqueeze(-1).mul(0)], -1)
        .flatten(last)
        .at('...', slice(0, null, 2));
    case 'offset':
      return cat([x, x, x], 0).narrow(0, shape[0], shape[0]);
    case 'expanded':
      // All rows alike: what comes out is the first row repeated, so compare with plain(x) of the result.
      return x.narrow(0, 0, Math.min(1, shape[0])).expand([...shape]);
    case 'reshaped':
      return x
        .permute(order)
        .clone()
        .permute(order)
        .reshape([sizeOf(shape)])
        .reshape([...shape]);
  }
}

const size = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 1, max: 4 }) },
  { weight: 1, arbitrary: fc.constantFrom(0, 17) },
);
const shape = fc.array(size, { maxLength: 4 });
/** A shape that broadcasts with another: some dimensions left out in front, some of size 1. */
const partner = (of: readonly number[]) =>
  fc
    .tuple(
      fc.integer({ min: 0, max: of.length }),
      fc.array(fc.boolean(), { minLength: of.length, maxLength: of.length }),
    )
    .map(([drop, ones]) => of.map((n, i) => (ones[i] ? 1 : n)).slice(drop));
const dtype = fc.constantFrom<DType[]>('float32', 'float64', 'int32');
const operand = (s: readonly number[], d: DType) =>
  fc.tuple(look, values(sizeOf(s))).map(([how, data]) => looked(how, data, s, d));
const pair = fc
  .tuple(shape, dtype)
  .chain(([s, d]) => fc.tuple(partner(s), partner(s)).chain(([a, b]) => fc.tuple(operand(a, d), operand(b, d))));

describe('elementwise operations', () => {
  it('equal loops over the broadcast shape, whatever the strides', () => {
    fc.assert(
      fc.property(pair, ([a, b]) => {
        const [p, q] = [plain(a), plain(b)];
        same(
          add(a, b),
          zip((x, y) => x + y, p, q),
        );
        same(
          mul(a, b),
          zip((x, y) => x * y, p, q),
        );
        same(maximum(a, b), zip(Math.max, p, q));
        same(
          sub(a, 3),
          zip((x) => x - 3, p),
        );
        same(
          sub(3, a),
          zip((x) => 3 - x, p),
        );
        same(
          a.neg(),
          zip((x) => -x, p),
        );
        same(
          a.lt(b),
          zip((x, y) => Number(x < y), p, q),
        );
        same(
          where(a.gt(0), a, b),
          zip((x, y) => (x > 0 ? x : y), p, q),
        );
        same(a.clone(), p);
        same(a.contiguous(), p);
      }),
      { numRuns: 300 },
    );
  });

  it('refuse shapes that do not broadcast, naming both', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 5 }), fc.integer({ min: 2, max: 5 }), shape, (n, m, rest) => {
        fc.pre(n !== m);
        const [a, b] = [
          tensor(new Float32Array(n)),
          tensor(new Float32Array(m))
            .reshape([m])
            .expand([...rest.map(() => 1), m]),
        ];
        expect(() => add(a, b)).toThrow(`[${n}]`);
      }),
    );
  });
});

describe('views', () => {
  it('read what their base holds, through any chain of them', () => {
    fc.assert(
      fc.property(
        fc
          .tuple(
            shape.filter((s) => s.length > 0),
            look,
          )
          .chain(([s, how]) =>
            fc.tuple(
              fc.constant(s),
              fc.constant(how),
              values(sizeOf(s)),
              fc.array(fc.nat(), { minLength: 4, maxLength: 4 }),
            ),
          ),
        ([s, how, data, random]) => {
          const x = looked(how, data, s, 'float32');
          const p = plain(x);
          const axis = random[0] % s.length;
          const [start, step] = [random[1] % (s[axis] + 1), 1 + (random[2] % 3)];
          const cut = x.transpose(0, axis).at(slice(start, null, step), '...');
          const length = Math.max(0, Math.ceil((s[axis] - start) / step));
          const order = s.map((_, i) => (i === 0 ? axis : i === axis ? 0 : i));
          const cutShape = order.map((d, i) => (i === 0 ? length : s[d]));
          same(cut, {
            shape: cutShape,
            data: Array.from({ length: sizeOf(cutShape) }, (_, place) => {
              const index = indexOf(place, cutShape);
              const source = new Array<number>(s.length);
              order.forEach((d, i) => {
                source[d] = i === 0 ? start + index[0] * step : index[i];
              });
              return read(p, source);
            }),
          });
          same(cut.flatten(), { shape: [cut.size], data: plain(cut).data });
          if (cut.size > 0)
            same(cut.reshape([-1, cutShape[cutShape.length - 1]]), {
              shape: [cut.size / cutShape[cutShape.length - 1], cutShape[cutShape.length - 1]],
              data: plain(cut).data,
            });
        },
      ),
      { numRuns: 300 },
    );
  });

  it('carry writes into the base, and leave the rest alone', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 3 }), fc.nat(), (s, random) => {
        const x = tensor(new Float32Array(sizeOf(s))).reshape(s);
        const axis = random % s.length;
        const part = x.narrow(axis, random % s[axis], 1);
        part.assign(tensor(new Float32Array(part.size).fill(1)).reshape([...part.shape]));
        expect(x.sum().item()).toBe(part.size);
        expect(part.sum().item()).toBe(part.size);
      }),
    );
  });
});

describe('sums', () => {
  it('equal loops over any axes of any view', () => {
    fc.assert(
      fc.property(
        fc
          .tuple(shape, dtype)
          .chain(([s, d]) => fc.tuple(operand(s, d), fc.subarray(s.map((_, i) => i)), fc.boolean())),
        ([x, axes, keepdim]) => {
          const p = plain(x);
          // No axes at all stand for every one.
          const reduced = axes.length === 0 ? p.shape.map((_, i) => i) : axes;
          const kept = p.shape.map((n, i) => (reduced.includes(i) ? 1 : n));
          const data = new Array<number>(sizeOf(kept)).fill(0);
          p.data.forEach((v, place) => {
            const index = indexOf(place, p.shape);
            data[kept.reduce((at, n, i) => at * n + (reduced.includes(i) ? 0 : index[i]), 0)] += v;
          });
          same(x.sum(axes, { keepdim }), { shape: keepdim ? kept : kept.filter((_, i) => !reduced.includes(i)), data });
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('matrix products', () => {
  const factors = fc
    .tuple(
      fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 2 }),
      fc.integer({ min: 0, max: 5 }),
      fc.integer({ min: 0, max: 5 }),
      fc.integer({ min: 0, max: 5 }),
      dtype,
    )
    .chain(([batch, m, k, n, d]) =>
      fc
        .tuple(partner(batch), partner(batch))
        .chain(([a, b]) => fc.tuple(operand([...a, m, k], d), operand([...b, k, n], d))),
    );
  const product = (a: Plain, b: Plain): Plain => {
    const [m, k, n] = [a.shape[a.shape.length - 2], a.shape[a.shape.length - 1], b.shape[b.shape.length - 1]];
    const shape = [...broadcast(a.shape.slice(0, -2), b.shape.slice(0, -2)), m, n];
    return {
      shape,
      data: Array.from({ length: sizeOf(shape) }, (_, place) => {
        const index = indexOf(place, shape);
        const [row, column] = index.splice(-2);
        let sum = 0;
        for (let i = 0; i < k; i++) sum += read(a, [...index, row, i]) * read(b, [...index, i, column]);
        return sum;
      }),
    };
  };

  it('equal loops over batches and strides', () => {
    fc.assert(
      fc.property(factors, ([a, b]) => same(matmul(a, b), product(plain(a), plain(b)))),
      { numRuns: 300 },
    );
  });

  it('have right gradients on any strides and batches', () => {
    fc.assert(
      fc.property(factors, ([a, b]) => {
        fc.pre(a.size > 0 && b.size > 0 && a.size * b.size < 500);
        const [x, y] = [a, b].map((v) => tensor(v, { dtype: 'float64', requiresGrad: true }));
        expect(gradcheck((u, v) => matmul(u.transpose(-1, -2).clone().transpose(-1, -2), v), [x, y])).toBe(true);
      }),
      { numRuns: 20 },
    );
  });
});
