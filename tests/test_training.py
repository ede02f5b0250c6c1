"""Training: batches, exact resume after a kill, divergence guard, model folders."""

import json
import signal

import keras
import numpy as np
import pytest
from keras.src.trainers.data_adapters import get_data_adapter

from latent_arithmetic import training
from latent_arithmetic.io import TrainingDiverged, UserError
from latent_arithmetic.runs import finished_run, read_run, save_run
from latent_arithmetic.training import (
    Batches,
    cosine_schedule,
    fit,
    jit_compile,
    predict_in_batches,
)

pytestmark = pytest.mark.usefixtures("compiled")

EXAMPLES = np.linspace(-1, 1, 50, dtype="float32")[:, None]


def small_model(units: int = 4, learning_rate: float = 0.05) -> keras.Model:
    """A model with random behavior in training (dropout) and a schedule."""
    keras.utils.set_random_seed(3)
    model = keras.Sequential(
        [
            keras.Input((1,)),
            keras.layers.Dense(units, activation="tanh"),
            keras.layers.Dropout(0.3, seed=5),
            keras.layers.Dense(1),
        ]
    )
    schedule = cosine_schedule(learning_rate, steps=60)
    model.compile(
        keras.optimizers.Adam(schedule), loss="mse", jit_compile=jit_compile()
    )
    return model


def small_batches() -> Batches:
    return Batches((EXAMPLES, EXAMPLES**2), batch_size=8, seed=1)


def weights_of(model):
    return np.concatenate([np.ravel(w) for w in model.get_weights()])


def test_batches_shuffle_by_seed_and_epoch_alone():
    batches, same = small_batches(), small_batches()
    assert len(batches) == 6
    first = batches[0][0]
    np.testing.assert_array_equal(first, same[0][0])
    batches.start_epoch(1)
    assert not np.array_equal(first, batches[0][0])
    rows = np.concatenate([batches[i][0] for i in range(len(batches))])
    assert len(np.unique(rows)) == 48


def test_batches_refuse_no_examples():
    with pytest.raises(UserError, match="no training examples"):
        Batches(np.zeros((0, 2)), 8)


def test_fewer_examples_than_a_batch_are_one_batch():
    batches = Batches(np.arange(5), batch_size=64)
    assert len(batches) == 1 and sorted(batches[0]) == list(range(5))


@pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="a pipeline of TensorFlow"
)
def test_an_epochs_end_waits_for_no_self_tuning_pipeline():
    """Its thread sleeps for up to a minute, and is joined there."""
    options = get_data_adapter(small_batches()).get_tf_dataset().options()
    assert options.autotune.enabled is False


def test_schedule_warms_up_then_falls_to_zero():
    schedule = cosine_schedule(0.1, steps=100, warm_up=0.1)
    rates = {step: float(schedule(step)) for step in (0, 5, 10, 50, 100)}
    assert rates[10] == pytest.approx(0.1)
    assert rates[0] < rates[5] < rates[10] > rates[50] > rates[100]
    assert rates[100] == pytest.approx(0.0, abs=1e-6)


def test_killed_run_resumes_to_the_same_weights(tmp_path, monkeypatch):
    monkeypatch.setattr(training, "CHECKPOINT_SECONDS", 0.0)
    whole = small_model()
    expected = fit(whole, small_batches(), epochs=4, title="whole", folder=tmp_path)
    (tmp_path / training.CHECKPOINT_NAME).unlink()

    calls = []

    def killed(model):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return {}

    with pytest.raises(KeyboardInterrupt):
        fit(
            small_model(),
            small_batches(),
            epochs=4,
            title="killed",
            folder=tmp_path,
            validate=killed,
        )
    resumed = small_model()
    resumed.set_weights([weight + 1 for weight in resumed.get_weights()])
    history = fit(resumed, small_batches(), epochs=4, title="resumed", folder=tmp_path)
    np.testing.assert_array_equal(weights_of(whole), weights_of(resumed))
    assert history.losses == expected.losses


def test_an_interruption_that_was_swallowed_stops_training(tmp_path, monkeypatch):
    interruption = type(training.interruption)()
    monkeypatch.setattr(training, "interruption", interruption)
    with pytest.raises(KeyboardInterrupt):
        interruption.handle(signal.SIGINT, None)
    with pytest.raises(KeyboardInterrupt):
        fit(small_model(), small_batches(), epochs=1, title="stopped", folder=tmp_path)
    assert not any(tmp_path.iterdir())


