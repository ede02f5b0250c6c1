#!/usr/bin/env bash
. "$(dirname "$0")/lib.sh"
case_is "a scraped folder: HTML as .jpg, a Git LFS pointer, empty, cut off, WebP as .jpg" \
  "IBM/taxinomitis #138; jhc13/taggui #390; GabrielePicco/deep-learning-flower-identifier #2; mlberkeley/Creative-Adversarial-Networks #22" \
  "goes on, lists every bad file with a reason that helps, reads what is whole under any name"
py <<'PY'
from makers import encoded, faces, write
p = faces(64, 64)
files = {f"{i:03d}.jpg": encoded(x, "JPEG") for i, x in enumerate(p[:58])}
whole = encoded(p[58], "JPEG")
files |= {"webp.jpg": encoded(p[59], "WEBP"), "png.jpeg": encoded(p[60]), "UPPER.JPG": encoded(p[61], "JPEG")}
files |= {"page.jpg": b"<!DOCTYPE html><html><title>403 Forbidden</title></html>"}
files |= {"pointer.png": b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 12345\n"}
files |= {"empty.png": b"", "half.jpg": whole[: len(whole) // 2], "nearly.jpg": whole[:-2]}
files |= {"notes.txt": b"from the web", "links.url": b"[InternetShortcut]"}
write(files, "scraped")
PY
load "scraped" scraped
check "61 whole images, and perhaps the one that lacks two bytes" holds "$(num LOADED) in (61, 62)"
check "the page is called a page, or text" says "skipped, [^:]*(html|web page|text)"
check "the LFS pointer is called that" says "skipped, [^:]*(lfs|pointer)"
check "empty and damaged ones are listed" eval "says 'empty file' && says 'damaged'"
