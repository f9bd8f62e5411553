// Attention forward: queries in the lanes, so that nothing is summed or searched across lanes.
#include "kernels/attention.h"
#include "kernels/sums.h"

namespace chainrule::CHAINRULE_CAPABILITY {
namespace {

// Keys whose scores with a panel of queries are held at a time: 32 KB of float32.
constexpr int64_t kKeys = 256;

template <class T>
class Forward {
 public:
  explicit Forward(const AttentionArgs& args) : args_(args), keys_(smaller(args.s, kKeys)) {}

  void run() const {
    const int64_t chunks = blocks_of(args_.l, kQueries), heads = heads_of(args_);
    parallel_for(heads * chunks, head_grain(heads * chunks), [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        compute(i / chunks, i % chunks * kQueries, (i + 1 < end ? i + 1 : i) / chunks);
      }
    });
  }

 private:
  static constexpr int64_t n = kPanel<T>, w = kLanes<T>;

  // The largest score so far and the sum of the exponentials, for each query of a panel.
  struct Panel {
    alignas(64) T most[n];
    alignas(64) double sum[n];
  };

  void compute(int64_t head, int64_t first, int64_t next) const {
    const int64_t queries = smaller(kQueries, args_.l - first), panels = blocks_of(queries, n);
    const auto q = matrix_of<const T>(args_, args_.q, head), k = matrix_of<const T>(args_, args_.k, head),
               v = matrix_of<const T>(args_, args_.v, head);
    const Mask<T> mask(args_, head);
    const Scratch<T> packed_q(panels * args_.e * n + w), values(keys_ * args_.ev);
    const Scratch<T> scores(keys_ * n), sums(panels * args_.ev * n);
    const Scratch<Panel> states(panels);
    const Blocks features(args_.ev, kOuterRows);
    for (int64_t p = 0; p < panels; ++p)
      pack_panel<T>({q.row(first + p * n), q.stride}, smaller(n, queries - p * n), args_.e, packed_q + p * args_.e * n);
    scale_elements<T>(packed_q, panels * args_.e * n, static_cast<T>(args_.scale));
    for (int64_t key = 0; key < args_.s; key += keys_) {
      const int64_t keys = smaller(keys_, args_.s - key);
      const Blocks blocks(keys, kOuterRows);
      copy_rows<T>({v.row(key), v.stride}, keys, args_.ev, T{1}, values);
      if (next != head && key == 0) {
        prefetch_rows(matrix_of<const T>(args_, args_.q, next), smaller(kQueries, args_.l), args_.e);
        prefetch_rows(matrix_of<const T>(args_, args_.k, next), keys, args_.e);
        prefetch_rows(matrix_of<const T>(args_, args_.v, next), keys, args_.ev);
      }
      for (int64_t p = 0; p < panels; ++p) {
        multiply_blocks<T>(blocks, args_.e, rows_of<T>({k.row(key), k.stride}), packed_q + p * args_.e * n, Store::kSet,
                           scores);
        add_mask(mask, first + p * n, smaller(n, queries - p * n), key, keys, scores);
        T* out = sums + p * args_.ev * n;
        exponentials(keys, scores, states[p], key == 0 ? nullptr : out);
        multiply_blocks<T>(features, keys, columns_of<T>({values, args_.ev}), scores,
                           key == 0 ? Store::kSet : Store::kAdd, out);
      }
    }
    for (int64_t p = 0; p < panels; ++p) {
      finish(head, first + p * n, smaller(n, queries - p * n), states[p], sums + p * args_.ev * n);
    }
  }

