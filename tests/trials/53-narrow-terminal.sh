#!/usr/bin/env bash
. "$(dirname "$0")/lib.sh"
case_is "a terminal of 60 columns: a bar of 100 wraps, and every update is a new line" \
  "tqdm/tqdm #568, #1660, #631; muscbridge/PyDKE PR #29 (100 columns are too wide)" \
  "bars no wider than the terminal"
command -v script >/dev/null || skip "no script(1) here"
py <<'PY'
from makers import faces, folder_of
folder_of(faces(150), "images")
PY
cat >inside.sh <<SH
stty cols 60 rows 20
exec "$LA" train cae --data images --size 32 --out m --profile smoke
SH
try "train in 60 columns" script -qec "bash inside.sh" seen.log
check "trains" rc_is 0
widest=$(tr '\r' '\n' <seen.log | sed 's/\x1b\[[0-9;]*[A-Za-z]//g' | grep -E '%\|' |
  "$PY" -c 'import sys; print(max([len(line.rstrip("\n")) for line in sys.stdin] or [0]))')
note "widest bar: $widest columns"
check "no bar is wider than 60" test "$widest" -le 60
check "there was a bar" test "$widest" -gt 0
