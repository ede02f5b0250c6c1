#!/usr/bin/env bash
. "$(dirname "$0")/lib.sh"
case_is "--scale nan, inf, -1, 1e30; --truncation nan; --train-fraction 90, 0,5, nan; --count 0; infinite settings of training" \
  "pallets/click #3347; qarmin/czkawka PR #2038; antirez/ds4 PR #885" \
  "refuses what is not finite in one line; never writes images of NaN"
gan=$(model gan gan) vae=$(model vae vae)
cat >calls.jsonl <<LINES
["generate", "--model", "$gan", "--count", "2", "--out", "a.png", "--scale", "nan"]
["generate", "--model", "$gan", "--count", "2", "--out", "b.png", "--scale", "inf"]
["generate", "--model", "$vae", "--count", "2", "--out", "c.png", "--scale", "1e30"]
["generate", "--model", "$vae", "--count", "2", "--out", "d.png", "--scale", "-1"]
["generate", "--model", "$gan", "--count", "2", "--out", "e.png", "--truncation", "nan"]
["generate", "--model", "$gan", "--count", "2", "--out", "f.png", "--truncation", "inf"]
["generate", "--model", "$gan", "--count", "2", "--out", "g.png", "--truncation", "-2"]
["generate", "--model", "$gan", "--out", "h.png", "--count", "0"]
["interpolate", "--model", "$gan", "--out", "i.png", "--steps", "1"]
["interpolate", "--model", "$gan", "--out", "j.png", "--steps", "2"]
["train", "text-to-text", "--out", "t1", "--profile", "smoke", "--train-fraction", "90"]
["train", "text-to-text", "--out", "t2", "--profile", "smoke", "--train-fraction", "0,5"]
["train", "text-to-text", "--out", "t3", "--profile", "smoke", "--train-fraction", "nan"]
["train", "text-to-text", "--out", "t4", "--profile", "smoke", "--train-fraction", "0.00001"]
["train", "text-to-text", "--out", "t5", "--profile", "smoke", "--train-fraction", "0.99999"]
["train", "text-to-text", "--out", "t6", "--profile", "smoke", "--encoder-layers", "0"]
["train", "text-to-text", "--out", "t7", "--profile", "smoke", "--learning-rate", "inf"]
["train", "text-to-text", "--out", "t8", "--profile", "smoke", "--weight-decay", "inf"]
["train", "vae", "--out", "v1", "--profile", "smoke", "--size", "24", "--beta", "inf"]
["train", "vae", "--out", "v2", "--profile", "smoke", "--size", "24", "--sigma", "nan"]
["train", "vae", "--out", "v3", "--profile", "smoke", "--size", "24", "--learning-rate", "1e30"]
LINES
many "twenty-one calls" calls.jsonl
check "none ends in a traceback" silent_about "RC TRACEBACK"
check "nan and inf are refused" eval '! [ -e a.png ] && ! [ -e b.png ]'
check "no model is trained with an infinite setting" eval '[ -z "$(ls t[78]/run.json v[12]/run.json 2>/dev/null)" ]'
check "no warning of NumPy gets through" silent_about "RuntimeWarning|invalid value"
