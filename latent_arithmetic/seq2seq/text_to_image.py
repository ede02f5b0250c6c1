"""Text to image: answer queries in handwriting drawn by a conditional VAE."""

from dataclasses import dataclass, replace

import keras
import numpy as np
from keras import ops
from sklearn.mixture import GaussianMixture

from latent_arithmetic.config import setting
from latent_arithmetic.seq2seq.frozen_text import FrozenTextConfig, FrozenTextModel
from latent_arithmetic.seq2seq.glyphs import (
    GLYPH_SIZE,
    GlyphBank,
    RandomGlyphs,
    glyph_bank,
)
from latent_arithmetic.seq2seq.layers import (
    STYLE_DIM,
    build_glyph_decoder,
    build_style_encoder,
)
from latent_arithmetic.seq2seq.queries import ALPHABET
from latent_arithmetic.seq2seq.text_to_text import (
    PREDICT_BATCH,
    build_text_model,
    predict,
)
from latent_arithmetic.training import predict_in_batches

STYLE_COMPONENTS = 10  # of the Gaussian mixture of one character's style vectors
# Chosen on validation digits.
LOGIT_SCALE, SAMPLING_TEMPERATURE = 2.0, 0.7


@dataclass(frozen=True)
class TextToImageConfig(FrozenTextConfig):
    """Hyperparameters of text-to-image.

    Raises:
        UserError: a value is not usable, or has no effect beside another.
    """

    decoder: str = setting(
        "conditional-vae",
        "conditional-vae: with a style vector; mean-squared-error: without one, which "
        "draws the mean glyph of a character",
        choices=("conditional-vae", "mean-squared-error"),
    )
    logit_scale: float | None = setting(
        None,
        "factor on the pixel logits of drawn glyphs, for contrast (default: "
        f"{LOGIT_SCALE}, for conditional-vae)",
        low=0,
        low_open=True,
    )
    sampling_temperature: float | None = setting(
        None,
        "factor on the standard deviation of sampled styles (default: "
        f"{SAMPLING_TEMPERATURE}, for conditional-vae)",
        low=0,
    )

    def __post_init__(self):
        super().__post_init__()
        if not self.has_styles:
            self.expect_unset(
                ("logit_scale", "sampling_temperature"),
                f"the decoder {self.decoder} has no style vector",
            )

    @property
    def has_styles(self) -> bool:
        """Whether glyphs are drawn with a style vector."""
        return self.decoder == "conditional-vae"

    def resolve(self) -> "TextToImageConfig":
        """The configuration with defaults in place of None."""
        resolved = super().resolve()
        if not self.has_styles:
            return resolved
        defaults = {
            "logit_scale": LOGIT_SCALE,
            "sampling_temperature": SAMPLING_TEMPERATURE,
        }
        unset = {k: v for k, v in defaults.items() if getattr(self, k) is None}
        return replace(resolved, **unset)


