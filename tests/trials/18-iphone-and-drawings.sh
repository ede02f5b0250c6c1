#!/usr/bin/env bash
. "$(dirname "$0")/lib.sh"
case_is "HEIC from a phone (also named .jpg or .png), SVG, PSD, PDF, a raw file, a film" \
  "replicate/dreambooth #23; python-pillow/Pillow #4163, #2806; replicate/cog-comfyui #277" \
  "says which kind it is and what to do (save as JPEG), not merely 'not a image'"
py <<'PY'
from makers import encoded, faces, write
files = {f"{i:03d}.jpg": encoded(x, "JPEG") for i, x in enumerate(faces(60))}
heic = b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + bytes(4000)
files |= {"IMG_0001.HEIC": heic, "IMG_0002.jpg": heic, "IMG_0003.png": heic.replace(b"heic", b"mif1")}
files |= {"logo.svg": b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" width="64" height="64"/>'}
files |= {"layers.psd": b"8BPS\x00\x01" + bytes(500), "scan.pdf": b"%PDF-1.7\n" + bytes(500)}
files |= {"film.mp4": b"\x00\x00\x00\x20ftypisom" + bytes(500), "raw.nef": b"II*\x00\x08\x00\x00\x00" + bytes(500)}
write(files, "phone")
PY
load "phone" phone
check "the 60 others are read" holds "$(num LOADED) == 60"
check "all eight are listed" holds "$(num SKIPPED) == 8"
check "HEIC is called that, in the reason" says "skipped, [^:]*(heic|heif)"
check "SVG is called that, or a drawing" says "skipped, [^:]*(svg|vector|drawing)"
