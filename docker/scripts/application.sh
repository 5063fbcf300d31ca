#!/bin/sh
# Stands for an application: reads the texts of a directory, runs its programs, says what came of each, and
# stays until it is told to end. Usage: application.sh DIRECTORY
set -u
cd "${1:?}" || exit 2

told() { # WHAT COMMAND...
  what=$1
  shift
  if "$@" >/dev/null 2>&1; then echo "$what: ok"; else echo "$what: refused"; fi
}

for text in *.txt; do told "read $text" cat "$text"; done
for program in *.sh; do told "run $program" "./$program"; done
echo 'done'

trap 'exit 0' TERM INT
sleep infinity &
wait
