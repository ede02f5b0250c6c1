"""The benchmarks count and compare correctly; speed itself is never asserted."""

import dataclasses

import keras
import numpy as np
import pytest

from benchmarks import (
    baseline,
    gan_time,
    gemm_fraction,
    image_training_steps,
    runner_overhead,
    time_to_accuracy,
)
from benchmarks.__main__ import BENCHMARKS, main, parse_arguments, show_record
from benchmarks.data_preparation import summarize as summarize_data_preparation
from benchmarks.gemm_fraction import forward_flops, traced_flops, training_flops
from benchmarks.measure import Attempt, BenchmarkConfig, Result, Stopwatch
from benchmarks.time_to_accuracy import (
    ShortSchedule,
    prepare_baseline,
    prepare_text_model,
    train_to_threshold,
)
from latent_arithmetic.config import QUICK, Schedule
from latent_arithmetic.flags import config_from_flags
from latent_arithmetic.images.dataset import load_images
from latent_arithmetic.records import read_record
from latent_arithmetic.seq2seq.baseline import build_baseline, encode_text
from latent_arithmetic.seq2seq.text_to_text import TextToTextConfig, build_text_model

pytestmark = pytest.mark.usefixtures("compiled")

CONFIG = BenchmarkConfig(repeats=2, baseline_epochs=1)


def lstm_flops(steps: int, inputs: int, units: int) -> int:
    """By hand: four gates, each reads the input and the last state."""
    return steps * 2 * 4 * units * (inputs + units)


def test_the_baseline_samples_every_query_once_padded_on_the_right():
    images = np.full((10, 28, 28), 255, "uint8")
    x_text, x_img, y_text, y_img = baseline.create_data(
        11, mnist=(images, np.arange(10))
    )
    assert x_text.shape == y_text.shape == (2 * 12 * 12,)
    assert x_text[:4].tolist() == ["0+0  ", "0-0  ", "0+1  ", "0-1  "]
    assert y_text[:4].tolist() == ["0  ", "0  ", "1  ", "-1 "]
    assert "10-11" in x_text and "22 " in y_text
    assert x_img.shape == (288, 5, 28, 28) and y_img.shape == (288, 3, 28, 28)
    assert x_img.dtype == y_img.dtype == np.float64
    assert x_img.max() == 1.0 and not x_img[0, 3:].any()  # blanks on the right
    assert x_img[0, 0].min() == 1.0 and 0 < x_img[0, 1].mean() < 1.0  # digit, sign


def test_operations_are_counted_as_by_hand():
    model = build_baseline()
    dense = 3 * 2 * 256 * 13
    by_hand = lstm_flops(5, 13, 256) + lstm_flops(3, 256, 256) + dense
    assert forward_flops(model) == by_hand
    assert training_flops(model, 32) == 3 * 32 * by_hand
    config = TextToTextConfig(encoder_layers=1, decoder_layers=1)
    both_directions = 2 * lstm_flops(5, 13, 64)
    rest = lstm_flops(3, 128, 64) + 3 * 2 * 64 * 13
    assert forward_flops(build_text_model(config)) == both_directions + rest


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="its profiler")
def test_the_graph_has_the_operations_of_the_layers():
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            keras.layers.Conv2D(16, 3, padding="same"),
            keras.layers.Flatten(),
            keras.layers.Dense(32),
        ]
    )
    model.compile("sgd", "mse")
    inputs, targets = np.zeros((4, 8, 8, 1), "float32"), np.zeros((4, 32), "float32")
    convolution, dense = 2 * 64 * 9 * 16, 2 * 1024 * 32
    assert forward_flops(model) == convolution + dense
    assert traced_flops(model, inputs, targets) == training_flops(model, 4)
    with_loop = build_baseline()
    with_loop.compile("adam", "categorical_crossentropy")
    inputs, targets = encode_text(np.array([[1, -1, 2]]))
    assert traced_flops(with_loop, inputs, targets) is None


def attempt(seconds: float, reached: bool = True) -> Attempt:
    return Attempt(1, seconds, 1.0, reached, 10, 0.99, 0.98)


