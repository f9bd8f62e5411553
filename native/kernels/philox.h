// Philox4x32-10, the counter-based generator (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3").
//
// Block i of a call is the cipher of counter + i, four words; what an element gets depends on key, counter and its
// place alone.
#pragma once
#include "kernels/capability.h"
//
#include <stdint.h>

namespace chainrule::CHAINRULE_CAPABILITY {
namespace {

struct Philox {
  uint32_t key0, key1;
  uint64_t counter;

  explicit Philox(const uint32_t* state)
      : key0(state[0]), key1(state[1]), counter(state[2] | static_cast<uint64_t>(state[3]) << 32) {}
};

// Ten rounds over the counter c, in place.
[[gnu::always_inline]] inline void encrypt(uint32_t (&c)[4], uint32_t k0, uint32_t k1) {
#pragma GCC unroll 10
  for (int round = 0; round < 10; ++round) {
    const uint64_t product0 = uint64_t{0xD2511F53} * c[0], product1 = uint64_t{0xCD9E8D57} * c[2];
    c[0] = static_cast<uint32_t>(product1 >> 32) ^ c[1] ^ k0;
    c[1] = static_cast<uint32_t>(product1);
    c[2] = static_cast<uint32_t>(product0 >> 32) ^ c[3] ^ k1;
    c[3] = static_cast<uint32_t>(product0);
    k0 += 0x9E3779B9;
    k1 += 0xBB67AE85;
  }
}

// Blocks [first, first + count) as 4 * count words. `attempt` is the third word of the counter: 0, or how often an
// integer has been drawn again.
void philox_blocks(const Philox& p, uint64_t first, int64_t count, uint32_t attempt, uint32_t* words) {
  for (int64_t b = 0; b < count; ++b) {
    const uint64_t counter = p.counter + first + static_cast<uint64_t>(b);
    uint32_t c[4] = {static_cast<uint32_t>(counter), static_cast<uint32_t>(counter >> 32), attempt, 0};
    encrypt(c, p.key0, p.key1);
    for (int i = 0; i < 4; ++i) words[4 * b + i] = c[i];
  }
}

void advance(uint32_t* state, int64_t blocks) {
  const uint64_t counter = (state[2] | static_cast<uint64_t>(state[3]) << 32) + static_cast<uint64_t>(blocks);
  state[2] = static_cast<uint32_t>(counter);
  state[3] = static_cast<uint32_t>(counter >> 32);
}

// A number below n without bias (Lemire 2019): `word` is drawn again, from the same place of the same block at the next
// attempt, while its product falls into the 2^32 mod n leftover values.
uint64_t below(uint64_t n, uint32_t leftover, uint32_t word, const Philox& p, uint64_t place) {
  uint64_t product = word * n;
  for (uint32_t attempt = 1; static_cast<uint32_t>(product) < leftover; ++attempt) {
    uint32_t words[4];
    philox_blocks(p, place / 4, 1, attempt, words);
    product = words[place % 4] * n;
  }
  return product >> 32;
}

uint32_t leftover_of(uint64_t n) { return static_cast<uint32_t>((uint64_t{1} << 32) % n); }

}  // namespace
}  // namespace chainrule::CHAINRULE_CAPABILITY
