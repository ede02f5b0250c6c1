#!/usr/bin/env bash
. "$(dirname "$0")/lib.sh"
case_is "cd images; train --data . --out model: the model's own samples are images, too" \
  "Fortran-FOSS-Programmers/ford #349; saimn/sigal #523; statiqdev/Statiq #490" \
  "leaves the model's folder out of the data (or refuses it), so that the same command finds the finished run"
py <<'PY'
from makers import faces, folder_of
folder_of(faces(80), "images")
PY
cd images || exit 3
try "the first time" "$LA" train cae --data . --out model --size 32 --profile smoke
check "trains, or refuses an --out inside --data" works_or_clear
try "the same command again" "$LA" train cae --data . --out model --size 32 --profile smoke
check "finds its own run" works
check "not another run" silent_about "another run"
try "a second model beside it" "$LA" train gan --data . --out model2 --size 32 --profile smoke
check "trains" works_or_clear
check "the first model's files are not read as images" says "images: 80 images loaded"
"$LA" generate --model model --count 9 --out ./sheet.png >/dev/null 2>&1
try "reconstruct into the data folder, twice" "$LA" reconstruct --model model --data . --out ./again.png
try "the second time" "$LA" reconstruct --model model --data . --out ./again.png
check "works" works
