"""The runs behind the tables of text-to-text: every one is recorded once.

A recorded run is a small file below results/study/. What is recorded is not run
again, so a study that was interrupted goes on where it stopped.
"""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from latent_arithmetic.arithmetic.evaluation import (
    Evaluation,
    most_frequent_answer,
    neighbour_vote,
    over_seeds,
)
from latent_arithmetic.arithmetic.lessons import Lesson
from latent_arithmetic.arithmetic.questions import format_questions
from latent_arithmetic.arithmetic.tasks import train_task
from latent_arithmetic.errors import UserError
from latent_arithmetic.profiles import FULL, Budget, Profile
from latent_arithmetic.progress import say
from latent_arithmetic.provenance import config_hash, plain, provenance
from latent_arithmetic.results import GENERATED, Number, write_json
from latent_arithmetic.workspace import project_folder

STUDY_BUDGET = Budget(epochs=20, batch_size=128, learning_rate=1e-2)
# Seed 0 was used to choose settings, by its validation questions.
SEEDS, MORE_SEEDS = (1, 2, 3), (4, 5)
HEADLINES = {("random", 0.9), ("random", 0.5), ("random", 0.1)}
HEADLINES |= {("mirror-clean", 0.5), ("mirror-clean", 0.1)}


@dataclass(frozen=True)
class StudyRun:
    """One model of the study: what it is taught and for how long."""

    lesson: Lesson
    budget: Budget = STUDY_BUDGET

    @property
    def group(self) -> str:
        """What the seeds of one table row have in common."""
        percent = round(100 * self.lesson.train_fraction)
        return f"text-to-text-{self.lesson.design}-{self.lesson.split}-{percent}"

    @property
    def name(self) -> str:
        return f"{self.group}-seed-{self.lesson.seed}"

    @property
    def config(self) -> dict:
        """What makes this run this one."""
        settings = self.lesson.settings(self.lesson.parts())
        return plain(settings | {"budget": vars(self.budget)})


def text_runs(fractions: tuple[float, ...] = FULL.train_fractions) -> list[StudyRun]:
    """Both designs with columns, both splits, all fractions; seed by seed.

    Headline rows have five seeds, the others three.
    """
    runs = []
    for seed in SEEDS + MORE_SEEDS:
        for split in ("random", "mirror-clean"):
            for fraction in fractions:
                if seed in MORE_SEEDS and (split, fraction) not in HEADLINES:
                    continue
                runs += [
                    StudyRun(
                        Lesson(
                            seed=seed,
                            train_fraction=fraction,
                            split=split,
                            design=design,
                        )
                    )
                    for design in ("attention", "place-aligned")
                ]
    return runs


def study_folder() -> Path:
    """Where recorded runs are kept; they are committed."""
    return project_folder() / "results" / "study"


def recorded_run(run: StudyRun, folder: Path) -> dict | None:
    """What was recorded of this very run, or None if it has to be run.

    Raises:
        UserError: another run is recorded under its name.
    """
    path = folder / f"{run.name}.json"
    if not path.is_file():
        return None
    content = json.loads(path.read_text(encoding="utf-8"))
    if content["config_hash"] != config_hash(run.config):
        raise UserError(
            f"{path} records a run with the settings {content['config']}, expected "
            f"{run.config}; remove the file to run it again"
        )
    return content


def record_run(run: StudyRun, folder: Path, work: Path, profile: Profile) -> dict:
    """Train the model, ask it all test questions, and record what came out.

    work: where the model is trained; a run killed there is resumed there, a finished
        one is removed.
    """
    lesson = vars(run.lesson)
    trained = train_task(
        "text-to-text", work / run.name, profile=profile, budget=run.budget, **lesson
    )
    parts = run.lesson.parts()
    test = parts.test[: profile.test_questions]
    answered = Evaluation(test, trained.answer(format_questions(test)))
    nulls = {
        "neighbour-vote": neighbour_vote(parts.train, test),
        "most-frequent": most_frequent_answer(parts.train, test),
    }
    numbers = answered.numbers() | {
        name: Evaluation(test, written).numbers()["exact"]
        for name, written in nulls.items()
    }
    content = {
        "generated": GENERATED,
        "name": run.name,
        "numbers": {name: vars(number) for name, number in numbers.items()},
        "mistakes": answered.count_kinds(),
        "validation-exact": trained.run.numbers.get("exact"),
        "parameters": trained.model.count_params(),
        "seconds": round(trained.run.history.seconds, 1),
        "config": run.config,
        "config_hash": config_hash(run.config),
        "provenance": provenance(profile.name),
    }
    write_json(folder / f"{run.name}.json", content)
    shutil.rmtree(work / run.name)
    return content


def run_study(runs: list[StudyRun], folder: Path, work: Path, profile: Profile) -> None:
    """Record every run that is not recorded yet."""
    missing = [run for run in runs if recorded_run(run, folder) is None]
    say(f"{len(runs) - len(missing)} of {len(runs)} runs are recorded in {folder}")
    for number, run in enumerate(missing, start=1):
        say(f"{number} of {len(missing)}: {run.name}")
        content = record_run(run, folder, work, profile)
        say(f"  exact {100 * content['numbers']['exact']['value']:.2f}%")


def study_table(runs: list[StudyRun], folder: Path) -> dict[str, dict[str, Number]]:
    """Every group's numbers: one seed's as they are, of several the mean over seeds."""
    groups: dict[str, list[dict]] = {}
    for run in runs:
        content = recorded_run(run, folder)
        if content is not None:
            numbers = content["numbers"].items()
            found = {name: Number(**number) for name, number in numbers}
            groups.setdefault(run.group, []).append(found)
    return {group: over_seeds(found) for group, found in groups.items()}


def print_study(runs: list[StudyRun], folder: Path) -> None:
    """One line a group: exact answers, interval, questions and seeds."""
    print(f"{'exact answers, unseen questions':46s}{'%':>7}  95% interval")
    for group, numbers in study_table(runs, folder).items():
        exact = numbers["exact"]
        value, low, high = (100 * x for x in (exact.value, exact.low, exact.high))
        about = f"n = {exact.n}, seeds {exact.seeds}"
        print(f"{group:46s}{value:7.2f}  [{low:.2f}, {high:.2f}]  {about}")
