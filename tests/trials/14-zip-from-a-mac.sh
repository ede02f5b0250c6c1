#!/usr/bin/env bash
. "$(dirname "$0")/lib.sh"
case_is "a zip made by the Finder, and a folder from an exFAT stick" \
  "ImageMarkup/isic-challenge-scoring #15; udacity/deep-learning-v2-pytorch #217; alinlab/CSI #31" \
  "leaves __MACOSX, ._ files and .DS_Store out without a word; labels are cats and dogs only"
py <<'PY'
from makers import encoded, faces, write, zip_of
files = {}
for i, x in enumerate(faces(80)):
    name = f"{'cats' if i % 2 else 'dogs'}/{i:03d}.png"
    files[f"pets/{name}"] = encoded(x)
    files[f"__MACOSX/pets/{name.replace('/', '/._')}"] = b"\x00\x05\x16\x07" + bytes(200)
files |= {"pets/.DS_Store": b"Bud1", "__MACOSX/._pets": b"\x00\x05\x16\x07", "pets/Icon\r": b""}
zip_of(files, "mac.zip")
write({n.replace("__MACOSX/", ""): c for n, c in files.items() if "Icon" not in n}, "stick")
PY
load "mac.zip" mac.zip
check "80 images" holds "$(num LOADED) == 80"
check "two labels" holds "$(num LABELS) == 2"
check "nothing of the Finder's is mentioned but the odd Icon" holds "$(num SKIPPED) <= 1"
load "folder from a stick" stick
check "80 images, two labels" holds "($(num LOADED), $(num LABELS)) == (80, 2)"
