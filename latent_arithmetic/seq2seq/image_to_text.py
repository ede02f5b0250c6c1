"""Image to text: answer queries in handwriting, modular or end-to-end."""

import math
from dataclasses import dataclass, replace

import keras
import numpy as np
from keras import layers, ops

from latent_arithmetic.config import FULL, Profile, setting
from latent_arithmetic.io import UserError
from latent_arithmetic.seq2seq.frozen_text import FrozenTextConfig, FrozenTextModel
from latent_arithmetic.seq2seq.glyphs import GLYPH_SHAPE, RandomGlyphs, glyph_bank
from latent_arithmetic.seq2seq.layers import (
    CNNS,
    LSTM_UNITS,
    Stack,
    build_glyph_cnn,
    decode_from,
    encode_to_context,
)
from latent_arithmetic.seq2seq.queries import (
    ALPHABET,
    TWO_DIGITS,
    QueryFormat,
    all_queries,
    encode_queries,
    query_patterns,
)
from latent_arithmetic.seq2seq.text_to_text import (
    build_text_model,
    predict,
)

WRONG_ANSWER_LOGIT = -20.0  # log probability that the text model answers otherwise
IMPOSSIBLE_LOGIT = -1e9  # log probability of a character that cannot stand there
CONV_LSTM_CHANNELS = 16
FEATURES = 128  # of a glyph, that the CNN gives to the encoder
MODULAR = "modular"
SUPERVISIONS = ("answers", "characters")
UNEVEN_REPETITIONS = 4  # of training queries of a one-digit and a two-digit number


def encode_pixels(glyphs, encoder: Stack, cnn: None):
    """Context vectors [n, 128] of LSTM layers over the 784 pixels of each glyph."""
    return encode_to_context(layers.Reshape((glyphs.shape[1], -1))(glyphs), encoder)


def encode_features(glyphs, encoder: Stack, cnn: str):
    """Context vectors [n, 128] of LSTM layers over what one CNN finds in each glyph."""
    features = build_glyph_cnn(FEATURES, cnn)(ops.reshape(glyphs, (-1, *GLYPH_SHAPE)))
    features = ops.reshape(features, (-1, glyphs.shape[1], FEATURES))
    return encode_to_context(features, encoder)


def encode_with_conv_lstm(glyphs, encoder: Stack, cnn: None):
    """Context vectors [n, 64] of convolutional LSTM layers over the glyphs.

    Reference:
        Shi et al., "Convolutional LSTM Network", arXiv:1506.04214.
    """
    x = glyphs
    for layer in range(encoder.layers):
        more = layer < encoder.layers - 1  # the next layer reads a whole sequence
        x = layers.ConvLSTM2D(
            CONV_LSTM_CHANNELS,
            3,
            strides=1 if layer else 2,
            padding="same",
            return_sequences=more,
        )(x)
    x = layers.Flatten()(layers.MaxPooling2D(2)(x))
    return layers.Dense(LSTM_UNITS, activation="relu")(x)


END_TO_END = {
    "cnn-lstm": encode_features,
    "conv-lstm": encode_with_conv_lstm,
    "flattened-lstm": encode_pixels,
}
WITH_CNN = ("cnn-lstm", MODULAR)


def build_end_to_end(
    architecture: str,
    query_format: QueryFormat,
    encoder: Stack,
    decoder: Stack,
    cnn: str | None = None,
) -> keras.Model:
    """Glyphs [n, query_length, 28, 28, 1] to answer logits [n, answer_length, 13].

    Args:
        architecture: one of `END_TO_END`, which make the context vector.
        cnn: one of `CNNS`, for the architecture "cnn-lstm".
    """
    glyphs = keras.Input((query_format.query_length, *GLYPH_SHAPE))
    context = END_TO_END[architecture](glyphs, encoder, cnn)
    answer = decode_from(context, query_format.answer_length, decoder)
    return keras.Model(glyphs, answer, name=architecture.replace("-", "_"))


