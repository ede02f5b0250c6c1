"""The digit classifier and the rejects it is trained on."""

import keras
import numpy as np
import pytest

from latent_arithmetic import io
from latent_arithmetic.io import DIGIT_CLASSIFIER, UserError, read_arrays
from latent_arithmetic.seq2seq.digit_classifier import (
    REJECT,
    DigitClassifier,
    classifier_examples,
    draw_rejects,
    evaluation_classifier,
    save_weights,
)
from latent_arithmetic.seq2seq.glyphs import glyph_bank
from latent_arithmetic.seq2seq.queries import encode
from latent_arithmetic.training import jit_compile

pytestmark = pytest.mark.usefixtures("compiled")


@pytest.mark.slow
def test_it_recognizes_texts_and_is_trained_as_a_whole():
    images, codes = classifier_examples("validation")
    assert images.dtype == np.uint8 and len(images) == len(codes)
    assert set(codes.tolist()) == set(range(REJECT + 1))
    model = DigitClassifier()
    texts = model.recognize(glyph_bank("test").sample(encode(["81+24", "  1-9"])))
    assert [len(text) for text in texts] == [5, 5]
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(1e-2), loss, jit_compile=jit_compile())
    before = [np.array(weight) for weight in model.trainable_variables]
    model.fit(images[-64:], codes[-64:], batch_size=64, verbose=0)
    for weight, old in zip(model.trainable_variables, before, strict=True):
        assert (np.array(weight) != old).any(), weight.path


def test_a_reject_is_no_copy_of_a_digit():
    bank = glyph_bank("validation")
    rejects = draw_rejects(bank, 60)
    assert rejects.shape == (60, 28, 28) and rejects.dtype == np.uint8
    assert (rejects == draw_rejects(bank, 60)).all()
    digits = {image.tobytes() for image in bank.images}
    assert not digits & {image.tobytes() for image in rejects}


def test_the_shipped_classifier_knows_digits_and_rejects():
    classifier, bank = evaluation_classifier(), glyph_bank("test")
    text = "0123456789+-  " * 5
    codes = encode([text])
    found = classifier.recognize(bank.sample(codes, seed=3))[0]
    assert sum(a == b for a, b in zip(text, found, strict=True)) > len(text) - 5
    rejects = draw_rejects(bank, 30, seed=3)[None]
    assert classifier.recognize(rejects)[0].count("?") > 20


def test_weights_of_a_classifier_are_saved_and_loaded(tmp_path, monkeypatch):
    classifier = DigitClassifier(seed=5)
    path = tmp_path / DIGIT_CLASSIFIER
    save_weights(path, classifier)
    monkeypatch.setenv(io.DATA_VARIABLE, str(tmp_path))
    with pytest.raises(UserError, match="damaged or another file"):
        evaluation_classifier()
    checksum = io.content_checksum(read_arrays(path))
    monkeypatch.setitem(io.CONTENT_CHECKSUMS, DIGIT_CLASSIFIER, checksum)
    loaded = evaluation_classifier().cnn.get_weights()
    for old, new in zip(classifier.cnn.get_weights(), loaded, strict=True):
        assert np.allclose(old, new, atol=1e-3)
