#!/usr/bin/env bash
. "$(dirname "$0")/lib.sh"
case_is "a zip made by an old Windows program: backslashes in its names" \
  "python/cpython #91036; cthackers/adm-zip #438; jasp-stats/jasp-issues #2886" \
  "sees the folders cats and dogs as labels; leaves Thumbs.db out quietly"
py <<'PY'
from makers import encoded, faces, zip_of
p = faces(80)
files = {f"pets\\{'cats' if i % 2 else 'dogs'}\\{i:03d}.png": encoded(x) for i, x in enumerate(p)}
files |= {"pets\\cats\\Thumbs.db": b"\xd0\xcf\x11\xe0" * 20, "pets\\": b"", "pets\\dogs\\.DS_Store": b"x"}
zip_of(files, "windows.zip")
zip_of({name.replace("\\", "/"): content for name, content in files.items()}, "usual.zip")
PY
load "with slashes" usual.zip
check "two labels" holds "$(num LABELS) == 2"
load "with backslashes" windows.zip
check "all images" holds "$(num LOADED) == 80"
check "two labels here, too" holds "$(num LABELS) == 2"
check "a folder's own entry is no empty file" silent_about "empty file"
