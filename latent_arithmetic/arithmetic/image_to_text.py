"""Image to text: an eye reads the handwriting, the text model answers."""

import math

import keras
import numpy as np
from keras import ops

from latent_arithmetic.arithmetic.glyphs import FreshGlyphs
from latent_arithmetic.arithmetic.image_designs import STRAIGHT_DESIGNS
from latent_arithmetic.arithmetic.models import predict
from latent_arithmetic.arithmetic.networks import PICTURE, OneHot, build_eye
from latent_arithmetic.arithmetic.questions import (
    ALPHABET,
    TWO_DIGITS,
    QuestionFormat,
    all_questions,
    encode_questions,
    question_shapes,
)

SLIP = -20.0  # log probability that the text model would write another answer
IMPOSSIBLE = -1e9  # log probability of a character that cannot stand there


def as_number(codes):
    """Texts [n, k] as one number each [n], the same for equal texts only."""
    places = len(ALPHABET) ** np.arange(codes.shape[-1], dtype="int32")
    return ops.sum(ops.cast(codes, "int32") * places, axis=-1)


def show(questions, glyphs: FreshGlyphs):
    """Codes [n, k] in fresh handwriting, or pictures [n, k, 28, 28] from 0 to 255.

    Returns: [n, k, 28, 28, 1] with values from 0 to 1.
    """
    if len(questions.shape) > 2:
        return ops.cast(questions, "float32")[..., None] / 255.0
    return glyphs(questions)


class ImageToText(keras.Model):
    """A question in handwriting to answer logits [n, answer_length, 13].

    One conv net, the eye, says of each picture which character it is; the trained
    encoder-decoder, which is not changed here, reads the most probable question as it
    reads text.

    The only target is the answer (supervision "answers"): the eye is never told what
    a picture shows. Any of the 20,000 questions of two digits may be the one that was
    asked, each with the probability that the eye gives its characters; the text model
    says which of them have the answer that is wanted. So p(answer) is a sum over
    questions, as in DeepProbLog (Manhaeve et al., 2018, arXiv:1805.10872), but of
    arithmetic that was learnt. With supervision "labels" the eye is told every
    character.
    """

    def __init__(
        self,
        encoder_decoder: keras.Model,
        glyphs: FreshGlyphs,
        form: QuestionFormat = TWO_DIGITS,
        supervision: str = "answers",
    ):
        super().__init__()
        self.glyphs = glyphs
        self.supervision = supervision
        self.one_hot = OneHot()
        self.eye = build_eye(len(ALPHABET))
        self.encoder_decoder = encoder_decoder
        self.encoder_decoder.trainable = False
        self.possible = encode_questions(all_questions(TWO_DIGITS), form)
        self.shapes = question_shapes(form)
        self.built = True

    def call(self, questions, training=False):
        """Codes [n, question_length] in fresh handwriting, or pictures of questions.

        Pictures: [n, question_length, 28, 28] with values from 0 to 255. In training
        nothing is answered: the loss looks at pictures of its own.
        """
        if training:
            return questions
        pictures = show(questions, self.glyphs)
        seen = self.look(ops.reshape(pictures, (-1, *PICTURE)))
        seen = ops.reshape(seen, (-1, questions.shape[1], len(ALPHABET)))
        return self.encoder_decoder(self.one_hot(self.most_probable(seen)))

    def most_probable(self, seen):
        """The most probable question: codes [n, question_length].

        seen: log probabilities [n, question_length, 13], or logits, of its characters.
        """
        fitting = ops.where(self.shapes, seen[:, None], IMPOSSIBLE)
        likely = ops.sum(ops.max(fitting, axis=-1), axis=-1)
        shape = ops.argmax(likely, axis=-1)[:, None, None]
        return ops.take_along_axis(ops.argmax(fitting, axis=-1), shape, axis=1)[:, 0]

    def look(self, pictures, training=False):
        """Pictures [n, 28, 28, 1] in [0, 1] to log probabilities [n, 13]."""
        return ops.log_softmax(self.eye(pictures, training=training))

    def answer_possible(self) -> None:
        """Let the text model answer every question that may be asked in training."""
        inputs = keras.Input((self.possible.shape[1],), dtype="uint8")
        text = keras.Model(inputs, self.encoder_decoder(self.one_hot(inputs)))
        answers = predict(text, self.possible).argmax(axis=-1)
        self.possible_answers = ops.convert_to_tensor(answers.astype("int32"))

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, **kwargs):
        """Minus the log likelihood of the target, in nats.

        x: codes of questions [n, question_length]. y: of their answers.
        """
        codes = ops.cast(x, "int32")
        pictures = ops.reshape(self.glyphs(codes), (-1, *PICTURE))
        seen = self.look(pictures, training=True)
        if self.supervision == "labels":
            return -ops.mean(ops.sum(seen * self.one_hot(ops.ravel(codes)), axis=-1))
        return -ops.mean(self.log_likelihood(seen, y))

    def log_likelihood(self, seen, answers):
        """Log p(answer | pictures) [n] of log probabilities [n * question_length, 13].

        answers: codes [n, answer_length].
        """
        shown = self.one_hot(self.possible)
        flat = shown.shape[1] * len(ALPHABET)
        read = ops.matmul(
            ops.reshape(seen, (-1, flat)), ops.transpose(ops.reshape(shown, (-1, flat)))
        )
        wanted, written = as_number(answers), as_number(self.possible_answers)
        fits = ops.where(ops.equal(wanted[:, None], written), 1.0, math.exp(SLIP))
        # As shares of the most probable one, so that nothing overflows.
        most = ops.stop_gradient(ops.max(read, axis=-1, keepdims=True))
        shares = ops.exp(read - most)
        answered, any_answer = (ops.sum(x, axis=-1) for x in (shares * fits, shares))
        return ops.log(answered) - ops.log(any_answer)


class StraightImageToText(keras.Model):
    """A question in handwriting to answer logits, through one of STRAIGHT_DESIGNS."""

    def __init__(
        self, glyphs: FreshGlyphs, reading: str, form: QuestionFormat = TWO_DIGITS
    ):
        super().__init__()
        self.glyphs = glyphs
        self.network = STRAIGHT_DESIGNS[reading](form)
        self.built = True

    def call(self, questions, training=None):
        """Codes [n, k] or pictures [n, k, 28, 28], see `show`."""
        return self.network(show(questions, self.glyphs), training=training)
