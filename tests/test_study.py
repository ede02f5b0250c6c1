"""The study: runs are recorded once, tell their settings, and are averaged."""

from dataclasses import replace

import pytest

from latent_arithmetic import images, study
from latent_arithmetic.arithmetic import study_runs, tasks
from latent_arithmetic.arithmetic.asking import in_several_hands
from latent_arithmetic.arithmetic.lessons import Lesson
from latent_arithmetic.arithmetic.questions import all_questions
from latent_arithmetic.arithmetic.study_plan import all_runs
from latent_arithmetic.arithmetic.study_runs import PictureRun, TextRun
from latent_arithmetic.errors import UserError
from latent_arithmetic.images.study_runs import LongRun, ModelRun, ShortRun
from latent_arithmetic.profiles import FULL, QUICK, SMOKE, Budget
from latent_arithmetic.provenance import config_hash
from latent_arithmetic.results import read_json, write_json

ONE_EPOCH = Budget(epochs=1, batch_size=32, learning_rate=1e-2)


@pytest.fixture
def runs(monkeypatch):
    monkeypatch.setattr(tasks, "EPOCH_QUESTIONS", 128)
    lesson = Lesson(design="place-aligned", train_fraction=0.005)
    return [TextRun(replace(lesson, seed=seed), ONE_EPOCH) for seed in (1, 2)]


def test_a_recorded_run_is_not_run_again(runs, tmp_path, monkeypatch):
    folder, work = tmp_path / "study", tmp_path / "work"
    study.run_study(runs[:1], folder, work, SMOKE)
    assert not any(work.iterdir())
    trained = []
    real = study_runs.train_task
    monkeypatch.setattr(
        study_runs,
        "train_task",
        lambda *a, **k: trained.append(k["seed"]) or real(*a, **k),
    )
    study.run_study(runs, folder, work, SMOKE)
    assert trained == [2]
    table = study.study_table(runs, folder)
    exact = table["text-to-text-place-aligned-random-0"]["exact"]
    assert exact.seeds == 2 and exact.n == SMOKE.test_questions
    single = [study.recorded_run(run, folder)["numbers"]["exact"] for run in runs]
    assert exact.value == pytest.approx(sum(s["value"] for s in single) / 2)
    changed = replace(runs[0], budget=replace(ONE_EPOCH, epochs=2))
    with pytest.raises(UserError, match="epochs"):
        study.recorded_run(changed, folder)


def test_pictures_are_measured_with_another_arithmetic(tmp_path, monkeypatch):
    """Three digits behind an eye and before a painter that were taught two."""
    monkeypatch.setattr(tasks, "EPOCH_QUESTIONS", 64)
    monkeypatch.setattr(study_runs, "STUDY_BUDGET", ONE_EPOCH)
    real = tasks.reader_examples
    monkeypatch.setattr(
        tasks,
        "reader_examples",
        lambda world: tuple(array[::50] for array in real(world)),
    )
    lesson = Lesson(seed=1, design="attention")
    pictures = [
        PictureRun(lesson, ONE_EPOCH, task)
        for task in ("image-to-text", "text-to-image")
    ]
    monkeypatch.setattr(study_runs, "picture_runs", lambda seed: pictures)
    longer = TextRun(replace(lesson, max_digits=3), ONE_EPOCH, pictures=True)
    small = replace(SMOKE, test_questions=60)
    numbers = longer.measure(tmp_path, small).numbers
    assert numbers["image-to-text-exact"].n == 60
    assert 0 <= numbers["image-to-text-digits-read"].value <= 1
    assert numbers["text-to-image-real-handwriting"].n == 60
    assert numbers["text-to-image-variety"].value > 0
    kept = {path.name for path in tmp_path.iterdir()}
    assert "image-to-text-eye-answers-seed-1" in kept and "reader" in kept
    single = pictures[0].measure(tmp_path, small)
    assert single.numbers["exact"].n == 60 and single.details["parameters"] > 0


def test_what_is_recorded_belongs_to_the_study():
    """No committed run is of other settings than the study asks for."""
    planned = all_runs() + images.study_runs.all_runs()
    asked = {study.name_of(run): run for run in planned}
    assert len(asked) == len(planned)
    for path in study.study_folder().glob("*.json"):
        run = asked[path.stem]
        content = study.recorded_run(run, study.study_folder())
        assert content["config_hash"] == config_hash(content["config"])
        if isinstance(run, images.study_runs.ModelRun):
            assert content["numbers"]["frechet"]["n"] > 0.09 * run.pictures
        else:
            assert content["numbers"]["exact"]["n"] > 900


