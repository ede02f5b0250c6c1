#!/usr/bin/env bash
. "$(dirname "$0")/lib.sh"
case_is "~/.keras/keras.json of years ago: channels_first, theano, torch that is not installed, float16" \
  "ChihebTrabelsi/deep_complex_networks #7; marcellacornia/sam #18; lanha/DSen2 PR #47; keras-team/keras #9045" \
  "works all the same, or one line that names the file and the setting"
py <<'PY'
from makers import faces, folder_of
folder_of(faces(60), "images")
PY
config() { mkdir -p "home-$1/.keras"; printf '%s' "$2" >"home-$1/.keras/keras.json"; }
config usual '{"floatx": "float32", "epsilon": 1e-07, "backend": "tensorflow", "image_data_format": "channels_last"}'
config channels '{"floatx": "float32", "epsilon": 1e-07, "backend": "tensorflow", "image_data_format": "channels_first"}'
config theano '{"image_dim_ordering": "th", "epsilon": 1e-07, "floatx": "float32", "backend": "theano"}'
config torch '{"floatx": "float32", "epsilon": 1e-07, "backend": "torch", "image_data_format": "channels_last"}'
config half '{"floatx": "float16", "epsilon": 1e-07, "backend": "tensorflow", "image_data_format": "channels_last"}'
config broken '{"floatx": "float32", '
for name in usual channels theano torch half broken; do
  for task in "cae --data images --size 32" text-to-text; do
    try "$name: $task" env HOME="$WORK/home-$name" "$LA" train $task --out m-$name-${task%% *} --profile smoke
    check "works, or one clear error" works_or_clear
  done
done
mkdir home-closed && chmod 500 home-closed
try "a home that cannot be written" env HOME="$WORK/home-closed" "$LA" train cae --data images --size 32 --out m-closed --profile smoke
check "works" works
try "KERAS_BACKEND=torch without torch" env KERAS_BACKEND=torch "$LA" train cae --data images --size 32 --out m-torch2 --profile smoke
check "works, or one clear error" works_or_clear
try "KERAS_BACKEND=Tensorflow (capital)" env KERAS_BACKEND=Tensorflow "$LA" train cae --data images --size 32 --out m-cap --profile smoke
check "works, or one clear error" works_or_clear
