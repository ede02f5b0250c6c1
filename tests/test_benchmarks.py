"""The benchmarks count and compare rightly; how fast anything is, is never asserted."""

import dataclasses
from pathlib import Path

import keras
import numpy as np
import pytest

from benchmarks import course_baseline, gan_race, image_to_text, picture_steps
from benchmarks.measure import (
    Check,
    Row,
    Stopwatch,
    attempt_from,
    first_over,
    print_rows,
    ratio_text,
    record_rows,
    spread,
)
from benchmarks.share_of_peak import forward_flops, traced_flops, training_flops
from benchmarks.text_race import Sprint, enter_baseline, enter_ours, race, race_rows
from latent_arithmetic.arithmetic.designs import build_text_design
from latent_arithmetic.arithmetic.lessons import Lesson
from latent_arithmetic.images.data.datasets import load_pictures
from latent_arithmetic.profiles import QUICK, Budget
from latent_arithmetic.results import read_results
from latent_arithmetic.speed import print_speed, recorded_speed


def lstm_flops(steps: int, inputs: int, units: int) -> int:
    """By hand: four gates, each reads the input and the last state."""
    return steps * 2 * 4 * units * (inputs + units)


def test_the_baseline_is_the_courses_model():
    model = course_baseline.build_text_model()
    assert model.count_params() == course_baseline.PARAMETERS
    assert model.output_shape == (None, 3, 13)
    assert float(model.optimizer.learning_rate) == pytest.approx(1e-3)


def test_the_baseline_draws_every_question_once_padded_on_the_right():
    images = np.full((10, 28, 28), 255, "uint8")
    x_text, x_img, y_text, y_img = course_baseline.create_data(
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


def test_the_baseline_reads_its_own_encoding():
    inputs, targets = course_baseline.encode_text(np.array([[1, -1, 2]]))
    assert inputs.shape == (1, 5, 13) and targets.shape == (1, 3, 13)
    assert inputs.argmax(axis=-1).tolist() == [[1, 11, 2, 12, 12]]
    assert targets.argmax(axis=-1).tolist() == [[11, 1, 12]]


def test_operations_are_counted_as_by_hand():
    baseline = course_baseline.build_text_model()
    dense = 3 * 2 * 256 * 13
    by_hand = lstm_flops(5, 13, 256) + lstm_flops(3, 256, 256) + dense
    assert forward_flops(baseline) == by_hand
    assert training_flops(baseline, 32) == 3 * 32 * by_hand
    calculator = build_text_design("place-aligned", decoder_layers=1)
    both_ways = 2 * lstm_flops(3, 64, 32)
    dense = 3 * 2 * (21 * 64 + 64 * 64 + 64 * 13)
    assert forward_flops(calculator) == both_ways + dense


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="its profiler")
def test_the_graph_tells_what_the_layers_tell():
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
    looping = course_baseline.build_text_model()
    inputs, targets = course_baseline.encode_text(np.array([[1, -1, 2]]))
    assert traced_flops(looping, inputs, targets) is None


HISTORY = [Check(10, 1.0, 0.5), Check(20, 2.0, 0.99), Check(30, 3.0, 0.97)]


def test_the_first_check_over_the_threshold_counts():
    assert first_over(HISTORY, 0.99) == HISTORY[1]
    assert first_over(HISTORY, 0.995) is None
    reached = attempt_from(HISTORY, 0.9, seed=1, preparing=0.5, test_exact=0.98)
    assert reached.reached and reached.seconds == 2.0 and reached.warm_seconds == 1.5
    missed = attempt_from(HISTORY, 1.0, seed=1, preparing=0.5, test_exact=0.98)
    assert not missed.reached and missed.seconds == 3.0 and missed.steps == 30


def test_who_never_gets_there_makes_a_bound():
    over, never = (
        attempt_from(HISTORY, threshold, seed=1, preparing=0.0, test_exact=1.0)
        for threshold in (0.5, 1.0)
    )
    rows = race_rows({"course baseline": [never], "a": [over], "b": [never]}, n=500)
    assert [row.times for row in rows[:3]] == ["", ">3.0x", "-"]
    assert "1 of 1" in rows[0].note and not rows[1].note


def test_a_stopwatch_does_not_count_what_is_outside(monkeypatch):
    now = iter([0.0, 2.0, 10.0, 11.0])
    monkeypatch.setattr("benchmarks.measure.time.perf_counter", lambda: next(now))
    watch = Stopwatch()
    with watch.paused():
        pass
    assert watch.seconds == 3.0


def test_rows_are_printed_and_recorded(tmp_path, capsys):
    slow, fast = spread([4.0, 6.0, 5.0], "s"), spread([1.0, 0.5, 2.0], "s")
    assert (slow.value, slow.low, slow.high, slow.seeds) == (5.0, 4.0, 6.0, 3)
    rows = [Row("a", "them", slow), Row("a", "us", fast, ratio_text(fast, slow, ">"))]
    print_rows(rows)
    assert ">5.0x" in capsys.readouterr().out
    record_rows(tmp_path, "race", rows, "how", {})
    assert read_results(tmp_path)["race"]["numbers"]["a, us"]["low"] == 0.5


