#!/usr/bin/env bash
. "$(dirname "$0")/lib.sh"
case_is "own digits for image-to-text: black on white, floats, one strip, one query" \
  "sugyan/tensorflow-mnist #7; EN10/KerasMNIST #1; chasinginfinity/number-sign-recognition #1" \
  "says that the images look inverted; takes or explains every other form"
eye=$(model eye image-to-text)
py <<'PY'
import numpy as np
from latent_arithmetic.seq2seq.glyphs import glyph_bank
from latent_arithmetic.seq2seq.queries import encode_queries, parse_queries
codes = encode_queries(parse_queries(["81+24", "41-89", "7+5", "0-0"]))
images = glyph_bank("test").sample(codes, 1)
np.savez("usual.npz", images=images)
np.savez("inverted.npz", images=255 - images)
np.savez("floats.npz", images=images.astype("float32") / 255)
np.savez("wide_ints.npz", images=images.astype("int64"))
np.savez("strip.npz", images=images.swapaxes(1, 2).reshape(4, 28, 140))
np.savez("channel.npz", images=images[..., None])
np.savez("single.npz", images=images[0])
np.savez("none.npz", images=images[:0])
np.savez("blank.npz", images=np.zeros_like(images))
np.savez("other_name.npz", arr_0=images)
PY
try "usual" "$LA" answer --model "$eye" --images usual.npz
cp "$OUT" expected
check "four answers" eval 'works && [ "$(wc -l <expected)" = 4 ]'
try "black on white" "$LA" answer --model "$eye" --images inverted.npz
check "a warning that they look inverted (a smoke model's answers tell nothing)" says "invert|black on white|white on black|bright"
for name in floats wide_ints strip channel single none blank other_name; do
  try "$name" "$LA" answer --model "$eye" --images $name.npz
  check "works, or one clear error" works_or_clear
done
