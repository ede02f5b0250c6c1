"""Classification accuracy score: which digits are drawn, and what is learnt of them."""

import numpy as np
import pytest

from latent_arithmetic.config import SMOKE
from latent_arithmetic.seq2seq import classification_score, layers
from latent_arithmetic.seq2seq.classification_score import (
    classification_accuracy_score,
    draw_digits,
)
from latent_arithmetic.seq2seq.tasks import TASKS
from latent_arithmetic.seq2seq.text_to_image import (
    TextToImageConfig,
    build_text_to_image,
)


def test_every_digit_is_drawn_equally_often(monkeypatch):
    monkeypatch.setattr(classification_score, "CHUNK", 20)
    model = build_text_to_image(TextToImageConfig(decoder="mean-squared-error"))
    images, codes = draw_digits(model, 50)
    assert images.shape == (50, 28, 28) and images.dtype == np.uint8
    assert np.bincount(codes).tolist() == [5] * 10
    # Without styles a digit always looks the same, and no two digits do.
    assert (images[3] == images[43]).all() and (images[3] != images[4]).any()


@pytest.mark.slow
def test_what_is_learnt_is_tested_on_real_digits(tmp_path, monkeypatch):
    monkeypatch.setattr(layers, "GLYPH_CNN_UNITS", 8)
    test = np.zeros((40, 28, 28), "uint8"), np.arange(40) % 10
    monkeypatch.setattr(classification_score, "mnist_digits", lambda split: test)
    config = TASKS["digit-classifier"].config_class(seed=1, batch_size=16)
    config = TASKS["digit-classifier"].resolve(config, SMOKE)
    images = np.random.default_rng(0).integers(256, size=(32, 28, 28)).astype("uint8")
    score = classification_accuracy_score(images, test[1][:32], tmp_path, config)
    # All test images are the same, so they are all taken for the same digit.
    assert score.n == 40 and score.value in (0, 0.1)
