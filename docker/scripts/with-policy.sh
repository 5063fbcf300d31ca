#!/bin/sh
# Gives the mount namespace of this container an IMA with a policy of its own, then runs the application
# as user 1000, without capabilities and without a way to get any. Nothing runs if any of it fails.
# Usage: with-policy.sh CONTROL POLICY COMMAND...
set -eu
control=${1:?} policy=${2:?}
shift 2
echo 1 >"$control/active"
cat "$policy" >"$control/policy"
exec setpriv --reuid 1000 --regid 1000 --clear-groups --bounding-set=-all --inh-caps=-all \
  --no-new-privs -- "$@"