def test_checkpoint_of_other_settings_is_refused(tmp_path):
    fit(
        small_model(),
        small_batches(),
        epochs=1,
        title="one",
        folder=tmp_path,
        config={"seed": 1},
    )
    with pytest.raises(UserError, match="other|another"):
        fit(
            small_model(),
            small_batches(),
            epochs=2,
            title="two",
            folder=tmp_path,
            config={"seed": 2},
        )


def test_divergence_is_one_clear_error_and_keeps_the_checkpoint(tmp_path):
    model = small_model()
    fit(model, small_batches(), epochs=1, title="good", folder=tmp_path)
    before = (tmp_path / training.CHECKPOINT_NAME).read_bytes()
    bad = Batches((EXAMPLES, np.full_like(EXAMPLES, np.nan)), 8)
    with pytest.raises(TrainingDiverged, match="last good checkpoint"):
        fit(small_model(), bad, epochs=3, title="bad", folder=tmp_path)
    assert (tmp_path / training.CHECKPOINT_NAME).read_bytes() == before


def saved(folder, units: int = 4):
    """A finished run in `folder`, and its model."""
    model = small_model(units)
    history = fit(model, small_batches(), epochs=1, title="saved", folder=folder)
    config = {"units": units, "channels": (1, 2), "seed": 3}
    save_run(
        folder, model, task="test", config=config, history=history, profile="smoke"
    )
    return model, config


def test_saved_run_round_trip_and_refusals(tmp_path):
    model, config = saved(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "model.weights.h5",
        "run.json",
    ]
    run = finished_run(tmp_path, "test", config)
    assert run.config == {"units": 4, "channels": [1, 2], "seed": 3}
    loaded = run.load_weights(small_model(learning_rate=0.0))
    np.testing.assert_array_equal(weights_of(model), weights_of(loaded))
    with pytest.raises(UserError, match="does not fit the model"):
        run.load_weights(small_model(units=6))
    with pytest.raises(UserError, match="units: there 4, wanted 5"):
        finished_run(tmp_path, "test", config | {"units": 5})
    with pytest.raises(UserError, match="no finished run"):
        read_run(tmp_path / "empty")


def test_damaged_weights_are_refused(tmp_path):
    saved(tmp_path)
    path = tmp_path / "model.weights.h5"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(UserError, match="damaged or belongs to another model"):
        read_run(tmp_path).load_weights(small_model())
    path.unlink()
    with pytest.raises(UserError, match="no finished run"):
        read_run(tmp_path)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"estimates": {}}', "not JSON"])
def test_damaged_run_json_is_refused(tmp_path, text):
    saved(tmp_path)
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(UserError, match="run.json"):
        read_run(tmp_path)


@pytest.mark.parametrize(
    "change", [{"details": {}}, {"config": ["task"]}, {"config": {"seed": 3}}]
)
def test_a_run_json_that_lacks_a_part_is_refused(tmp_path, change):
    saved(tmp_path)
    content = json.loads((tmp_path / "run.json").read_text())
    (tmp_path / "run.json").write_text(json.dumps(content | change))
    with pytest.raises(UserError, match="run.json is damaged"):
        read_run(tmp_path)


def test_model_of_an_older_version_is_refused(tmp_path):
    (tmp_path / "weights.npz").write_bytes(b"")
    (tmp_path / "run.json").write_text("{}")
    with pytest.raises(UserError, match="older version.*train again"):
        read_run(tmp_path)


def test_weights_are_saved_without_the_optimizer(tmp_path):
    import h5py

    saved(tmp_path)
    with h5py.File(tmp_path / "model.weights.h5") as file:
        assert "optimizer" not in file


def test_user_callbacks_see_losses_and_validation():
    seen = []

    class Watch(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            seen.append((epoch, sorted(logs)))

    fit(
        small_model(),
        small_batches(),
        epochs=2,
        title="watched",
        validate=lambda model: {"exact_match": 0.5},
        callbacks=[Watch()],
    )
    assert seen == [(0, ["loss", "val_exact_match"]), (1, ["loss", "val_exact_match"])]


def test_predictions_do_not_depend_on_the_batch_size():
    rows = np.arange(7.0)[:, None]
    doubled = predict_in_batches(lambda part: 2 * part, rows, batch_size=3)
    np.testing.assert_array_equal(doubled, 2 * rows)


def test_a_short_epoch_takes_other_rows_each_time():
    batches = Batches(np.arange(1_000), batch_size=10, epoch_examples=100)
    assert len(batches) == 10
    seen = []
    for epoch in range(2):
        batches.start_epoch(epoch)
        rows = np.concatenate([batches[index] for index in range(len(batches))])
        assert len(np.unique(rows)) == 100
        seen.append(set(rows.tolist()))
    assert len(seen[0] | seen[1]) > 150
