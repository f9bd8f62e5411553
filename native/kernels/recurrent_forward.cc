// Recurrent layers forward: all steps of one direction, product and gates of a few units at a time while they are in
// the cache.
#include "kernels/recurrent.h"

namespace chainrule::CHAINRULE_CAPABILITY {
namespace {

// What the gates of one row read and write.
template <class T>
struct Row {
  T* gates;       // [gates, hidden]
  const T* bias;  // [gates, hidden] or null
  T *h, *c;       // the running states, of the step before
  T *y, *kept;    // of this step
  const T* sums;  // of gate 0 in the panel; those of the next gate follow kGroupRows rows later
  int64_t hidden;
  bool keep;

  CHAINRULE_INLINE Batch<T> hidden_product(int gate, Units<T> units, int64_t lane) const {
    const Batch<T> sum = Batch<T>::load_unaligned(sums + gate * kGroupRows * kUnits<T> + lane);
    return bias ? sum + units.load(bias + gate * hidden) : sum;
  }
  CHAINRULE_INLINE Batch<T> input_product(int gate, Units<T> units) const { return units.load(gates + gate * hidden); }
  CHAINRULE_INLINE Batch<T> product(int gate, Units<T> units, int64_t lane) const {
    return input_product(gate, units) + hidden_product(gate, units, lane);
  }
  CHAINRULE_INLINE void keep_gate(int gate, Units<T> units, Batch<T> value) const {
    if (keep) units.store(gates + gate * hidden, value);
  }
  CHAINRULE_INLINE void finish(Units<T> units, Batch<T> value) const {
    units.store(h, value);
    units.store(y, value);
  }
};

template <bool kRelu>
struct Simple {
  static constexpr int kGates = 1;
  template <class T>
  static CHAINRULE_INLINE void step(const Row<T>& row, Units<T> units, int64_t lane) {
    const Batch<T> x = row.product(0, units, lane);
    row.finish(units, kRelu ? xsimd::select(x < Batch<T>(0), Batch<T>(0), x) : math::tanh(x));
  }
};

// i, f, g, o; c' = f c + i g; h' = o tanh c'.
struct Lstm {
  static constexpr int kGates = 4;
  template <class T>
  static CHAINRULE_INLINE void step(const Row<T>& row, Units<T> units, int64_t lane) {
    const Batch<T> i = math::sigmoid(row.product(0, units, lane)), f = math::sigmoid(row.product(1, units, lane));
    const Batch<T> g = math::tanh(row.product(2, units, lane)), o = math::sigmoid(row.product(3, units, lane));
    const Batch<T> c = f * units.load(row.c) + i * g;
    units.store(row.c, c);
    if (row.keep) units.store(row.kept, c);
    row.keep_gate(0, units, i);
    row.keep_gate(1, units, f);
    row.keep_gate(2, units, g);
    row.keep_gate(3, units, o);
    row.finish(units, o * math::tanh(c));
  }
};

// r, z, n = tanh(x_n + r q) for the hidden product q; h' = n + z (h - n).
struct Gru {
  static constexpr int kGates = 3;
  template <class T>
  static CHAINRULE_INLINE void step(const Row<T>& row, Units<T> units, int64_t lane) {
    const Batch<T> r = math::sigmoid(row.product(0, units, lane)), z = math::sigmoid(row.product(1, units, lane));
    const Batch<T> q = row.hidden_product(2, units, lane);
    const Batch<T> n = math::tanh(row.input_product(2, units) + r * q);
    if (row.keep) units.store(row.kept, q);
    row.keep_gate(0, units, r);
    row.keep_gate(1, units, z);
    row.keep_gate(2, units, n);
    row.finish(units, n + z * (units.load(row.h) - n));
  }
};

// Gates [first gate, panel] of w, each panel [hidden, kUnits], zeros where there is no unit.
template <class T>
void pack_weights(const RecurrentArgs& args, T* packed) {
  constexpr int64_t n = kUnits<T>, w = kLanes<T>;
  const int64_t hidden = args.hidden, gates = gates_of(args.cell), panels = blocks_of(hidden, n);
  parallel_for(panels * gates, larger(1, 32768 / (hidden * n)), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t unit = i / gates * n, units = smaller(n, hidden - unit);
      const T* from = static_cast<const T*>(args.w) + (i % gates * hidden + unit) * hidden;
      T* to = packed + i * hidden * n;
      if (units < n) {
        zero_lanes(to, hidden * n);
        store_transposed(from, hidden, units, hidden, to, n);
      } else {
        for (int64_t half = 0; half < n; half += w)
          pack_transposed(from + half * hidden, hidden, w, hidden, to + half, n);
      }
    }
  });
}