def test_recorded_models_of_a_data_set_have_one_judge():
    runs = images.study_runs.all_runs()
    versions = {}
    for contents in study.study_contents(runs, study.study_folder()).values():
        for content in contents:
            judges = versions.setdefault(content["config"]["data"], set())
            judges.add(content["features"]["version"])
    assert {"cryptopunks", "utkface", "anime-faces"} == {*versions}
    assert all(len(judges) == 1 for judges in versions.values())


def test_headline_rows_have_five_seeds_and_none_is_the_chosen_one():
    seeds = {}
    for run in all_runs():
        seeds.setdefault(run.group, set()).add(run.seed)
    assert {len(found) for found in seeds.values()} == {3, 5}
    for group in (
        "text-to-text-attention-random-10",
        "image-to-text-eye-answers",
        "text-to-image-styles",
    ):
        assert len(seeds[group]) == 5
    assert not any(0 in found for found in seeds.values())


def test_few_questions_are_asked_in_several_hands():
    questions = all_questions()[:1_500]
    assert len(in_several_hands(questions, 20_000)) == 6_000
    assert len(in_several_hands(questions, 60)) == 60
    longer = all_questions()
    assert (in_several_hands(longer, 20_000) == longer).all()


@pytest.mark.parametrize(("profile", "epochs"), [(FULL, 40), (QUICK, 8), (SMOKE, 2)])
def test_own_epochs_are_those_of_the_full_profile(profile, epochs):
    assert LongRun("vae", epochs=40).budgets(profile).vae.epochs == epochs
    assert ShortRun("vae", epochs=1).budgets(profile).vae.epochs == 1


def test_a_picture_model_is_recorded_with_its_pictures(tmp_path):
    folder, work = tmp_path / "study", tmp_path / "work"
    runs = [ModelRun("vae", "course"), ModelRun("vae"), ModelRun("gan")]
    study.run_study(runs, folder, work, SMOKE)
    for run in runs:
        content = study.recorded_run(run, folder)
        numbers = content["numbers"]
        assert numbers["frechet"]["value"] > numbers["frechet_floor"]["value"] > 0
        assert content["features"]["name"] == "attribute judge"
        assert study.recorded_pictures(run, folder).shape == (20, 64, 64, 3)
    assert "arithmetic-told-success" in numbers and "test_psnr" not in numbers
    course, ours = (study.recorded_run(run, folder)["numbers"] for run in runs[:2])
    assert {"arithmetic-regression-success", "normal-frechet", "test_psnr"} <= {*course}
    assert {"arithmetic-corrected-success", "arithmetic-corrected-exact"} <= {*ours}
    assert not {"arithmetic-corrected-success"} & {*numbers, *course}
    versions = {study.recorded_run(run, folder)["features"]["version"] for run in runs}
    assert len(versions) == 1  # one judge for all


def test_runs_to_come_are_measured_by_the_judge_of_those_recorded(tmp_path):
    """Another judge is refused before anything is trained with it."""
    folder, work = tmp_path / "study", tmp_path / "work"
    runs = [ModelRun("vae", "course"), ModelRun("vae")]
    study.run_study(runs[:1], folder, work, SMOKE)
    images.study_runs.expect_recorded_judges(runs, folder, work, SMOKE)
    path = folder / f"{study.name_of(runs[0])}.json"
    content = read_json(path)
    content["features"]["version"] = "0badc0de"
    write_json(path, content)
    with pytest.raises(UserError, match="0badc0de"):
        images.study_runs.expect_recorded_judges(runs, folder, work, SMOKE)
    images.study_runs.expect_recorded_judges(runs[:1], folder, work, SMOKE)
    images.study_runs.expect_recorded_judges(runs, tmp_path / "own", work, SMOKE)


def test_runs_are_chosen_by_the_start_of_their_names():
    runs = images.study_runs.all_runs()
    chosen = study.named(runs, ["cryptopunks-vae-ours-seed", "utkface-gan-course"])
    assert [run.seed for run in chosen] == [1, 2, 3, 1, 2, 3]
    assert study.named(runs, []) == runs
    with pytest.raises(UserError, match="punks-vae.*cryptopunks-vae-ours"):
        study.named(runs, ["punks-vae"])
