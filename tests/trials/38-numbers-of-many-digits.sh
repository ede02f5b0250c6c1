#!/usr/bin/env bash
. "$(dirname "$0")/lib.sh"
case_is "--max-digits 4, 5, 20: all queries there are do not fit into memory" \
  "numpy/numpy #17595; computationalmodelling/fidimag #50; kokabsc/gwkokab PR #489; open-cogsci/datamatrix #1" \
  "says at once how many queries that would be and what the limit is (or draws a sample)"
# 10 GiB of address space, so that no trial can harm this machine.
limited() {
  local label=$1
  shift
  try "$label" bash -c 'ulimit -v 10485760; exec "$@"' limited "$@"
}
printf '12345+1\n2-99999\n' >five.txt
for digits in 4 5 9 20; do
  limited "--max-digits $digits" "$LA" train text-to-text --max-digits $digits --out m$digits --profile smoke
  check "works, or one clear error" works_or_clear
  check "within a minute" faster_than 60
done
limited "--max-digits 5 with a file of two queries" "$LA" train text-to-text --max-digits 5 --train-queries five.txt --out f --profile smoke
check "works, or one clear error" works_or_clear
limited "three digits still work" "$LA" train text-to-text --max-digits 3 --out m3 --profile smoke
check "works" works
