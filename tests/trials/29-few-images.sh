#!/usr/bin/env bash
. "$(dirname "$0")/lib.sh"
case_is "20 images, 50, 50 of which one is there twice, 200 equal ones; fewer than a batch" \
  "carpedm20/DCGAN-tensorflow #276, #378; martinarjovsky/WassersteinGAN PR #8" \
  "trains on 50, refuses fewer in one line with the number needed; no step of zero batches"
py <<'PY'
import numpy as np
from makers import faces, folder_of
folder_of(faces(20), "twenty")
folder_of(faces(50), "fifty")
folder_of(faces(49)[np.arange(50) % 49], "fifty_one_twice")
folder_of(np.repeat(faces(1), 200, 0), "equal")
folder_of(faces(51), "fifty_one")
PY
for data in twenty fifty_one_twice equal; do
  try "$data" "$LA" train gan --data $data --out m-$data --size 32 --profile smoke
  check "one clear error with the number needed" eval "clear_error && says '50'"
done
for task in gan vae cae; do
  try "$task on fifty" "$LA" train $task --data fifty --out $task-50 --size 32 --profile smoke
  check "trains" works
done
try "the course's GAN (batches of 64) on fifty" "$LA" train gan --preset baseline --data fifty --out course --profile smoke
check "trains" works_or_clear
