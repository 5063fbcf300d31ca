#!/bin/sh
# Shows, from the daemon's container, each activated namespace: its rules and its measurement list.
# Usage: show-lists.sh [MOUNTPOINT]
set -eu
control=${1:-${IMAFS_MOUNTPOINT:?}}/.ima

while read -r namespace; do
  echo "namespace $namespace: $(cat "$control/$namespace/runtime_measurements_count") measured"
  sed 's/^/  rule  /' "$control/$namespace/policy"
  sed 's/^/  list  /' "$control/$namespace/ascii_runtime_measurements"
done <"$control/namespaces"
