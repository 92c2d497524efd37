#!/bin/bash
# soak.sh LIBFUZZER-PROGRAM CORPUS: fuzz for $FOCAL_SOAK_SECONDS (60). New inputs go to a directory beside the program,
# a crashing one to crash-* there; the kept corpus is only read.
set -eu
program=$1 corpus=$2
found=$program.found
mkdir -p "$found"
dirs=("$found")
[[ ! -d $corpus ]] || dirs+=("$corpus")
exec "$program" -max_total_time="${FOCAL_SOAK_SECONDS:-60}" -timeout=10 -rss_limit_mb=1024 -max_len=65536 \
    -print_final_stats=1 -artifact_prefix="$found/" "${dirs[@]}"
