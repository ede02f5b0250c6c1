#!/usr/bin/env bash
. "$(dirname "$0")/lib.sh"
case_is "images in [0, 1], resized bicubically: one value is 1.03" \
  "pytorch/vision #8216 (bicubic resize of floats leaves [0, 1])" \
  "clips the overshoot; never takes [0, 1.03] for [0, 255], which is all black"
py <<'PY'
import numpy as np
from makers import faces
p = faces(120).astype("float32") / 255
np.savez("exact.npz", images=p)
p[7, 3, 3, 0] = 1.03
np.savez("over.npz", images=p)
PY
load "in [0, 1]" exact.npz
exact=$(value MEAN)
load "the same, one value 1.03" over.npz
check "no traceback" no_traceback
check "as bright as before, or refused with the values named" \
  eval "{ clear_error && says '1[.]03'; } || holds 'abs($(num MEAN) - ${exact:-nan}) < 5'"
try "and trained on" "$LA" train cae --data over.npz --out m --size 32 --profile smoke
check "a range that fits nothing usual is at least mentioned" says "values|range|1[.]03"
