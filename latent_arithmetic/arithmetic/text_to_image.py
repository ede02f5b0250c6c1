"""Text to image: a conditional variational autoencoder paints the answer."""

import keras
import numpy as np
from keras import ops
from sklearn.mixture import GaussianMixture

from latent_arithmetic.arithmetic.glyphs import GLYPH_SIZE, FreshGlyphs, GlyphBank
from latent_arithmetic.arithmetic.networks import (
    STYLE_DIM,
    OneHot,
    build_painter,
    build_style_encoder,
)
from latent_arithmetic.arithmetic.questions import ALPHABET

HANDS = 10  # normal distributions that the styles of one character are a mixture of
# Chosen on validation digits: pixel logits are multiplied, and a style is drawn nearer
# to the centre of its normal distribution, than training alone would have it.
CONTRAST, SPREAD = 2.0, 0.7


class TextToImage(keras.Model):
    """Codes [n, question_length] to the answer in handwriting.

    What to write and how to write it come apart. What: the trained encoder-decoder's
    probabilities of the answer's characters (it is not changed here). How: a style,
    drawn anew for every character. The painter makes a picture of both. It is trained
    as the decoder of a conditional variational autoencoder (Kingma and Welling,
    arXiv:1312.6114; Sohn et al., 2015) on fresh handwriting of the true answers. The
    styles this finds do not fill the standard normal distribution, so afterwards a
    Gaussian mixture is fitted to the styles of every character and drawn from instead
    (Ghosh et al., arXiv:1903.12436).

    painting: "mean-squared-error" leaves styles out: the painter is to hit the pixels
        of whatever handwriting comes, and paints their mean.
    """

    def __init__(
        self,
        encoder_decoder: keras.Model,
        glyphs: FreshGlyphs,
        painting: str = "styles",
        seed: int = 0,
    ):
        super().__init__()
        self.glyphs = glyphs
        self.painting = painting
        self.one_hot = OneHot()
        self.encoder_decoder = encoder_decoder
        self.encoder_decoder.trainable = False
        self.painter = build_painter()
        if painting == "styles":
            self._build_styles()
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.reconstruction_tracker = keras.metrics.Mean("reconstruction")
        self.divergence_tracker = keras.metrics.Mean("divergence")
        self.built = True

    def _build_styles(self) -> None:
        self.style_encoder = build_style_encoder()
        shape = (len(ALPHABET), HANDS)
        for name, rest in (
            ("style_shares", ()),
            ("style_centres", (STYLE_DIM,)),
            ("style_spreads", (STYLE_DIM, STYLE_DIM)),
        ):
            weight = self.add_weight(shape=shape + rest, trainable=False, name=name)
            setattr(self, name, weight)

    def call(self, codes):
        """What to write: probabilities [n, answer_length, 13]."""
        return ops.softmax(self.encoder_decoder(self.one_hot(codes)))

    def paint(self, content, styles):
        """Pixels [n, k, 28, 28] of probabilities [n, k, 13] and styles [n, k, 24]."""
        places = content.shape[1]
        content = ops.reshape(content, (-1, len(ALPHABET)))
        styles = ops.reshape(styles, (-1, STYLE_DIM))
        contrast = CONTRAST if self.painting == "styles" else 1.0
        pixels = ops.sigmoid(contrast * self.painter([content, styles]))
        return ops.reshape(pixels, (-1, places, GLYPH_SIZE, GLYPH_SIZE))

    def draw_styles(
        self, codes: np.ndarray, generator: np.random.Generator
    ) -> np.ndarray:
        """A style for each of the characters, codes [n, k]: float32 [n, k, 24]."""
        normal = generator.standard_normal((*codes.shape, STYLE_DIM), "float32")
        chance = generator.random(codes.shape)
        if self.painting != "styles":
            return np.zeros_like(normal)
        shares, centres, spreads = map(
            ops.convert_to_numpy,
            (self.style_shares, self.style_centres, self.style_spreads),
        )
        hands = (shares.cumsum(axis=1)[codes] < chance[..., None]).sum(axis=-1)
        hands = np.minimum(hands, HANDS - 1)  # shares may add up to a little less
        away = np.einsum("nkij,nkj->nki", spreads[codes, hands], normal)
        return centres[codes, hands] + SPREAD * away

    def fit_styles(self, bank: GlyphBank, count: int) -> None:
        """Fit the mixtures to the styles of `count` pictures of every character."""
        generator = np.random.default_rng(0)
        mixtures = []
        for code in range(len(ALPHABET)):
            pictures = bank.draw(np.full(count, code), seed=code)[..., None] / 255.0
            character = np.eye(len(ALPHABET), dtype="float32")[[code] * count]
            moments = self.style_encoder.predict(
                [pictures.astype("float32"), character], batch_size=500, verbose=0
            )
            mean, log_variance = moments
            noise = generator.standard_normal(mean.shape)
            styles = mean + np.exp(0.5 * log_variance) * noise
            mixture = GaussianMixture(
                HANDS, reg_covar=1e-3, tol=1e-2, max_iter=50, random_state=0
            )
            mixtures.append(mixture.fit(styles))
        self.style_shares.assign(np.stack([m.weights_ for m in mixtures]))
        self.style_centres.assign(np.stack([m.means_ for m in mixtures]))
        spreads = [np.linalg.cholesky(m.covariances_) for m in mixtures]
        self.style_spreads.assign(np.stack(spreads))

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, **kwargs):
        """Minus the evidence lower bound, in nats a picture; or the squared error.

        One place of each answer is drawn by chance and painted: three would cost
        three times as much and teach little more.
        """
        count, places = ops.shape(y)[0], y.shape[1]
        place = keras.random.randint((count, 1), 0, places, seed=self.seed_generator)
        code = ops.take_along_axis(ops.cast(y, "int32"), place, axis=1)[:, 0]
        content = ops.take_along_axis(y_pred, place[..., None], axis=1)[:, 0]
        picture = self.glyphs(code)
        if self.painting == "styles":
            reconstruction, divergence = self.lower_bound(picture, content)
        else:
            nothing = ops.zeros((count, STYLE_DIM))
            pixels = ops.sigmoid(self.painter([content, nothing]))
            error = ops.sum(ops.square(picture - pixels), axis=(1, 2, 3))
            reconstruction, divergence = ops.mean(error), 0.0
        self.reconstruction_tracker.update_state(reconstruction)
        self.divergence_tracker.update_state(divergence)
        return reconstruction + divergence

    def lower_bound(self, picture, content):
        """Reconstruction and divergence of pictures, both in nats a picture."""
        mean, log_variance = self.style_encoder([picture, content])
        noise = keras.random.normal(ops.shape(mean), seed=self.seed_generator)
        style = mean + ops.exp(0.5 * log_variance) * noise
        logits = self.painter([content, style])
        pixels = keras.losses.binary_crossentropy(picture, logits, from_logits=True)
        reconstruction = ops.mean(ops.sum(pixels, axis=(1, 2)))
        surprise = ops.square(mean) + ops.exp(log_variance) - log_variance - 1
        return reconstruction, ops.mean(0.5 * ops.sum(surprise, axis=-1))
