"""The experiments of Task 2: their names, configurations and measurements."""

from dataclasses import asdict, replace

import pytest

from latent_arithmetic.config import SMOKE, Schedule
from latent_arithmetic.experiments import seq2seq
from latent_arithmetic.experiments.seq2seq import (
    HandwritingExperiment,
    LengthExperiment,
    TextExperiment,
    all_experiments,
)
from latent_arithmetic.seq2seq import layers, tasks
from latent_arithmetic.seq2seq.image_to_text import ImageToTextConfig
from latent_arithmetic.seq2seq.length_generalization import LengthGeneralizationConfig
from latent_arithmetic.seq2seq.text_to_image import TextToImageConfig
from latent_arithmetic.seq2seq.text_to_text import TextToTextConfig

ONE_EPOCH = Schedule(epochs=1, batch_size=32, learning_rate=1e-2)
PROFILE = replace(SMOKE, max_test_queries=60)


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(tasks, "EPOCH_QUERIES", 64)
    monkeypatch.setattr(layers, "UNROLL", False)
    monkeypatch.setattr(seq2seq, "TEXT_SCHEDULE", ONE_EPOCH)
    real = tasks.classifier_examples
    monkeypatch.setattr(
        tasks,
        "classifier_examples",
        lambda split: tuple(array[::50] for array in real(split)),
    )


def test_groups_have_the_names_that_tables_ask_for():
    experiments = all_experiments()
    assert all(e.name == f"{e.group}-seed-{e.seed}" for e in experiments)
    assert {each.group for each in experiments} >= {
        "text-to-text-attention-alignment-given-random-10",
        "text-to-text-column-aligned-commutative-grouped-50",
        "text-to-text-encoder-decoder-random-90",
        "text-to-text-attention-without-alignment-random-5",
        "text-to-text-depth-encoder-3-decoder-1-random-50",
        "text-to-text-attention-alignment-given-three-digits-random-90",
        "image-to-text-modular-answers",
        "image-to-text-modular-characters",
        "image-to-text-flattened-lstm",
        "text-to-image-conditional-vae",
        "text-to-image-mean-squared-error",
        "length-generalization-finite-state",
    }


def test_configurations_name_every_value():
    configs = {each.name: each.config for each in all_experiments()}
    for config in configs.values():
        schedule = [config[k] for k in ("epochs", "batch_size", "learning_rate")]
        assert None not in schedule
    text = configs["text-to-text-attention-alignment-given-random-2-seed-1"]
    assert text == {
        "task": "text-to-text",
        "seed": 1,
        "max_digits": 2,
        "train_fraction": 0.02,
        "train_queries": None,
        "split": "random",
        "epochs": 20,
        "batch_size": 128,
        "learning_rate": 0.01,
        "architecture": "attention-alignment-given",
        "encoder_layers": 1,
        "decoder_layers": 2,
        "alignment_logit": 4.0,
        "weight_decay": 0.6,
    }
    reading = configs["image-to-text-modular-answers-seed-1"]
    expected = {
        "task": "image-to-text",
        "architecture": "modular",
        "supervision": "answers",
        "weight_decay": 0.1,
        "text_architecture": "attention-alignment-given",
        "text_decoder_layers": 2,
        "text_weight_decay": 0.6,
        "epochs": 20,
        "batch_size": 64,
    }
    assert reading == reading | expected
    end_to_end = configs["image-to-text-conv-lstm-seed-2"]
    assert end_to_end["epochs"] == 10 and end_to_end["text_architecture"] is None
    assert end_to_end["initialized_after"]["decoder_layers"] == 2
    without = configs["text-to-text-attention-without-alignment-random-5-seed-1"]
    assert without["alignment_logit"] == 0


@pytest.mark.stress
def test_text_is_measured_with_images(tmp_path, monkeypatch):
    """Three digits in image models that were trained on two."""
    settings = dict(seed=1, **asdict(ONE_EPOCH))
    frozen = dict(text_architecture="attention-alignment-given", **settings)
    reading = HandwritingExperiment(
        ImageToTextConfig(**frozen), "image-to-text", "modular"
    )
    drawing = HandwritingExperiment(TextToImageConfig(**frozen), "text-to-image", "vae")
    monkeypatch.setattr(seq2seq, "modular_experiments", lambda seed: [reading, drawing])
    longer = TextToTextConfig(
        architecture="attention-alignment-given", max_digits=3, **settings
    )
    experiment = TextExperiment(longer, with_images=True)
    found = experiment.measure(tmp_path, PROFILE)
    estimates = found.estimates
    assert estimates["exact_match"].n == estimates["image_to_text_exact_match"].n == 60
    assert 0 <= estimates["image_to_text_digit_accuracy"].value <= 1
    assert estimates["text_to_image_real_glyphs_exact_match"].n == 60
    assert estimates["text_to_image_intra_class_diversity"].value > 0
    assert 0 <= estimates["nearest_neighbor_vote"].value <= 1
    assert sum(found.details["error_types"].values()) <= 60
    assert 0 <= found.details["validation_exact_match"] <= 1
    assert found.details["parameters"] > 0 and found.seconds > 0
    kept = {path.name for path in tmp_path.iterdir()}
    assert {"image-to-text-modular-seed-1", "digit-classifier"} <= kept
    assert experiment.name not in kept
    single = reading.measure(tmp_path, PROFILE)
    assert single.estimates["exact_match"].n == 60


@pytest.mark.slow
def test_an_end_to_end_model_is_measured_without_a_text_model(tmp_path):
    config = ImageToTextConfig(
        architecture="flattened-lstm", seed=1, **asdict(ONE_EPOCH)
    )
    experiment = HandwritingExperiment(config, "image-to-text", "flattened-lstm")
    found = experiment.measure(tmp_path, PROFILE)
    assert found.estimates["exact_match"].n == 60
    assert "digit_accuracy" not in found.estimates
    assert [path.name for path in tmp_path.iterdir()] == [experiment.name]


@pytest.mark.slow
def test_long_numbers_are_measured_by_length_and_patterns(tmp_path, monkeypatch):
    monkeypatch.setattr(seq2seq, "LONG_DIGITS", (3, 20))
    config = LengthGeneralizationConfig(
        cell="lstm", layers=1, train_fraction=0.01, **asdict(ONE_EPOCH)
    )
    experiment = LengthExperiment(config)
    found = experiment.measure(tmp_path, PROFILE)
    assert experiment.name == "length-generalization-lstm-seed-0"
    estimates = found.estimates
    assert estimates["3_digits"].n == 60 and estimates["exact_match"].n > 1_000
    sums, differences = (estimates[f"20_digits_{s}"] for s in ("sums", "differences"))
    assert sums.n + differences.n == 60
    seen = round(60 * estimates["3_digits_seen_patterns_fraction"].value)
    assert estimates["3_digits_seen_patterns"].n == seen
    assert estimates["3_digits_unseen_patterns"].n == 60 - seen
    experiment.clean(tmp_path)
    assert not any(tmp_path.iterdir())