@dataclass(frozen=True)
class ImageToTextConfig(FrozenTextConfig):
    """Hyperparameters of image-to-text.

    Raises:
        UserError: a value is not usable, or has no effect beside another.
    """

    architecture: str = setting(
        "cnn-lstm",
        "cnn-lstm, conv-lstm, flattened-lstm: one network, end-to-end; modular: "
        "a CNN classifies characters, a frozen text model answers",
        choices=(*END_TO_END, MODULAR),
    )
    supervision: str = setting(
        SUPERVISIONS[0],
        "what is told in training: answers only, or (modular only) all characters",
        choices=SUPERVISIONS,
    )
    cnn: str | None = setting(
        None, "convolutions of the CNN (default: the profile's)", choices=tuple(CNNS)
    )

    def __post_init__(self):
        super().__post_init__()
        if self.architecture not in WITH_CNN:
            self.expect_unset(("cnn",), f"{self.architecture} has no CNN of its own")
        if not self.uses_text_model and self.supervision != SUPERVISIONS[0]:
            raise UserError(
                f"received supervision {self.supervision} with the end-to-end "
                f"architecture {self.architecture}, which is trained on answers; "
                f"expected architecture {MODULAR}, or supervision {SUPERVISIONS[0]}"
            )

    @property
    def uses_text_model(self) -> bool:
        return self.architecture == MODULAR

    def resolve(self, profile: Profile = FULL) -> "ImageToTextConfig":
        """The configuration with defaults in place of None."""
        resolved = super().resolve(profile)
        if self.architecture not in WITH_CNN:
            return resolved
        return replace(resolved, cnn=self.cnn or profile.cnn)

    def training_queries(self, queries: np.ndarray) -> np.ndarray:
        """Those of the training queries [n, 3] that the architecture is trained on."""
        return queries_of_fewer_digits(queries) if self.uses_text_model else queries


def queries_of_fewer_digits(queries: np.ndarray) -> np.ndarray:
    """Queries [n, 3] whose numbers have two digits at most, with repetitions.

    In 45+23 a 4 that is classified as 5 and a 2 that is classified as 1 still give the
    right answer, so a CNN that is trained on answers only may converge to classifying
    digits as their neighbors. Queries such as 45+3, where errors do not cancel, are
    repeated 4 times.

    Raises:
        UserError: there is none.
    """
    numbers = queries[:, [0, 2]]
    short = (numbers <= TWO_DIGITS.highest).all(axis=1)
    if not short.any():
        raise UserError(
            "received no training query with numbers of two digits at most; the "
            "modular architecture is trained on such; add some, or choose an "
            "end-to-end one"
        )
    uneven = (numbers <= 9).sum(axis=1) == 1
    times = np.where(uneven, UNEVEN_REPETITIONS, 1)
    return np.repeat(queries[short], times[short], axis=0)


def as_number(codes):
    """Codes [n, k] as one integer each [n], the same for equal codes only."""
    places = len(ALPHABET) ** np.arange(codes.shape[-1], dtype="int32")
    return ops.sum(ops.cast(codes, "int32") * places, axis=-1)


def as_glyphs(queries, glyphs: RandomGlyphs):
    """Queries as float glyphs [n, k, 28, 28, 1] in [0, 1].

    Args:
        queries: codes [n, k], which get random handwriting, or images
            [n, k, 28, 28] in [0, 255].
    """
    if len(queries.shape) > 2:
        return ops.cast(queries, "float32")[..., None] / 255.0
    return glyphs(queries)


