#!/usr/bin/env bash
. "$(dirname "$0")/lib.sh"
case_is "--size 28, 50, 100, 7, 1, 5000; and with the course's own model of four layers" \
  "keras-team/keras #12674, #4615; JiahuiYu/generative_inpainting #266; ankonzoid/artificio #12" \
  "works, or one line that says which sizes do; before the images are read"
py <<'PY'
from makers import faces, folder_of
folder_of(faces(60), "images")
PY
for size in 28 50 100 7 1 5000; do
  try "--size $size" "$LA" train cae --data images --size $size --out m-$size --profile smoke
  check "works, or one clear error" works_or_clear
done
try "--size 28, then reconstruct" "$LA" reconstruct --model m-28 --data images --out again.png
check "works" works
for size in 24 28 36 40; do
  try "the course's VAE at $size" "$LA" train vae --preset baseline --data images --size $size --out course-$size --profile smoke
  check "works, or one clear error" works_or_clear
done
