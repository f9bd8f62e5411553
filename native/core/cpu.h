// The choice among the tables of kernels: the best this CPU runs, or what CHAINRULE_CPU names.
#pragma once

namespace chainrule {

// Null, or why CHAINRULE_CPU cannot be obeyed; kernels() then serves the CPU's best.
const char* capability_error();

}  // namespace chainrule