def test_a_race_ends_at_its_last_step():
    """Both run by the same clock: checked on time, stopped at the end, asked again."""
    split = Lesson(train_fraction=0.01).parts()  # 200 questions
    sprint = Sprint(32, 1e-3, weight_decay=0.1, steps=3, every=2)
    ours = race("ours", lambda: enter_ours(split, 1, "place-aligned", sprint), split, 1)
    theirs = race("theirs", lambda: enter_baseline(split, 1, epochs=1), split, 1)
    assert ours.steps == 3 and theirs.steps == 7
    for attempt in (ours, theirs):
        assert not attempt.reached and 0 < attempt.preparing <= attempt.seconds


def test_the_image_race_stops_at_its_threshold(monkeypatch):
    """The text model is taught in full; the image model until its first good check."""
    taught = []

    def train(model, batches, *, title, epochs, validate, every):
        for _ in range(epochs):
            taught.append(title)
            validate(model)

    def train_task(task, folder, *, profile, seed, design):
        for title in ("text-to-text", task):
            shares = iter([0.2, 0.96, 0.97])
            image_to_text.tasks.train(
                None,
                range(7),
                title=title,
                epochs=3,
                every=2,
                validate=lambda model, shares=shares: {"exact": next(shares)},
            )

    monkeypatch.setattr(image_to_text.tasks, "train", train)
    monkeypatch.setattr(image_to_text.tasks, "train_task", train_task)
    referee = image_to_text.Referee(Stopwatch())
    image_to_text.prepare(1, image_to_text.PROFILE, Path("nowhere"), referee)
    assert taught == 3 * ["text-to-text"] + 2 * ["image-to-text"]
    assert [check.exact for check in referee.checks] == [0.2, 0.96]
    assert [check.step for check in referee.checks] == [7, 14]
    assert image_to_text.tasks.train is train


def test_recorded_speed_is_one_result_with_names_for_the_report(tmp_path, capsys):
    assert recorded_speed(tmp_path) is None
    baseline, ours = spread([6.0, 8.0, 7.0], "s"), spread([2.0, 1.0, 4.0], "s")
    rows = [
        Row("text to 99% exact, cold", "course baseline", baseline),
        Row("text to 99% exact, cold", "ours", ours, ratio_text(ours, baseline)),
    ]
    record_rows(tmp_path, "race", rows, "alone", {})
    found = recorded_speed(tmp_path)
    assert found["seeds"] == [1, 2, 3] and found["note"] == "alone"
    numbers = found["numbers"]
    assert numbers["text-to-99-exact-cold-ours"]["value"] == 2
    assert numbers["text-to-99-exact-cold-ours-better"] == {"value": "3.5x"}
    assert "text-to-99-exact-cold-course-baseline-better" not in numbers
    record_rows(tmp_path, "other", [Row("steps", "ours", baseline)], "", {})
    assert list(recorded_speed(tmp_path, only=("other",))["numbers"]) == ["steps-ours"]
    assert recorded_speed(tmp_path, only=("unknown",)) is None
    print_speed(found)
    first, second = capsys.readouterr().out.splitlines()
    assert first.split()[-6:] == ["7", "s", "[6,", "8]", "3", "repeats"]
    assert second.endswith("3 repeats     3.5x")
    print_speed(None)
    assert "make bench" in capsys.readouterr().out


def test_pictures_a_second_are_compared_with_the_courses_model_of_the_same_kind():
    steps = {"course VAE": [(1, 0.5)], "our VAE": [(1, 0.25)], "course GAN": [(1, 1.0)]}
    sizes = {"course VAE": 8, "our VAE": 32, "course GAN": 64}
    rows = {row.who: row for row in picture_steps.throughput_rows(steps, sizes)}
    assert rows["our VAE"].number.value == 128 and rows["our VAE"].times == "8.0x"
    assert rows["course GAN"].number.value == 64 and rows["course GAN"].times == ""


@pytest.mark.parametrize("who", ["course VAE", "our GAN"])
def test_a_picture_model_makes_the_step_that_is_timed(who):
    pictures = load_pictures(size=16, limit=400)
    model, flops, inputs, targets = picture_steps.picture_step(
        *picture_steps.PLAYERS[who], pictures
    )
    assert flops > 0 or keras.backend.backend() != "tensorflow"
    assert np.isfinite(model.train_on_batch(inputs, targets)).all()


def test_the_race_of_gans_ends_at_the_courses_distance():
    found = {"course": [[(5.0, 9.0), (12.0, 8.0)]], "ours": [[(1.0, 20.0), (3.0, 7.5)]]}
    course, ours = gan_race.race_rows(found, n=10)
    assert course.number.value == 12.0 and course.times == ""
    assert ours.number.value == 3.0 and ours.times == "4.0x"
    assert ours.note == "ends at 7.50"
    found["ours"] = [[(1.0, 20.0), (3.0, 8.5)]]
    assert gan_race.race_rows(found, n=10)[1].times == "-"


def test_the_race_of_gans_looks_after_every_epoch(monkeypatch):
    pictures = load_pictures(limit=120)
    short = dataclasses.replace(QUICK, gan=Budget(3, 32, 1e-3))
    monkeypatch.setattr(gan_race, "QUICK", short)
    distances = iter([9.0, 4.0, 1.0])
    monkeypatch.setattr(gan_race, "distance", lambda *about: next(distances))
    history = gan_race.contest("ours", pictures, judge=None, seed=1, goal=5.0)
    assert [found for _, found in history] == [9.0, 4.0]
    assert 0 < history[0][0] < history[1][0]
