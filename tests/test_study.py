"""The study: runs are recorded once, tell their settings, and are averaged."""

from dataclasses import replace

import pytest

from latent_arithmetic.arithmetic import study, tasks
from latent_arithmetic.arithmetic.tasks import Lesson
from latent_arithmetic.errors import UserError
from latent_arithmetic.profiles import SMOKE, Budget
from latent_arithmetic.provenance import config_hash

ONE_EPOCH = Budget(epochs=1, batch_size=32, learning_rate=1e-2)


@pytest.fixture
def runs(monkeypatch):
    monkeypatch.setattr(tasks, "EPOCH_QUESTIONS", 128)
    lesson = Lesson(design="place-aligned", train_fraction=0.005)
    return [study.StudyRun(replace(lesson, seed=s), ONE_EPOCH) for s in (1, 2)]


def test_a_recorded_run_is_not_run_again(runs, tmp_path, monkeypatch):
    folder, work = tmp_path / "study", tmp_path / "work"
    study.run_study(runs[:1], folder, work, SMOKE)
    assert not any(work.iterdir())
    trained = []
    real = study.train_task
    monkeypatch.setattr(
        study,
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


def test_what_is_recorded_belongs_to_the_study():
    """No committed run is of other settings than the study asks for."""
    asked = {run.name: run for run in study.text_runs()}
    assert len(asked) == len(study.text_runs())
    for path in study.study_folder().glob("*.json"):
        content = study.recorded_run(asked[path.stem], study.study_folder())
        assert content["config_hash"] == config_hash(content["config"])
        assert content["numbers"]["exact"]["n"] > 1_000


def test_headline_rows_have_five_seeds_and_none_is_the_chosen_one():
    seeds = {}
    for run in study.text_runs():
        seeds.setdefault(run.group, set()).add(run.lesson.seed)
    assert {len(found) for found in seeds.values()} == {3, 5}
    assert len(seeds["text-to-text-attention-random-10"]) == 5
    assert not any(0 in found for found in seeds.values())
