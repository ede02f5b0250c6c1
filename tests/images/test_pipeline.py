"""Train, load and use an image model, and what a damaged model folder is answered."""

import json
import shutil

import keras
import numpy as np
import pytest
from PIL import Image

from latent_arithmetic.images.dataset import load_images, to_unit
from latent_arithmetic.images.gan import LOSS_NAMES
from latent_arithmetic.images.pipeline import (
    TASKS,
    contact_sheet,
    load,
    reconstruct_to_file,
    save_images,
    show_samples,
    train,
)
from latent_arithmetic.images.presets import CAEConfig, GANConfig
from latent_arithmetic.images.vae import VAEGAN
from latent_arithmetic.io import UserError

SIZE = 32


@pytest.mark.parametrize("task", TASKS)
def test_a_loaded_model_generates_the_same_images(trained_models, task):
    trained = trained_models[task]
    loaded = load(trained.run.folder)
    assert loaded.task == task and loaded.config == trained.config
    np.testing.assert_array_equal(
        trained.generate(3, seed=4, prior=trained.default_prior),
        loaded.generate(3, seed=4, prior=loaded.default_prior),
    )
    assert loaded.has_encoder == hasattr(loaded.model, "encoder")


def test_a_finished_run_is_loaded_and_another_refused(trained_models, few_punks, smoke):
    folder = trained_models["vae"].run.folder
    before = (folder / "run.json").read_text()
    train("vae", folder, profile=smoke, data=few_punks)
    assert (folder / "run.json").read_text() == before
    for other in ({"seed": 3}, {"overrides": {"beta": 0.5}}):
        with pytest.raises(UserError, match="another run"):
            train("vae", folder, profile=smoke, data=few_punks, **other)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"task": "diffusion"}, "expected one of cae, vae, gan"),
        ({"preset": "theirs"}, "preset of vae 'theirs'"),
        ({"seed": -1}, "seed -1"),
        ({"seed": 2**32}, "seed 4294967296"),
        ({"overrides": {"width": 3}}, "setting of a vae 'width'"),
        ({"overrides": {"beta": -1.0}}, "beta"),
        ({"config": CAEConfig()}, "CAEConfig for a vae"),
        ({"data": "cryptopunks", "size": 50}, "50 pixels"),
    ],
)
def test_what_nobody_can_train_is_refused(
    arguments, message, few_punks, smoke, tmp_path
):
    arguments = {"task": "vae", "data": few_punks, "profile": smoke} | arguments
    with pytest.raises(UserError, match=message):
        train(folder=tmp_path / "x", **arguments)
    assert not (tmp_path / "x").exists()


def test_a_size_need_not_be_halved_to_the_end_if_layers_are_given(smoke, tmp_path):
    arguments = {"data": tmp_path / "nowhere", "profile": smoke, "size": 100}
    with pytest.raises(UserError, match="100 pixels"):
        train("gan", tmp_path / "x", **arguments)
    for given in ({"overrides": {"n_layers": 2}}, {"config": GANConfig(n_layers=2)}):
        with pytest.raises(UserError, match="nowhere"):
            train("gan", tmp_path / "x", **arguments, **given)


@pytest.mark.slow
def test_settings_and_callbacks_of_the_user_are_used(few_punks, smoke, tmp_path):
    """Also on images without labels, and with the same seed the same model."""
    unlabeled = tmp_path / "unlabeled.npy"
    np.save(unlabeled, few_punks.train)
    logs = []
    callback = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, seen: logs.append((epoch, dict(seen)))
    )
    small = {"channels": 32, "latent_dim": 8, "epochs": 2}
    first, second = (
        train(
            "gan",
            tmp_path / name,
            profile=smoke,
            data=unlabeled,
            size=SIZE,
            **settings,
            callbacks=[callback],
        )
        for name, settings in (
            ("overrides", {"overrides": small}),
            ("config", {"config": GANConfig(**small)}),
        )
    )
    assert [epoch for epoch, _ in logs] == [0, 1, 0, 1]
    assert "val_diversity_ratio" in logs[1][1]
    assert first.model.latent_dim == 8 and first.run.history.epochs == 2
    assert len(first.training_set["names"]) == first.n_attributes == 0
    difference = first.generate(4).astype(int) - second.generate(4)
    assert np.abs(difference).max() <= 1


@pytest.mark.slow
def test_a_vae_of_photographs_has_a_discriminator_and_is_saved_with_it(smoke, tmp_path):
    photographs = tmp_path / "photographs.npy"
    values = np.random.default_rng(0).integers(0, 256, (60, SIZE, SIZE, 3))
    np.save(photographs, values.astype("uint8"))
    trained = train("vae", tmp_path / "vae", profile=smoke, data=photographs, size=SIZE)
    assert isinstance(trained.model, VAEGAN) and trained.n_attributes == 0
    assert trained.config["model"]["adversarial_weight"] > 0
    assert {"reconstruction", "kl", *LOSS_NAMES} <= set(trained.run.history.losses)
    loaded = load(tmp_path / "vae")
    images = load_images(photographs, SIZE).test
    np.testing.assert_array_equal(
        loaded.reconstruct(images), trained.reconstruct(images)
    )
    np.testing.assert_array_equal(
        loaded.model.discriminator(to_unit(images)),
        trained.model.discriminator(to_unit(images)),
    )


