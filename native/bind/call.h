// Reading the arguments of a hot binding: typed arrays by the raw C API, all numbers from one shared Float64Array.
//
// Doubles hold every byte offset exactly (an Int32Array would end at 2 GiB), and reals need no second array.
#pragma once
#include <node_api.h>

#include <memory>
#include <vector>

#include "core/dtype.h"

namespace chainrule {

inline constexpr int kGeometry = 512;  // doubles in the shared array
inline constexpr int kMaxArgs = 8;

struct BoundProgram;
struct Jobs;

// Per-isolate state of the addon.
struct Instance {
  double* geometry;  // memory of the Float64Array that lib/native.ts reads as `geometry`
  napi_ref geometry_ref;
  std::vector<std::unique_ptr<BoundProgram>>* programs;  // bind/program.h
  Jobs* jobs;                                            // bind/jobs.h
};

struct Bytes {
  char* data = nullptr;
  int64_t length = 0;
};

// One call from JavaScript. Whatever is wrong with it (not a typed array, a view that leaves its buffer, a size that is
// no integer) sets a JavaScript exception and turns ok() false; nothing was touched then.
class Call {
 public:
  Call(napi_env env, napi_callback_info info) : Call(env, info, own_, kMaxArgs) {}
  // With room of the caller's for more arguments than most bindings have.
  Call(napi_env env, napi_callback_info info, napi_value* room, int capacity);
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  bool ok() const { return ok_; }
  napi_env env() const { return env_; }
  Instance* instance() const { return instance_; }
  napi_value argument(int index) const { return args_[index]; }
  int count() const { return static_cast<int>(count_); }
  void fail(const char* what);

  double real(int slot) const { return geometry_[slot]; }
  // An integer in [low, high]; fails and returns low otherwise.
  int64_t integer(int slot, int64_t low, int64_t high) {
    const double value = geometry_[slot];
    // NaN fails both comparisons; within them the conversion is defined.
    if (value >= static_cast<double>(low) && value <= static_cast<double>(high)) {
      const int64_t result = static_cast<int64_t>(value);
      if (static_cast<double>(result) == value) return result;
    }
    return refuse(slot, low, high);
  }
  int64_t size(int slot) { return integer(slot, 0, int64_t{1} << 52); }
  int ndim(int slot) { return static_cast<int>(integer(slot, 0, kMaxDims)); }
  bool flag(int slot) { return integer(slot, 0, 1) != 0; }
  DType dtype(int slot) { return static_cast<DType>(integer(slot, 0, kDTypes - 1)); }
  // Reads `ndim` sizes and returns their product, failing on overflow.
  int64_t shape(int slot, int ndim, int64_t* out);
  void strides(int slot, int ndim, int64_t* out);

  // From here on, arguments left out at the end are the last one again: asking for one costs 20 ns, and small tensors
  // mostly share a buffer.
  void repeat_last() { repeats_ = true; }
  // The whole of argument `index`, a typed array of any kind (null and undefined give an empty one).
  Bytes bytes(int index);
  // A contiguous run of `n` elements at the byte offset in geometry[slot].
  char* run(int index, int slot, int64_t n, DType dtype);
  // A strided view at the byte offset in geometry[slot]; strides are in elements.
  char* view(int index, int slot, int ndim, const int64_t* shape, const int64_t* strides, DType dtype);

 private:
  int64_t refuse(int slot, int64_t low, int64_t high);
  // Whether bytes [low, high) lie inside argument `index`.
  bool fits(int index, int64_t low, int64_t high, Bytes* bytes);
  char* aligned(char* data, DType dtype);

  napi_env env_;
  Instance* instance_ = nullptr;
  const double* geometry_ = nullptr;
  size_t count_;
  napi_value* args_;
  napi_value own_[kMaxArgs];
  bool ok_ = true;
  bool repeats_ = false;
  int seen_ = -1;  // the argument that `last_` is
  Bytes last_;
};

// Keeps an argument alive that the calling thread records a pointer into (bind/program.cc).
void keep_argument(napi_env env, napi_value array, const char* data, int64_t length);

napi_value number(napi_env env, double value);
void export_function(napi_env env, napi_value exports, const char* name, napi_callback function);
// exports.names[family] = the kernel names of a family; a kernel's number is its place there.
void export_names(napi_env env, napi_value exports, const char* family, const char* const* names, int count);

}  // namespace chainrule
