#!/bin/sh
# Runs one target from its corpus alone; quiet unless it finds something, which then lies in FOUND.
# Usage: run.sh PROGRAM CORPUS FOUND [libFuzzer option]...
program=$1 corpus=$2 found=$3
shift 3
mkdir -p "$found"
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
"$program" "$@" -timeout=20 -artifact_prefix="$found/$(basename "$program")-" "$scratch" "$corpus" >"$scratch.log" 2>&1
status=$?
[ "$status" = 0 ] && tail -n 2 "$scratch.log" || cat "$scratch.log"
rm -f "$scratch.log"
exit "$status"