  // scores [keys, n] += mask.
  void add_mask(const Mask<T>& mask, int64_t query, int64_t queries, int64_t key, int64_t keys, T* scores) const {
    if (!mask.touches(query, key, keys)) return;
    for (int64_t i = 0; i < keys; i += w) {
      const int64_t count = smaller(w, keys - i);
      if (!mask.touches(query, key + i, count)) continue;
      T* to = scores + i * n;
      if (mask.same_for_queries()) {
        alignas(64) T values[w];
        store(values, mask.added(0, key + i, count));
        for (int64_t j = 0; j < count; ++j)
          for (int64_t lane = 0; lane < n; lane += w) {
            store(to + j * n + lane, load(to + j * n + lane) + broadcast(values[j]));
          }
        continue;
      }
      for (int64_t lane = 0; lane < queries; lane += w) {
        Vector<T> added[w];
        for (int64_t j = 0; j < w; ++j) added[j] = mask.added(smaller(query + lane + j, args_.l - 1), key + i, count);
        transpose<T>(added);
        for (int64_t j = 0; j < count; ++j) store(to + j * n + lane, load(to + j * n + lane) + added[j]);
      }
    }
  }

  // scores [keys, n] -> exp(scores - most). Sums so far, [ev, n] unless null, are brought to the new scale. Lanes that
  // saw -inf alone take 0 for the largest, so that they add nothing to others' sums; a NaN, which may get lost in the
  // maximum, is in the sum again.
  void exponentials(int64_t keys, T* scores, Panel& state, T* out) const {
    using V = Batch<T>;
    constexpr T kNothing = -__builtin_inf();
    for (int64_t lane = 0; lane < n; lane += w) {
      V most(kNothing);
      for (int64_t i = 0; i < keys; ++i) most = xsimd::max(most, V::load_unaligned(scores + i * n + lane));
      Sum<T> sum;
      if (out != nullptr) {
        const V before = V::load_aligned(state.most + lane);
        most = xsimd::max(most, before);
        const V factor = xsimd::select(before == V(kNothing), V(T(0)), math::exp(before - shift_of(most)));
        for (int64_t i = 0; i < args_.ev; ++i)
          (V::load_unaligned(out + i * n + lane) * factor).store_unaligned(out + i * n + lane);
        alignas(64) T factors[w];
        factor.store_aligned(factors);
        for (int64_t j = 0; j < w; ++j) state.sum[lane + j] *= static_cast<double>(factors[j]);
      }
      const V shift = shift_of(most);
      for (int64_t i = 0; i < keys; ++i) {
        const V e = math::exp(V::load_unaligned(scores + i * n + lane) - shift);
        e.store_unaligned(scores + i * n + lane);
        sum.add(e);
      }
      most.store_aligned(state.most + lane);
      alignas(64) double totals[w];
      sum.store(totals);
      for (int64_t j = 0; j < w; ++j) state.sum[lane + j] = (out ? state.sum[lane + j] : 0.0) + totals[j];
    }
  }

  static Batch<T> shift_of(Batch<T> most) {
    return xsimd::select(most == Batch<T>(T(-__builtin_inf())), Batch<T>(T(0)), most);
  }

  void finish(int64_t head, int64_t query, int64_t queries, const Panel& state, T* out) const {
    alignas(64) T shift[n], scale[n];
    for (int64_t lane = 0; lane < n; lane += w)
      shift_of(Batch<T>::load_aligned(state.most + lane)).store_aligned(shift + lane);
    for (int64_t j = 0; j < n; ++j) scale[j] = static_cast<T>(1 / state.sum[j]);
    for (int64_t i = 0; i < args_.ev; ++i)
      for (int64_t lane = 0; lane < n; lane += w) {
        store(out + i * n + lane, load(out + i * n + lane) * load(scale + lane));
      }
    const auto y = matrix_of<T>(args_, args_.y, head);
    store_transposed(out, n, args_.ev, queries, y.row(query), y.stride);
    if (args_.stats == nullptr) return;
    T* stats = static_cast<T*>(args_.stats) + head * args_.l + query;
    for (int64_t j = 0; j < queries; ++j) {
      stats[j] = shift[j];
      stats[heads_of(args_) * args_.l + j] = scale[j];
    }
  }

  const AttentionArgs& args_;
  const int64_t keys_;
};

}  // namespace

void attention_forward(const AttentionArgs& args) {
  args.dtype == DType::kFloat64 ? Forward<double>(args).run() : Forward<float>(args).run();
}

}  // namespace chainrule::CHAINRULE_CAPABILITY
