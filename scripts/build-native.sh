#!/usr/bin/env bash
# `npm run build:native [TARGET]`: cmake-js's build in build/; a second caller waits for the first.
set -euo pipefail
cd "$(dirname "$0")/.."
mkdir -p build
if [ "${CHAINRULE_BUILD_LOCKED:-}" != 1 ] && command -v flock >/dev/null; then
  CHAINRULE_BUILD_LOCKED=1 exec flock build/.build.lock "scripts/$(basename "$0")" "$@"
fi

# A build folder that came from elsewhere, or whose first configuration failed, is of no use.
if [ -e build/CMakeCache.txt ] && ! grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$PWD" build/CMakeCache.txt; then
  rm -rf build/CMakeCache.txt build/CMakeFiles
fi
[ -e build/build.ninja ] || [ -e build/Makefile ] || rm -f build/CMakeCache.txt
exec node_modules/.bin/cmake-js build --parallel "${JOBS:-2}" --log-level error --target "${1:-chainrule}"
