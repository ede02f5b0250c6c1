#!/usr/bin/env bash
. "$(dirname "$0")/lib.sh"
case_is "submission with files dated 1970 (Docker, Nix, an unpacked archive), --out a folder, no right to write, from elsewhere" \
  "python/cpython #78278; batfish/pybatfish PR #242; pypa/hatch #1605; digitalandrew/wairz #14" \
  "packs; or one line; never half a zip under the final name"
copy_project clone
cd clone || exit 3
try "as it is" "$LA" submission --out "$WORK/a.zip"
check "works" works
check "a whole zip" "$PY" -m zipfile -t "$WORK/a.zip"
touch -d '1970-01-01 00:00:01' README.md latent_arithmetic/cli.py
try "two files of 1970" "$LA" submission --out "$WORK/b.zip"
check "works" works
check "no half zip is left" eval '! [ -e "$WORK/b.zip" ] || "$PY" -m zipfile -t "$WORK/b.zip"'
touch -d '2120-01-01' README.md
try "a file of 2120" "$LA" submission --out "$WORK/c.zip"
check "works, or one clear error" works_or_clear
touch README.md latent_arithmetic/cli.py
mkdir "$WORK/there"
try "--out is a folder" "$LA" submission --out "$WORK/there"
check "works, or one clear error" works_or_clear
try "--out below a file" "$LA" submission --out "$WORK/a.zip/x.zip"
check "one clear error" clear_error
try "--out inside notebooks/" "$LA" submission --out notebooks/mine.zip
check "works" works_or_clear
try "and once more" "$LA" submission --out notebooks/mine.zip
check "the zip does not hold itself" eval '! "$PY" -m zipfile -l notebooks/mine.zip | grep -q "mine.zip"'
mkdir "$WORK/empty" && cd "$WORK/empty" || exit 3
for command in run report submission export publish release-check; do
  try "$command outside of a clone" "$LA" $command
  check "one clear error" clear_error
done
check "nothing is left there" eval '[ -z "$(find . -type f)" ]'
