#!/usr/bin/env bash
. "$(dirname "$0")/lib.sh"
case_is "Ctrl-C in the first seconds (imports), while images are read, in training; then the same command" \
  "ethereum/trinity #1335; IntelLabs/kafl.fuzzer #54; Chia-Network/chia-blockchain #14389; mozilla/DeepSpeech #3471" \
  "one line, status 130, no traceback at any moment; the same command goes on"
py <<'PY'
from makers import faces, folder_of
folder_of(faces(300, 160), "images")
PY
train=("$LA" train gan --data images --out m --profile quick)
for seconds in 0.2 0.8 1.6 3 5 8 12; do
  try "after $seconds s" "$PY" "$CASES/lib/interrupt.py" $seconds "${train[@]}"
  check "no traceback" no_traceback
  check "status 130 (or already ended)" eval "rc_is 130 || rc_is 0"
done
try "in training, once a checkpoint is there" "$PY" "$CASES/lib/interrupt.py" m/checkpoint.npz "${train[@]}"
check "no traceback, status 130" eval "no_traceback && rc_is 130"
check "says how to go on" says "goes on|same command"
try "the same command again, and Ctrl-C after 25 s" "$PY" "$CASES/lib/interrupt.py" 25 "${train[@]}"
check "resumed" says "resumed after epoch"
note "left behind: $(ls -A m | tr '\n' ' ')"
