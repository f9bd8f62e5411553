// One row per op: inputs it is swept over, PyTorch's names for it, and the errors it documents; one part per family.
import { activation } from './table/activation.js';
import { attention } from './table/attention.js';
import { binary } from './table/binary.js';
import { compare } from './table/compare.js';
import { conv } from './table/conv.js';
import { difference } from './table/difference.js';
import { embeddings } from './table/embedding.js';
import { linalgRows } from './table/linalg.js';
import { spectralRows } from './table/linalg-spectral.js';
import { loss } from './table/loss.js';
import { lossMore } from './table/loss-more.js';
import { lossSequence } from './table/loss-sequence.js';
import { masks } from './table/mask.js';
import { matmul } from './table/matmul.js';
import { movement } from './table/movement.js';
import { norm } from './table/norm.js';
import { normalization } from './table/normalization.js';
import { numbers } from './table/numbers.js';
import { pads } from './table/pad.js';
import { pool } from './table/pool.js';
import { product } from './table/product.js';
import { recurrent } from './table/recurrent.js';
import { reduce } from './table/reduce.js';
import { resample } from './table/resample.js';
import type { Row } from './table/row.js';
import { scan } from './table/scan.js';
import { scatters } from './table/scatter.js';
import { searching } from './table/search.js';
import { shape } from './table/shape.js';
import { similarity } from './table/similarity.js';
import { sorting } from './table/sort.js';
import { stacking } from './table/stacking.js';
import { statistics } from './table/statistics.js';
import { unary } from './table/unary.js';

export { type Draw, draw, type Row } from './table/row.js';

export const table: readonly Row[] = [
  ...unary,
  ...activation,
  ...binary,
  ...compare,
  ...reduce,
  ...statistics,
  ...numbers,
  ...stacking,
  ...difference,
  ...scan,
  ...sorting,
  ...searching,
  ...shape,
  ...movement,
  ...masks,
  ...matmul,
  ...linalgRows,
  ...spectralRows,
  ...product,
  ...conv,
  ...pool,
  ...resample,
  ...norm,
  ...loss,
  ...lossMore,
  ...lossSequence,
  ...similarity,
  ...normalization,
  ...attention,
  ...recurrent,
  ...scatters,
  ...pads,
  ...embeddings,
];