template <class T, class Cell>
class Forward {
 public:
  explicit Forward(const RecurrentArgs& args)
      : args_(args), steps_(args), blocks_(args.batch, kOuterRows), hidden_(args.hidden) {}

  void run() {
    const size_t state = static_cast<size_t>(args_.batch * hidden_) * sizeof(T);
    memmove(args_.hn, args_.h0, state);
    if (args_.cell == RecurrentCell::kLstm) {
      args_.c0 ? memmove(args_.cn, args_.c0, state) : memset(args_.cn, 0, state);
    }
    const Scratch<T> weights(blocks_of(hidden_, kUnits<T>) * Cell::kGates * hidden_ * kUnits<T>);
    pack_weights<T>(args_, weights);
    // Two states, for threads may still read the one when others write the next. Rows that have not begun keep h0.
    const Scratch<T> states(2 * args_.batch * hidden_);
    T *now = states, *next = now + args_.batch * hidden_;
    for (int64_t block = 0; block < blocks_.count; ++block) {
      const int64_t begin = blocks_.begin(block) * hidden_, rows = blocks_.size(block);
      store_transposed(static_cast<const T*>(args_.h0) + begin, hidden_, rows, hidden_, now + begin, rows);
    }
    memcpy(next, now, state);
    for (int64_t step = 0; step < steps_.count(); ++step) {
      over_panels<T>(args_, steps_.size(step), [&](int64_t panel) {
        compute(step, panel, weights + panel * Cell::kGates * hidden_ * kUnits<T>, now, next);
      });
      T* last = now;
      now = next;
      next = last;
    }
  }

 private:
  void compute(int64_t step, int64_t panel, const T* weights, const T* now, T* next) const {
    constexpr int64_t n = kUnits<T>;
    alignas(64) T sums[Cell::kGates * kGroupRows * n];
    const int64_t active = steps_.size(step), live = blocks_with(blocks_, active);
    for (int64_t from = 0; from < live; from += kGroup) {
      const int64_t to = smaller(from + kGroup, live);
      for (int64_t gate = 0; gate < Cell::kGates; ++gate)
        multiply_group(blocks_, from, to, hidden_, now, weights + gate * hidden_ * n, sums + gate * kGroupRows * n);
      for (int64_t block = from; block < to; ++block) {
        const int64_t begin = blocks_.begin(block), end = smaller(begin + blocks_.size(block), active);
        for (int64_t r = begin; r < end; ++r) {
          const Row<T> row = row_at(step, r, sums + (r - blocks_.begin(from)) * n);
          over_units<T>(panel, hidden_, [&](Units<T> units, int64_t lane) { Cell::step(row, units, lane); });
        }
        const int64_t unit = panel * n, rows = blocks_.size(block);
        store_transposed(static_cast<const T*>(args_.hn) + begin * hidden_ + unit, hidden_, end - begin,
                         smaller(n, hidden_ - unit), next + begin * hidden_ + unit * rows, rows);
      }
    }
  }

  Row<T> row_at(int64_t step, int64_t r, const T* sums) const {
    const int64_t at = steps_.first(step) + r;
    const auto part = [&](void* all, int64_t i) { return all ? static_cast<T*>(all) + i * hidden_ : nullptr; };
    return {static_cast<T*>(args_.gates) + at * Cell::kGates * hidden_,
            static_cast<const T*>(args_.bias),
            part(args_.hn, r),
            part(args_.cn, r),
            part(args_.y, at),
            part(args_.kept, at),
            sums,
            hidden_,
            args_.keep};
  }

  const RecurrentArgs& args_;
  const Steps steps_;
  const Blocks blocks_;
  const int64_t hidden_;
};

template <class T>
void forward(const RecurrentArgs& args) {
  switch (args.cell) {
    case RecurrentCell::kTanh:
      return Forward<T, Simple<false>>(args).run();
    case RecurrentCell::kRelu:
      return Forward<T, Simple<true>>(args).run();
    case RecurrentCell::kLstm:
      return Forward<T, Lstm>(args).run();
    case RecurrentCell::kGru:
      return Forward<T, Gru>(args).run();
  }
}

}  // namespace

void recurrent_forward(const RecurrentArgs& args) {
  args.dtype == DType::kFloat64 ? forward<double>(args) : forward<float>(args);
}

}  // namespace chainrule::CHAINRULE_CAPABILITY
