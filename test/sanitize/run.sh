#!/usr/bin/env bash
# Runs the native tests and those on real mounts with sanitizers, as root: `address` (with undefined
# behaviour) and `thread`, each with an addon and a node of its own below dist/sanitize. Any report of a
# sanitizer is a failure, whatever the tests say; planted bugs show first that there would be one.
# Usage: run.sh [address|thread]... [-- PART OF A TEST FILE'S NAME...]
set -euo pipefail
cd "$(dirname "$0")/../.."
project=$PWD

# What is undefined is a trap, which libasan reports; libubsan beside it would not write to the file.
declare -A flags=(
  [address]='-fsanitize=address,undefined -fsanitize-undefined-trap-on-error'
  [thread]='-fsanitize=thread'
)
# What a sanitizer finds ends the process, and is left in a file. Leaks of memory and of threads are
# not looked for: node leaves what it has to the kernel, and so does the daemon, which process.exit()
# ends while its threads wait for work. Node itself is not instrumented, so what threads do to each other
# is known only where it is the addon that does it. Where a test wants an older kernel,
# helpers/programs/old-kernel.c comes before the sanitizer's library, and libasan is to bear it.
common='halt_on_error=1:exitcode=99:log_path=REPORTS/report'
threads='report_thread_leaks=0:ignore_noninstrumented_modules=1:second_deadlock_stack=1'
declare -A options=(
  [address]="ASAN_OPTIONS=$common:verify_asan_link_order=0:detect_leaks=0:handle_sigill=1:handle_abort=1"
  [thread]="TSAN_OPTIONS=$common:$threads"
)

# A project below dist/sanitize, the same but for its addon, and its node: that begins with the
# sanitizer's library, as it must. LD_PRELOAD would do so too, and reach every program that is started.
stage() { # KIND
  local stage=dist/sanitize/$1 step node library
  mkdir -p "$stage/native" "$stage/dist"
  find "$stage/native" -maxdepth 1 -type f -delete
  cp -p native/*.cpp native/*.hpp native/binding.gyp "$stage/native/"
  cp package.json "$stage/"
  ln -sfn ../../../test "$stage/test"
  rm -rf "${stage:?}/dist"/*
  cp -r dist/src dist/test "$stage/dist/"
  for step in configure build; do
    # shellcheck disable=SC2046
    CXXFLAGS="${flags[$1]} -g -fno-omit-frame-pointer" LDFLAGS=${flags[$1]} \
      node_modules/.bin/node-gyp "$step" --silent -j 2 -C "$stage/native" $(.ci/node-headers)
  done
  node=$(node -p process.execPath)
  library=$(readelf -d "$stage/native/build/Release/imafs.node" |
    sed -n 's/.*NEEDED.*\[\(lib[at]san\..*\)\]/\1/p')
  cp "$node" "$stage/node"
  patchelf --add-needed "$library" "$stage/node"
  # shellcheck disable=SC2086
  g++ -shared -fPIC -std=c++20 -O1 -g ${flags[$1]} test/sanitize/planted.cpp -o "$stage/planted.so"
}

# Words before a command of a kind: its options, and for threads no randomness in the address space,
# of which libtsan bears only so much.
within() { # KIND
  local words=(env)
  # shellcheck disable=SC2206
  words+=(${options[$1]//REPORTS/$reports})
  [[ $1 != thread ]] || words=(setarch --addr-no-randomize "${words[@]}")
  printf '%s\n' "${words[@]}"
}

# A bug of each sort, in a library that the staged node loads: each must be reported.
demand_reports() { # KIND
  local kind=$1 bug
  declare -A planted=([address]='overflow undefined' [thread]='race')
  for bug in ${planted[$kind]}; do
    "${command[@]}" "IMAFS_PLANTED=$bug" "dist/sanitize/$kind/node" \
      -e 'process.dlopen({ exports: {} }, process.argv[1])' "$project/dist/sanitize/$kind/planted.so" \
      >/dev/null 2>&1 || true
    if ! grep -rqs "planted.cpp" "$reports"; then
      echo "FAIL  $kind: nobody noticed the planted $bug"
      exit 1
    fi
    rm -f "$reports"/*
    echo "ok    $kind: the planted $bug is reported"
  done
}

main() { # [KIND]... [-- PART...]
  local kinds=() parts=(native test/mount/ test/posix/) kind failed=0
  while [[ $# -gt 0 && $1 != -- ]]; do kinds+=("$1") && shift; done
  if [[ $# -gt 1 ]]; then parts=("${@:2}"); fi
  [[ ${#kinds[@]} -gt 0 ]] || kinds=(address thread)
  for kind in "${kinds[@]}"; do
    stage "$kind"
    reports=$(mktemp -d "/tmp/imafs-$kind-reports-XXXXXX")
    chmod 1777 "$reports" # tests have daemons of several users
    mapfile -t command < <(within "$kind")
    demand_reports "$kind"
    "${command[@]}" "SANITIZE=$kind" IMAFS_TEST_SLOWNESS=10 IMAFS_TEST_EXEC_ROUNDS=1000 \
      IMAFS_TEST_RACE_ROUNDS=300 \
      "dist/sanitize/$kind/node" "dist/sanitize/$kind/dist/test/run-tests.js" "${parts[@]}" ||
      failed=1
    if [[ -n $(ls "$reports") ]]; then
      cat "$reports"/*
      echo "failed: $kind: reports of the sanitizer, kept in $reports"
      failed=1
    else
      rmdir "$reports"
      echo "$kind: no report"
    fi
  done
  exit "$failed"
}

main "$@"
