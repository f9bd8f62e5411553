// Which operations are methods of Tensor: the families, their types, and how they come onto the prototype.
import * as activation from './elementwise/activation.js';
import * as arithmetic from './elementwise/arithmetic.js';
import * as binary from './elementwise/binary.js';
import * as bitwise from './elementwise/bitwise.js';
import * as closeness from './elementwise/closeness.js';
import * as compare from './elementwise/compare.js';
import * as division from './elementwise/division.js';
import * as exponential from './elementwise/exponential.js';
import * as floatParts from './elementwise/float-parts.js';
import * as rectifier from './elementwise/rectifier.js';
import * as rounding from './elementwise/rounding.js';
import * as special from './elementwise/special.js';
import * as trigonometric from './elementwise/trigonometric.js';
import * as unary from './elementwise/unary.js';
import * as at from './index/at.js';
import * as index from './index/index.js';
import * as indexWrite from './index/index-write.js';
import * as mask from './index/mask.js';
import * as place from './index/place.js';
import * as scatter from './index/scatter.js';
import * as setAt from './index/set-at.js';
import * as determinant from './linalg/det.js';
import * as factor from './linalg/factor.js';
import * as lstsq from './linalg/lstsq.js';
import * as lu from './linalg/lu.js';
import * as power from './linalg/power.js';
import * as solve from './linalg/solve.js';
import * as spectral from './linalg/spectral.js';
import * as similarity from './normalize/similarity.js';
import * as quantile from './order/quantile.js';
import * as search from './order/search.js';
import * as sort from './order/sort.js';
import * as productAdd from './product/add.js';
import * as matmul from './product/matmul.js';
import * as product from './product/product.js';
import * as covariance from './reduce/covariance.js';
import * as difference from './reduce/difference.js';
import * as reduce from './reduce/reduce.js';
import * as scan from './reduce/scan.js';
import * as softmax from './reduce/softmax.js';
import * as statistics from './reduce/statistics.js';
import * as broadcast from './shape/broadcast.js';
import * as diagonal from './shape/diagonal.js';
import * as movement from './shape/movement.js';
import * as split from './shape/split.js';
import * as unfold from './shape/unfold.js';
import * as view from './shape/view.js';

/** Some functions of a module; where one is named, hover leads to its own doc. */
function some<M extends object, K extends keyof M>(module: M, ...names: K[]): Pick<M, K> {
  return Object.fromEntries(names.map((name) => [name, module[name]])) as Pick<M, K>;
}

/** The functions whose first argument becomes `this`. */
const families = [
  unary,
  exponential,
  trigonometric,
  rounding,
  special,
  statistics,
  rectifier,
  activation,
  binary,
  division,
  arithmetic,
  compare,
  bitwise,
  floatParts,
  some(broadcast, 'broadcastTo', 'expandAs', 'reshapeAs', 'typeAs', 'view', 'viewAs'),
  some(closeness, 'allclose', 'equal', 'isclose'),
  some(covariance, 'corrcoef', 'cov'),
  some(difference, 'diff'),
  some(similarity, 'dist', 'renorm'),
  view,
  movement,
  mask,
  diagonal,
  some(split, 'split', 'chunk', 'unbind', 'tensorSplit', 'hsplit', 'vsplit', 'dsplit'),
  softmax,
  scan,
  some(sort, 'sort', 'argsort', 'msort', 'topk', 'kthvalue'),
  some(quantile, 'mode', 'quantile', 'nanquantile'),
  some(search, 'bincount', 'histc'),
  matmul,
  determinant,
  factor,
  power,
  some(solve, 'inverse'),
  some(lstsq, 'pinverse'),
  some(lu, 'luSolve'),
  some(spectral, 'svd'),
  product,
  productAdd,
  some(reduce, 'sum', 'mean', 'amax', 'amin', 'argmax', 'argmin', 'all', 'any'),
  some(index, 'gather', 'indexSelect'),
  some(at, 'nonzero'),
  some(indexWrite, 'indexAdd', 'indexCopy', 'indexFill', 'indexReduce', 'take', 'put'),
  some(scatter, 'scatter', 'scatterAdd', 'scatterReduce'),
  place,
  setAt,
  unfold,
] as const;

type Family = (typeof families)[number];
type All<F> = (F extends unknown ? (family: F) => void : never) extends (family: infer Every) => void ? Every : never;
type AsMethods<M> = {
  [K in keyof M]: M[K] extends (x: never, ...rest: infer R) => infer Y ? (...rest: R) => Y : never;
};
/** The operations as methods. */
export interface Methods extends AsMethods<All<Family>> {}

type Operation = (x: unknown, a?: unknown, b?: unknown, c?: unknown, d?: unknown, e?: unknown) => unknown;

/** Puts every operation that a class does not define itself on its prototype. */
export function attach(prototype: object): void {
  for (const family of families) {
    for (const [name, value] of Object.entries(family)) {
      if (typeof value !== 'function' || name in prototype) continue;
      const operation = value as Operation;
      const method = function (this: unknown, a?: unknown, b?: unknown, c?: unknown, d?: unknown, e?: unknown) {
        return operation(this, a, b, c, d, e);
      };
      Object.defineProperty(prototype, name, { value: method, writable: true, configurable: true });
    }
  }
}
