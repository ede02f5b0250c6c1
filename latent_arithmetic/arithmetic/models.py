"""The three models. Each reads questions; two write text, one paints handwriting.

All three share `build_encoder_decoder`, the only part that does arithmetic. It is
always taught with text: the two models with pictures start from a text-to-text model
that was trained on the same questions and no others.
"""

import keras
import numpy as np
from keras import ops

from latent_arithmetic.arithmetic.designs import build_text_design
from latent_arithmetic.arithmetic.glyphs import GLYPH_SIZE, FreshGlyphs, GlyphBank
from latent_arithmetic.arithmetic.networks import (
    PICTURE,
    STYLE_DIM,
    OneHot,
    build_eye,
    build_painter,
    build_style_encoder,
)
from latent_arithmetic.arithmetic.questions import ALPHABET, TWO_DIGITS, QuestionFormat

PREDICT_BATCH = 500  # examples


def predict(model: keras.Model, inputs: np.ndarray) -> np.ndarray:
    """The model's outputs for any number of inputs, all in batches of one size.

    A step is compiled again for every new size, which can take seconds; so the last
    batch is filled up, and what it was filled with is thrown away.
    """
    missing = -len(inputs) % PREDICT_BATCH
    filled = np.concatenate([inputs, np.repeat(inputs[:1], missing, axis=0)])
    outputs = model.predict(filled, batch_size=PREDICT_BATCH, verbose=0)
    return outputs[: len(inputs)]


def exact(answers, logits):
    """The share of answers of which every character is right."""
    written = ops.argmax(logits, axis=-1)
    right = ops.equal(written, ops.cast(answers, written.dtype))
    return ops.cast(ops.all(right, axis=-1), "float32")


class TextToText(keras.Model):
    """Codes of questions, as `encode_for` makes them, to answer logits [n, k, 13]."""

    def __init__(
        self,
        form: QuestionFormat = TWO_DIGITS,
        encoder_layers: int = 1,
        decoder_layers: int = 1,
        design: str = "summary",
    ):
        super().__init__()
        self.one_hot = OneHot()
        self.encoder_decoder = build_text_design(
            design, form, encoder_layers, decoder_layers
        )
        self.built = True

    def call(self, codes):
        return self.encoder_decoder(self.one_hot(codes))


class ImageToText(keras.Model):
    """A question in handwriting to answer logits [n, answer_length, 13].

    One conv net, the eye, says of each picture which character it is; the trained
    encoder-decoder, which is not changed here, reads these as it reads text. The
    only target is the answer: the eye is never told what a picture shows.
    """

    def __init__(
        self,
        glyphs: FreshGlyphs,
        form: QuestionFormat = TWO_DIGITS,
        encoder_layers: int = 1,
        decoder_layers: int = 1,
        design: str = "summary",
        seed: int = 0,
    ):
        super().__init__()
        self.glyphs = glyphs
        self.one_hot = OneHot()
        self.eye = build_eye(len(ALPHABET))
        self.encoder_decoder = build_text_design(
            design, form, encoder_layers, decoder_layers
        )
        self.encoder_decoder.trainable = False
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.built = True

    def call(self, questions):
        """Codes [n, question_length] in fresh handwriting, or pictures of questions.

        Pictures: [n, question_length, 28, 28] with values from 0 to 255.
        """
        if len(questions.shape) > 2:
            pictures = ops.cast(questions, "float32") / 255.0
        else:
            pictures = self.glyphs(questions)
        seen = ops.argmax(self.look(ops.reshape(pictures, (-1, *PICTURE))), axis=-1)
        seen = ops.reshape(seen, (-1, questions.shape[1]))
        return self.encoder_decoder(self.one_hot(seen))

    def look(self, pictures, training=False):
        """Pictures [n, 28, 28, 1] in [0, 1] to log probabilities [n, 13]."""
        return ops.log_softmax(self.eye(pictures, training=training))

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, **kwargs):
        """Minus the log likelihood of the answer, in nats.

        One character of each question, at a place drawn by chance, is handwritten;
        the others are known. It may be any of the 13, each with the probability the
        eye gives it, so p(answer) is the sum of p(character) p(answer | character).
        """
        codes, length = ops.cast(x, "int32"), x.shape[1]
        count = ops.shape(codes)[0]
        place = keras.random.randint((count, 1), 0, length, seed=self.seed_generator)
        written = ops.take_along_axis(codes, place, axis=1)[:, 0]
        seen = self.look(self.glyphs(written), training=True)
        tried = ops.where(
            ops.equal(ops.arange(length), place)[:, None, :],
            ops.arange(len(ALPHABET))[None, :, None],
            codes[:, None, :],
        )
        answered = self.log_likelihood(ops.reshape(tried, (-1, length)), y)
        return -ops.mean(ops.logsumexp(seen + answered, axis=-1))

    def log_likelihood(self, tried, answers):
        """Log p(answer | question): [n, k] of k questions each, codes [n * k, ...]."""
        logits = self.encoder_decoder(self.one_hot(tried))
        letters = ops.log_softmax(logits)
        shape = (-1, len(ALPHABET), answers.shape[1], len(ALPHABET))
        right = self.one_hot(answers)[:, None]
        total = ops.sum(ops.reshape(letters, shape) * right, axis=(2, 3))
        return ops.stop_gradient(total)


