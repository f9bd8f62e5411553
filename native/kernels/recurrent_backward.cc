// Recurrent layers backward: through all steps of one direction, from the last that forward took to the first.
//
// A step's gradient of the hidden state comes from the output, and from the gates of the step after through the
// weights; here the gradients of all gates are made, from which one product each gives those of the weights.
#include "kernels/recurrent.h"

namespace chainrule::CHAINRULE_CAPABILITY {
namespace {

// What the gates of one row read and write.
template <class T>
struct Row {
  const T *gates, *kept, *y;     // as forward left them
  const T *h_before, *c_before;  // null: zeros
  T *dgates, *dhidden;           // [gates, hidden]
  T* dc;                         // from the step after, to the step before
  int64_t hidden;

  CHAINRULE_INLINE Batch<T> gate(int i, Units<T> units) const { return units.load(gates + i * hidden); }
  CHAINRULE_INLINE void set(int i, Units<T> units, Batch<T> d) const { units.store(dgates + i * hidden, d); }
  CHAINRULE_INLINE void set_hidden(int i, Units<T> units, Batch<T> d) const { units.store(dhidden + i * hidden, d); }
};

template <class T>
CHAINRULE_INLINE Batch<T> through_sigmoid(Batch<T> d, Batch<T> y) {
  return d * (y * (Batch<T>(1) - y));
}

template <class T>
CHAINRULE_INLINE Batch<T> through_tanh(Batch<T> d, Batch<T> y) {
  return d * (Batch<T>(1) - y * y);
}

// Each returns what reaches the hidden state of the step before past the weights.
template <bool kRelu>
struct Simple {
  static constexpr int kGates = 1;
  template <class T>
  static CHAINRULE_INLINE Batch<T> step(const Row<T>& row, Units<T> units, Batch<T> dh) {
    const Batch<T> y = units.load(row.y), zero(T(0));
    row.set(0, units, kRelu ? xsimd::select(y > zero, dh, zero) : through_tanh(dh, y));
    return zero;
  }
};

struct Lstm {
  static constexpr int kGates = 4;
  template <class T>
  static CHAINRULE_INLINE Batch<T> step(const Row<T>& row, Units<T> units, Batch<T> dh) {
    const Batch<T> i = row.gate(0, units), f = row.gate(1, units), g = row.gate(2, units), o = row.gate(3, units);
    const Batch<T> squashed = math::tanh(units.load(row.kept));
    const Batch<T> dc = units.load(row.dc) + through_tanh(dh * o, squashed);
    row.set(0, units, through_sigmoid(dc * g, i));
    row.set(1, units, through_sigmoid(dc * units.load(row.c_before), f));
    row.set(2, units, through_tanh(dc * i, g));
    row.set(3, units, through_sigmoid(dh * squashed, o));
    units.store(row.dc, dc * f);
    return Batch<T>(T(0));
  }
};

struct Gru {
  static constexpr int kGates = 3;
  template <class T>
  static CHAINRULE_INLINE Batch<T> step(const Row<T>& row, Units<T> units, Batch<T> dh) {
    const Batch<T> r = row.gate(0, units), z = row.gate(1, units), n = row.gate(2, units);
    const Batch<T> dn = through_tanh(dh * (Batch<T>(1) - z), n);
    const Batch<T> dz = through_sigmoid(dh * (units.load(row.h_before) - n), z);
    const Batch<T> dr = through_sigmoid(dn * units.load(row.kept), r);
    row.set(0, units, dr);
    row.set(1, units, dz);
    row.set(2, units, dn);
    row.set_hidden(0, units, dr);
    row.set_hidden(1, units, dz);
    row.set_hidden(2, units, dn * r);
    return dh * z;
  }
};

// Panels of columns of w, each [gates * hidden, kUnits], zeros where there is no unit.
template <class T>
void pack_weights(const RecurrentArgs& args, T* packed) {
  constexpr int64_t n = kUnits<T>;
  const int64_t hidden = args.hidden, depth = gates_of(args.cell) * hidden, panels = blocks_of(hidden, n);
  parallel_for(panels, larger(1, 32768 / (depth * n)), [&](int64_t begin, int64_t end) {
    for (int64_t panel = begin; panel < end; ++panel) {
      const int64_t units = smaller(n, hidden - panel * n);
      const T* from = static_cast<const T*>(args.w) + panel * n;
      T* to = packed + panel * depth * n;
      if (units < n) zero_lanes(to, depth * n);
      for (int64_t l = 0; l < depth; ++l) {
        if (units == n)
          copy_exactly<T, n>(to + l * n, from + l * hidden);
        else
          copy_lanes(to + l * n, from + l * hidden, units);
      }
    }
  });
}

template <class T, class Cell>
class Backward {
 public:
  explicit Backward(const RecurrentArgs& args)
      : args_(args),
        steps_(args),
        blocks_(args.batch, kOuterRows),
        hidden_(args.hidden),
        depth_(Cell::kGates * args.hidden) {}

