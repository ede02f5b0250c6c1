#!/usr/bin/env bash
. "$(dirname "$0")/lib.sh"
case_is "np.savez of a list of images of different sizes: an object array (pickle)" \
  "ZZUTK/SRNTT #9; zsdonghao/text-to-image #39; Team-Neighborhood/awesome-face-detection #3" \
  "refuses the pickle in one line and says: one size, or a folder or zip of files"
py <<'PY'
import numpy as np
from makers import faces
many = np.empty(80, object)
for i in range(80):
    many[i] = faces(1, 30 + i % 9, seed=i)[0]
np.savez("objects.npz", images=many)
np.save("objects.npy", many, allow_pickle=True)
np.save("dict.npy", {"images": faces(5)}, allow_pickle=True)
np.savez("mixed.npz", images=faces(80), names=np.array([f"n{i}" for i in range(80)], object))
PY
for data in objects.npz objects.npy dict.npy; do
  load "$data" $data
  check "one clear error" clear_error
  check "it speaks of objects or pickle" says "object|pickle"
done
load "images beside an object array of names" mixed.npz
check "the images are read all the same" holds "$(num LOADED) == 80"
