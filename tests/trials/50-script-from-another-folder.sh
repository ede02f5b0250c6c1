#!/usr/bin/env bash
. "$(dirname "$0")/lib.sh"
case_is "python /path/to/exported_py/generative_models.py, called from elsewhere" \
  "eriklindernoren/Keras-GAN #17; googlecolab/colabtools #2391" \
  "finds the package beside itself, or says from where to call it"
export HIDE_PROJECT
HIDE_PROJECT=$(project)
copy_project clone
mkdir elsewhere
for name in generative_models sequence_arithmetic; do
  # only as far as the first prints: the script's imports and its first cell
  sed -n '1,/^print(f"profile/p' clone/exported_py/$name.py >clone/exported_py/first_$name.py
  try "$name in its own folder" bash -c "cd clone/exported_py && exec env PYTHONPATH='$CASES/lib/uninstalled' '$PY' first_$name.py"
  check "works" works
  try "$name from elsewhere" bash -c "cd elsewhere && exec env PYTHONPATH='$CASES/lib/uninstalled' '$PY' ../clone/exported_py/first_$name.py"
  check "works, or says from where to call it" eval "works || says 'self-contained|inside a clone|in the (clone|folder)|from the (clone|folder)|pip install'"
done
note "left elsewhere: $(ls elsewhere | tr '\n' ' ')"
