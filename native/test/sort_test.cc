// Sorting, picking by rank and binary search against plain loops.
#include <doctest/doctest.h>
