#!/usr/bin/env bash
. "$(dirname "$0")/lib.sh"
case_is "SIGKILL right after a checkpoint, and in the middle of writing one; then the same command" \
  "allenai/allennlp #2129; facebookresearch/metaseq #53; nyu-mll/jiant #169; keras-team/keras #2378" \
  "goes on and ends with the very weights of an uninterrupted run; nothing half-written is left"
py <<'PY'
from makers import faces, folder_of
folder_of(faces(50), "images")
PY
dies=("$PY" "$CASES/lib/dies.py")
for task in cae gan; do
  rest=(train $task --data images --size 32 --profile smoke)
  try "$task, whole" "${dies[@]}" saves 0 "${rest[@]}" --out $task-whole
  check "trains" works
  try "$task, killed after its second checkpoint" "${dies[@]}" saves 2 "${rest[@]}" --out $task-killed
  check "killed" rc_is 137
  try "the same command" "${dies[@]}" saves 0 "${rest[@]}" --out $task-killed
  check "resumed" eval "works && says 'resumed after epoch 2'"
  try "$task, killed while it writes its third file" "${dies[@]}" writes 3 "${rest[@]}" --out $task-torn
  check "killed" rc_is 137
  note "left: $(find $task-torn -name '*unfinished*' | wc -l) unfinished file(s)"
  try "the same command" "${dies[@]}" saves 0 "${rest[@]}" --out $task-torn
  check "goes on" works
  check "no unfinished file is left in the end" eval '[ -z "$(find '$task'-torn -name "*unfinished*")" ]'
  try "are the weights the same?" "$PY" -c "
import h5py, numpy as np
def read(path):
    found = {}
    with h5py.File(path) as file:
        file.visititems(lambda k, v: found.update({k: v[()]}) if isinstance(v, h5py.Dataset) else None)
    return found
a, *others = (read(f'$task-{n}/model.weights.h5') for n in ('whole', 'killed', 'torn'))
assert all(a.keys() == o.keys() and len(a) > 10 for o in others)
print(*(max(float(abs(a[k].astype(float) - o[k]).max()) for k in a if a[k].size) for o in others))"
  check "to the last digit" says '^0[.]0 0[.]0$'
done
