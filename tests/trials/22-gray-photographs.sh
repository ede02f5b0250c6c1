#!/usr/bin/env bash
. "$(dirname "$0")/lib.sh"
case_is "X-rays, MNIST, old photographs: 256 grays are no palette" \
  "lucidrains/denoising-diffusion-pytorch #55; taesungp/contrastive-unpaired-translation #158; akanimax/msg-gan-v1 #11; beresandras/clear-diffusion-keras #10" \
  "learns gray photographs as photographs: about the time and memory of color, no 256-way choice at every pixel"
py <<'PY'
import numpy as np
from makers import faces, gray
np.savez("color.npz", images=faces(160, 64))
np.savez("gray.npz", images=gray(160, 64))
PY
for data in color gray; do
  try "$data" "$PY" "$CASES/lib/measure.py" "$LA" train vae --data $data.npz --out $data --profile smoke
  check "trains" works
  note "$data: $(value SECONDS) s, peak $(value PEAK_MIB) MiB; colors taken for a palette: $(grep -o '"palette_size": [0-9]*' $data/run.json)"
  eval "$data=$(num SECONDS) ${data}_peak=$(num PEAK_MIB)"
done
check "at most twice the time of color" holds "${gray:-nan} < 2 * ${color:-nan} + 5"
check "at most 1.5 times the memory of color" holds "${gray_peak:-nan} < 1.5 * ${color_peak:-nan}"
check "256 grays are no palette" grep -q '"palette_size": 0' gray/run.json
try "a GAN on the same" "$LA" train gan --data gray.npz --out gan --profile smoke
check "trains" works
