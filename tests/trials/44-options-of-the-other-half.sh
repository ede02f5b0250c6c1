#!/usr/bin/env bash
. "$(dirname "$0")/lib.sh"
case_is "train gan --architecture attention-alignment-given --train-fraction 0.5; train text-to-text --data my.zip --size 7" \
  "argotorg/solidity #11629; torognes/vsearch #37; POV-Ray/povray #191; souther-lang/souther #515" \
  "says that the option does nothing for this task"
py <<'PY'
from makers import faces, folder_of
folder_of(faces(60), "images")
PY
try "a GAN with options of sequence models" "$LA" train gan --data images --size 32 --architecture attention-alignment-given \
  --max-digits 3 --train-fraction 0.5 --encoder-layers 2 --out gan --profile smoke
check "refused, or mentioned" says "architecture|digits|fraction|no effect|unrecognized"
try "a sequence model with options of images" "$LA" train text-to-text --data no-such-folder --size 7 --preset baseline \
  --out text --profile smoke
check "refused, or mentioned" says "no-such-folder|--data|--preset|no effect|unrecognized"
try "text-to-text with options of the two with images" "$LA" train text-to-text --supervision characters --decoder mean-squared-error \
  --out text2 --profile smoke
check "refused, or mentioned" says "supervision|decoder|no effect|unrecognized"
for flag in --architecture --text-architecture; do
  try "$flag column-aligned for handwriting" "$LA" train image-to-text $flag column-aligned --out eye --profile smoke
  check "one clear error" clear_error
done
try "a text model's setting for an end-to-end model" "$LA" train image-to-text --architecture cnn-lstm --text-encoder-layers 2 --out eye --profile smoke
check "one clear error" clear_error
try "styles without a style vector" "$LA" train text-to-image --decoder mean-squared-error --sampling-temperature 0.5 --out drawer --profile smoke
check "one clear error" clear_error
check "before anything is trained" eval '! [ -e eye/text-to-text/run.json ] && ! [ -e drawer/text-to-text/run.json ]'
try "an unknown preset" "$LA" train gan --data images --preset Baseline --out gan2 --profile smoke
check "one clear error with the names" eval "clear_error && says 'expected.*baseline'"
