// The elementwise driver: cuts a strided, broadcast call into contiguous rows for a row function.
#include "core/loops.h"

#include <algorithm>
#include <cstring>

#include "core/parallel.h"

namespace chainrule {
namespace {

constexpr int64_t kGrain = 32768;   // elements a thread takes at a time
constexpr int64_t kTile = 512;      // elements gathered at a time; four tiles of doubles are 16 KB, half an L1 cache
constexpr int64_t kShortRow = 64;   // shorter rows are grouped into tiles: a row function costs about 5 ns to enter
constexpr int64_t kBlockRows = 16;  // of a transposed operand: 16 floats are one cache line of it
constexpr int64_t kBlockColumns = kTile / kBlockRows;

// How the loop nest looks after dropping and merging dimensions: outer ones, then rows, then columns.
struct Nest {
  int ndim;
  int64_t shape[kMaxDims];
  int64_t stride[kMaxOperands + 1][kMaxDims];  // in bytes
};

struct Plan {
  const ElementwiseArgs* args;
  Nest nest;
  int count;  // y and the operands
  char* base[kMaxOperands + 1];
  int64_t rows, columns;            // the two innermost dimensions
  int64_t unit_rows, unit_columns;  // what one turn of the parallel loop takes of them
  int64_t row_units, column_units;
  int64_t tile_rows, tile_columns;  // what one call of the row function takes, unless rows go straight
  bool straight;
};

int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

int64_t magnitude(int64_t stride) { return stride < 0 ? -stride : stride; }

// Drops sizes of 1, orders dimensions by y's strides and merges neighbours that all operands walk as one.
void simplify(const ElementwiseArgs& args, Nest& nest) {
  const int count = args.operands + 1;
  int n = 0;
  for (int d = 0; d < args.ndim; ++d) {
    if (args.shape[d] == 1) continue;
    int at = n++;
    // Largest stride of y outermost: a transposed y becomes a transposed operand, if that.
    while (at > 0 && magnitude(nest.stride[0][at - 1]) < magnitude(args.stride[0][d] * args.width[0])) {
      nest.shape[at] = nest.shape[at - 1];
      for (int k = 0; k < count; ++k) nest.stride[k][at] = nest.stride[k][at - 1];
      --at;
    }
    nest.shape[at] = args.shape[d];
    for (int k = 0; k < count; ++k) {
      const bool immediate = k > 0 && args.x[k - 1] == nullptr;
      nest.stride[k][at] = immediate ? 0 : args.stride[k][d] * args.width[k];
    }
  }
  int last = 0;  // the dimension others are merged into
  for (int d = 1; d < n; ++d) {
    bool merge = true;
    for (int k = 0; k < count; ++k) merge = merge && nest.stride[k][last] == nest.stride[k][d] * nest.shape[d];
    if (!merge) ++last;
    nest.shape[last] = merge ? nest.shape[last] * nest.shape[d] : nest.shape[d];
    for (int k = 0; k < count; ++k) nest.stride[k][last] = nest.stride[k][d];
  }
  nest.ndim = n == 0 ? 0 : last + 1;
}

void swap_dims(Nest& nest, int count, int a, int b) {
  std::swap(nest.shape[a], nest.shape[b]);
  for (int k = 0; k < count; ++k) std::swap(nest.stride[k][a], nest.stride[k][b]);
}

// Four by four words of a transposed block at a time: each cache line of x is met by four loads instead of sixteen.
using Words = uint32_t __attribute__((vector_size(16), aligned(4), may_alias));

void transpose_words(char* y, int64_t y_row, const char* x, int64_t x_column, int64_t rows, int64_t columns) {
  for (int64_t c = 0; c < columns; c += 4) {
    for (int64_t r = 0; r < rows; r += 4) {
      const auto load = [&](int64_t i) { return *reinterpret_cast<const Words*>(x + r * 4 + (c + i) * x_column); };
      const auto store = [&](int64_t i, Words v) { *reinterpret_cast<Words*>(y + (r + i) * y_row + c * 4) = v; };
      const Words a = load(0), b = load(1), d = load(2), e = load(3);
      const Words low_ab = __builtin_shufflevector(a, b, 0, 4, 1, 5),
                  high_ab = __builtin_shufflevector(a, b, 2, 6, 3, 7);
      const Words low_de = __builtin_shufflevector(d, e, 0, 4, 1, 5),
                  high_de = __builtin_shufflevector(d, e, 2, 6, 3, 7);
      store(0, __builtin_shufflevector(low_ab, low_de, 0, 1, 4, 5));
      store(1, __builtin_shufflevector(low_ab, low_de, 2, 3, 6, 7));
      store(2, __builtin_shufflevector(high_ab, high_de, 0, 1, 4, 5));
      store(3, __builtin_shufflevector(high_ab, high_de, 2, 3, 6, 7));
    }
  }
}

template <class T>
void move_block(char* y, int64_t y_row, int64_t y_column, const char* x, int64_t x_row, int64_t x_column, int64_t rows,
                int64_t columns) {
  if (y_column == sizeof(T) && x_column == sizeof(T)) {
    for (int64_t r = 0; r < rows; ++r) std::memcpy(y + r * y_row, x + r * x_row, columns * sizeof(T));
    return;
  }
  if (sizeof(T) == 4 && y_column == 4 && x_row == 4 && rows % 4 == 0 && columns % 4 == 0)
    return transpose_words(y, y_row, x, x_column, rows, columns);
  for (int64_t r = 0; r < rows; ++r) {
    char* to = y + r * y_row;
    const char* from = x + r * x_row;
    if (x_column == 0 && y_column == sizeof(T))
      for (int64_t c = 0; c < columns; ++c) reinterpret_cast<T*>(to)[c] = *reinterpret_cast<const T*>(from);
    else
      for (int64_t c = 0; c < columns; ++c)
        *reinterpret_cast<T*>(to + c * y_column) = *reinterpret_cast<const T*>(from + c * x_column);
  }
}

// Copies rows x columns elements between two strided places; strides are in bytes.
void move_block(int width, char* y, int64_t y_row, int64_t y_column, const char* x, int64_t x_row, int64_t x_column,
                int64_t rows, int64_t columns) {
  if (width == 4)
    move_block<uint32_t>(y, y_row, y_column, x, x_row, x_column, rows, columns);
  else if (width == 1)
    move_block<uint8_t>(y, y_row, y_column, x, x_row, x_column, rows, columns);
  else
    move_block<uint64_t>(y, y_row, y_column, x, x_row, x_column, rows, columns);
}

using Bases = char * [kMaxOperands + 1];

// Rows that the row function can take as they are.
void run_straight(const Plan& plan, const Bases& at, int64_t rows, int64_t columns) {
  const ElementwiseArgs& args = *plan.args;
  const int row = plan.nest.ndim - 2, column = plan.nest.ndim - 1;
  const void* x[kMaxOperands];
  int64_t step[kMaxOperands];
  for (int k = 1; k < plan.count; ++k) step[k - 1] = plan.nest.stride[k][column] == 0 ? 0 : 1;
  for (int64_t r = 0; r < rows; ++r) {
    const int64_t i = row < 0 ? 0 : r;
    for (int k = 1; k < plan.count; ++k) x[k - 1] = at[k] + (i == 0 ? 0 : i * plan.nest.stride[k][row]);
    args.row(at[0] + (i == 0 ? 0 : i * plan.nest.stride[0][row]), x, step, columns, args.p);
  }
}

// Where a block of an operand or of y starts, and how it is walked, in bytes.
struct Block {
  char* at;
  int64_t row, column;
  bool contiguous, repeated;
};

Block block_of(const Plan& plan, const Bases& at, int k, int64_t r0, int64_t c0, int64_t rows, int64_t columns) {
  const int64_t width = plan.args->width[k];
  const int last = plan.nest.ndim - 1;
  const int64_t row = last > 0 ? plan.nest.stride[k][last - 1] : 0;
  const int64_t column = plan.nest.stride[k][last];
  return {at[k] + r0 * row + c0 * column, row, column,
          (column == width || columns == 1) && (rows == 1 || row == width * columns),
          (column == 0 || columns == 1) && (row == 0 || rows == 1)};
}

// Tiles: operands that are not contiguous over rows x columns are gathered, y is scattered.
void run_tiles(const Plan& plan, const Bases& at, int64_t rows, int64_t columns) {
  const ElementwiseArgs& args = *plan.args;
  alignas(64) char buffers[kMaxOperands + 1][kTile * 8];
  const char* gathered[kMaxOperands + 1] = {};  // what a buffer holds, so that a repeated row is gathered once
  int64_t gathered_rows = 0, gathered_columns = 0;
  for (int64_t r0 = 0; r0 < rows; r0 += plan.tile_rows) {
    const int64_t m = std::min(plan.tile_rows, rows - r0);
    for (int64_t c0 = 0; c0 < columns; c0 += plan.tile_columns) {
      const int64_t n = std::min(plan.tile_columns, columns - c0);
      if (m != gathered_rows || n != gathered_columns)
        for (const char*& g : gathered) g = nullptr;
      gathered_rows = m;
      gathered_columns = n;
      const Block y = block_of(plan, at, 0, r0, c0, m, n);
      const void* x[kMaxOperands];
      int64_t step[kMaxOperands];
      for (int k = 1; k < plan.count; ++k) {
        const int64_t width = args.width[k];
        const Block b = block_of(plan, at, k, r0, c0, m, n);
        x[k - 1] = b.at;
        step[k - 1] = b.repeated ? 0 : 1;
        if (b.repeated || b.contiguous) continue;
        if (gathered[k] != b.at) move_block(width, buffers[k], width * n, width, b.at, b.row, b.column, m, n);
        gathered[k] = b.at;
        x[k - 1] = buffers[k];
      }
      // A copy needs no row function: a tile of x, gathered so that whole lines are read, goes to y as it is.
      const bool moves = args.same && step[0] == 1 && !y.contiguous;
      if (!moves) args.row(y.contiguous ? y.at : buffers[0], x, step, m * n, args.p);
      const int64_t width = args.width[0];
      if (!y.contiguous)
        move_block(width, y.at, y.row, y.column, moves ? static_cast<const char*>(x[0]) : buffers[0], width * n, width,
                   m, n);
    }
  }
}

void run_units(const Plan& plan, int64_t begin, int64_t end) {
  const Nest& nest = plan.nest;
  const int outer = nest.ndim > 2 ? nest.ndim - 2 : 0;
  for (int64_t unit = begin; unit < end; ++unit) {
    int64_t rest = unit;
    const int64_t c0 = rest % plan.column_units * plan.unit_columns;
    rest /= plan.column_units;
    const int64_t r0 = rest % plan.row_units * plan.unit_rows;
    rest /= plan.row_units;
    Bases at;
    for (int k = 0; k < plan.count; ++k) {
      at[k] = plan.base[k] + c0 * nest.stride[k][nest.ndim - 1];
      if (nest.ndim > 1) at[k] += r0 * nest.stride[k][nest.ndim - 2];
    }
    for (int d = outer - 1; d >= 0; --d) {
      const int64_t i = rest % nest.shape[d];
      rest /= nest.shape[d];
      for (int k = 0; k < plan.count; ++k) at[k] += i * nest.stride[k][d];
    }
    const int64_t rows = std::min(plan.unit_rows, plan.rows - r0);
    const int64_t columns = std::min(plan.unit_columns, plan.columns - c0);
    if (plan.straight)
      run_straight(plan, at, rows, columns);
    else
      run_tiles(plan, at, rows, columns);
  }
}

void run_strided(const ElementwiseArgs& args) {
  Plan plan;
  plan.args = &args;
  plan.count = args.operands + 1;
  plan.base[0] = static_cast<char*>(args.y);
  for (int k = 0; k < args.operands; ++k)
    plan.base[k + 1] = static_cast<char*>(const_cast<void*>(args.x[k] != nullptr ? args.x[k] : &args.immediate[k]));
  Nest& nest = plan.nest;
  simplify(args, nest);
  if (nest.ndim == 0) {  // one element
    nest.ndim = 1;
    nest.shape[0] = 1;
    for (int k = 0; k < plan.count; ++k) nest.stride[k][0] = 0;
    nest.stride[0][0] = args.width[0];
  }
  const int last = nest.ndim - 1;
  plan.straight = nest.stride[0][last] == args.width[0] && (nest.shape[last] >= kShortRow || nest.ndim == 1);
  bool transposed = false;
  for (int k = 0; k < plan.count; ++k) {
    const int64_t inner = nest.stride[k][last];
    if (inner == args.width[k] || (k > 0 && inner == 0)) continue;
    plan.straight = false;
    // An operand that is contiguous along another dimension: that one becomes the rows, and blocks of it are gathered.
    for (int d = 0; d < last && !transposed; ++d)
      if (nest.stride[k][d] == args.width[k]) {
        swap_dims(nest, plan.count, d, last - 1);
        transposed = true;
      }
  }
  plan.columns = nest.shape[last];
  plan.rows = nest.ndim > 1 ? nest.shape[last - 1] : 1;
  plan.tile_columns = transposed ? kBlockColumns : std::min(plan.columns, kTile);
  plan.tile_rows = transposed ? kBlockRows : kTile / plan.tile_columns;
  plan.unit_columns = std::min(plan.columns, kGrain);
  plan.unit_rows = std::min(plan.rows, std::max(kGrain / plan.unit_columns, transposed ? kBlockRows : int64_t{1}));
  plan.column_units = ceil_div(plan.columns, plan.unit_columns);
  plan.row_units = ceil_div(plan.rows, plan.unit_rows);
  int64_t units = plan.column_units * plan.row_units;
  for (int d = 0; d < nest.ndim - 2; ++d) units *= nest.shape[d];
  const int64_t grain = std::max(int64_t{1}, kGrain / (plan.unit_rows * plan.unit_columns));
  if (units <= grain)
    run_units(plan, 0, units);
  else
    parallel_for(units, grain, [&plan](int64_t begin, int64_t end) { run_units(plan, begin, end); });
}

}  // namespace

void run_elementwise(const ElementwiseArgs& args) {
  if (args.n == 0) return;
  if (!args.flat) return run_strided(args);
  const void* x[kMaxOperands];
  for (int k = 0; k < args.operands; ++k) x[k] = args.x[k] != nullptr ? args.x[k] : &args.immediate[k];
  if (args.n <= kGrain) return args.row(args.y, x, args.step, args.n, args.p);
  parallel_for(args.n, kGrain, [&](int64_t begin, int64_t end) {
    const void* from[kMaxOperands];
    for (int k = 0; k < args.operands; ++k)
      from[k] = static_cast<const char*>(x[k]) + begin * args.step[k] * args.width[k + 1];
    args.row(static_cast<char*>(args.y) + begin * args.width[0], from, args.step, end - begin, args.p);
  });
}

}  // namespace chainrule
