#!/usr/bin/env bash
. "$(dirname "$0")/lib.sh"
case_is "digits of scikit-learn (0 to 16), masks (0 and 1), class maps (0 to 21)" \
  "JiYuanFeng/MCTrans #18; wkentaro/labelme #132; nicolov/segmentation_keras #36" \
  "says that the images are nearly black (values 0 to 16 of 255), or stretches them"
py <<'PY'
import numpy as np
from sklearn.datasets import load_digits
from makers import folder_of, gray
np.savez("digits.npz", images=load_digits().images[:200])
folder_of((gray(80, 32) > 120).astype("uint8"), "masks")
np.save("classes.npy", (gray(80, 32) // 12).astype("int32"))
np.save("percent.npy", gray(80, 32).astype("float32") / 2.55)
PY
for data in digits.npz masks classes.npy percent.npy; do
  load "$data" $data
  check "no traceback" no_traceback
  check "bright enough to be seen, or mentioned" \
    eval "says 'dark|black|range|values from|0 to' || holds '$(num HIGH) >= 200'"
done
