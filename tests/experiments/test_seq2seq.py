"""The experiments of Task 2: their names, configurations and measurements."""

from dataclasses import asdict, replace

import pytest

from latent_arithmetic.config import FULL, SMOKE, Schedule
from latent_arithmetic.experiments import seq2seq
from latent_arithmetic.experiments.seq2seq import (
    HandwritingExperiment,
    LengthExperiment,
    TuningExperiment,
    first_gradients,
)
from latent_arithmetic.experiments.seq2seq_runs import all_experiments
from latent_arithmetic.io import plain
from latent_arithmetic.seq2seq import length_generalization, tasks
from latent_arithmetic.seq2seq.image_to_text import ImageToTextConfig
from latent_arithmetic.seq2seq.length_generalization import LengthGeneralizationConfig
from latent_arithmetic.seq2seq.text_to_image import TextToImageConfig
from latent_arithmetic.seq2seq.text_to_text import TextToTextConfig

ONE_EPOCH = Schedule(epochs=1, batch_size=32, learning_rate=1e-2)
PROFILE = replace(SMOKE, max_test_queries=60)


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(tasks, "EPOCH_QUERIES", 64)
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
        "text-to-text-encoder-decoder-random-10",
        "text-to-text-encoder-decoder-commutative-grouped-50",
        "text-to-text-left-to-right-random-90",
        "text-to-text-shuffled-query-random-10",
        "text-to-text-depth-encoder-3-decoder-1-random-50",
        "text-to-text-depth-encoder-1-decoder-5-residual-random-50",
        "text-to-text-encoder-decoder-three-digits-random-90",
        "image-to-text-cnn-lstm",
        "image-to-text-flattened-lstm",
        "image-to-text-modular-answers",
        "image-to-text-modular-characters",
        "text-to-image-conditional-vae",
        "text-to-image-mean-squared-error",
        "length-generalization-finite-state-3-digits",
        "mnist-addition-learnt-15",
    }


def test_configurations_name_every_value():
    configs = {each.name: each.config for each in all_experiments()}
    for config in configs.values():
        schedule = [config[k] for k in ("epochs", "batch_size", "learning_rate")]
        assert None not in schedule
    text = configs["text-to-text-encoder-decoder-random-2-seed-1"]
    assert text == {
        "task": "text-to-text",
        "seed": 1,
        "max_digits": 2,
        "train_fraction": 0.02,
        "train_queries": None,
        "split": "random",
        **plain(asdict(FULL.text_to_text)),
        "encoder_layers": 3,
        "decoder_layers": 3,
        "residual": False,
        "layer_normalization": True,
        "answer_order": "units-first",
        "query_order": "as-written",
        "weight_decay": 0.6,
    }
    modular = configs["image-to-text-modular-answers-seed-1"]
    expected = {
        "task": "image-to-text",
        "architecture": "modular",
        "supervision": "answers",
        "weight_decay": 0.1,
        "text_encoder_layers": 3,
        "text_decoder_layers": 3,
        "text_weight_decay": 0.3,
        "epochs": 20,
        "batch_size": 64,
    }
    assert modular == modular | expected
    end_to_end = configs["image-to-text-conv-lstm-seed-2"]
    assert end_to_end["encoder_layers"] == 2
    assert end_to_end["text_encoder_layers"] is None


def test_end_to_end_models_have_the_same_schedule():
    models = [e for e in all_experiments() if e.group.endswith("-lstm")]
    schedules = {
        (e.settings.epochs, e.settings.batch_size, e.settings.learning_rate)
        for e in models
        if e.task == "image-to-text"
    }
    assert len(schedules) == 1


@pytest.mark.slow
def test_settings_are_compared_by_validation_queries_alone(
    tmp_path, small_sequence_models
):
    layers = dict(encoder_layers=1, decoder_layers=1)
    config = TextToTextConfig(train_fraction=0.05, **layers, **asdict(ONE_EPOCH))
    experiment = TuningExperiment(config.resolve())
    name = "encoder-1-decoder-1-normalized-rate-0.01-decay-0.3-epochs-1"
    assert experiment.name == f"tuning-text-to-text-5-{name}-seed-0"
    found = experiment.measure(tmp_path, PROFILE)
    assert found.estimates["exact_match"].n == len(config.make_split().validation)
    last = found.details["validation"]["exact_match"][-1]
    assert found.estimates["exact_match"].value == pytest.approx(last)


