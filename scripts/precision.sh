#!/usr/bin/env bash
# `npm run precision [-- NAME...]`: float32 kernels on all 2^32 patterns against libm in double precision; a minute or two.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup.sh
scripts/build-native.sh native-precision
exec build/native-precision "$@"
