// The native tests' main, and tests of what has no file of its own.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <cstdlib>
#include <cstring>

#include "blas/openblas.h"
#include "core/cpu.h"
#include "kernels/table.h"

using namespace chainrule;

TEST_CASE("a capability is chosen") {
  CHECK(std::strlen(capability()) > 0);
  CHECK(&kernels() == &kernels());
  const char* wanted = std::getenv("CHAINRULE_CPU");
  if (wanted != nullptr && capability_error() == nullptr) CHECK(std::strcmp(wanted, capability()) == 0);
}

TEST_CASE("OpenBLAS names its core") { CHECK(std::strlen(openblas_core()) > 0); }

int main(int argc, char** argv) {
  restore_openblas_environment();
  return doctest::Context(argc, argv).run();
}