class TextToImage(keras.Model):
    """Codes [n, question_length] to the answer in handwriting.

    What to write and how to write it come apart. What: the trained encoder-decoder's
    probabilities of the answer's characters (it is not changed here). How: a style,
    a draw from a normal distribution, free for every character. The painter makes a
    picture of both. It is trained as the decoder of a conditional variational
    autoencoder (Kingma and Welling, arXiv:1312.6114; Sohn et al., 2015) on fresh
    handwriting of the true answers. The styles this finds do not fill the standard
    normal distribution, so afterwards one is fitted to the styles of every character
    and drawn from instead (as Ghosh et al., arXiv:1903.12436, do).
    """

    def __init__(
        self,
        glyphs: FreshGlyphs,
        form: QuestionFormat = TWO_DIGITS,
        encoder_layers: int = 1,
        decoder_layers: int = 1,
        design: str = "summary",
        seed: int = 0,
    ):
        super().__init__()
        self.glyphs = glyphs
        self.one_hot = OneHot()
        self.encoder_decoder = build_text_design(
            design, form, encoder_layers, decoder_layers
        )
        self.encoder_decoder.trainable = False
        self.style_encoder = build_style_encoder()
        self.painter = build_painter()
        kinds, spread = len(ALPHABET), (STYLE_DIM, STYLE_DIM)
        self.style_centres = self.add_weight(
            shape=(kinds, STYLE_DIM), trainable=False, name="style_centres"
        )
        self.style_spreads = self.add_weight(
            shape=(kinds, *spread), trainable=False, name="style_spreads"
        )
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.reconstruction_tracker = keras.metrics.Mean("reconstruction")
        self.divergence_tracker = keras.metrics.Mean("divergence")
        self.built = True

    def call(self, codes):
        """What to write: probabilities [n, answer_length, 13]."""
        return ops.softmax(self.encoder_decoder(self.one_hot(codes)))

    def paint(self, content, draws):
        """Pixels [n, k, 28, 28] of probabilities [n, k, 13] and draws [n, k, 8].

        draws: from a standard normal distribution; moved and stretched, they
            follow the distribution of the characters' styles.
        """
        places = content.shape[1]
        content = ops.reshape(content, (-1, len(ALPHABET)))
        draws = ops.reshape(draws, (-1, STYLE_DIM))
        centre = ops.matmul(content, self.style_centres)
        spread = ops.tensordot(content, self.style_spreads, axes=1)
        style = centre + ops.matmul(spread, draws[..., None])[..., 0]
        pixels = ops.sigmoid(self.painter([content, style]))
        return ops.reshape(pixels, (-1, places, GLYPH_SIZE, GLYPH_SIZE))

    def fit_styles(self, bank: GlyphBank, count: int = 1_000) -> None:
        """Fit a normal distribution to the styles of `count` pictures a character."""
        centres, spreads = [], []
        for code in range(len(ALPHABET)):
            pictures = bank.draw(np.full(count, code), seed=code)[..., None] / 255.0
            character = np.eye(len(ALPHABET), dtype="float32")[[code] * count]
            moments = self.style_encoder([pictures.astype("float32"), character])
            mean, log_variance = map(ops.convert_to_numpy, moments)
            covariance = np.cov(mean.T) + np.diag(np.exp(log_variance).mean(axis=0))
            centres.append(mean.mean(axis=0))
            spreads.append(np.linalg.cholesky(covariance))
        self.style_centres.assign(np.stack(centres).astype("float32"))
        self.style_spreads.assign(np.stack(spreads).astype("float32"))

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, **kwargs):
        """Minus the evidence lower bound, in nats a picture.

        One place of each answer is drawn by chance and painted: three would cost
        three times as much and teach little more.
        """
        count, places = ops.shape(y)[0], y.shape[1]
        place = keras.random.randint((count, 1), 0, places, seed=self.seed_generator)
        code = ops.take_along_axis(ops.cast(y, "int32"), place, axis=1)[:, 0]
        content = ops.take_along_axis(y_pred, place[..., None], axis=1)[:, 0]
        picture = self.glyphs(code)

        mean, log_variance = self.style_encoder([picture, content])
        noise = keras.random.normal(ops.shape(mean), seed=self.seed_generator)
        style = mean + ops.exp(0.5 * log_variance) * noise
        logits = self.painter([content, style])

        pixels = keras.losses.binary_crossentropy(picture, logits, from_logits=True)
        reconstruction = ops.mean(ops.sum(pixels, axis=(1, 2)))
        surprise = ops.square(mean) + ops.exp(log_variance) - log_variance - 1
        divergence = ops.mean(0.5 * ops.sum(surprise, axis=-1))
        self.reconstruction_tracker.update_state(reconstruction)
        self.divergence_tracker.update_state(divergence)
        return reconstruction + divergence
