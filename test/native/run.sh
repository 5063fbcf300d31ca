#!/bin/sh
# Builds and runs every *_test.cpp beside this script (or only those named), as root. Each names the
# native sources it needs in a line "// needs: a.cpp b.cpp". SANITIZE=address (with undefined
# behaviour) or thread: with those checks. Ends with "N passed, N failed" and non-zero on any failure.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
native=$here/../../native
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
flags='-std=c++20 -Wall -Wextra -Werror -O1 -pthread'
case ${SANITIZE:-} in
  address) flags="$flags -g -fsanitize=address,undefined -fno-sanitize-recover=all" ;;
  thread) flags="$flags -g -fsanitize=thread" ;;
esac
[ $# -gt 0 ] || set -- "$here"/*_test.cpp

passed=0
failed=0
for test in "$@"; do
  name=$(basename "$test" .cpp)
  sources=$(sed -n 's|^// needs: ||p' "$test" | tr ' ' '\n' | sed "s|^|$native/|")
  echo "$name"
  # shellcheck disable=SC2086
  if ! ${CXX:-g++} $flags -I"$native" "$test" $sources -o "$work/$name"; then
    failed=$((failed + 1))
    continue
  fi
  # A crash must not pass for a result: then the last line is no pair of numbers.
  "$work/$name" > "$work/output" 2>&1 || true
  counts=$(tail -n 1 "$work/output" | sed -n 's/^\([0-9]* [0-9]*\)$/\1/p')
  if [ -n "$counts" ]; then
    sed '$d' "$work/output"
  else
    cat "$work/output"
    echo '  FAILED ended before its last test'
  fi
  counts=${counts:-0 1}
  passed=$((passed + ${counts% *}))
  failed=$((failed + ${counts#* }))
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
