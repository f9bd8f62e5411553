// Attention backward: keys in the lanes; weights are made again from the scores and what forward kept of each row.
//
// With the weights P and D = sum(dy y) of each query: dV = P^T dy, dS = P (dy V^T - D), dQ = scale dS K, dK = dS^T
// (scale Q). Of these only dQ needs dS the other way round.
#include "kernels/attention.h"
#include "kernels/sums.h"

namespace chainrule::CHAINRULE_CAPABILITY {
namespace {

// Keys whose gradients are collected at a time.
constexpr int64_t kKeys = 128;
// Heads below which keys, and then queries, are dealt to threads: each scores matrix is then made twice.
constexpr int64_t kFewHeads = 8;

// Rows and columns of the score matrix.
struct Range {
  int64_t begin, end;
  int64_t size() const { return end - begin; }
};

// A block of queries for all products, scaled, and what belongs to each.
template <class T>
struct Queries {
  Queries(const AttentionArgs& args)
      : q(kQueries * args.e), dy(kQueries * args.ev), shift(kQueries), scale(kQueries), dot(kQueries) {}
  const Scratch<T> q, dy, shift, scale, dot;
};

template <class T>
class Backward {
 public:
  explicit Backward(const AttentionArgs& args) : args_(args) {}

  void run() const {
    const int64_t heads = heads_of(args_);
    const Range all_keys{0, args_.s}, all_queries{0, args_.l};
    const int64_t key_blocks = blocks_of(args_.s, kKeys), query_blocks = blocks_of(args_.l, kQueries);
    if (heads >= kFewHeads || larger(key_blocks, query_blocks) == 1) {
      return parallel_for(heads, head_grain(heads), [&](int64_t begin, int64_t end) {
        for (int64_t head = begin; head < end; ++head) {
          compute(head, all_queries, all_keys, true, true, head + 1 < end ? head + 1 : head);
        }
      });
    }
    if (args_.dk.data || args_.dv.data) {
      parallel_for(heads * key_blocks, 1, [&](int64_t i, int64_t) {
        const int64_t key = i % key_blocks * kKeys;
        compute(i / key_blocks, all_queries, {key, smaller(key + kKeys, args_.s)}, false, true, i / key_blocks);
      });
    }
    if (args_.dq.data) {
      parallel_for(heads * query_blocks, 1, [&](int64_t i, int64_t) {
        const int64_t query = i % query_blocks * kQueries;
        compute(i / query_blocks, {query, smaller(query + kQueries, args_.l)}, all_keys, true, false, i / query_blocks);
      });
    }
  }

 private:
  static constexpr int64_t n = kPanel<T>, w = kLanes<T>;

  void prefetch(int64_t head) const {
    const int64_t keys = smaller(kKeys, args_.s), queries = smaller(kQueries, args_.l);
    prefetch_rows(matrix_of<const T>(args_, args_.k, head), keys, args_.e);
    prefetch_rows(matrix_of<const T>(args_, args_.v, head), keys, args_.ev);
    prefetch_rows(matrix_of<const T>(args_, args_.q, head), queries, args_.e);
    prefetch_rows(matrix_of<const T>(args_, args_.dy, head), queries, args_.ev);
    prefetch_rows(matrix_of<const T>(args_, args_.y, head), queries, args_.ev);
  }

