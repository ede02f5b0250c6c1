#!/usr/bin/env bash
. "$(dirname "$0")/lib.sh"
case_is "jupyter nbconvert --to script / html, and executed by hand with nbconvert" \
  "jupyter/nbconvert #503; jupyter/notebook #3406; microsoft/vscode-python #13596" \
  "the script runs without IPython (no get_ipython), is the committed script, and the HTML is complete"
copy_project clone
cd clone || exit 3
for name in generative_models sequence_arithmetic; do
  try "script of $name" "$PY" -m jupyter nbconvert --to script --output-dir "$WORK/scripts" notebooks/$name.ipynb
  check "works" works
  check "no get_ipython" eval '! grep -q get_ipython "$WORK/scripts/'$name'.py"'
  check "compiles" "$PY" -m py_compile "$WORK/scripts/$name.py"
  check "the committed script has the same code" eval "diff -q \
    <(grep -vE '^ *#|^ *$' '$WORK/scripts/$name.py') <(grep -vE '^ *#|^ *$' exported_py/$name.py)"
  try "HTML of $name" "$PY" -m jupyter nbconvert --to html --output-dir "$WORK/html" notebooks/$name.ipynb
  check "works, without warnings" eval "works && silent_about 'warning|alternative text'"
done
try "the self-contained edition as a script" "$PY" -m jupyter nbconvert --to script --output-dir "$WORK/scripts" notebooks/colab/generative_models.ipynb
note "calls of get_ipython in it: $(grep -c get_ipython "$WORK/scripts/generative_models.py")"
try "executed by nbconvert itself (smoke)" env LATENT_ARITHMETIC_PROFILE=smoke LATENT_ARITHMETIC_BUILD="$WORK/build" \
  "$PY" -m jupyter nbconvert --to notebook --execute --output-dir "$WORK/done" notebooks/sequence_arithmetic.ipynb
check "works" rc_is 0
