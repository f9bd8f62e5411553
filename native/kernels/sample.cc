// Weighted sums of picked places of planes, and the two gradients; each is made of the other two when differentiated.
#include "kernels/capability.h"
//
#include "core/args/resample.h"
#include "core/index_check.h"
#include "core/parallel.h"
#include "core/scratch.h"
#include "kernels/table.h"

namespace chainrule::CHAINRULE_CAPABILITY {
namespace {

// Points handled together: their places and weights stay in cache while the channels go by.
constexpr int64_t kPoints = 1024;

bool sound(const SampleArgs& a) { return check_indices(a.places, a.n * a.taps * a.points, -1, a.size, kNoneIgnored); }

// Calls f(image, first point, end) for all blocks of points; `work` is what a point costs.
template <class F>
void over_blocks(const SampleArgs& a, int64_t work, const F& f) {
  const int64_t blocks = (a.points + kPoints - 1) / kPoints;
  parallel_for(a.n * blocks, 65536 / (kPoints * work) + 1, [&](int64_t begin, int64_t end) {
    for (int64_t b = begin; b < end; ++b) {
      const int64_t first = b % blocks * kPoints, last = first + kPoints;
      f(b / blocks, first, last < a.points ? last : a.points);
    }
  });
}

// Places are checked, but nobody says that y does not share their memory: none is used that is not inside.
bool inside(const SampleArgs& a, int32_t place) { return static_cast<uint32_t>(place) < static_cast<uint64_t>(a.size); }

template <class T>
T at(const SampleArgs& a, const T* x, int32_t place) {
  return inside(a, place) ? x[place] : T{0};
}

// `fixed` taps, or any number for 0.
template <int fixed, class T>
void forward(const SampleArgs& a) {
  const int64_t taps = fixed > 0 ? fixed : a.taps;
  over_blocks(a, a.c * a.taps, [&](int64_t image, int64_t begin, int64_t end) {
    const int32_t* __restrict places = a.places + image * a.taps * a.points;
    const T* __restrict weights = static_cast<const T*>(a.weights) + image * a.taps * a.points;
    for (int64_t c = 0; c < a.c; ++c) {
      const T* __restrict x = static_cast<const T*>(a.x) + (image * a.c + c) * a.size;
      T* __restrict y = static_cast<T*>(a.y) + (image * a.c + c) * a.points;
      for (int64_t i = begin; i < end; ++i) {
        T sum = 0;
#pragma GCC unroll 8
        for (int64_t k = 0; k < taps; ++k) {
          const int64_t j = k * a.points + i;
          sum += weights[j] * at(a, x, places[j]);
        }
        y[i] = sum;
      }
    }
  });
}

// A plane belongs to one thread, so that additions keep their order.
template <class T>
void scatter(const SampleArgs& a) {
  const int64_t each = a.size + a.points * a.taps;
  parallel_for(a.n * a.c, 65536 / each + 1, [&](int64_t begin, int64_t end) {
    for (int64_t plane = begin; plane < end; ++plane) {
      const int32_t* __restrict places = a.places + plane / a.c * a.taps * a.points;
      const T* __restrict weights = static_cast<const T*>(a.weights) + plane / a.c * a.taps * a.points;
      const T* __restrict y = static_cast<const T*>(a.y) + plane * a.points;
      T* __restrict x = static_cast<T*>(a.x) + plane * a.size;
      for (int64_t i = 0; i < a.size; ++i) x[i] = 0;
      for (int64_t k = 0; k < a.taps; ++k, places += a.points, weights += a.points)
        for (int64_t i = 0; i < a.points; ++i)
          if (const int32_t place = places[i]; inside(a, place)) x[place] += weights[i] * y[i];
    }
  });
}

template <class T>
void dot(const SampleArgs& a) {
  over_blocks(a, a.c * a.taps, [&](int64_t image, int64_t begin, int64_t end) {
    // Many channels add up here: in double, as every sum.
    double sums[kPoints];
    for (int64_t k = 0; k < a.taps; ++k) {
      const int64_t from = (image * a.taps + k) * a.points;
      const int32_t* __restrict places = a.places + from;
      T* __restrict weights = static_cast<T*>(a.weights) + from;
      for (int64_t i = 0; i < end - begin; ++i) sums[i] = 0;
      for (int64_t c = 0; c < a.c; ++c) {
        const T* __restrict x = static_cast<const T*>(a.x) + (image * a.c + c) * a.size;
        const T* __restrict y = static_cast<const T*>(a.y) + (image * a.c + c) * a.points;
        for (int64_t i = begin; i < end; ++i)
          sums[i - begin] += static_cast<double>(at(a, x, places[i])) * static_cast<double>(y[i]);
      }
      for (int64_t i = begin; i < end; ++i) weights[i] = static_cast<T>(sums[i - begin]);
    }
  });
}

template <class T>
void forward_of(const SampleArgs& a) {
  if (a.taps == 4) return forward<4, T>(a);  // neighbours in planes
  a.taps == 8 ? forward<8, T>(a) : forward<0, T>(a);
}

void sample(const SampleArgs& a) {
  if (sound(a)) a.dtype == DType::kFloat64 ? forward_of<double>(a) : forward_of<float>(a);
}

void sample_scatter(const SampleArgs& a) {
  if (sound(a)) a.dtype == DType::kFloat64 ? scatter<double>(a) : scatter<float>(a);
}

void sample_dot(const SampleArgs& a) {
  if (sound(a)) a.dtype == DType::kFloat64 ? dot<double>(a) : dot<float>(a);
}

}  // namespace

void fill_sample(Table& table) {
  table.sample = sample;
  table.sample_scatter = sample_scatter;
  table.sample_dot = sample_dot;
}

}  // namespace chainrule::CHAINRULE_CAPABILITY
