"""Generative models of images (Task 1); sequence models that calculate (Task 2)."""

import os

__version__ = "0.2.0"

# TensorFlow brings oneDNN's CPU kernels, but leaves them off on processors without
# AVX512-VNNI. There, too, convolutions and wide layers are faster with them (small
# recurrent steps a little slower). TensorFlow reads this when it is imported.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
