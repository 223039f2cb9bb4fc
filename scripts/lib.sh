# What the scripts share: where things are, how they speak, how they build. Sourced by bash, never run.
# shellcheck shell=bash
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

say() { printf '\033[1m%s\033[0m\n' "$*" >&2; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }

# Copies its input to a log file and shows it as progress: on one line of a terminal, every 50th line elsewhere.
follow() { # log
  local line count=0
  while IFS= read -r line; do
    printf '%s\n' "$line" >>"$1"
    if [ -t 2 ]; then printf '\r\033[K%.78s' "$line" >&2
    elif ((++count % 50 == 0)); then printf '  %.118s\n' "$line" >&2; fi
  done
  if [ -t 2 ]; then printf '\r\033[K' >&2; fi
}

# Compilers to run at once: one per core, as far as there is memory for them.
jobs() {
  awk -v cores="$(nproc)" '/^MemAvailable:/ {n = int($2 / 1500000); print n < 1 ? 1 : n < cores ? n : cores}' /proc/meminfo
}

# Configures (when it was not yet) and builds one preset; of two calls at once the second waits.
build() { # preset [target]
  say "building preset $1"
  mkdir -p build
  (
    flock 9
    [ "build/$1/build.ninja" -nt CMakePresets.json ] || cmake --preset "$1" || exit
    cmake --build --preset "$1" --target "${2:-all}" --parallel "$(jobs)"
  ) 9>"build/.lock-$1" || die "the build of preset $1 failed"
}
