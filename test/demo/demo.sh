#!/usr/bin/env bash
# The main job, step by step: a file is refused in one mount namespace and served in another, and every
# access is in a measurement list that a TPM vouches for. The walk-through of the namespace patches of
# 2017, on a kernel without them. Takes seconds, leaves nothing mounted, and ends non-zero if any step
# differs from what it says.
set -euo pipefail
cd "$(dirname "$0")/../.."

[[ $(id -u) -eq 0 ]] || { echo 'the demo mounts file systems: run it as root' >&2; exit 10; }

work=$(mktemp -d "${TMPDIR:-/tmp}/imafs-demo-XXXXXX")
data=$work/data mnt=$work/mnt audit=$work/audit.log
tpm=swtpm:path=$work/tpm/sock
holders=()
swtpm=

imafs() { node "$PWD/dist/src/main.js" "$@"; }

clean_up() {
  local status=$?
  trap - EXIT
  # The namespaces hold the mounts too, so their processes go first.
  for pid in "${holders[@]}"; do kill "$pid" 2>/dev/null || true; done
  for pid in "${holders[@]}"; do wait "$pid" 2>/dev/null || true; done
  if mountpoint -q "$mnt" 2>/dev/null || [[ ! -e $mnt ]]; then
    imafs umount "$mnt" >/dev/null 2>&1 || umount -l "$mnt" 2>/dev/null || true
  fi
  umount "$data" 2>/dev/null || umount -l "$data" 2>/dev/null || true
  [[ -z $swtpm ]] || { kill "$swtpm" && wait "$swtpm"; } 2>/dev/null || true
  if grep -q " $work/" /proc/self/mountinfo; then
    echo "still mounted below $work" >&2
    status=1
  else
    rm -rf --one-file-system "$work"
  fi
  exit "$status"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

step=0
say() { step=$((step + 1)); printf '\n%d. %s\n' "$step" "$*"; }
show() { sed 's/^/   | /'; }
differs() { printf '\nDIFFERS: %s\n' "$*" >&2; exit 1; }

# Makes a mount namespace that a sleeping process keeps alive; its pid goes to $holder.
new_namespace() {
  local before
  before=$(readlink /proc/self/ns/mnt)
  unshare -m --propagation private sleep 600 &
  holder=$!
  holders+=("$holder")
  for _ in {1..100}; do
    [[ $(readlink "/proc/$holder/ns/mnt") != "$before" ]] && return
    sleep 0.05
  done
  differs 'unshare made no mount namespace'
}
number_of() { readlink "/proc/$1/ns/mnt" | tr -cd '0-9'; }
inside() { nsenter -t "$1" -m -- "${@:2}"; }

reads() { # PID NAME CONTENT
  local seen
  seen=$(inside "$1" cat "$mnt/hello" 2>&1) || differs "$2 cannot read the file: $seen"
  [[ $seen == "$3" ]] || differs "$2 read '$seen', not '$3'"
  echo "   $2 reads: $seen"
}
is_refused() { # PID NAME CAUSE
  local seen
  if seen=$(inside "$1" cat "$mnt/hello" 2>&1); then differs "$2 was served: $seen"; fi
  [[ $seen == *'Permission denied'* ]] || differs "$2 failed otherwise: $seen"
  echo "   $2 is refused: $seen"
  local record
  record=$(grep "mnt_ns=$(number_of "$1")" "$audit" | tail -n 1)
  [[ $record == *"cause=$3 "* ]] || differs "no audit record with cause=$3, but: $record"
  echo "   audit record:"
  echo "$record" | show
}

say "a TPM in software: swtpm, its PCRs at zero"
mkdir "$data" "$mnt" "$work/tpm"
swtpm socket --tpm2 --tpmstate "dir=$work/tpm" --flags not-need-init,startup-clear \
  --server "type=unixio,path=$work/tpm/sock" --ctrl "type=unixio,path=$work/tpm/sock.ctrl" \
  2>/dev/null &
swtpm=$!
for _ in {1..200}; do [[ -S $work/tpm/sock.ctrl ]] && break; sleep 0.05; done
tpm2_pcrread -T "$tpm" sha256:10 | show

say "a tmpfs with a file that belongs to user 71452"
mount -t tmpfs -o size=16m imafs-demo "$data"
echo 'hello, world' >"$data/hello"
chown 71452:71452 "$data/hello"
chmod 644 "$data/hello"
stat -c '%n: owner %u, mode %a' "$data/hello" | show

say "imafs mounts it, measures what is read, and extends PCR 10: imafs mount -o tpm=... $data $mnt"
echo 'measure func=FILE_CHECK mask=MAY_READ fowner=71452' >"$work/policy"
imafs mount -o "policy=$work/policy,tpm=$tpm,audit=$audit,state=$work/state,system_ns=self" \
  "$data" "$mnt"
grep " $mnt " /proc/self/mountinfo | show

say 'two mount namespaces, each as a container would have it'
new_namespace
one=$holder
new_namespace
two=$holder
echo "   one: mnt:[$(number_of "$one")]   two: mnt:[$(number_of "$two")]"
reads "$one" one 'hello, world'
reads "$two" two 'hello, world'

say 'namespace one gets an IMA of its own: its number goes to .ima/namespaces'
number_of "$one" >"$mnt/.ima/namespaces"
grep -qx "$(number_of "$one")" "$mnt/.ima/namespaces" || differs 'it is not listed'
show <"$mnt/.ima/namespaces"

say "... and a policy: .ima/$(number_of "$one")/policy"
printf 'appraise fsmagic=0x01021994 fowner=71452\nappraise func=MODULE_CHECK' \
  >"$mnt/.ima/$(number_of "$one")/policy"
[[ $(grep -c '^appraise' "$mnt/.ima/$(number_of "$one")/policy") -eq 2 ]] || differs 'not two rules'
show <"$mnt/.ima/$(number_of "$one")/policy"

say 'the file has no label, so namespace one may not read it; namespace two has no such rule'
is_refused "$one" one missing-hash
reads "$two" two 'hello, world'

say 'labelled: imafs label hash'
imafs label hash "$data/hello" | show
getfattr -m security.ima -e hex -d --absolute-names "$data/hello" | grep '^security' | show
reads "$one" one 'hello, world'
reads "$two" two 'hello, world'

say 'changed behind the mount'
echo 'goodbye, world' >"$data/hello"
is_refused "$one" one invalid-hash
reads "$two" two 'goodbye, world'

say 'why? imafs explain'
if inside "$one" node "$PWD/dist/src/main.js" explain "$mnt/hello" >"$work/why"; then
  differs 'explain says it is allowed'
fi
show <"$work/why"

say 'labelled anew, it is served again'
imafs label hash "$data/hello" | show
reads "$one" one 'goodbye, world'

say 'every content that was read is in the measurement list, refused or not'
show <"$mnt/.ima/ascii_runtime_measurements"
[[ $(<"$mnt/.ima/runtime_measurements_count") -eq 3 ]] || differs 'not three entries'

say "the list replayed against the swtpm's PCR 10: imafs log verify, and evmctl of others"
imafs log verify "$mnt" | show
cat "$mnt/.ima/binary_runtime_measurements" >"$work/list"
for bank in sha1 sha256; do cat "$mnt/.ima/pcrs_$bank" >"$work/pcrs_$bank"; done
evmctl ima_measurement --pcrs "sha1,$work/pcrs_sha1" --pcrs "sha256,$work/pcrs_sha256" \
  "$work/list" 2>&1 | show
in_tpm=$(tpm2_pcrread -T "$tpm" sha256:10 | sed -n 's/.*10: 0x//p')
grep -q "^PCR-10: $in_tpm$" "$work/pcrs_sha256" || differs "the TPM says $in_tpm"
echo "   the TPM says: PCR-10 $in_tpm"

say 'one byte of the list changed: refused'
printf 'X' | dd of="$work/list" bs=1 seek=$(($(stat -c %s "$work/list") - 3)) conv=notrunc status=none
if imafs log verify --pcrs "sha256,$work/pcrs_sha256" "$work/list" >"$work/why" 2>&1; then
  differs 'a forged list was accepted'
fi
show <"$work/why"

say 'unmounted'
for pid in "${holders[@]}"; do kill "$pid"; done
for pid in "${holders[@]}"; do wait "$pid" 2>/dev/null || true; done
holders=()
imafs umount "$mnt"
umount "$data"
if grep -q " $work/" /proc/self/mountinfo; then differs 'something is still mounted'; fi
printf '\nAll %d steps went as told.\n' "$step"
