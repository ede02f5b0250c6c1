"""The three models. Each reads questions; two write text, one paints handwriting.

All three share `build_encoder_decoder`, the only part that does arithmetic. It is
always taught with text: the two models with pictures start from a text-to-text model
that was trained on the same questions and no others.
"""

import keras
import numpy as np
from keras import ops

from latent_arithmetic.arithmetic.glyphs import GLYPH_SIZE, FreshGlyphs
from latent_arithmetic.arithmetic.networks import (
    PICTURE,
    STYLE_DIM,
    OneHot,
    build_encoder_decoder,
    build_eye,
    build_painter,
    build_style_encoder,
)
from latent_arithmetic.arithmetic.questions import ALPHABET, TWO_DIGITS, QuestionFormat

PREDICT_BATCH = 500  # examples
TYPED_SHARE = 0.5  # of the characters an image-to-text model is trained with


def predict(model: keras.Model, inputs: np.ndarray) -> np.ndarray:
    """The model's outputs for any number of inputs, all in batches of one size.

    A compiled step is compiled again for every new size, which takes seconds; so
    the last batch is filled up, and what it was filled with is thrown away.
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
    """Codes [n, question_length] to answer logits [n, answer_length, 13]."""

    def __init__(
        self,
        form: QuestionFormat = TWO_DIGITS,
        encoder_layers: int = 1,
        decoder_layers: int = 1,
    ):
        super().__init__()
        self.one_hot = OneHot()
        self.encoder_decoder = build_encoder_decoder(
            form, encoder_layers, decoder_layers
        )
        self.built = True

    def call(self, codes):
        return self.encoder_decoder(self.one_hot(codes))


class ImageToText(keras.Model):
    """A question in handwriting to answer logits [n, answer_length, 13].

    One conv net, the eye, turns each picture into probabilities of the characters;
    the encoder-decoder reads these as it reads one-hot characters. The only target
    is the answer: the eye is never told what a picture shows. It learns from what
    the encoder-decoder needs to answer right, and to make this possible at all, in
    training TYPED_SHARE of the characters are typed (one-hot) instead of written by
    hand: between known characters, an answer says what the others must be.
    """

    def __init__(
        self,
        glyphs: FreshGlyphs,
        form: QuestionFormat = TWO_DIGITS,
        encoder_layers: int = 1,
        decoder_layers: int = 1,
        seed: int = 0,
    ):
        super().__init__()
        self.glyphs = glyphs
        self.one_hot = OneHot()
        self.eye = build_eye(len(ALPHABET))
        self.encoder_decoder = build_encoder_decoder(
            form, encoder_layers, decoder_layers
        )
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.built = True

    def call(self, questions, training=None):
        """Codes [n, question_length] in fresh handwriting, or pictures of questions.

        Pictures: [n, question_length, 28, 28] with values from 0 to 255.
        """
        if len(questions.shape) > 2:
            pictures = ops.cast(questions, "float32") / 255.0
            seen = self.look(ops.reshape(pictures, (-1, *PICTURE)), training)
            shape = (-1, questions.shape[1], len(ALPHABET))
            return self.encoder_decoder(ops.reshape(seen, shape))
        pool, index = self.glyphs(questions)
        characters = ops.take(self.look(pool, training), index, axis=0)
        if training:
            shape = (*ops.shape(questions), 1)
            chance = keras.random.uniform(shape, seed=self.seed_generator)
            typed = self.one_hot(questions)
            characters = ops.where(chance < TYPED_SHARE, typed, characters)
        return self.encoder_decoder(characters)

    def look(self, pictures, training=None):
        """Pictures [n, 28, 28, 1] in [0, 1] to probabilities [n, 13]."""
        return ops.softmax(self.eye(pictures, training=training))


class TextToImage(keras.Model):
    """Codes [n, question_length] to the answer in handwriting.

    What to write and how to write it come apart. What: the trained encoder-decoder's
    probabilities of the answer's characters (it is not changed here). How: a style,
    a draw from a standard normal distribution, free for every character. The painter
    makes a picture of both. It is trained as the decoder of a conditional
    variational autoencoder (Kingma and Welling, arXiv:1312.6114; Sohn et al., 2015)
    on fresh handwriting of the true answers.
    """

    def __init__(
        self,
        glyphs: FreshGlyphs,
        form: QuestionFormat = TWO_DIGITS,
        encoder_layers: int = 1,
        decoder_layers: int = 1,
        seed: int = 0,
    ):
        super().__init__()
        self.glyphs = glyphs
        self.one_hot = OneHot()
        self.encoder_decoder = build_encoder_decoder(
            form, encoder_layers, decoder_layers
        )
        self.encoder_decoder.trainable = False
        self.style_encoder = build_style_encoder()
        self.painter = build_painter()
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.reconstruction_tracker = keras.metrics.Mean("reconstruction")
        self.divergence_tracker = keras.metrics.Mean("divergence")
        self.built = True

    def call(self, codes):
        """What to write: probabilities [n, answer_length, 13]."""
        return ops.softmax(self.encoder_decoder(self.one_hot(codes)))

    def paint(self, content, style):
        """Probabilities [n, k, 13] and styles [n, k, 12] to pixels [n, k, 28, 28]."""
        flat = [
            ops.reshape(content, (-1, len(ALPHABET))),
            ops.reshape(ops.convert_to_tensor(style), (-1, STYLE_DIM)),
        ]
        pixels = ops.sigmoid(self.painter(flat))
        return ops.reshape(pixels, (-1, content.shape[1], GLYPH_SIZE, GLYPH_SIZE))

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, **kwargs):
        """Minus the evidence lower bound, in nats a picture.

        One place of each answer is drawn by chance and painted: three would cost
        three times as much and teach little more.
        """
        count, places = ops.shape(y)[0], y.shape[1]
        place = keras.random.randint((count, 1), 0, places, seed=self.seed_generator)
        code = ops.take_along_axis(ops.cast(y, "int32"), place, axis=1)[:, 0]
        content = ops.take_along_axis(y_pred, place[..., None], axis=1)[:, 0]
        pool, index = self.glyphs(code)
        picture = ops.take(pool, index, axis=0)

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