class TextToImage(FrozenTextModel):
    """Codes [n, query_length] to the answer in handwriting, by a conditional VAE.

    Content and style are separate. Content: the frozen text model's probabilities of
    the answer's characters. Style: a vector, sampled anew for every character. The
    glyph decoder draws an image of both; it is trained as the decoder of a conditional
    variational autoencoder on random glyphs of the true answers. The style vectors do
    not fill their standard normal prior, so afterwards a Gaussian mixture is fitted to
    those of every character (ex-post density estimation).

    Args:
        encoder_decoder: what `build_text_model` returns.
        logit_scale: factor on the pixel logits of drawn glyphs.
        sampling_temperature: factor on the standard deviation of sampled styles.
        seed: of the model's own random numbers in training.

    Reference:
        Kingma and Welling, "Auto-Encoding Variational Bayes", arXiv:1312.6114. Sohn et
        al., "Learning Structured Output Representation using Deep Conditional
        Generative Models", 2015. Ghosh et al., "From Variational to Deterministic
        Autoencoders", arXiv:1903.12436.
    """

    def __init__(
        self,
        encoder_decoder: keras.Model,
        glyphs: RandomGlyphs,
        logit_scale: float = LOGIT_SCALE,
        sampling_temperature: float = SAMPLING_TEMPERATURE,
        seed: int = 0,
    ):
        super().__init__(encoder_decoder)
        self.glyphs = glyphs
        self.logit_scale = logit_scale
        self.sampling_temperature = sampling_temperature
        self.glyph_decoder = build_glyph_decoder()
        self.build_styles()
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.reconstruction_tracker = keras.metrics.Mean("reconstruction")
        self.kl_divergence_tracker = keras.metrics.Mean("kl_divergence")
        self.built = True

    def build_styles(self) -> None:
        """Build the style encoder, and a Gaussian mixture of styles a character."""
        self.style_encoder = build_style_encoder()
        shape = (len(ALPHABET), STYLE_COMPONENTS)
        self.mixture_weights, self.mixture_means, self.mixture_scales = (
            self.add_weight(shape=shape + rest, trainable=False, name=name)
            for name, rest in (
                ("mixture_weights", ()),
                ("mixture_means", (STYLE_DIM,)),
                ("mixture_scales", (STYLE_DIM, STYLE_DIM)),
            )
        )

    def call(self, codes):
        """Probabilities [n, answer_length, 13] of the answer's characters."""
        return ops.softmax(self.encoder_decoder(self.one_hot(codes)))

    def draw(self, codes: np.ndarray, seed: int = 0) -> np.ndarray:
        """Answers to queries, codes [n, k]: uint8 [n, answer_length, 28, 28].

        Args:
            seed: of the styles.
        """
        content = predict(self, codes)
        generator = np.random.default_rng(seed)
        styles = self.sample_styles(content.argmax(axis=-1), generator)
        return self.render(content, styles)

    def render(self, content: np.ndarray, styles: np.ndarray) -> np.ndarray:
        """Glyphs uint8 [n, k, 28, 28] of given content and styles.

        Args:
            content: probabilities [n, k, 13] of characters.
            styles: style vectors [n, k, 24], see `sample_styles`.
        """
        pixels = predict_in_batches(
            self.pixels, content, styles, batch_size=PREDICT_BATCH
        )
        return np.round(pixels * 255).astype("uint8")

    def pixels(self, content, styles):
        """Pixels [n, k, 28, 28] in [0, 1] of content [n, k, 13], styles [n, k, 24]."""
        length = content.shape[1]
        content = ops.reshape(content, (-1, len(ALPHABET)))
        styles = ops.reshape(styles, (-1, STYLE_DIM))
        pixels = ops.sigmoid(self.logit_scale * self.glyph_decoder([content, styles]))
        return ops.reshape(pixels, (-1, length, GLYPH_SIZE, GLYPH_SIZE))

    def sample_styles(
        self, codes: np.ndarray, generator: np.random.Generator
    ) -> np.ndarray:
        """A style vector for each character, codes [n, k]: float32 [n, k, 24]."""
        normal = generator.standard_normal((*codes.shape, STYLE_DIM), "float32")
        uniform = generator.random(codes.shape)
        weights, means, scales = map(
            ops.convert_to_numpy,
            (self.mixture_weights, self.mixture_means, self.mixture_scales),
        )
        chosen = (weights.cumsum(axis=1)[codes] < uniform[..., None]).sum(axis=-1)
        chosen = np.minimum(chosen, STYLE_COMPONENTS - 1)  # weights may sum to less
        deviations = np.einsum("nkij,nkj->nki", scales[codes, chosen], normal)
        return means[codes, chosen] + self.sampling_temperature * deviations

    def fit_styles(self, bank: GlyphBank, count: int) -> None:
        """Fit the mixtures to the styles of `count` glyphs of every character."""
        generator = np.random.default_rng(0)
        mixtures = []
        for code in range(len(ALPHABET)):
            glyphs = bank.draw(np.full(count, code), seed=code)[..., None] / 255.0
            character = np.eye(len(ALPHABET), dtype="float32")[[code] * count]
            mean, log_variance = self.style_encoder.predict(
                [glyphs.astype("float32"), character], batch_size=500, verbose=0
            )
            noise = generator.standard_normal(mean.shape)
            styles = mean + np.exp(0.5 * log_variance) * noise
            mixture = GaussianMixture(
                STYLE_COMPONENTS, reg_covar=1e-3, tol=1e-2, max_iter=50, random_state=0
            )
            mixtures.append(mixture.fit(styles))
        self.mixture_weights.assign(np.stack([m.weights_ for m in mixtures]))
        self.mixture_means.assign(np.stack([m.means_ for m in mixtures]))
        scales = [np.linalg.cholesky(m.covariances_) for m in mixtures]
        self.mixture_scales.assign(np.stack(scales))

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, **kwargs):
        """Loss of one random character of each answer, in nats or squared error.

        All characters would cost as many times more and improve little.
        """
        count, length = ops.shape(y)[0], y.shape[1]
        position = keras.random.randint((count, 1), 0, length, seed=self.seed_generator)
        code = ops.take_along_axis(ops.cast(y, "int32"), position, axis=1)[:, 0]
        content = ops.take_along_axis(y_pred, position[..., None], axis=1)[:, 0]
        reconstruction, kl_divergence = self.glyph_loss(self.glyphs(code), content)
        self.reconstruction_tracker.update_state(reconstruction)
        self.kl_divergence_tracker.update_state(kl_divergence)
        return reconstruction + kl_divergence

    def glyph_loss(self, glyphs, content):
        """Negative evidence lower bound, in nats a glyph.

        Args:
            glyphs: [n, 28, 28, 1] in [0, 1].
            content: probabilities [n, 13] of their characters.

        Returns:
            Reconstruction error and KL divergence from the standard normal prior.
        """
        mean, log_variance = self.style_encoder([glyphs, content])
        noise = keras.random.normal(ops.shape(mean), seed=self.seed_generator)
        style = mean + ops.exp(0.5 * log_variance) * noise
        logits = self.glyph_decoder([content, style])
        pixels = keras.losses.binary_crossentropy(glyphs, logits, from_logits=True)
        reconstruction = ops.mean(ops.sum(pixels, axis=(1, 2)))
        divergence = ops.square(mean) + ops.exp(log_variance) - log_variance - 1
        return reconstruction, ops.mean(0.5 * ops.sum(divergence, axis=-1))


