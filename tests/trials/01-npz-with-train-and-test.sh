#!/usr/bin/env bash
. "$(dirname "$0")/lib.sh"
case_is "an .npz as Keras or MedMNIST have them: a train and a test array" \
  "gskielian/JPG-PNG-to-MNIST-NN-Format #21; MedMNIST/MedMNIST #31, #38" \
  "takes them together, or says which arrays it saw and how to name one (images)"
py <<'PY'
import numpy as np
from makers import faces, gray
g, c = gray(120, 28), faces(120, 28)
n = np.arange(120) % 10
np.savez("mnist_like.npz", x_train=g[:100], y_train=n[:100], x_test=g[100:], y_test=n[100:])
np.savez("medmnist_like.npz", train_images=c[:80], train_labels=n[:80, None],
         val_images=c[80:100], val_labels=n[80:100, None],
         test_images=c[100:], test_labels=n[100:, None])
PY
hint="several|more than one|(array|named|called|name it) .?images|choose|all of them"
try "as keras.datasets.mnist stores it" "$LA" train cae --data mnist_like.npz --out m1 --profile smoke
check "trains, or one clear error" works_or_clear
check "trains, or says what to do about two arrays of images" works_or_says "$hint"
try "as MedMNIST stores it" "$LA" train cae --data medmnist_like.npz --out m2 --profile smoke
check "trains, or says what to do about three arrays of images" works_or_says "$hint"
try "the project's own mnist.npz, by its name" "$LA" train cae --data mnist.npz --out m3 --profile smoke
check "trains, or says what to do" works_or_says "$hint"
