#!/usr/bin/env bash
. "$(dirname "$0")/lib.sh"
case_is "arrays as PyTorch saves them: [n, 3, height, width], [n, 1, 28, 28]" \
  "danielvarga/keras-finetuning #10; chsasank/Traffic-Sign-Classification.keras #4; apache/mxnet #1963" \
  "reads them, or names the shape and says that channels go last (np.moveaxis)"
py <<'PY'
import numpy as np
from makers import faces, gray
np.save("torch.npy", np.moveaxis(faces(80), 3, 1).copy())
np.savez("torch.npz", images=np.moveaxis(faces(80), 3, 1).astype("float32") / 255)
np.save("torch_grey.npy", gray(80, 28)[:, None])
np.save("two_channels.npy", faces(80)[..., :2].copy())
PY
for data in torch.npy torch.npz torch_grey.npy two_channels.npy; do
  try "$data" "$LA" train cae --data $data --out m-$data --profile smoke
  check "one clear error, or it works" works_or_clear
  check "the shape is in it" works_or_says "\\[80, "
done
load "what the notebook says" torch.npy
check "says where channels go" works_or_says "last|moveaxis|transpose|height, width, 3"
