#!/usr/bin/env bash
# 63-... [gray|classes|many|tiny|float]   which images (default classes)
. "$(dirname "$0")/lib.sh"
kind=${1:-classes}
LIMIT=${TRY_SECONDS:-600}
case_is "the notebook on own images ($kind), every cell (smoke)" \
  "mave5/AIclub #11; beresandras/clear-diffusion-keras #10; voxelmorph/voxelmorph #72 (how do I train on my own images?)" \
  "every cell runs; what does not apply (attributes, palettes) says so and goes on"
copy_project clone
cd clone || exit 3
KIND=$kind py <<'PY'
import os
import numpy as np
from makers import encoded, faces, folder_of, gray, write
kind = os.environ["KIND"]
if kind == "gray":
    folder_of(gray(120, 48), "own")
elif kind == "many":   # a hundred classes of one or two images
    write({f"class {i % 99}/{i:03d}.jpg": encoded(x, "JPEG") for i, x in enumerate(faces(150, 50))}, "own")
elif kind == "tiny":
    folder_of(faces(50, 20), "own")
elif kind == "float":
    os.mkdir("own"); np.savez("own/own.npz", images=faces(120).astype("float32") / 127.5 - 1)
else:
    write({f"{'cats' if i % 3 else 'dogs & co'}/{i:03d}.png": encoded(x) for i, x in enumerate(faces(120, 80))}, "own")
PY
data=own
[ "$kind" = float ] && data=own/own.npz
sed "s|^DATA = .*|DATA = \"$data\"|" exported_py/generative_models.py >own.py
try "the whole twin" env LATENT_ARITHMETIC_PROFILE=smoke MPLBACKEND=agg "$PY" own.py
check "every cell runs" works
note "figures: $(ls build/smoke/figures 2>/dev/null | wc -l)"
