#!/usr/bin/env bash
. "$(dirname "$0")/lib.sh"
case_is ".ipynb_checkpoints among the classes, Thumbs.db, desktop.ini, an empty class, a lock file" \
  "googlecolab/colabtools #1824; keras-team/keras #14042; davidsandberg/facenet #364" \
  "sees two classes; what systems leave behind is not in the way"
py <<'PY'
from pathlib import Path
from makers import encoded, faces, write
files = {f"data/{'cats' if i % 2 else 'dogs'}/{i:03d}.png": encoded(x) for i, x in enumerate(faces(80))}
files |= {"data/.ipynb_checkpoints/000-checkpoint.png": encoded(faces(1, seed=9)[0])}
files |= {"data/cats/.ipynb_checkpoints/001-checkpoint.png": encoded(faces(1, seed=8)[0])}
files |= {"data/cats/Thumbs.db": b"\xd0\xcf\x11\xe0" * 50, "data/desktop.ini": b"[.ShellClassInfo]"}
files |= {"data/~$notes.docx": b"x", "data/dogs/ehthumbs.db": b"\xd0\xcf\x11\xe0" * 9}
write(files, ".")
Path("data/birds").mkdir()
PY
load "data" data
check "80 images, two labels" holds "($(num LOADED), $(num LABELS)) == (80, 2)"
check "no checkpoint copy is among them" silent_about "checkpoint"
note "listed as skipped: $(value SKIPPED)"
mkdir work && cp -r data work/
cd work/data || exit 3
load "from inside the folder: DATA = '.'" .
check "80 images" holds "$(num LOADED) == 80"
