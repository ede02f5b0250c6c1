#!/usr/bin/env bash
. "$(dirname "$0")/lib.sh"
case_is "a zip whose names are in code page 850, 932 or GBK, without the UTF-8 mark" \
  "microsoft/markitdown PR #1535; python/cpython #84587; nih-at/libzip #212" \
  "reads every image and keeps the two classes apart; names may be garbled, but printable"
py <<'PY'
from pathlib import Path
from makers import encoded, faces, zip_of
def old_zip(path, first, second):
    marks = b"Q" * len(first), b"Z" * len(second)
    p = faces(80)
    zip_of({f"{marks[i % 2].decode()}/{i:03d}.png": encoded(x) for i, x in enumerate(p)}, path)
    content = Path(path).read_bytes()
    for mark, name in zip(marks, (first, second)):
        content = content.replace(mark + b"/", name + b"/")
    Path(path).write_bytes(content)
old_zip("german.zip", "Männer".encode("cp850"), "Mädchen".encode("cp850"))
old_zip("latin.zip", "Männer".encode("latin-1"), "Frauen".encode("latin-1"))
old_zip("japanese.zip", "ソフト".encode("cp932"), "表示".encode("cp932"))
old_zip("chinese.zip", "男人".encode("gbk"), "女人们".encode("gbk"))
PY
for data in german latin japanese chinese; do
  load "$data.zip" $data.zip
  check "80 images, two labels" holds "($(num LOADED), $(num LABELS)) == (80, 2)"
  note "shown as: $(value NAMES)"
done
