#!/bin/sh
# Entry point of the daemon's image: serves $IMAFS_BACKING at $IMAFS_MOUNTPOINT until the container is
# stopped. $IMAFS_OPTIONS and the words of the command are options of `imafs mount`.
set -eu
backing=${IMAFS_BACKING:?} mountpoint=${IMAFS_MOUNTPOINT:?}

# A predecessor that was killed left its mount on the host, and so in here.
if grep -q " $mountpoint " /proc/self/mountinfo && ! ls "$mountpoint" >/dev/null 2>&1; then
  imafs umount "$mountpoint"
fi
mkdir -p "$mountpoint"
# What lies below the mount is what other containers see, judged by nobody, once the daemon has ended.
if [ -n "$(ls -A "$mountpoint")" ]; then
  echo "imafs: $mountpoint is not empty" >&2
  exit 6
fi

# Whoever is root in this container is the system's root: PID 1 is the host's, in another mount namespace.
exec imafs mount --foreground -o system_ns=self ${IMAFS_OPTIONS:+-o "$IMAFS_OPTIONS"} "$@" \
  -- "$backing" "$mountpoint"
