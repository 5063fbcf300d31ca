#!/bin/sh
# Builds the fuzz target of the request decoder and runs it for so many seconds, as root.
# Usage: run.sh SECONDS [OPTION OF LIBFUZZER...], or run.sh 0 FILE to see again what an input does.
# What it finds stays in the directory that it names; the inputs it learnt stay in dist/fuzz/corpus.
set -eu
cd "$(dirname "$0")/../.."
project=$PWD
corpus=$project/dist/fuzz/corpus
seconds=$1
shift
make -s -j 2 -f test/fuzz/build.mk
mkdir -p "$corpus"
dist/fuzz/make_seeds "$corpus"

# The jail's root is nobody here: what it reads and writes has to be everybody's.
work=$(mktemp -d /tmp/imafs-fuzz-XXXXXX)
cp dist/fuzz/request_decoder "$work/"
cp -r "$corpus" "$work/corpus"
if [ "$seconds" = 0 ]; then cp "$1" "$work/input"; fi
chmod -R a+rwX "$work"
cd "$work"
status=0
if [ "$seconds" = 0 ]; then
  ./request_decoder input || status=$?
else
  ./request_decoder -max_total_time="$seconds" -max_len=4096 -timeout=25 -rss_limit_mb=2048 \
    -malloc_limit_mb=64 -handle_xfsz=0 -print_final_stats=1 "$@" corpus || status=$?
fi
cd "$project"
find "$work/corpus" -type f -exec cp -n -t "$corpus" {} +
if [ "$status" -ne 0 ]; then
  echo "found something: $work"
  exit "$status"
fi
rm -r "$work"
