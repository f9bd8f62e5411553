// Entries of embedding.json.
import { type BagMode, embeddingBag, embedding as lookUp } from 'chainrule';
import { type Entries, given, op } from './entry.js';

interface Embedding {
  padding_idx?: number | null;
  max_norm?: number | null;
  norm_type?: number;
  scale_grad_by_freq?: boolean;
  /** How gradients are stored, which changes no value. */
  sparse?: boolean;
}
interface EmbeddingBag extends Embedding {
  mode?: BagMode;
  include_last_offset?: boolean;
}

const common = (a: Embedding) => ({
  paddingIdx: a.padding_idx ?? undefined,
  maxNorm: a.max_norm ?? undefined,
  normType: a.norm_type,
  scaleGradByFreq: a.scale_grad_by_freq,
});
const NAMES = ['padding_idx', 'max_norm', 'norm_type', 'scale_grad_by_freq', 'sparse'] as const;

export const embedding = {
  embedding: op<Embedding>(NAMES, ([indices, weight], a) => lookUp(indices, weight, given(common(a)))),
  embedding_bag: op<EmbeddingBag>(
    [...NAMES, 'mode', 'include_last_offset'],
    ([indices, weight, offsets, perSampleWeights], a) =>
      embeddingBag(
        indices,
        weight,
        given({
          ...common(a),
          offsets: offsets ?? undefined,
          perSampleWeights: perSampleWeights ?? undefined,
          mode: a.mode,
          includeLastOffset: a.include_last_offset,
        }),
      ),
  ),
} satisfies Entries;