@pytest.mark.slow
def test_the_first_gradient_is_measured_in_every_lstm_layer():
    config = TextToTextConfig(
        train_fraction=0.05,
        encoder_layers=2,
        decoder_layers=1,
        layer_normalization=False,
        **asdict(ONE_EPOCH),
    )
    norms = first_gradients(config)
    assert list(norms) == ["layer 1", "layer 2", "layer 3"]
    assert all(0 < norm < 10 for norm in norms.values())


@pytest.mark.stress
def test_modular_models_share_one_text_model(tmp_path):
    settings = dict(seed=1, **asdict(ONE_EPOCH))
    reading = HandwritingExperiment(
        ImageToTextConfig(architecture="modular", **settings),
        "image-to-text",
        "modular",
    )
    drawing = HandwritingExperiment(
        TextToImageConfig(**settings), "text-to-image", "vae"
    )
    found = reading.measure(tmp_path, PROFILE)
    assert found.estimates["exact_match"].n == 60
    assert 0 <= found.estimates["digit_accuracy"].value <= 1
    assert sum(found.details["error_types"].values()) <= 60
    assert found.details["parameters"] > 0 and found.seconds > 0
    drawn = drawing.measure(tmp_path, PROFILE).estimates
    assert drawn["real_glyphs_exact_match"].n == 60
    assert drawn["intra_class_diversity"].value > 0
    assert drawn["classification_accuracy_score"].n == 10_000
    kept = {path.name for path in tmp_path.iterdir()}
    assert kept == {
        "image-to-text-modular-seed-1",
        "text-to-image-vae-seed-1",
        "frozen-text-to-text-seed-1",
    }


@pytest.mark.slow
def test_an_end_to_end_model_is_measured_without_a_text_model(tmp_path):
    config = ImageToTextConfig(
        architecture="flattened-lstm", seed=1, **asdict(ONE_EPOCH)
    )
    experiment = HandwritingExperiment(config, "image-to-text", "flattened-lstm")
    found = experiment.measure(tmp_path, PROFILE)
    assert found.estimates["exact_match"].n == 60
    assert "digit_accuracy" not in found.estimates
    assert found.estimates["queries_the_classifier_misreads"].n == 60
    assert [path.name for path in tmp_path.iterdir()] == [experiment.name]


@pytest.mark.slow
def test_an_end_to_end_model_that_draws_is_measured(tmp_path):
    config = TextToImageConfig(decoder="end-to-end", seed=1, **asdict(ONE_EPOCH))
    experiment = HandwritingExperiment(config, "text-to-image", "end-to-end")
    found = experiment.measure(tmp_path, PROFILE)
    assert found.estimates["real_glyphs_exact_match"].n == 60
    assert "classification_accuracy_score" not in found.estimates


@pytest.mark.slow
def test_long_numbers_are_measured_by_length_and_patterns(tmp_path, monkeypatch):
    monkeypatch.setattr(seq2seq, "LONG_DIGITS", (3, 20))
    monkeypatch.setattr(length_generalization, "TRAIN_EXAMPLES", 640)
    config = LengthGeneralizationConfig(
        cell="lstm", layers=1, max_digits=2, **asdict(ONE_EPOCH)
    )
    experiment = LengthExperiment(config)
    found = experiment.measure(tmp_path, PROFILE)
    assert experiment.name == "length-generalization-lstm-2-digits-seed-0"
    estimates = found.estimates
    assert estimates["3_digits"].n == estimates["exact_match"].n == 60
    sums, differences = (estimates[f"20_digits_{s}"] for s in ("sums", "differences"))
    assert sums.n + differences.n == 60
    seen = round(60 * estimates["3_digits_seen_patterns_fraction"].value)
    assert estimates["3_digits_seen_patterns"].n == seen
    assert estimates["3_digits_unseen_patterns"].n == 60 - seen
    experiment.clean(tmp_path)
    assert not any(tmp_path.iterdir())
