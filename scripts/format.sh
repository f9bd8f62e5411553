#!/usr/bin/env bash
# Formats TypeScript and C++, or with --check only says what is not.
set -euo pipefail
cd "$(dirname "$0")/.."
sources() { find native -name '*.h' -o -name '*.cc'; }
if [ "${1:-}" = --check ]; then
  node_modules/.bin/biome format .
  sources | xargs clang-format --dry-run -Werror
else
  node_modules/.bin/biome format --write .
  sources | xargs clang-format -i
fi
