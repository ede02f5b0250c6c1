#!/usr/bin/env bash
. "$(dirname "$0")/lib.sh"
case_is "MPLBACKEND left over: inline (scripts called from Colab), TkAgg without a display, a removed one" \
  "googlecolab/colabtools #5148; deeptools/deepTools #1416; bmaltais/kohya_ss #2521; spinalcordtoolbox/spinalcordtoolbox #4523" \
  "draws to files whatever MPLBACKEND says; no window is needed"
cat >draw.py <<'PY'
import numpy as np
from latent_arithmetic.config import open_output_folder
from latent_arithmetic.plotting import image_grid, show_figure, use_style
use_style()
show_figure(image_grid(np.zeros((4, 8, 8, 3), np.uint8), 2), "four", open_output_folder("smoke"))
print("drawn")
PY
for backend in module://matplotlib_inline.backend_inline module://ipykernel.pylab.backend_inline TkAgg Qt5Agg module://no.such.backend; do
  try "MPLBACKEND=$backend" env -u DISPLAY -u WAYLAND_DISPLAY MPLBACKEND=$backend LATENT_ARITHMETIC_BUILD="$WORK/build" "$PY" draw.py
  check "no traceback" no_traceback
  check "drawn" says "^drawn"
  try "answer, with the same" env -u DISPLAY MPLBACKEND=$backend "$LA" datasets
  check "no traceback" no_traceback
done
