#!/usr/bin/env bash
. "$(dirname "$0")/lib.sh"
case_is "one image of an array holds an infinite value" \
  "wkentaro/labelme PR #2255; srwi/PyCharm-PixelLens #74; silx-kit/silx PR #921" \
  "leaves that image out and says so; the others look as they did"
py <<'PY'
import numpy as np
from makers import faces
p = faces(120).astype("float32") / 255
np.savez("exact.npz", images=p)
q = p.copy(); q[5, 0, 0, 0] = np.nan
np.savez("nan.npz", images=q)
q = p.copy(); q[5, 0, 0, 0] = np.inf
np.savez("inf.npz", images=q)
q = p.copy(); q[5, 0, 0, 0] = -np.inf
np.savez("minus_inf.npz", images=q)
np.save("all_nan.npy", np.full((60, 16, 16, 3), np.nan, "float32"))
PY
load "finite" exact.npz
exact=$(value MEAN)
for name in nan inf minus_inf; do
  load "one value is $name" $name.npz
  check "only that image is skipped" holds "$(num SKIPPED) == 1"
  check "the others look as before" holds "abs($(num MEAN) - ${exact:-nan}) < 5"
done
load "nothing but NaN" all_nan.npy
check "one clear error" clear_error
