#!/usr/bin/env bash
. "$(dirname "$0")/lib.sh"
case_is "answer ... | head -1, datasets | head -1, experiments show | head" \
  "Backblaze/B2_Command_Line_Tool #1071; python/cpython #90650; getslash/slash #967; saketkc/pysradb #7" \
  "ends quietly; no BrokenPipeError"
text=$(model text text-to-text)
py >many.txt <<'PY'
import random
random.seed(0)
for _ in range(30_000):
    print(f"{random.randrange(100)}{random.choice('+-')}{random.randrange(100)}")
PY
for how in "" "PYTHONUNBUFFERED=1"; do
  try "answers | head -1 $how" env $how bash -c 'set -o pipefail; "$0" answer --model "$1" --queries many.txt | head -n 1' "$LA" "$text"
  check "no traceback, no Broken pipe" eval "no_traceback && silent_about 'broken ?pipe'"
  for command in datasets "experiments list"; do
    try "$command | head -1 $how" env $how bash -c '"$0" $1 | head -n 1' "$LA" "$command"
    check "no traceback, no Broken pipe" eval "no_traceback && silent_about 'broken ?pipe'"
  done
done
try "experiments show | head -1" bash -c 'cd "$1" && "$0" experiments show | head -n 1' "$LA" "$(project)"
check "no traceback, no Broken pipe" eval "no_traceback && silent_about 'broken ?pipe'"
try "all 30,000 answers, timed" bash -c '"$0" answer --model "$1" --queries many.txt | wc -l' "$LA" "$text"
check "30,000 lines" says "^ *30000$"
check "within a minute" faster_than 60
