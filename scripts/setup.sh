#!/usr/bin/env bash
# Makes a clone ready: system packages, npm packages, the addon, dist/. Does only what is missing, says one line per real
# step, all of it on stderr. `--ci` adds what the checks need.
set -euo pipefail
exec 1>&2
cd "$(dirname "$0")/.."

say() { echo "setup: $*"; }
die() {
  say "$*"
  exit 1
}
# quietly LABEL COMMAND...: the output is shown only when the command fails.
quietly() {
  local label=$1 log status=0
  shift
  log=$(mktemp)
  "$@" >"$log" 2>&1 </dev/null || status=$?
  [ $status -eq 0 ] || cat "$log"
  rm -f "$log"
  [ $status -eq 0 ] || die "$label failed: $*"
}

# A test run and a demo may start at the same time.
mkdir -p build
if [ "${CHAINRULE_SETUP_LOCKED:-}" != 1 ] && command -v flock >/dev/null; then
  CHAINRULE_SETUP_LOCKED=1 exec flock build/.setup.lock "$0" "$@"
fi

# 1. System packages.
case $(uname -m) in
  x86_64) triplet=x86_64-linux-gnu ;;
  aarch64 | arm64) triplet=aarch64-linux-gnu ;;
  *) triplet=none ;;
esac
missing=()
has() { command -v "$1" >/dev/null; }
header() { [ -e "/usr/include/$1" ] || [ -e "/usr/local/include/$1" ] || { has g++ && echo "#include <$1>" | g++ -E -x c++ - >/dev/null 2>&1; }; }
has g++ || missing+=(g++)
has make || missing+=(make)
has cmake || missing+=(cmake)
[ -e "${CHAINRULE_OPENBLAS_LIBRARY:-/usr/lib/$triplet/openblas-pthread/libopenblas.a}" ] || missing+=(libopenblas-pthread-dev)
header xsimd/xsimd.hpp || missing+=(libxsimd-dev)
header doctest/doctest.h || missing+=(doctest-dev)
if [ "${1:-}" = --ci ]; then
  has clang-format || missing+=(clang-format)
  has python3 || missing+=(python3)
  has git || missing+=(git)
fi
if [ ${#missing[@]} -gt 0 ]; then
  has apt-get || die "needs ${missing[*]} (Debian's names) and there is no apt-get here; install them, or for OpenBLAS" \
    "point CHAINRULE_OPENBLAS_LIBRARY and CHAINRULE_OPENBLAS_INCLUDE at its static pthread build, then try again"
  root=()
  if [ "$(id -u)" -ne 0 ]; then
    has sudo || die "needs ${missing[*]}; as root: apt-get install ${missing[*]}"
    root=(sudo)
    [ -t 2 ] || root=(sudo -n)
  fi
  say "installing ${missing[*]}"
  update=("${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -qq)
  install=("${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends
    -o Dpkg::Use-Pty=0 "${missing[@]}")
  if ! compgen -G '/var/lib/apt/lists/*Packages*' >/dev/null; then
    quietly 'reading package lists' "${update[@]}"
    quietly 'installing packages' "${install[@]}"
  elif ! "${install[@]}" >/dev/null 2>&1 </dev/null; then
    # Lists that are there may be too old.
    quietly 'reading package lists' "${update[@]}"
    quietly 'installing packages' "${install[@]}"
  fi
fi

# 2. npm packages, exactly as locked; npm ci never writes the lock file.
if [ ! -e node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
  say 'installing npm packages'
  quietly 'npm ci' npm ci --no-audit --no-fund --loglevel=error
  touch node_modules/.package-lock.json
fi

# Whether anything among the paths is newer than the stamp, a folder that lost a file included.
changed() {
  local stamp=$1
  shift
  [ ! -e "$stamp" ] || [ -n "$(find "$@" -newer "$stamp" -print -quit)" ]
}

# 3. The addon.
stamp=build/.setup-native
if [ ! -e build/Release/chainrule.node ] ||
  changed $stamp native/addon.cc native/bind native/blas native/core native/kernels native/sources.txt native/config.js \
    native/exports.map CMakeLists.txt; then
  say 'compiling the addon'
  touch $stamp.new
  quietly 'compiling' npm run --silent build:native
  mv $stamp.new $stamp
fi

# 4. dist/.
stamp=build/.setup-ts
if [ ! -e dist/lib ] || changed $stamp lib tsconfig.json tsconfig.build.json; then
  say 'compiling lib/ to dist/'
  touch $stamp.new
  quietly 'compiling' npm run --silent build:ts
  mv $stamp.new $stamp
fi
