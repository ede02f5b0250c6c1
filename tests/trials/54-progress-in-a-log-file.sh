#!/usr/bin/env bash
. "$(dirname "$0")/lib.sh"
case_is "nohup ... train > log: two bars a second for hours" \
  "CompRhys/roost PR #19; niznik-dev/cruijff_kit PR #269; rhpvorderman/sequali #257; Lightning-AI/pytorch-lightning #6647" \
  "in a file: a line now and then"
py <<'PY'
from makers import faces, folder_of
folder_of(faces(150), "images")
PY
LIMIT=50 try "40 to 50 seconds of training into a file" "$LA" train gan --data images --out m --profile quick
updates=$(tr '\r' '\n' <"$ERR" | grep -c '%|')
bytes=$(wc -c <"$ERR")
note "$updates updates of bars, $bytes bytes in $SECS s"
check "at most one update in two seconds" test "$updates" -le $((SECS / 2 + 5))