  void run() {
    const size_t state = static_cast<size_t>(args_.batch * hidden_) * sizeof(T);
    memmove(args_.dh0, args_.dhn, state);
    if (args_.cell == RecurrentCell::kLstm) memmove(args_.dc0, args_.dcn, state);
    const Scratch<T> weights(blocks_of(hidden_, kUnits<T>) * depth_ * kUnits<T>);
    pack_weights<T>(args_, weights);
    // The gates' gradients of the step after and of this one, packed for the product.
    const Scratch<T> gradients(2 * args_.batch * depth_);
    T *now = gradients, *next = now + args_.batch * depth_;
    for (int64_t step = steps_.count() - 1; step >= -1; --step) {
      const int64_t rows = larger(steps_.size(step), steps_.size(step + 1));
      over_panels<T>(args_, rows,
                     [&](int64_t panel) { compute(step, panel, weights + panel * depth_ * kUnits<T>, now, next); });
      T* last = now;
      now = next;
      next = last;
    }
  }

 private:
  // Of rows that have a step after this one, what reaches this step from it; of rows that take this step, its gates.
  void compute(int64_t step, int64_t panel, const T* weights, const T* now, T* next) const {
    constexpr int64_t n = kUnits<T>;
    alignas(64) T sums[kGroupRows * n];
    const int64_t active = steps_.size(step), after = steps_.size(step + 1);
    const int64_t live = blocks_with(blocks_, larger(active, after)), multiplied = blocks_with(blocks_, after);
    for (int64_t from = 0; from < live; from += kGroup) {
      const int64_t to = smaller(from + kGroup, live);
      multiply_group(blocks_, from, smaller(to, multiplied), depth_, now, weights, sums);
      for (int64_t block = from; block < to; ++block) {
        const int64_t begin = blocks_.begin(block), rows = blocks_.size(block);
        for (int64_t r = begin; r < smaller(begin + rows, after); ++r)
          add(panel, r, sums + (r - blocks_.begin(from)) * n);
        const int64_t end = smaller(begin + rows, active);
        for (int64_t r = begin; r < end; ++r) differentiate(step, panel, r);
        pack(step, panel, begin, end - begin, rows, next);
      }
    }
  }

  void add(int64_t panel, int64_t r, const T* sums) const {
    T* dh = static_cast<T*>(args_.dh0) + r * hidden_;
    over_units<T>(panel, hidden_, [&](Units<T> units, int64_t lane) {
      units.store(dh, units.load(dh) + Batch<T>::load_unaligned(sums + lane));
    });
  }

  void differentiate(int64_t step, int64_t panel, int64_t r) const {
    const int64_t at = steps_.first(step) + r;
    const auto part = [&](const void* all) { return all ? static_cast<const T*>(all) + at * hidden_ : nullptr; };
    const T* dy = static_cast<const T*>(args_.dy) + at * hidden_;
    T* dh = static_cast<T*>(args_.dh0) + r * hidden_;
    const Row<T> row{static_cast<const T*>(args_.gates) + at * depth_,
                     part(args_.kept),
                     part(args_.y),
                     row_before<T>(steps_, step, r, hidden_, args_.y, args_.h0),
                     row_before<T>(steps_, step, r, hidden_, args_.kept, args_.c0),
                     static_cast<T*>(args_.dgates) + at * depth_,
                     static_cast<T*>(args_.dhidden) + at * depth_,
                     static_cast<T*>(args_.dc0) + (args_.dc0 ? r * hidden_ : 0),
                     hidden_};
    over_units<T>(panel, hidden_, [&](Units<T> units, int64_t) {
      units.store(dh, Cell::step(row, units, units.load(dy) + units.load(dh)));
    });
  }

  void pack(int64_t step, int64_t panel, int64_t begin, int64_t active, int64_t rows, T* next) const {
    if (active <= 0) return;
    const int64_t unit = panel * kUnits<T>, units = smaller(kUnits<T>, hidden_ - unit);
    const T* from = static_cast<const T*>(args_.dhidden) + (steps_.first(step) + begin) * depth_ + unit;
    for (int64_t gate = 0; gate < Cell::kGates; ++gate) {
      store_transposed(from + gate * hidden_, depth_, active, units,
                       next + begin * depth_ + (gate * hidden_ + unit) * rows, rows);
    }
  }

  const RecurrentArgs& args_;
  const Steps steps_;
  const Blocks blocks_;
  const int64_t hidden_, depth_;
};

template <class T>
void backward(const RecurrentArgs& args) {
  switch (args.cell) {
    case RecurrentCell::kTanh:
      return Backward<T, Simple<false>>(args).run();
    case RecurrentCell::kRelu:
      return Backward<T, Simple<true>>(args).run();
    case RecurrentCell::kLstm:
      return Backward<T, Lstm>(args).run();
    case RecurrentCell::kGru:
      return Backward<T, Gru>(args).run();
  }
}

}  // namespace

void recurrent_backward(const RecurrentArgs& args) {
  args.dtype == DType::kFloat64 ? backward<double>(args) : backward<float>(args);
}

}  // namespace chainrule::CHAINRULE_CAPABILITY
