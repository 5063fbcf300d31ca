#!/bin/sh
# Fills the directory that the daemon serves: files and programs of user 1000, of each one that is as it
# was labelled, one that was changed since, one that has no label. Usage: make-files.sh DIRECTORY
set -eu
cd "${1:?}"

put() { # NAME: a text, or by its ending a program
  rm -f "$1"
  case $1 in
    *.sh) printf '#!/bin/sh\necho "%s ran"\n' "$1" >"$1" && chmod 755 "$1" ;;
    *) echo "text of $1" >"$1" && chmod 644 "$1" ;;
  esac
}

for kind in txt sh; do
  for state in labelled changed unlabelled; do put "$state.$kind"; done
  imafs label hash "labelled.$kind" "changed.$kind"
  echo '# another line' >>"changed.$kind"
done
chown 1000:1000 -- *.txt *.sh
