#!/usr/bin/env bash
. "$(dirname "$0")/lib.sh"
case_is "CMYK JPEG with Adobe's mark, Lab TIFF, palette PNG and GIF with transparency, 1 bit, 48 bit, EXIF rotation" \
  "python-pillow/Pillow #4860, #6643, #8357; lovell/sharp #1649; libvips/libvips #1283" \
  "a red image stays red in every one of them; nothing is inverted"
py <<'PY'
import io
import cv2
import numpy as np
from PIL import Image, ImageCms
from makers import encoded, faces, write
def red(i):
    p = faces(1, 40, seed=i)[0].astype(float) * [0.2, 0.1, 0.1] + [190, 10, 10]
    return Image.fromarray(p.clip(0, 255).astype("uint8"))
to_lab = ImageCms.buildTransformFromOpenProfiles(
    ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB")
files, each = {}, 10
for i in range(60):
    p, kind = red(i), i // each
    if kind == 0:
        files[f"cmyk{i:03d}.jpg"] = encoded(p.convert("CMYK"), "JPEG", quality=95)
    elif kind == 1:
        files[f"lab{i:03d}.tif"] = encoded(ImageCms.applyTransform(p, to_lab), "TIFF")
    elif kind == 2:
        files[f"pal{i:03d}.png"] = encoded(p.quantize(64), "PNG", transparency=0)
    elif kind == 3:
        files[f"gif{i:03d}.gif"] = encoded(p.quantize(64), "GIF")
    elif kind == 4:
        wide = np.asarray(p).astype("uint16")[..., ::-1] * 257
        files[f"deep{i:03d}.png"] = cv2.imencode(".png", np.ascontiguousarray(wide))[1].tobytes()
    else:
        exif = Image.Exif(); exif[0x0112] = 8
        files[f"turned{i:03d}.jpg"] = encoded(p, "JPEG", exif=exif)
write(files, "prints")
PY
EACH=1 load "prints" prints
check "all 60 are read" holds "$(num LOADED) == 60"
check "red is red" holds "$(num RED) > 130 and $(num GREEN) < 100"
note "by kind: $(grep -c "EACH 'cmyk" "$OUT") cmyk, $(grep -c "EACH 'lab" "$OUT") lab, $(grep -c "EACH 'deep" "$OUT") deep"
