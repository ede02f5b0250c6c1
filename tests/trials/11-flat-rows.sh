#!/usr/bin/env bash
. "$(dirname "$0")/lib.sh"
case_is "Quick, Draw! (.npy of [n, 784]) and CIFAR rows ([n, 3072])" \
  "akshaybahadur21/QuickDraw #11; hih0124/lecture_python-II #16" \
  "names the shape and says how to reshape, or reshapes 784 to 28 x 28 and says so"
py <<'PY'
import numpy as np
from makers import faces, gray
np.save("quickdraw.npy", gray(200, 28).reshape(200, 784))
np.savez("cifar.npz", data=np.moveaxis(faces(120), 3, 1).reshape(120, -1), labels=np.arange(120) % 10)
PY
load "quickdraw.npy" quickdraw.npy
check "works, or one clear error with the shape" works_or_says "\\[200, 784\\]"
check "works, or says reshape" works_or_says "reshape"
load "cifar.npz" cifar.npz
check "works, or one clear error with the shape" works_or_says "\\[120, 3072\\]"
