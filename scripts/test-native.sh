#!/usr/bin/env bash
# The native tests, or with a sanitizer (address,undefined or thread) an instrumented build of them and of the addon: that runs
# under the op sweeps or, with thread, under what computes on several threads; under the tests named after it alone.
set -euo pipefail
cd "$(dirname "$0")/.."

# Below a build/ of its own: CHAINRULE_PREBUILD=build-asan looks in build-asan/build/Release.
sanitized() {
  local folder=$1 targets=$2
  shift 2
  for target in $targets; do
    node_modules/.bin/cmake-js build --parallel "${JOBS:-2}" --log-level error --out "$folder/build" --target "$target" \
      --CDSANITIZE="$1" --CDCMAKE_BUILD_TYPE=RelWithDebInfo
  done
}

case ${1:-} in
  '')
    scripts/build-native.sh native-tests
    exec build/native-tests
    ;;
  address,undefined)
    sanitized build-asan 'chainrule native-tests' "$1"
    export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
    shift
    [ $# -gt 0 ] || ASAN_OPTIONS=detect_leaks=${CHAINRULE_LEAKS:-1}:fast_unwind_on_malloc=0 build-asan/build/native-tests
    [ $# -gt 0 ] || set -- test/ops test/core test/fuzz/bindings.test.ts
    # Node itself is not instrumented: its leaks are not ours to find. An allocation that is refused must come back as an
    # error, as it does without the sanitizer. Freed memory waits in quarantine here, so resident memory says nothing.
    exec env LD_PRELOAD="$(gcc -print-file-name=libasan.so)" CHAINRULE_SANITIZED=1 \
      ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1 CHAINRULE_PREBUILD="$PWD/build-asan" \
      node node_modules/vitest/vitest.mjs run "$@" --exclude test/core/memory-flat.test.ts
    ;;
  thread)
    sanitized build-tsan 'native-tests chainrule' "$1"
    shift
    [ $# -gt 0 ] || TSAN_OPTIONS=halt_on_error=1 build-tsan/build/native-tests
    [ $# -gt 0 ] || set -- test/capture/async.test.ts test/capture/processes.test.ts test/serve test/workers \
      test/data/workers.test.ts test/data/worker-faults.test.ts
    # Node itself is not instrumented: only the addon's own memory accesses count, and all of them do. A race is exit code 66.
    exec env LD_PRELOAD="$(gcc -print-file-name=libtsan.so)" CHAINRULE_SANITIZED=thread \
      TSAN_OPTIONS=halt_on_error=1:ignore_noninstrumented_modules=1 CHAINRULE_PREBUILD="$PWD/build-tsan" \
      node node_modules/vitest/vitest.mjs run "$@"
    ;;
  *)
    echo "[test:native] expected address,undefined or thread, got $1" >&2
    exit 1
    ;;
esac