def edit_run(change):
    def damage(folder):
        content = json.loads((folder / "run.json").read_text())
        change(content["config"])
        (folder / "run.json").write_text(json.dumps(content))

    return damage


def swap(name, other):
    return lambda folder: shutil.copy(folder.parent / other / name, folder / name)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda f: (f / "run.json").unlink(), "no finished run"),
        (lambda f: (f / "run.json").write_text(""), "run.json"),
        (lambda f: (f / "run.json").write_text("[]"), "run.json"),
        (edit_run(lambda c: c.pop("task")), "run.json"),
        (edit_run(lambda c: c.update(task="text-to-text")), "text-to-text model"),
        (edit_run(lambda c: c.pop("image_spec")), "another version"),
        (edit_run(lambda c: c.pop("model")), "another version"),
        (edit_run(lambda c: c.update(model=[])), "another version"),
        (edit_run(lambda c: c["image_spec"].update(frames=1)), "another version"),
        (edit_run(lambda c: c["image_spec"].update(size="two")), "another version"),
        (edit_run(lambda c: c["model"].update(depth=2)), "another version"),
        (edit_run(lambda c: c["model"].update(channels="x")), "another version"),
        (edit_run(lambda c: c["model"].update(latent_dim=7)), "does not fit"),
        (lambda f: (f / "model.weights.h5").unlink(), "no finished run"),
        (lambda f: (f / "model.weights.h5").write_bytes(b"x"), "damaged"),
        (swap("model.weights.h5", "gan"), "damaged"),
        (lambda f: (f / "mixture-prior.npz").unlink(), "mixture-prior.npz"),
        (lambda f: (f / "training-set.npz").unlink(), "training-set.npz"),
        (lambda f: (f / "training-set.npz").write_bytes(b"PK"), "training-set.npz"),
        (swap("training-set.npz", "cae"), "does not belong"),
        (swap("mixture-prior.npz", "cae"), "does not belong"),
        (lambda f: (f / "weights.npz").write_bytes(b"x"), "older version.*train again"),
    ],
)
def test_a_damaged_model_folder_is_one_clear_error(
    trained_models, tmp_path, damage, message
):
    for task in ("cae", "vae", "gan"):
        shutil.copytree(trained_models[task].run.folder, tmp_path / task)
    damage(tmp_path / "vae")
    with pytest.raises(UserError, match=message) as caught:
        load(tmp_path / "vae").generate(2, prior="mixture")
    assert "\n" not in str(caught.value)


def test_a_run_file_with_a_byte_order_mark_is_read(trained_models, tmp_path):
    folder = tmp_path / "mödel with blank #1"
    shutil.copytree(trained_models["cae"].run.folder, folder)
    text = (folder / "run.json").read_text(encoding="utf-8")
    (folder / "run.json").write_text("\ufeff" + text, encoding="utf-8")
    assert load(folder).generate(2, prior="mixture").shape == (2, SIZE, SIZE, 3)


def test_reconstructions_of_own_images_in_files(trained_models, tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (7, 40, 40, 3)).astype("uint8")
    images, vae = tmp_path / "own", trained_models["vae"].run.folder
    images.mkdir()
    for index, image in enumerate(noise):
        Image.fromarray(image).save(images / f"{index}.png")
    reconstruct_to_file(vae, images, None, tmp_path / "again.npz")
    assert np.load(tmp_path / "again.npz")["images"].shape == (7, SIZE, SIZE, 3)
    reconstruct_to_file(vae, images, 3, tmp_path / "again.png")
    sheet = np.asarray(Image.open(tmp_path / "again.png"))
    assert sheet.shape == (2 * (SIZE + 2) + 2, 3 * (SIZE + 2) + 2, 3)
    reconstruct_to_file(vae, None, 3, tmp_path / "its-own.png")
    mine = tmp_path / "mine"
    shutil.copytree(vae, mine)
    edit_run(lambda c: c.update(data="my_faces"))(mine)
    with pytest.raises(UserError, match="my_faces.*--data PATH"):
        reconstruct_to_file(mine, None, 3, tmp_path / "again.png")
    with pytest.raises(UserError, match="no encoder"):
        gan = trained_models["gan"].run.folder
        reconstruct_to_file(gan, images, 3, tmp_path / "x.png")
    with pytest.raises(UserError, match=".png or .npz"):
        save_images(noise, tmp_path / "x.bmp")


def test_contact_sheets(trained_models, tmp_path):
    red = np.zeros((5, 4, 4, 3), np.uint8)
    red[..., 0] = 200
    sheet = contact_sheet(red, 3)
    assert sheet.shape == (2 * 6 + 2, 3 * 6 + 2, 3)
    np.testing.assert_array_equal(sheet[2:6, 2:6], red[0])
    assert (sheet[:2] == 255).all() and (sheet[8:, 14:] == 255).all()
    show_samples(trained_models["gan"], tmp_path / "samples.png")
    assert Image.open(tmp_path / "samples.png").size == (10 * 34 + 2, 5 * 34 + 2)