class MeanSquaredErrorTextToImage(TextToImage):
    """Text to image without styles: the mean squared error leads to mean glyphs."""

    def build_styles(self) -> None:
        """Nothing: there are no styles."""

    def sample_styles(
        self, codes: np.ndarray, generator: np.random.Generator
    ) -> np.ndarray:
        """Zeros [n, k, 24]."""
        return np.zeros((*codes.shape, STYLE_DIM), "float32")

    def fit_styles(self, bank: GlyphBank, count: int) -> None:
        """Nothing: there are no styles."""

    def glyph_loss(self, glyphs, content):
        """Squared error a glyph, and no KL divergence."""
        style = ops.zeros((ops.shape(content)[0], STYLE_DIM))
        pixels = ops.sigmoid(self.glyph_decoder([content, style]))
        error = ops.sum(ops.square(glyphs - pixels), axis=(1, 2, 3))
        return ops.mean(error), 0.0


def build_text_to_image(config: TextToImageConfig) -> TextToImage:
    """The untrained model of a configuration."""
    config = config.resolve()
    encoder_decoder = build_text_model(config.text_config())
    glyphs = RandomGlyphs(glyph_bank("train"), augment=False, seed=config.seed)
    if not config.has_styles:
        return MeanSquaredErrorTextToImage(
            encoder_decoder, glyphs, logit_scale=1.0, seed=config.seed
        )
    return TextToImage(
        encoder_decoder,
        glyphs,
        config.logit_scale,
        config.sampling_temperature,
        config.seed,
    )
