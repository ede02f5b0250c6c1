#!/usr/bin/env bash
. "$(dirname "$0")/lib.sh"
case_is "np.save of one image, or one photograph in place of a folder" \
  "apache/mxnet #1963 (height, width, channels taken for another order); AlexiaJM/Generative-model-most-similar-images #1 (what goes into the folder?)" \
  "says that this is one image and that many are needed"
py <<'PY'
import numpy as np
from makers import encoded, faces, write
p = faces(1, 64)[0]
np.save("photo.npy", p)
np.save("photo_grey.npy", p[..., 0].copy())
write({"photo.jpg": encoded(p, "JPEG")}, ".")
write({"alone/photo.jpg": encoded(p, "JPEG")}, ".")
PY
load "height x width x 3" photo.npy
check "one clear error" clear_error
check "it is called one image" says "one image|single image|a image, not|\\[64, 64, 3\\]"
load "height x width" photo_grey.npy
check "one clear error that names the shape" eval "clear_error && says '64, 64'"
load "a .jpg" photo.jpg
check "one clear error" clear_error
load "a folder with one image" alone
check "one clear error with the number needed" eval "clear_error && says '50'"
