#!/usr/bin/env bash
. "$(dirname "$0")/lib.sh"
case_is "a text-to-image model and --out answers.png: what is written is an .npz called .png" \
  "hpc/charliecloud #1211; resurrecting-open-source-projects/scrot #278; Scondo/purepng #23" \
  "writes a PNG, or says that --out has to end in .npz"
drawer=$(model drawer text-to-image)
try "--out answers.png" "$LA" answer --model "$drawer" 81+24 --out answers.png
check "refused, or a real PNG" eval "clear_error || [ \"\$(head -c 4 answers.png | tail -c 3)\" = PNG ]"
try "--out answers (no ending)" "$LA" answer --model "$drawer" 81+24 --out answers
check "works or one clear error" works_or_clear
try "--out answers.NPZ" "$LA" answer --model "$drawer" 81+24 --out answers.NPZ
check "works or one clear error" works_or_clear
try "--out new/folder/answers.npz" "$LA" answer --model "$drawer" 81+24 --out new/folder/answers.npz
check "works or one clear error" works_or_clear
mkdir there.npz
try "--out is a folder" "$LA" answer --model "$drawer" 81+24 --out there.npz
check "one clear error" clear_error
try "--out below a file" "$LA" answer --model "$drawer" 81+24 --out answers.NPZ/x.npz
check "works or one clear error" works_or_clear
try "no --out" "$LA" answer --model "$drawer" 81+24
check "one clear error that names --out" eval "clear_error && says '--out'"
