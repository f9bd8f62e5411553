// The one table from PyTorch's names and arguments to ours, in one part per family of reference cases.
import { attention } from './adapter/attention.js';
import { conv } from './adapter/conv.js';
import { difference } from './adapter/difference.js';
import { elementwise } from './adapter/elementwise.js';
import { embedding } from './adapter/embedding.js';
import type { Entries } from './adapter/entry.js';
import { linalgEntries } from './adapter/linalg.js';
import { loss } from './adapter/loss.js';
import { matmul } from './adapter/matmul.js';
import { norm } from './adapter/norm.js';
import { numbers } from './adapter/numbers.js';
import { optim } from './adapter/optim.js';
import { pad } from './adapter/pad.js';
import { pool } from './adapter/pool.js';
import { product } from './adapter/product.js';
import { recurrent } from './adapter/recurrent.js';
import { reduce } from './adapter/reduce.js';
import { resample } from './adapter/resample.js';
import { scan } from './adapter/scan.js';
import { scatter } from './adapter/scatter.js';
import { shape } from './adapter/shape.js';
import { sort } from './adapter/sort.js';
import { stacking } from './adapter/stacking.js';

export const adapter: Entries = {
  ...elementwise,
  ...numbers,
  ...stacking,
  ...difference,
  ...reduce,
  ...scan,
  ...shape,
  ...sort,
  ...matmul,
  ...linalgEntries,
  ...conv,
  ...pool,
  ...resample,
  ...norm,
  ...recurrent,
  ...loss,
  ...optim,
  ...attention,
  ...product,
  ...scatter,
  ...pad,
  ...embedding,
};
