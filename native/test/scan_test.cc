// Running sums and the like against plain loops; threads and length change nothing.
#include <doctest/doctest.h>
