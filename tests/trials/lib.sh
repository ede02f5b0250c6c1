# Sourced by every case. Needs
#   LA  the latent-arithmetic executable       PY  the python of that venv
# May be given
#   PROJECT      a clone of the project (default: where PY finds the package)
#   BUGS_CACHE   where smoke models are kept for all cases (default ${TMPDIR:-/tmp}/latent-arithmetic-cases)
#   TRY_SECONDS  limit of one command (default 300)     KEEP=1  leave the work folder
# A case prints what happened and ends with 0 if all its checks held, else with 1.
set -u
: "${LA:?set LA to the latent-arithmetic executable}"
: "${PY:?set PY to the python of its venv}"
LA=$(realpath -s "$LA")
case $PY in */*) PY=$(realpath -s "$PY") ;; esac
CASES=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
CACHE=${BUGS_CACHE:-${TMPDIR:-/tmp}/latent-arithmetic-cases}
LIMIT=${TRY_SECONDS:-300}
WORK=$(mktemp -d "${TMPDIR:-/tmp}/la-case.XXXXXX")
LOGS=$(mktemp -d "${TMPDIR:-/tmp}/la-logs.XXXXXX")
CHATTER='^(WARNING: All log messages before absl|[IWEF][0-9]{4} )'  # TensorFlow's own
TRIES=0 CHECKS=0 FAILS=0 RC=0 SECS=0 OUT=/dev/null ERR=/dev/null
export TF_CPP_MIN_LOG_LEVEL=3 PYTHONDONTWRITEBYTECODE=1
export KAGGLEHUB_CACHE="$WORK/.no-kaggle"  # nothing fetched before is seen
unset KERAS_BACKEND LATENT_ARITHMETIC_PROFILE LATENT_ARITHMETIC_BUILD \
  LATENT_ARITHMETIC_DATA MPLBACKEND PYTHONPATH
cd "$WORK" || exit 3

finish() {
  local code=$?
  printf '\n%s: %d checks, %d failed\n' "$(basename "$0" .sh)" "$CHECKS" "$FAILS"
  if [ -n "${KEEP:-}" ]; then
    echo "left: $WORK  logs: $LOGS"
  else
    cd / && chmod -R u+rwX "$WORK" 2>/dev/null
    rm -rf "$WORK" "$LOGS"
  fi
  [ "$code" -gt 1 ] && exit "$code"
  exit $((FAILS > 0))
}
trap finish EXIT

case_is() { printf '== %s\n   source: %s\n   a good tool: %s\n' "$1" "$2" "$3"; }
note() { printf '  note  %s\n' "$*"; }
skip() { printf '  skip  %s\n' "$*"; exit 0; }

# Python with the makers at hand; the script comes from a here-document.
py() { PYTHONPATH="$CASES/lib" "$PY" - "$@"; }

_show() { # FILE MARK LINES
  tr '\r' '\n' <"$1" | grep -vE "$CHATTER|^[[:space:]]*\$|[0-9]+%\||(it|step|image|cell)s?/s" |
    tail -n "$3" | cut -c1-420 | sed "s/^/  $2| /"
}

_after() {
  _show "$OUT" out "${SHOWN:-14}"
  _show "$ERR" err 14
  printf '  exit %s after %s s' "$RC" "$SECS"
  if grep -qs '^Traceback (most recent call last)' "$OUT" "$ERR"; then
    printf ', TRACEBACK: %s' "$(grep -hE '^[A-Za-z_.]+(Error|Exception|Interrupt|Exit)' \
      "$OUT" "$ERR" | tail -n 1 | cut -c1-200)"
  fi
  printf '\n'
}

# try LABEL COMMAND...: run it and show what happened. Leaves RC, SECS, OUT, ERR.
try() {
  local label=$1 start
  shift
  TRIES=$((TRIES + 1)) OUT=$LOGS/$TRIES.out ERR=$LOGS/$TRIES.err
  printf '\n-- %s\n   $%s\n' "$label" "$(printf ' %q' "$@" | cut -c1-300)"
  start=$SECONDS
  timeout --kill-after=20 "$LIMIT" "$@" >"$OUT" 2>"$ERR" </dev/null
  RC=$? SECS=$((SECONDS - start))
  _after
}

# check TEXT PREDICATE...: say whether it holds of the last try.
check() {
  local text=$1
  shift
  CHECKS=$((CHECKS + 1))
  if "$@" >/dev/null 2>&1; then
    printf '  ok    %s\n' "$text"
  else
    printf '  FAIL  %s\n' "$text"
    FAILS=$((FAILS + 1))
  fi
}

rc_is() { [ "$RC" -eq "$1" ]; }
rc_bad() { [ "$RC" -ne 0 ]; }
no_traceback() { ! grep -qs 'Traceback (most recent call last)' "$OUT" "$ERR"; }
says() { cat "$OUT" "$ERR" | tr '\r' '\n' | grep -vE "$CHATTER" | grep -qiE -- "$1"; }
silent_about() { ! says "$1"; }
clear_error() { # progress bars end without a new line
  no_traceback && [ "$RC" -eq 2 ] && tr '\r' '\n' <"$ERR" | grep -qE '(^ *|: )error: '
}
works() { no_traceback && [ "$RC" -eq 0 ]; }
works_or_clear() { works || clear_error; }
works_or_says() { works || { clear_error && says "$1"; }; }
faster_than() { [ "$SECS" -lt "$1" ]; }
value() { sed -n "s/^$1=//p" "$OUT" | tail -n 1; }
num() { # the same as a number; nan (of which nothing holds) where there is none
  local found
  found=$(value "$1")
  case $found in '' | *[!0-9.eE+-]*) echo nan ;; *) echo "$found" ;; esac
}
holds() { "$PY" -c "from math import nan; import sys; sys.exit(not ($1))"; }

# What the notebook's cell does with DATA: prints the report and LOADED=, SKIPPED=,
# LABELS=, NAMES=, MEAN=, STD=, LOW=, HIGH= (EACH=1: also the mean of every image).
load() {
  local label=$1
  shift
  try "$label" env PYTHONPATH="$CASES/lib" "$PY" "$CASES/lib/notebook_cell.py" "$@"
}

# Several command lines in one process; one JSON list a line in a file.
many() { SHOWN=400 try "$1" env PYTHONPATH="$CASES/lib" "$PY" "$CASES/lib/many.py" "$2"; }

# model NAME TASK [ARGUMENT...]: the folder of a smoke model, trained once for all cases.
model() {
  local name=$1 task=$2 folder=$CACHE/$1
  shift 2
  mkdir -p "$CACHE"
  if [ ! -f "$folder/run.json" ]; then
    (
      flock 9
      [ -f "$folder/run.json" ] ||
        "$LA" train "$task" --out "$folder" --profile smoke "$@"
    ) 9>"$CACHE/.lock" >"$CACHE/$name.log" 2>&1 </dev/null ||
      echo "could not train $name: see $CACHE/$name.log" >&2
  fi
  echo "$folder"
}

project() {
  if [ -z "${PROJECT:-}" ]; then
    PROJECT=$(cd / && "$PY" -c 'import latent_arithmetic as p, pathlib
print(pathlib.Path(p.__file__).resolve().parent.parent)')
  fi
  echo "$PROJECT"
}

# copy_project FOLDER: a clone of its own; the real one is never written.
copy_project() {
  mkdir -p "$1"
  tar -C "$(project)" --exclude=./.git --exclude=./.venv --exclude=./build \
    --exclude='./.mypy_cache' --exclude='__pycache__' -cf - . | tar -C "$1" -xf -
}