  void compute(int64_t head, Range rows, Range columns, bool of_queries, bool of_keys, int64_t next) const {
    const int64_t e = args_.e, ev = args_.ev;
    const auto k = matrix_of<const T>(args_, args_.k, head), v = matrix_of<const T>(args_, args_.v, head);
    const auto dq = matrix_of<T>(args_, args_.dq, head);
    auto dk = matrix_of<T>(args_, args_.dk, head), dv = matrix_of<T>(args_, args_.dv, head);
    if (!of_keys) dk.data = dv.data = nullptr;
    const bool wants_dq = of_queries && dq.data != nullptr;
    const Blocks features(e, kOuterRows), value_features(ev, kOuterRows);
    const Mask<T> mask(args_, head);
    const Queries<T> block(args_);
    const Matrix<const T> q{block.q, e}, dy{block.dy, ev};
    // Panels of keys, then per panel what they collect.
    const Scratch<T> k_panels(kKeys * e + w), v_panels(kKeys * ev + w), k_rows(wants_dq ? kKeys * e : 0);
    const Scratch<T> dk_panels(dk.data ? kKeys * e : 0), dv_panels(dv.data ? kKeys * ev : 0);
    const Scratch<T> weights(kQueries * n), gradients(kQueries * n), turned(wants_dq ? kQueries * kKeys : 0);
    const int64_t query_panels = blocks_of(rows.size(), n);
    const Scratch<T> dq_panels(wants_dq ? query_panels * e * n : 0);
    const bool one_block = rows.size() <= kQueries;
    for (int64_t key = columns.begin; key < columns.end; key += kKeys) {
      const int64_t keys = smaller(kKeys, columns.end - key), panels = blocks_of(keys, n);
      for (int64_t p = 0; p < panels; ++p) {
        const int64_t count = smaller(n, keys - p * n), at = key + p * n;
        pack_panel<T>({k.row(at), k.stride}, count, e, k_panels + p * n * e);
        pack_panel<T>({v.row(at), v.stride}, count, ev, v_panels + p * n * ev);
      }
      if (wants_dq) copy_rows<T>({k.row(key), k.stride}, keys, e, T{1}, k_rows);
      for (int64_t query = rows.begin; query < rows.end; query += kQueries) {
        const int64_t queries = smaller(kQueries, rows.end - query);
        const Blocks blocks(queries, kOuterRows);
        const Store how = query == rows.begin ? Store::kSet : Store::kAdd;
        if (!one_block || key == columns.begin) pack_queries(head, query, queries, block);
        if (next != head && key == columns.begin && query == rows.begin) prefetch(next);
        for (int64_t p = 0; p < panels; ++p) {
          const int64_t count = smaller(n, keys - p * n);
          multiply_blocks<T>(blocks, e, rows_of(q), k_panels + p * n * e, Store::kSet, weights);
          multiply_blocks<T>(blocks, ev, rows_of(dy), v_panels + p * n * ev, Store::kSet, gradients);
          through_softmax(mask, query, queries, key + p * n, count, block, weights, gradients);
          if (dv.data)
            multiply_blocks<T>(value_features, queries, columns_of(dy), weights, how, dv_panels + p * n * ev);
          if (dk.data) multiply_blocks<T>(features, queries, columns_of(q), gradients, how, dk_panels + p * n * e);
          if (wants_dq) turn(queries, gradients, turned + p * n * n);
        }
        if (!wants_dq) continue;
        const Store after = key == columns.begin ? Store::kSet : Store::kAdd;
        T* to = dq_panels + (query - rows.begin) * e;
        for (int64_t p = 0; p * n < queries; ++p)
          multiply_blocks<T>(features, keys, columns_of<T>({k_rows, e}), turned + p * n * kKeys, after, to + p * n * e);
      }
      for (int64_t p = 0; p < panels; ++p) {
        const int64_t count = smaller(n, keys - p * n), at = key + p * n;
        if (dk.data) store_transposed<T>(dk_panels + p * n * e, n, e, count, dk.row(at), dk.stride);
        if (dv.data) store_transposed<T>(dv_panels + p * n * ev, n, ev, count, dv.row(at), dv.stride);
      }
    }
    if (!wants_dq) return;
    scale_elements<T>(dq_panels, query_panels * e * n, static_cast<T>(args_.scale));
    for (int64_t p = 0; p < query_panels; ++p) {
      const int64_t query = rows.begin + p * n;
      store_transposed<T>(dq_panels + p * n * e, n, e, smaller(n, rows.end - query), dq.row(query), dq.stride);
    }
  }

  void pack_queries(int64_t head, int64_t query, int64_t queries, const Queries<T>& block) const {
    const int64_t e = args_.e, ev = args_.ev;
    const auto q = matrix_of<const T>(args_, args_.q, head), y = matrix_of<const T>(args_, args_.y, head),
               dy = matrix_of<const T>(args_, args_.dy, head);
    const Matrix<const T> dy_here{dy.row(query), dy.stride};
    copy_rows<T>({q.row(query), q.stride}, queries, e, static_cast<T>(args_.scale), block.q);
    copy_rows<T>(dy_here, queries, ev, T{1}, block.dy);
    const T* stats = static_cast<const T*>(args_.stats) + head * args_.l + query;
    copy_lanes<T>(block.shift, stats, queries);
    copy_lanes<T>(block.scale, stats + heads_of(args_) * args_.l, queries);
    for (int64_t i = 0; i < queries; ++i) {
      Sum<T> sum;
      for (int64_t j = 0; j < ev; j += w)
        sum.add_product(load_some(dy_here.row(i) + j, ev - j), load_some(y.row(query + i) + j, ev - j));
      block.dot[i] = static_cast<T>(sum.total());
    }
  }

  // Scores -> weights, and their gradients -> those of the scores; both [queries, n]. Lanes beyond the keys hold
  // numbers that nothing reads.
  void through_softmax(const Mask<T>& mask, int64_t query, int64_t queries, int64_t key, int64_t keys,
                       const Queries<T>& block, T* weights, T* gradients) const {
    using V = Batch<T>;
    for (int64_t i = 0; i < queries; ++i) {
      const V shift(block.shift[i]), scale(block.scale[i]), dot(block.dot[i]);
      const bool masked = mask.touches(query + i, key, keys);
      for (int64_t lane = 0; lane < n; lane += w) {
        T* at = weights + i * n + lane;
        V score = V::load_unaligned(at);
        if (masked && lane < keys) score = score + V(mask.added(query + i, key + lane, smaller(w, keys - lane)));
        const V weight = math::exp(score - shift) * scale;
        weight.store_unaligned(at);
        T* to = gradients + i * n + lane;
        (weight * (V::load_unaligned(to) - dot)).store_unaligned(to);
      }
    }
  }

  // gradients [queries, n keys] -> for every panel of n queries, kKeys * n apart, [n keys, n queries].
  void turn(int64_t queries, const T* gradients, T* to) const {
    for (int64_t i = 0; i < queries; i += w)
      pack_transposed(gradients + i * n, n, smaller(w, queries - i), n, to + i / n * n * kKeys + i % n, n);
  }

  const AttentionArgs& args_;
};

}  // namespace

void attention_backward(const AttentionArgs& args) {
  args.dtype == DType::kFloat64 ? Backward<double>(args).run() : Backward<float>(args).run();
}

}  // namespace chainrule::CHAINRULE_CAPABILITY
