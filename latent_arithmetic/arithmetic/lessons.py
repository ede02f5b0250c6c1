"""Lessons: which questions a model is taught, and which model it is."""

import hashlib
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from latent_arithmetic.arithmetic.columns import GUESS
from latent_arithmetic.arithmetic.designs import find_recipe
from latent_arithmetic.arithmetic.questions import (
    TWO_DIGITS,
    QuestionFormat,
    all_questions,
    read_questions,
)
from latent_arithmetic.arithmetic.splits import (
    Split,
    file_split,
    mirror_clean_split,
    random_split,
)
from latent_arithmetic.errors import UserError, expect_one_of

SPLITS = {"random": random_split, "mirror-clean": mirror_clean_split}
UNEVEN_TIMES = 4  # so often is an eye taught questions of a short and a long number
# Fields of a lesson that one task alone knows.
OWN_FIELDS = {
    "image-to-text": ("reading", "supervision"),
    "text-to-image": ("painting",),
}


@dataclass(frozen=True)
class Lesson:
    """What a model is taught, and which model it is.

    seed: of the split, the first weights and the order of training.
    max_digits: of the numbers in a question.
    train_fraction: the share of all questions trained on.
    train_questions: a file with one question a line; exactly these are trained on,
        `train_fraction` and `split` do not count, and nothing is chosen by others.
    split: "random" or "mirror-clean" (a+b and b+a on the same side).
    design: one of DESIGNS. encoder_layers, decoder_layers: recurrent layers that read
        and that write; without a number, as many as the design's recipe says.
    weight_decay: of AdamW; without a number, the recipe's.
    alignment: score that the attention design gives the right characters before any
        training; 0 gives it no alignment to start from.
    reading, supervision: one of READINGS and of SUPERVISIONS, for image-to-text.
    painting: one of PAINTINGS, for text-to-image.
    """

    seed: int = 0
    max_digits: int = 2
    train_fraction: float = 0.9
    train_questions: Path | None = None
    split: str = "random"
    design: str = "summary"
    encoder_layers: int = 1
    decoder_layers: int | None = None
    weight_decay: float | None = None
    alignment: float = GUESS
    reading: str = "eye"
    supervision: str = "answers"
    painting: str = "styles"

    @property
    def form(self) -> QuestionFormat:
        """How long questions and answers are."""
        return QuestionFormat(self.max_digits)

    def parts(self) -> Split:
        """The questions to train on, to choose by and to test with.

        Raises:
            UserError: the fraction, the split or the file is not usable.
        """
        questions = all_questions(self.form)
        if self.train_questions is not None:
            train = read_questions(self.train_questions, self.form)
            return file_split(questions, train, self.seed)
        expect_one_of("split", self.split, SPLITS)
        return SPLITS[self.split](questions, self.train_fraction, self.seed)

    def settings(self, parts: Split, task: str = "text-to-text") -> dict:
        """What makes this lesson in a task this one, in plain values."""
        recipe = find_recipe(self.design)
        settings = asdict(self)
        del settings["train_questions"]
        if self.alignment == GUESS:  # recorded runs do not name it
            del settings["alignment"]
        for owner, names in OWN_FIELDS.items():
            if owner != task:
                settings = {key: settings[key] for key in settings if key not in names}
        for name in ("decoder_layers", "weight_decay"):
            if settings[name] is None:
                settings[name] = getattr(recipe, name)
        if self.train_questions is not None:
            del settings["train_fraction"]
            fingerprint = hashlib.sha256(parts.train.tobytes()).hexdigest()[:16]
            settings |= {"split": "file", "questions": len(parts.train)}
            settings |= {"sha256": fingerprint}
        return settings


def make_split(**lesson) -> Split:
    """The questions of a `Lesson`, split as asked."""
    return Lesson(**lesson).parts()


def teachable(questions: np.ndarray) -> np.ndarray:
    """Those of questions [n, 3] an eye can learn from: numbers of two digits at most.

    Ones like 45+3 come UNEVEN_TIMES. In 45+23 the 4 may be taken for a 5 if the 2 is
    taken for a 1; an eye may come to take all digits for their neighbours, and stay
    there. Nothing makes up for that in 45+3.

    Raises:
        UserError: there is none.
    """
    numbers = questions[:, [0, 2]]
    short = (numbers <= TWO_DIGITS.highest).all(axis=1)
    if not short.any():
        raise UserError(
            "received no training question with numbers of two digits at most; the "
            "eye learns from such"
        )
    uneven = (numbers <= 9).sum(axis=1) == 1
    times = np.where(uneven, UNEVEN_TIMES, 1)
    return np.repeat(questions[short], times[short], axis=0)
