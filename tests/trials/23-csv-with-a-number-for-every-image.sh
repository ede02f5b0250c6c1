#!/usr/bin/env bash
. "$(dirname "$0")/lib.sh"
case_is "labels.csv of a regression task or with captions: every label is different" \
  "keras-team/keras-preprocessing #36, #152 (numbers as class labels)" \
  "does not make an attribute of every number; says that these are no classes"
py <<'PY'
from makers import encoded, faces, write
p = faces(150, 32)
files = {f"{i:04d}.png": encoded(x) for i, x in enumerate(p)}
rows = "\n".join(f"{i:04d}.png,{20 + i * 0.317:.3f}" for i in range(150))
write(files | {"labels.csv": ("filename,label\n" + rows + "\n").encode()}, "numbers")
rows = "\n".join(f'{i:04d}.png,"a face, number {i}, on a {i % 7} ground"' for i in range(150))
write(files | {"captions.csv": ("filename,label\n" + rows + "\n").encode()}, "captions")
PY
for data in numbers captions; do
  load "$data" $data
  check "no traceback" no_traceback
  check "not as many attributes as images" holds "$(num LABELS) <= 100"
done
try "train on it" "$PY" "$CASES/lib/measure.py" "$LA" train vae --data numbers --out m --size 32 --profile smoke
check "trains" works
note "told $(grep -o '"n_attributes": [0-9]*' m/run.json 2>/dev/null | head -n 1); $(value SECONDS) s"
