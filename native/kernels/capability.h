// Every file in kernels/ is compiled once per CPU capability, with CHAINRULE_CAPABILITY naming the namespace it fills.
#pragma once

#define CHAINRULE_JOIN2(a, b) a##b
#define CHAINRULE_JOIN(a, b) CHAINRULE_JOIN2(a, b)

// xsimd's inline functions get a namespace per capability too: the linker must never serve an AVX-512 copy of one of
// them to the baseline build.
#define xsimd CHAINRULE_JOIN(xsimd_, CHAINRULE_CAPABILITY)
