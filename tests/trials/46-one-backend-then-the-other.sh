#!/usr/bin/env bash
. "$(dirname "$0")/lib.sh"
case_is "trained on TensorFlow, asked on JAX; interrupted on TensorFlow, resumed on JAX" \
  "keras-team/keras #3307 (other answers on another backend), #23251 (JAX checkpoint restored wrongly)" \
  "gives the same answers; resumes, or says that the checkpoint is another backend's"
"$PY" -c 'import jax' 2>/dev/null || skip "JAX is not installed in this venv"
text=$(model text text-to-text) vae=$(model vae vae)
printf '%s\n' 81+24 41-89 7+5 0-0 99+99 12-21 >q.txt
try "answers on TensorFlow" env KERAS_BACKEND=tensorflow "$LA" answer --model "$text" --queries q.txt
cp "$OUT" on_tensorflow
try "answers on JAX" env KERAS_BACKEND=jax "$LA" answer --model "$text" --queries q.txt
check "the same answers" eval "works && cmp '$OUT' on_tensorflow"
for backend in tensorflow jax; do
  try "images on $backend" env KERAS_BACKEND=$backend "$LA" generate --model "$vae" --count 8 --seed 3 --out $backend.npz
done
py <<'PY'
import numpy as np
a, b = (np.load(f"{n}.npz")["images"].astype(int) for n in ("tensorflow", "jax"))
print(f"  images differ by at most {abs(a - b).max()} of 255, {(a != b).mean():.2%} of values")
PY
py <<'PY'
from makers import faces, folder_of
folder_of(faces(50), "images")
PY
train=(train cae --data images --size 32 --out m --profile smoke)
try "stopped after the second of four epochs, on TensorFlow" env KERAS_BACKEND=tensorflow "$PY" "$CASES/lib/dies.py" saves 2 "${train[@]}"
try "the same command on JAX" env KERAS_BACKEND=jax "$LA" "${train[@]}"
check "resumes, or one clear error" works_or_clear
