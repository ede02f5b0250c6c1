#!/usr/bin/env bash
. "$(dirname "$0")/lib.sh"
case_is "16-bit PNGs of a 12-bit camera or scanner; one of the frames is dark" \
  "python-pillow/Pillow #2574, #5991, #1108" \
  "one scale for the whole folder; never all white, nearly black, or a dark frame made bright"
py <<'PY'
import numpy as np
from makers import folder_of, gray
wide = gray(80, 32).astype("uint16")
folder_of(wide * 257, "full")      # 0 to 65535
folder_of(wide * 16, "twelve")     # 0 to 4080
dark = wide * 257
dark[10] = wide[10] // 2           # one frame without light: 0 to 127 of 65535
folder_of(dark, "one_dark")
PY
load "16 bits used" full
full=$(value MEAN)
check "as bright as the original" holds "60 < ${full:-nan} < 200"
load "12 bits in 16" twelve
check "not nearly black, or mentioned" eval "says 'dark|range|12.bit' || holds '$(num MEAN) > 30'"
EACH=1 load "one dark frame among bright ones" one_dark
echo "  $(grep "'010.png'" "$OUT")   (its neighbours: $(grep -E "'(009|011).png'" "$OUT" | tr '\n' ' '))"
check "the dark frame stays dark" \
  holds "float('$(sed -n "s/^EACH '010.png' //p" "$OUT")' or 255) < 20"
