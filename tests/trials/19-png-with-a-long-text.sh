#!/usr/bin/env bash
. "$(dirname "$0")/lib.sh"
case_is "whole PNGs with 2 MB of text (a prompt) or a large color profile inside" \
  "python-pillow/Pillow #8363, #2445; opencv/opencv #22551; KatherLab/STAMP PR #76" \
  "reads the image; what is written beside it does not matter"
py <<'PY'
import os
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from makers import encoded, faces, write
files = {}
for i, x in enumerate(faces(60)):
    options = {}
    if i % 3 == 0:
        text = PngInfo(); text.add_text("prompt", "a " * 1_000_000, zip=True)
        options = {"pnginfo": text}
    elif i % 3 == 1:
        options = {"icc_profile": b"profile " * 200_000}
    files[f"{i:03d}.png"] = encoded(Image.fromarray(x), **options)
write(files, "prompts")
PY
load "prompts" prompts
check "all 60 are read" holds "$(num LOADED) == 60"
check "none is called damaged" silent_about "damaged"