def test_a_baseline_that_does_not_reach_the_threshold_gives_a_bound():
    attempts = {
        "baseline": [attempt(9.0, reached=False)],
        "encoder-decoder": [attempt(3.0)],
        "another": [attempt(2.0, reached=False)],
    }
    result = time_to_accuracy.summarize(attempts, 500, CONFIG)
    assert result.ratios == {
        "first_call_encoder_decoder": ">3.0x",
        "steady_state_encoder_decoder": ">4.0x",
    }
    assert result.estimates["steady_state_another"].value == 1.0
    assert "1 of 1" in result.notes["first_call_baseline"]
    assert "first_call_encoder_decoder" not in result.notes


def test_a_stopwatch_does_not_count_what_is_outside(monkeypatch):
    now = iter([0.0, 2.0, 10.0, 11.0])
    monkeypatch.setattr("benchmarks.measure.time.perf_counter", lambda: next(now))
    watch = Stopwatch()
    with watch.paused() as seconds:
        assert seconds == 2.0
    assert watch.seconds == 3.0


def test_results_are_recorded_and_printed(tmp_path, capsys):
    result = Result("how", {"threshold": 0.5}, {"baseline": [4.0, 6.0, 5.0]})
    result.add("time_baseline", [4.0, 6.0, 5.0], "s", n=7)
    result.add("time_default", [1.0, 0.5, 2.0], "s", note="slowly")
    result.add_ratio("time_default", "time_baseline", bound=">")
    result.record("some-benchmark", seconds=3.04).write(tmp_path / "record.json")
    record = read_record(tmp_path / "record.json")
    baseline_time = record.estimates["time_baseline"]
    assert record.name == record.group == "some-benchmark" and record.note == "how"
    assert record.config == {"repeats": 3, "threshold": 0.5}
    assert record.seeds == (1, 2, 3) and record.seconds == 3.0
    assert (baseline_time.value, baseline_time.low, baseline_time.high) == (5, 4, 6)
    assert (baseline_time.n, baseline_time.seeds) == (7, 3)
    assert record.details["ratio_to_baseline"] == {"time_default": ">5.0x"}
    assert record.details["notes"] == {"time_default": "slowly"}
    assert record.details["repeats"] == {"baseline": [4.0, 6.0, 5.0]}
    show_record(record)
    assert "1 s [0.5, 2]        3                 >5.0x" in capsys.readouterr().out


def test_the_command_line_records_each_benchmark(tmp_path, monkeypatch):
    name = "gan-time-to-baseline-distance"
    options = parse_arguments(["--repeats", "5", "--only", name])
    assert config_from_flags(BenchmarkConfig, options) == BenchmarkConfig(repeats=5)
    assert list(parse_arguments([]).only) == list(BENCHMARKS)

    def run(config: BenchmarkConfig) -> Result:
        result = Result("", {}, {})
        result.add("time", config.repeats * [1.0], "s")
        return result

    monkeypatch.setattr(gan_time, "run", run)
    main(["--only", name, "--repeats", "2", "--out", str(tmp_path)])
    assert read_record(tmp_path / f"{name}.json").estimates["time"].seeds == 2


@pytest.mark.stress
def test_training_ends_at_the_last_step():
    """Both by the same clock: checked on time, stopped at the end, tested."""
    split = TextToTextConfig(train_fraction=0.01).make_split()  # 200 queries
    schedule = ShortSchedule(32, 1e-3, weight_decay=0.1, steps=3, every=2)

    def prepare():
        return prepare_text_model(split, 1, "encoder-decoder", schedule)

    short = train_to_threshold("short", prepare, split, 1)
    once = train_to_threshold(
        "once", lambda: prepare_baseline(split, 1, CONFIG), split, 1
    )
    assert short.steps == 3 and once.steps == 7
    for each in (short, once):
        assert not each.reached and 0 < each.preparation_seconds <= each.seconds


@pytest.mark.stress
def test_the_step_of_image_to_text_is_compiled_as_it_is_trained():
    model, flops, inputs, targets = gemm_fraction.image_step()
    assert inputs.shape == (64, 5) and targets.shape == (64, 3)
    assert flops is None or flops > 10**9
    assert np.isfinite(model.train_on_batch(inputs, targets)).all()


