#!/usr/bin/env bash
. "$(dirname "$0")/lib.sh"
case_is "--train-queries with every query there is, with one, with repeats, with long ones only" \
  "keras-team/keras #782 (training data that held the validation queries)" \
  "trains; says how many are left to test with; refuses what cannot work before it trains anything"
py <<'PY'
from pathlib import Path
every = [f"{a}{s}{b}" for a in range(100) for s in "+-" for b in range(100)]
Path("every.txt").write_text("\n".join(every) + "\n")
Path("one.txt").write_text("1+1\n")
Path("repeats.txt").write_text("1+1\n" * 500 + "2+2\n")
Path("long.txt").write_text("\n".join(f"{100 + i}+{200 + i}" for i in range(50)) + "\n")
PY
for name in every one repeats; do
  try "$name" "$LA" train text-to-text --train-queries $name.txt --out $name --profile smoke
  check "works, or one clear error" works_or_clear
done
try "and it answers" "$LA" answer --model every 81+24
check "works" works
for task in image-to-text text-to-image; do
  try "$task trained on every query" "$LA" train $task --train-queries every.txt --out $task --profile smoke
  check "works, or one clear error" works_or_clear
done
try "image-to-text with long numbers only" "$LA" train image-to-text --max-digits 3 --train-queries long.txt --out late --profile smoke
check "one clear error" clear_error
check "nothing was trained before that" eval '! [ -e late/text-to-text/run.json ]'
try "both a file and a fraction" "$LA" train text-to-text --train-queries one.txt --train-fraction 0.5 --out both --profile smoke
check "one clear error" clear_error