class ModularImageToText(FrozenTextModel):
    """Queries in handwriting to answer logits: a CNN, then a frozen text model.

    The CNN classifies each glyph; the text model answers the most probable query.

    With supervision "answers", the CNN is trained without character labels. Any of the
    20,000 two-digit queries may be the one that is shown, with the product of the
    probabilities that the CNN gives to its characters; the text model says which of
    them have the target answer. So p(answer) is a sum over queries.

    Args:
        encoder_decoder: what `build_text_model` returns.
        supervision: "answers", or "characters" for cross-entropy of every character.
        cnn: one of `CNNS`.

    Reference:
        Manhaeve et al., "DeepProbLog", arXiv:1805.10872 (which sums in the same way,
        over given rules; here a trained text model takes their place).
    """

    def __init__(
        self,
        encoder_decoder: keras.Model,
        glyphs: RandomGlyphs,
        query_format: QueryFormat = TWO_DIGITS,
        supervision: str = SUPERVISIONS[0],
        cnn: str = "small",
    ):
        super().__init__(encoder_decoder)
        self.glyphs = glyphs
        self.supervision = supervision
        self.cnn = build_glyph_cnn(len(ALPHABET), cnn)
        shorter = min(query_format, TWO_DIGITS, key=lambda each: each.max_digits)
        self.candidates = encode_queries(all_queries(shorter), query_format)
        self.patterns = query_patterns(query_format)
        self.built = True

    def call(self, queries, training=False):
        """Codes [n, query_length], or images [n, query_length, 28, 28] in [0, 255].

        In training nothing is answered: the loss samples glyphs of its own.
        """
        if training:
            return queries
        glyphs = as_glyphs(queries, self.glyphs)
        scores = self.log_probabilities(ops.reshape(glyphs, (-1, *GLYPH_SHAPE)))
        scores = ops.reshape(scores, (-1, queries.shape[1], len(ALPHABET)))
        return self.encoder_decoder(self.one_hot(self.most_probable_query(scores)))

    def most_probable_query(self, scores):
        """Codes [n, query_length] of the most probable query.

        Args:
            scores: log probabilities or logits [n, query_length, 13] of its characters.
        """
        fitting = ops.where(self.patterns, scores[:, None], IMPOSSIBLE_LOGIT)
        totals = ops.sum(ops.max(fitting, axis=-1), axis=-1)
        pattern = ops.argmax(totals, axis=-1)[:, None, None]
        return ops.take_along_axis(ops.argmax(fitting, axis=-1), pattern, axis=1)[:, 0]

    def log_probabilities(self, glyphs, training=False):
        """Glyphs [n, 28, 28, 1] in [0, 1] to log probabilities [n, 13]."""
        return ops.log_softmax(self.cnn(glyphs, training=training))

    def recognize_queries(self, images: np.ndarray) -> np.ndarray:
        """Codes [n, k] of the queries in images [n, k, 28, 28]."""
        glyphs = images.reshape(-1, *GLYPH_SHAPE) / np.float32(255)
        scores = predict(self.cnn, glyphs).reshape(*images.shape[:2], -1)
        return np.array(self.most_probable_query(scores))

    def prepare_training(self) -> None:
        """Let the text model answer every candidate query."""
        inputs = keras.Input((self.candidates.shape[1],), dtype="uint8")
        text = keras.Model(inputs, self.encoder_decoder(self.one_hot(inputs)))
        answers = predict(text, self.candidates).argmax(axis=-1)
        self.candidate_answers = ops.convert_to_tensor(answers.astype("int32"))

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, **kwargs):
        """Negative log likelihood of the target, in nats.

        Args:
            x: codes of queries [n, query_length].
            y: codes of their answers [n, answer_length].
        """
        codes = ops.cast(x, "int32")
        glyphs = ops.reshape(self.glyphs(codes), (-1, *GLYPH_SHAPE))
        scores = self.log_probabilities(glyphs, training=True)
        if self.supervision == "characters":
            return -ops.mean(ops.sum(scores * self.one_hot(ops.ravel(codes)), axis=-1))
        return -ops.mean(self.log_likelihood(scores, y))

    def log_likelihood(self, scores, answers):
        """Log p(answer | images) [n], summed over all candidate queries.

        Args:
            scores: log probabilities [n * query_length, 13] of the characters.
            answers: codes [n, answer_length].
        """
        candidates = self.one_hot(self.candidates)
        flat = candidates.shape[1] * len(ALPHABET)
        candidates = ops.transpose(ops.reshape(candidates, (-1, flat)))
        query_scores = ops.matmul(ops.reshape(scores, (-1, flat)), candidates)
        target, found = as_number(answers), as_number(self.candidate_answers)
        matches = ops.where(
            ops.equal(target[:, None], found), 1.0, math.exp(WRONG_ANSWER_LOGIT)
        )
        # Relative to the most probable query, so that nothing overflows.
        highest = ops.stop_gradient(ops.max(query_scores, axis=-1, keepdims=True))
        relative = ops.exp(query_scores - highest)
        matching, total = (ops.sum(p, axis=-1) for p in (relative * matches, relative))
        return ops.log(matching) - ops.log(total)


class EndToEndImageToText(keras.Model):
    """Queries in handwriting to answer logits, trained on answers only.

    Args:
        network: what `build_end_to_end` returns.
    """

    def __init__(self, glyphs: RandomGlyphs, network: keras.Model):
        super().__init__()
        self.glyphs, self.network = glyphs, network
        self.cross_entropy = keras.losses.SparseCategoricalCrossentropy(
            from_logits=True
        )
        self.built = True

    def call(self, queries, training=None):
        """Codes [n, k] or images [n, k, 28, 28], see `as_glyphs`."""
        return self.network(as_glyphs(queries, self.glyphs), training=training)

    def recognize_queries(self, images: np.ndarray) -> None:
        """None: an end-to-end model names no characters."""

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, **kwargs):
        """Cross-entropy of the answer's characters, in nats a character."""
        return self.cross_entropy(y, y_pred)


def build_image_to_text(
    config: ImageToTextConfig,
) -> ModularImageToText | EndToEndImageToText:
    """The untrained model of a configuration."""
    config = config.resolve()
    glyphs = RandomGlyphs(glyph_bank("train"), seed=config.seed)
    if config.uses_text_model:
        encoder_decoder = build_text_model(config.text_config())
        return ModularImageToText(
            encoder_decoder, glyphs, config.format, config.supervision, config.cnn
        )
    network = build_end_to_end(
        config.architecture, config.format, *config.stacks, config.cnn
    )
    return EndToEndImageToText(glyphs, network)
