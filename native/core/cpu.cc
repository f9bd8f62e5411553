// Chooses the table of kernels once per process.
#include "core/cpu.h"

#include <cstdlib>
#include <cstring>
#include <string>

#include "kernels/table.h"

namespace chainrule {

#if defined(__x86_64__)
namespace baseline {
void fill_table(Table& table);
}
namespace avx2 {
void fill_table(Table& table);
}
namespace avx512 {
void fill_table(Table& table);
}
#elif defined(__aarch64__)
namespace neon {
void fill_table(Table& table);
}
#else
namespace baseline {
void fill_table(Table& table);
}
#endif

namespace {

struct Capability {
  const char* name;
  void (*fill_table)(Table& table);
  bool supported;
};

struct Choice {
  const char* name = nullptr;
  Table table{};
  std::string error;

  // Best first; the last runs everywhere. The names and their flags are those of native/config.js.
  Choice() {
#if defined(__x86_64__)
    __builtin_cpu_init();
    const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2");
    const bool avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
                        __builtin_cpu_supports("avx512cd");
    const Capability capabilities[] = {{"avx512", avx512::fill_table, avx512},
                                       {"avx2", avx2::fill_table, avx2},
                                       {"baseline", baseline::fill_table, true}};
#elif defined(__aarch64__)
    const Capability capabilities[] = {{"neon", neon::fill_table, true}};
#else
    const Capability capabilities[] = {{"baseline", baseline::fill_table, true}};
#endif
    const char* wanted = std::getenv("CHAINRULE_CPU");
    if (wanted != nullptr && *wanted == '\0') wanted = nullptr;
    const Capability* chosen = nullptr;
    std::string supported;
    for (const Capability& c : capabilities) {
      if (!c.supported) continue;
      supported += supported.empty() ? c.name : std::string(", ") + c.name;
      const bool match = wanted == nullptr || std::strcmp(wanted, c.name) == 0;
      if (match && chosen == nullptr) chosen = &c;
    }
    if (chosen == nullptr) {
      error = "[native] expected CHAINRULE_CPU to name what this CPU can run (" + supported + "), got '" + wanted +
              "'; unset it to get the best";
      for (const Capability& c : capabilities)
        if (c.supported && chosen == nullptr) chosen = &c;
    }
    name = chosen->name;
    chosen->fill_table(table);
  }
};

const Choice& choice() {
  static const Choice c;
  return c;
}

}  // namespace

const Table& kernels() { return choice().table; }
const char* capability() { return choice().name; }
const char* capability_error() { return choice().error.empty() ? nullptr : choice().error.c_str(); }

}  // namespace chainrule
