"""Kinds of runs in Task 2's study: text, pictures, long numbers."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np

from latent_arithmetic.arithmetic.asking import (
    ask_painting,
    ask_reading,
    in_several_hands,
)
from latent_arithmetic.arithmetic.evaluation import (
    Evaluation,
    most_frequent_answer,
    neighbour_vote,
)
from latent_arithmetic.arithmetic.lessons import Lesson, make_split
from latent_arithmetic.arithmetic.long_calculator import LAYERS
from latent_arithmetic.arithmetic.long_numbers import (
    TRAIN_FRACTION,
    are_shown,
    ask_long,
    draw_questions,
    train_long,
)
from latent_arithmetic.arithmetic.questions import format_questions
from latent_arithmetic.arithmetic.splits import without
from latent_arithmetic.arithmetic.tasks import train_task
from latent_arithmetic.arithmetic.trained import Trained
from latent_arithmetic.profiles import FULL, Budget, Profile
from latent_arithmetic.results import Number, share_of
from latent_arithmetic.study import Measured

STUDY_BUDGET = Budget(epochs=20, batch_size=128, learning_rate=1e-2)
LONG_BUDGET = Budget(epochs=36, batch_size=128, learning_rate=1e-2)
LONG_DIGITS, LONG_QUESTIONS = (3, 5, 10, 20, 100), 2_000
READER_SEED = 1  # one reader scores all painters


@dataclass(frozen=True)
class LessonRun:
    """A model that is taught a lesson, one of a task."""

    lesson: Lesson
    budget: Budget = STUDY_BUDGET
    task: str = "text-to-text"

    @property
    def seed(self) -> int:
        return self.lesson.seed

    @property
    def config(self) -> dict:
        settings = self.lesson.settings(self.lesson.parts(), self.task)
        return settings | {"budget": vars(self.budget)}


@dataclass(frozen=True)
class TextRun(LessonRun):
    """A text-to-text model, asked all test questions; and the null models.

    pictures: the same model behind the eye of image-to-text and before the painter of
        text-to-image, which are those of the seed's PictureRuns.
    """

    kind: str = ""
    pictures: bool = False

    @property
    def group(self) -> str:
        lesson = self.lesson
        percent = round(100 * lesson.train_fraction)
        return f"text-to-text-{lesson.design}{self.kind}-{lesson.split}-{percent}"

    def train(self, work: Path, profile: Profile) -> Trained:
        """Train the model, or load it if it is trained already."""
        folder = work / f"{self.group}-seed-{self.seed}"
        lesson = vars(self.lesson)
        return train_task(
            self.task, folder, profile=profile, budget=self.budget, **lesson
        )

    def measure(self, work: Path, profile: Profile) -> Measured:
        trained, form = self.train(work, profile), self.lesson.form
        parts = self.lesson.parts()
        test = parts.test[: profile.test_questions]
        answered = Evaluation(test, trained.answer(format_questions(test, form)), form)
        numbers = answered.numbers()
        for name, model in (
            ("neighbour-vote", neighbour_vote),
            ("most-frequent", most_frequent_answer),
        ):
            written = model(parts.train, test, form)
            numbers[name] = Evaluation(test, written, form).numbers()["exact"]
        details = describe(trained, answered)
        if self.pictures:
            for run in picture_runs(self.seed):
                found = run.measure_with(trained, self.lesson, work, profile)
                for name, number in found.numbers.items():
                    numbers[f"{run.task}-{name}"] = number
        shutil.rmtree(trained.run.folder)
        return Measured(numbers, details)


class PictureRun(LessonRun):
    """Image-to-text or text-to-image, with text-to-text taught the same questions."""

    @property
    def group(self) -> str:
        lesson = self.lesson
        if self.task == "text-to-image":
            return f"text-to-image-{lesson.painting}"
        if lesson.reading != "eye":
            return f"image-to-text-{lesson.reading}"
        return f"image-to-text-eye-{lesson.supervision}"

    def train(self, work: Path, profile: Profile) -> Trained:
        """Train the model, or load it if it is trained already; it is kept."""
        lesson = vars(self.lesson)
        lent = work / f"lent-text-to-text-seed-{self.seed}"
        train_task("text-to-text", lent, profile=profile, budget=STUDY_BUDGET, **lesson)
        return train_task(
            self.task,
            work / f"{self.group}-seed-{self.seed}",
            profile=profile,
            budget=self.budget,
            text_folder=lent,
            **lesson,
        )

    def measure(self, work: Path, profile: Profile) -> Measured:
        trained = self.train(work, profile)
        return self._ask(trained, self.lesson.parts().test, work, profile)

    def measure_with(
        self, text: Trained, lesson: Lesson, work: Path, profile: Profile
    ) -> Measured:
        """The same with another text-to-text model, on what neither was taught."""
        own = self.lesson.parts()
        test = without(lesson.parts().test, np.concatenate([own.train, own.validation]))
        trained = self.train(work, profile).with_text(text)
        return self._ask(trained, test, work, profile)

    def _ask(
        self, trained: Trained, test: np.ndarray, work: Path, profile: Profile
    ) -> Measured:
        test = in_several_hands(test, profile.test_questions)
        if self.task == "image-to-text":
            numbers, answered = ask_reading(trained, test)
        else:
            folder = work / "reader"
            reader = train_task("reader", folder, profile=profile, seed=READER_SEED)
            numbers, answered = ask_painting(trained, test, reader)
        return Measured(numbers, describe(trained, answered))


@dataclass(frozen=True)
class LongRun:
    """Taught numbers of up to two digits, asked much longer ones."""

    seed: int
    cell: str
    budget: Budget = LONG_BUDGET

    @property
    def group(self) -> str:
        return f"long-numbers-{self.cell}"

    @property
    def config(self) -> dict:
        return {
            "seed": self.seed,
            "budget": vars(self.budget),
            "cell": self.cell,
            "layers": LAYERS,
            "train_fraction": TRAIN_FRACTION,
        }

    def measure(self, work: Path, profile: Profile) -> Measured:
        folder = work / f"{self.group}-seed-{self.seed}"
        model, seconds = train_long(
            folder, seed=self.seed, budget=self.budget, cell=self.cell
        )
        test = make_split(seed=self.seed, train_fraction=TRAIN_FRACTION).test
        right = ask_long(model, test.tolist())
        numbers = {"exact": share_of(right)}
        for digits in LONG_DIGITS:
            numbers |= self._ask(model, digits, profile)
        shutil.rmtree(folder)
        details = {"parameters": model.count_params(), "seconds": round(seconds, 1)}
        return Measured(numbers, details)

    def _ask(
        self, model: keras.Model, digits: int, profile: Profile
    ) -> dict[str, Number]:
        """What is right of numbers of so many digits, apart by what two digits show."""
        count = min(LONG_QUESTIONS, profile.test_questions)
        asked = draw_questions(digits, count, self.seed)
        right, shown = ask_long(model, asked), are_shown(asked)
        sums = np.array([sign > 0 for _, sign, _ in asked])
        parts = {
            "": np.ones(count, bool),
            "-sums": sums,
            "-differences": ~sums,
            "-shown": shown,
            "-not-shown": ~shown,
        }
        numbers = {f"{digits}-digits-share-shown": share_of(shown)}
        for name, part in parts.items():
            if part.any():
                numbers[f"{digits}-digits{name}"] = share_of(right[part])
        return numbers


def describe(trained: Trained, answered: Evaluation) -> dict:
    """What is recorded of a run beside its numbers."""
    return {
        "mistakes": answered.count_kinds(),
        "validation-exact": trained.run.numbers.get("exact"),
        "parameters": trained.model.count_params(),
        "seconds": round(trained.run.history.seconds, 1),
    }


def picture_runs(seed: int) -> list[PictureRun]:
    """The eye that is taught with answers, and the painter with styles."""
    lesson = Lesson(seed=seed, design="attention")
    return [
        PictureRun(lesson, FULL.image_to_text, "image-to-text"),
        PictureRun(lesson, FULL.text_to_image, "text-to-image"),
    ]
