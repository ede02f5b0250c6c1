"""The assignment's text-to-text model, written anew: what ours is compared with.

Texts are padded on the right, Adam has its default settings, and the learning rate
does not fall.
"""

from dataclasses import asdict, dataclass
from pathlib import Path

import keras
import numpy as np
from keras import layers

from latent_arithmetic.config import setting
from latent_arithmetic.records import Estimate, fraction_of
from latent_arithmetic.seq2seq.evaluate import AnswerEvaluation
from latent_arithmetic.seq2seq.queries import (
    ALPHABET,
    TWO_DIGITS,
    QueryConfig,
    QueryFormat,
    decode,
    encode,
    format_answers,
    format_queries,
    one_hot,
    true_answers,
)
from latent_arithmetic.seq2seq.splits import repeat_until
from latent_arithmetic.seq2seq.tasks import EPOCH_QUERIES
from latent_arithmetic.seq2seq.text_to_text import predict
from latent_arithmetic.training import Batches, History, fit, jit_compile

UNITS = 256  # of both LSTM layers
VALIDATIONS = 20  # during a run, at most
MALFORMED = "?"


@dataclass(frozen=True)
class BaselineConfig(QueryConfig):
    """The assignment's hyperparameters."""

    epochs: int = setting(10, "passes over the training queries", low=1)
    batch_size: int = setting(32, "queries in a training step", low=1)
    learning_rate: float = setting(1e-3, "learning rate", low=0, low_open=True)


def encode_text(
    queries: np.ndarray, query_format: QueryFormat = TWO_DIGITS
) -> tuple[np.ndarray, np.ndarray]:
    """Queries [n, 3] and their answers as the baseline reads and writes them.

    Returns:
        One-hot float32 [n, 5, 13] and [n, 3, 13], padded on the right.
    """
    texts = format_queries(queries, query_format)
    answers = format_answers(true_answers(queries), query_format)
    return _encode_left_justified(texts), _encode_left_justified(answers)


def _encode_left_justified(texts: list[str]) -> np.ndarray:
    return one_hot(encode([text.strip().ljust(len(text)) for text in texts]))


def build_baseline(query_format: QueryFormat = TWO_DIGITS) -> keras.Model:
    """Characters [n, 5, 13] to probabilities [n, 3, 13]."""
    return keras.Sequential(
        [
            keras.Input((query_format.query_length, len(ALPHABET))),
            layers.LSTM(UNITS),
            layers.RepeatVector(query_format.answer_length),
            layers.LSTM(UNITS, return_sequences=True),
            layers.TimeDistributed(layers.Dense(len(ALPHABET), activation="softmax")),
        ]
    )


def train_baseline(folder: Path, config: BaselineConfig) -> tuple[keras.Model, History]:
    """Train the baseline; an interrupted run is resumed in `folder`."""
    keras.utils.set_random_seed(config.seed)
    model, split = build_baseline(config.format), config.make_split()
    queries = repeat_until(split.train, EPOCH_QUERIES)
    batches = Batches(
        encode_text(queries, config.format),
        config.batch_size,
        config.seed,
        EPOCH_QUERIES,
    )
    model.compile(
        keras.optimizers.Adam(config.learning_rate),
        "categorical_crossentropy",
        metrics=["accuracy"],  # of characters
        jit_compile=jit_compile(),
    )

    def validate(model: keras.Model) -> dict[str, float]:
        answers = answer_queries(model, split.validation, config.format)
        return {"exact_match": float(answers.exact_match.mean())}

    history = fit(
        model,
        batches,
        epochs=config.epochs,
        title="baseline",
        folder=folder,
        config=asdict(config),
        validate=validate if len(split.validation) else None,
        every=max(1, config.epochs // VALIDATIONS),
    )
    return model, history


def answer_queries(
    model: keras.Model, queries: np.ndarray, query_format: QueryFormat = TWO_DIGITS
) -> AnswerEvaluation:
    """The baseline's answers to queries [n, 3], right-justified.

    One that begins with a blank is malformed, as the baseline pads on the right.
    """
    inputs, _ = encode_text(queries, query_format)
    answers = []
    for text in decode(predict(model, inputs).argmax(axis=-1)):
        padded = text.rstrip(" ").rjust(len(text))
        answers.append(MALFORMED * len(text) if text.startswith(" ") else padded)
    return AnswerEvaluation(queries, answers, query_format)


def per_character_accuracy(
    model: keras.Model, queries: np.ndarray, query_format: QueryFormat = TWO_DIGITS
) -> Estimate:
    """Characters predicted correctly, as the assignment counts them: blanks too."""
    inputs, answers = encode_text(queries, query_format)
    right = predict(model, inputs).argmax(axis=-1) == answers.argmax(axis=-1)
    return fraction_of(right.ravel())
