#!/usr/bin/env bash
# `npm run fuzz [-- CALLS]`: 200,000 random calls of the public functions, as many broken ones of the raw bindings under the
# address and undefined-behaviour sanitizers, and 2,000 random captured steps. CHAINRULE_FUZZ_SEED=n takes other numbers.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup.sh
export CHAINRULE_FUZZ=${1:-200000}
node node_modules/vitest/vitest.mjs run test/fuzz
scripts/test-native.sh address,undefined test/fuzz/bindings.test.ts
