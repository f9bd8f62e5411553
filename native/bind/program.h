// Programs of one isolate, by number, with references that keep the memory they point to.
#pragma once
#include <node_api.h>

#include <memory>
#include <unordered_map>
#include <vector>

#include "core/program.h"

namespace chainrule {

class Call;

struct BoundProgram {
  // Shared with whoever runs it on another thread; freed with the last of them, while its memory is kept by this.
  std::shared_ptr<Program> program = std::make_shared<Program>();

  struct Kept {
    napi_ref array;
    int64_t length;
  };
  // Typed arrays that the calls point into, by address.
  std::unordered_map<const char*, Kept> kept;
};

// A program's number is its place; freed ones are null.
using Programs = std::vector<std::unique_ptr<BoundProgram>>;

// The program whose number is in slot 0; fails and returns null where there is none.
BoundProgram* program_of(Call& call);

// Gives up all programs of an isolate that ends.
void free_programs(napi_env env, Programs& programs);

}  // namespace chainrule
