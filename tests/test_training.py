"""Training: batches, resuming after a kill, the divergence guard, saved runs."""

import keras
import numpy as np
import pytest
from keras.src.trainers.data_adapters import get_data_adapter

from latent_arithmetic import training
from latent_arithmetic.errors import TrainingDiverged, UserError
from latent_arithmetic.runs import finished_run, read_run, save_run
from latent_arithmetic.training import Batches, cosine_schedule, train

EXAMPLES = np.linspace(-1, 1, 50, dtype="float32")[:, None]


def small_model(units: int = 4, learning_rate: float = 0.05) -> keras.Model:
    """A model with random behaviour in training (dropout) and a schedule."""
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
    model.compile(keras.optimizers.Adam(schedule), loss="mse")
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


@pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="a pipeline of TensorFlow"
)
def test_an_epochs_end_waits_for_no_self_tuning_pipeline():
    """Its thread sleeps for up to a minute, and is joined there."""
    options = get_data_adapter(small_batches()).get_tf_dataset().options()
    assert options.autotune.enabled is False


def test_schedule_warms_up_then_falls_to_zero():
    schedule = cosine_schedule(0.1, steps=100, warm_up=0.1)
    rates = [float(schedule(step)) for step in range(101)]
    assert rates[10] == pytest.approx(0.1)
    assert rates[0] < rates[5] < rates[10] > rates[50] > rates[100]
    assert rates[100] == pytest.approx(0.0, abs=1e-6)


def test_killed_run_resumes_to_the_same_weights(tmp_path, monkeypatch):
    monkeypatch.setattr(training, "CHECKPOINT_SECONDS", 0.0)
    whole = small_model()
    expected = train(whole, small_batches(), epochs=4, title="whole", folder=tmp_path)
    (tmp_path / training.CHECKPOINT_NAME).unlink()

    calls = []

    def killed(model):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return {}

    with pytest.raises(KeyboardInterrupt):
        train(
            small_model(),
            small_batches(),
            epochs=4,
            title="killed",
            folder=tmp_path,
            validate=killed,
        )
    resumed = small_model()
    resumed.set_weights([weight + 1 for weight in resumed.get_weights()])
    history = train(
        resumed, small_batches(), epochs=4, title="resumed", folder=tmp_path
    )
    np.testing.assert_array_equal(weights_of(whole), weights_of(resumed))
    assert history.losses == expected.losses


def test_checkpoint_of_other_settings_is_refused(tmp_path):
    train(
        small_model(),
        small_batches(),
        epochs=1,
        title="one",
        folder=tmp_path,
        settings={"seed": 1},
    )
    with pytest.raises(UserError, match="other|another"):
        train(
            small_model(),
            small_batches(),
            epochs=2,
            title="two",
            folder=tmp_path,
            settings={"seed": 2},
        )


def test_divergence_is_one_clear_error_and_keeps_the_checkpoint(tmp_path):
    model = small_model()
    train(model, small_batches(), epochs=1, title="good", folder=tmp_path)
    before = (tmp_path / training.CHECKPOINT_NAME).read_bytes()
    bad = Batches((EXAMPLES, np.full_like(EXAMPLES, np.nan)), 8)
    with pytest.raises(TrainingDiverged, match="last good checkpoint"):
        train(small_model(), bad, epochs=3, title="bad", folder=tmp_path)
    assert (tmp_path / training.CHECKPOINT_NAME).read_bytes() == before


def test_best_validation_epoch_is_kept():
    values = iter([0.2, 0.9, 0.1])
    seen = []

    def validate(model):
        seen.append(weights_of(model))
        return {"exact": next(values)}

    model = small_model()
    train(
        model,
        small_batches(),
        epochs=3,
        title="best",
        validate=validate,
        best="exact",
    )
    np.testing.assert_array_equal(weights_of(model), seen[1])


def test_saved_run_round_trip_and_refusals(tmp_path):
    model = small_model()
    history = train(model, small_batches(), epochs=1, title="saved", folder=tmp_path)
    settings = {"units": 4, "channels": (1, 2)}
    save_run(
        tmp_path,
        model,
        task="test",
        settings=settings,
        history=history,
        profile="smoke",
    )
    run = finished_run(tmp_path, "test", settings)
    loaded = run.load_weights(small_model(learning_rate=0.0))
    np.testing.assert_array_equal(weights_of(model), weights_of(loaded))
    with pytest.raises(UserError, match=r"\(4,\).*\(6,\)|\(1, 4\).*\(1, 6\)"):
        run.load_weights(small_model(units=6))
    with pytest.raises(UserError, match="units: there 4, wanted 5"):
        finished_run(tmp_path, "test", settings | {"units": 5})
    (tmp_path / "weights.npz").write_bytes(b"PK\x03\x04 cut off")
    with pytest.raises(UserError, match="not a whole"):
        run.load_weights(small_model())
    with pytest.raises(UserError, match="no finished run"):
        read_run(tmp_path / "empty")


def test_pickled_weights_are_refused(tmp_path):
    np.savez(tmp_path / "evil.npz", **{"0000": np.array([{"a": 1}], dtype=object)})
    from latent_arithmetic.checkpoints import load_variables

    with pytest.raises(UserError, match="plain arrays"):
        load_variables(small_model().variables, tmp_path / "evil.npz")


def test_a_full_disk_leaves_the_last_good_file_whole(tmp_path, monkeypatch):
    from latent_arithmetic import checkpoints

    path = tmp_path / "weights.npz"
    checkpoints.save_arrays(path, {"kept": np.arange(3)})

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoints.os, "fsync", full)
    with pytest.raises(UserError, match="No space left.*untouched"):
        checkpoints.save_arrays(path, {"kept": np.zeros(3)})
    assert checkpoints.read_arrays(path)["kept"].tolist() == [0, 1, 2]
    assert [file.name for file in tmp_path.iterdir()] == ["weights.npz"]


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