def test_data_preparation_is_compared_with_the_baseline():
    result = summarize_data_preparation(
        {
            "baseline": [{"time": 4.0, "peak_memory": 100.0}],
            "default": [{"time": 2.0, "peak_memory": 10.0}],
        }
    )
    assert result.estimates["peak_memory_default"].unit == "MB"
    assert result.ratios == {
        "time_default": "2.0x",
        "peak_memory_default": "10.0x",
    }


def test_images_a_second_are_compared_with_the_baseline_of_the_same_task():
    steps = {
        "baseline_vae": [(10**9, 0.5)],
        "default_vae": [(10**9, 0.25)],
        "baseline_gan": [(None, 1.0)],
    }
    repeats = {"gemm_flops_per_second": [8e9], "step_flops_and_seconds": steps}
    sizes = {"baseline_vae": 8, "default_vae": 32, "baseline_gan": 64}
    result = image_training_steps.summarize(repeats, sizes)
    values = {key: estimate.value for key, estimate in result.estimates.items()}
    assert values["images_per_second_default_vae"] == 128
    assert values["images_per_second_baseline_gan"] == 64
    assert result.ratios == {"images_per_second_default_vae": "8.0x"}
    assert values["peak_gemm_throughput"] == 8
    assert values["step_time_default_vae"] == 250
    assert values["fraction_of_peak_default_vae"] == 0.5
    assert "fraction_of_peak_baseline_gan" not in values
    assert result.notes["step_time_baseline_gan"] == "operations could not be counted"


@pytest.mark.stress
@pytest.mark.parametrize("model", [("vae", "baseline"), ("gan", "default")])
def test_an_image_model_makes_the_step_that_is_timed(model):
    dataset = load_images(size=16, limit=400)
    model, flops, inputs, targets = image_training_steps.image_step(*model, dataset)
    assert flops is not None or keras.backend.backend() != "tensorflow"
    assert np.isfinite(model.train_on_batch(inputs, targets)).all()


def test_the_time_of_gans_is_until_the_baselines_distance():
    histories = {
        "baseline": [[(5.0, 9.0), (12.0, 8.0)]],
        "default": [[(1.0, 20.0), (3.0, 7.5)]],
    }
    key = "time_default_gan"
    result = gan_time.summarize(histories, n=10)
    assert [estimate.value for estimate in result.estimates.values()] == [12.0, 3.0]
    assert result.ratios == {key: "4.0x"} and result.notes[key] == "ends at 7.50"
    histories["default"] = [[(1.0, 20.0), (3.0, 8.5)]]
    assert not gan_time.summarize(histories, n=10).ratios


@pytest.mark.stress
def test_a_gan_is_measured_after_every_epoch(monkeypatch):
    dataset = load_images(limit=120)
    short = dataclasses.replace(QUICK, gan=Schedule(3, 32, 1e-3))
    monkeypatch.setattr(gan_time, "QUICK", short)
    distances = iter([9.0, 4.0, 1.0])
    history = gan_time.train_gan(
        "default", dataset, 1, measure=lambda model: next(distances), goal=5.0
    )
    assert [distance for _, distance in history] == [9.0, 4.0]
    assert 0 < history[0][0] < history[1][0]


def test_what_the_runner_costs_is_a_ratio():
    found = {
        "here": [{"seconds": 100.0, "training": 80.0, "checkpoints": 0.8}],
        "processes": [{"seconds": 105.0, "training": 80.0, "checkpoints": 0.0}],
    }
    estimates = runner_overhead.summarize(found).estimates
    assert estimates["processes_to_here"].value == pytest.approx(1.05)
    assert estimates["checkpoints"].value == pytest.approx(0.01)


@pytest.mark.stress
@pytest.mark.parametrize("where", ["here", "processes"])
def test_the_runner_is_timed(where):
    found = runner_overhead.time_run(where, "smoke")
    assert 0 < found["training"] < found["seconds"]
    assert (found["checkpoints"] > 0) == (where == "here")
