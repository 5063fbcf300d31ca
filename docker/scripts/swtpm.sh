#!/bin/sh
# A TPM in software, for `tpm=swtpm:path=/run/swtpm/tpm.sock` of a daemon in another container. Its PCRs
# begin anew with each start, as those of a machine do; what else it holds is kept in /var/lib/swtpm.
set -eu
socket=/run/swtpm/tpm.sock
# A predecessor that was killed left them. tpm2-tss finds the control channel by its name.
rm -f "$socket" "$socket.ctrl"
exec swtpm socket --tpm2 --tpmstate dir=/var/lib/swtpm \
  --server "type=unixio,path=$socket" --ctrl "type=unixio,path=$socket.ctrl" \
  --flags not-need-init,startup-clear
