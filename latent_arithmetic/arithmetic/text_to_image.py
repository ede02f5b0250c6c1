"""Text to image: a conditional variational autoencoder paints the answer."""

import keras
import numpy as np
from keras import ops

from latent_arithmetic.arithmetic.designs import build_text_design
from latent_arithmetic.arithmetic.glyphs import GLYPH_SIZE, FreshGlyphs, GlyphBank
from latent_arithmetic.arithmetic.networks import (
    STYLE_DIM,
    OneHot,
    build_painter,
    build_style_encoder,
)
from latent_arithmetic.arithmetic.questions import ALPHABET, TWO_DIGITS, QuestionFormat


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
