# Each test passes, or is in the list of exclusions, which is right about each that ran.
# Usage: awk -v list=EXCLUSIONS -f ima-evm-utils-compare.awk RESULTS...

function say(test, what) {
  print "  " test ": " what
  differs = 1
}

BEGIN {
  while ((getline line <list) > 0) {
    if (line ~ /^#/ || !match(line, / -- ./)) continue
    test = substr(line, 1, RSTART - 1)
    passes_sometimes = sub(/ \?$/, "", test)
    excluded[test] = passes_sometimes
  }
}

{
  result = $NF
  test = substr($0, 1, length($0) - length(result) - 1)
  counts[result]++
  seen[test]
  if (result != "pass" && !(test in excluded)) say(test, result)
  if (result == "pass" && test in excluded && !excluded[test]) say(test, "passes, but is excluded")
}

END {
  for (test in excluded) if (!(test in seen)) say(test, "is excluded, but there is no such test")
  printf "asking IMA: %d pass, %d fail, %d skipped\n", counts["pass"], counts["fail"], counts["skip"]
  exit differs
}
