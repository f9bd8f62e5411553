// What LAPACK would take from Fortran's run time library, so that nothing but the C library is needed.
#include <cstddef>
#include <cstring>

extern "C" {

// Told of a wrong argument, the original prints and Fortran's own version stops the process. The bindings let no wrong
// argument through; what is found nevertheless comes back as a negative `info`.
void xerbla_(const char*, const int*, size_t) {}

// dest = a // b, cut or padded with blanks: how ilaenv's callers join option letters.
void _gfortran_concat_string(size_t size, char* dest, size_t size_a, const char* a, size_t size_b, const char* b) {
  const size_t from_a = size_a < size ? size_a : size;
  std::memcpy(dest, a, from_a);
  const size_t from_b = size_b < size - from_a ? size_b : size - from_a;
  std::memcpy(dest + from_a, b, from_b);
  std::memset(dest + from_a + from_b, ' ', size - from_a - from_b);
}

}  // extern "C"
